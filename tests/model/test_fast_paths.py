"""The hand-written steps of minids/model/ops/cpu.py and matmul.py give the numbers of the plain code,
in float64 to 1e-10."""

import importlib

import pytest
import torch
import torch.nn.functional as F

from minids.model import attention, generate, layers, moe
from minids.model.config import ModelConfig
from minids.model.ops import cpu, linear
from minids.model.transformer import Transformer

SIZES = dict(
    vocab_size=50,
    hidden_size=24,
    intermediate_size=40,
    moe_intermediate_size=12,
    num_hidden_layers=3,
    num_attention_heads=3,
    n_routed_experts=8,
    n_group=2,
    topk_group=1,
    num_experts_per_tok=2,
    first_k_dense_replace=1,
    kv_lora_rank=10,
    qk_rope_head_dim=4,
    qk_nope_head_dim=6,
    v_head_dim=8,
    max_position_embeddings=512,
    initializer_range=0.2,
)


@pytest.fixture(autouse=True)
def fixed_seed():
    torch.manual_seed(3)


def same(ours, plain, inputs, limit=1e-10):
    """Values and all gradients, for a random gradient of the output."""
    assert (ours - plain).abs().max() <= limit * plain.abs().max()
    grad = torch.randn_like(plain)
    for a, b in zip(torch.autograd.grad(ours, inputs, grad), torch.autograd.grad(plain, inputs, grad)):
        assert (a - b).abs().max() <= limit * b.abs().max()


def leaves(*shapes, dtype=torch.float64):
    return [torch.randn(shape, dtype=dtype, requires_grad=True) for shape in shapes]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"q_lora_rank": 14},
        {"q_lora_rank": 14, "attention_bias": True},
        {"attention_bias": True},
        {"qk_nope_head_dim": 12, "v_head_dim": 6},
    ],
)
def test_attention_equals_the_naive_path(changes, monkeypatch):
    config = ModelConfig(**{**SIZES, "q_lora_rank": None, **changes})
    layer = attention.MLA(config, 0).double()
    for p in layer.parameters():
        torch.nn.init.normal_(p, std=0.3)
    (x,) = leaves((2, 17, config.hidden_size))
    cos, sin = (z.double() for z in layers.rotary_table(config, 17))
    assert attention.fast_path(config, x, None, None, None)
    ours = layer(x, cos[None], sin[None])
    monkeypatch.setattr(attention, "fast_path", lambda *_: False)
    same(ours, layer(x, cos[None], sin[None]), [x, *layer.parameters()])


@pytest.mark.parametrize("changes", [{"rope_interleave": False}, {"qk_nope_head_dim": 5}, {"kv_lora_rank": 9}])
def test_attention_leaves_what_it_can_not_do(changes):
    config = ModelConfig(**{**SIZES, "q_lora_rank": None, **changes})
    assert not attention.fast_path(config, torch.zeros(1, 4, config.hidden_size), None, None, None)


def test_mlp():
    mlp = layers.MLP(24, 40).double()
    (x,) = leaves((2, 9, 24))
    plain = mlp.down_proj(F.silu(mlp.gate_proj(x)) * mlp.up_proj(x))
    same(mlp(x), plain, [x, *mlp.parameters()])


@pytest.mark.parametrize("weights", ["ones", "some", "none"])
def test_linear_cross_entropy(weights, monkeypatch):
    monkeypatch.setattr(cpu, "CHUNK", 16)
    hidden, w = leaves((40, 24), (50, 24))
    target = torch.randint(0, 50, (40,))
    weight = {"ones": torch.ones(40), "some": torch.rand(40) * (torch.rand(40) < 0.5), "none": torch.zeros(40)}[weights]
    weight = weight.double()
    plain = (F.cross_entropy(hidden @ w.T * 30, target, reduction="none") * weight).sum()
    ours = cpu.linear_cross_entropy(hidden * 30, w, target, weight)
    same(ours, plain, [hidden, w], 1e-10 if weights != "none" else 0)
    with torch.no_grad():
        assert torch.equal(cpu.linear_cross_entropy(hidden * 30, w, target, weight), ours)


def test_linear_cross_entropy_of_an_impossible_token_is_large_not_infinite():
    hidden, w = torch.tensor([[300.0]], requires_grad=True), torch.tensor([[1.0], [-1.0]])
    assert cpu.linear_cross_entropy(hidden, w, torch.tensor([1]), torch.ones(1)).item() == pytest.approx(600)


@pytest.mark.parametrize("multiple", [1, 8])
def test_grouped_experts_equal_the_loop_when_slices_are_rounded_up(multiple, monkeypatch):
    monkeypatch.setattr(linear, "ROWS", multiple)
    monkeypatch.setattr(linear, "onednn_supports", lambda a: False)
    whole = moe.permute_tokens
    monkeypatch.setattr(moe, "permute_tokens", lambda indices, experts, _: whole(indices, experts, multiple))
    x, w_gate_up, w_down = leaves((30, 10), (6, 8, 10), (6, 10, 4))
    (gates,) = leaves((30, 2))
    indices = torch.rand(30, 6)[:, :5].topk(2).indices  # the last expert gets nothing
    inputs = [x, gates, w_gate_up, w_down]
    ours = moe.experts_grouped(x, indices, gates, w_gate_up, w_down)
    same(ours, moe.experts_loop(x, indices, gates, w_gate_up, w_down), inputs)


@pytest.mark.parametrize("rows", [1, 63, 64, 100, 256, 300, 1024])
def test_products_equal_torch_in_float32(rows):
    x, w = leaves((rows, 96), (80, 96), dtype=torch.float32)
    same(linear.linear(x, w), F.linear(x, w), [x, w], 1e-5)
    same(linear.linear(x, w, w[:, 0]), F.linear(x, w, w[:, 0]), [x, w], 1e-5)


def test_products_under_autocast_are_torch_s_own():
    x, w = leaves((64, 32), (16, 32), dtype=torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        y = linear.linear(x, w)
    assert y.dtype == torch.bfloat16
    y.sum().backward()
    assert x.grad.dtype == torch.float32


@pytest.mark.parametrize("masked", [True, False])
def test_fused_attention_equals_the_plain_one(masked):
    q, k, v = leaves((2, 3, 7, 4), (2, 3, 7, 4), (2, 3, 7, 5))
    mask = torch.rand(2, 1, 7, 7) < 0.5 if masked else None
    if masked:
        mask |= torch.eye(7, dtype=torch.bool)
    same(cpu.attend(q, k, v, 0.3, mask), attention.attend(q, k, v, 0.3, mask), [q, k, v])


def counted(module, name, monkeypatch):
    """Puts a function that counts its calls in the place of one of the library's; -> the list it appends to."""
    calls, own = [], getattr(module, name)
    monkeypatch.setattr(module, name, lambda *a, **k: calls.append(1) or own(*a, **k))
    return calls


MLA = {**SIZES, "q_lora_rank": None}
REPLACEABLE = [
    (attention, "apply_rope"),
    (attention, "mla_naive"),
    (attention, "expand_latent"),
    (attention, "attend"),
    (layers, "rms_norm"),
    (layers, "swiglu"),
]


@pytest.mark.parametrize("module, name", REPLACEABLE, ids=lambda x: x if isinstance(x, str) else "")
@pytest.mark.parametrize("how", [{}, {"q_lora_rank": 14}, {"attention": "gqa"}], ids=str)
def test_a_replaced_function_is_run_in_training(module, name, how, monkeypatch):
    if "attention" in how and name in ("mla_naive", "expand_latent"):
        pytest.skip("grouped-query attention has no latent")
    calls = counted(module, name, monkeypatch)
    Transformer(ModelConfig(**{**MLA, **how}))(torch.zeros(1, 4, dtype=torch.long))
    assert calls


FOLDED = [f"{f.__module__}.{f.__name__}" for f in dict.fromkeys(generate.folded_definitions())]


@pytest.mark.parametrize("path", FOLDED)
def test_what_the_folded_decoder_stands_for_is_not_folded_once_replaced(path, monkeypatch):
    module, name = importlib.import_module(path.rpartition(".")[0]), path.rpartition(".")[2]
    model = Transformer(ModelConfig(**{**MLA, "kv_lora_rank": 12, "initializer_range": 0.3})).double().eval()
    assert generate.folds(model.config)
    ours = generate.generate(model, [[3, 4, 5, 6, 7, 8]], n=4, max_new_tokens=10)
    calls = counted(module, name, monkeypatch)
    if name == "apply_rope":  # attention holds it by this name
        monkeypatch.setattr(attention, name, getattr(layers, name))
    assert not generate.folds(model.config)
    plain = generate.generate(model, [[3, 4, 5, 6, 7, 8]], n=4, max_new_tokens=10)
    assert plain.ids == ours.ids
    assert calls


@pytest.mark.parametrize("shape", [(8, 64), (3, 21), (2, 230)])
def test_whole_model_float32(shape, monkeypatch):
    """The real sizes, on oneDNN's shapes and off them: loss and gradients equal the plain paths to float32's
    precision."""
    model = Transformer(ModelConfig(**{**SIZES, "q_lora_rank": None, "hidden_size": 64, "kv_lora_rank": 32}))
    ids = torch.randint(0, 50, shape)

    def gradients():
        model.zero_grad()
        hidden = model.hidden(ids[:, :-1]).flatten(0, 1)
        loss = cpu.linear_cross_entropy(hidden, model.lm_head.weight, ids[:, 1:].flatten(), torch.ones(len(hidden)))
        loss.backward()
        return loss.item(), {k: p.grad.clone() for k, p in model.named_parameters()}

    loss, ours = gradients()
    monkeypatch.setattr(attention, "fast_path", lambda *_: False)
    monkeypatch.setattr(linear, "onednn", lambda: False)
    monkeypatch.setattr(
        moe.Experts, "forward", lambda self, x, i, g: moe.experts_loop(x, i, g, self.gate_up_proj, self.down_proj)
    )
    plain_loss, plain = gradients()
    assert loss == pytest.approx(plain_loss, rel=1e-5)
    for key in plain:
        assert (ours[key] - plain[key]).norm() <= 1e-4 * plain[key].norm(), key
