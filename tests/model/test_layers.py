"""RMSNorm and SwiGLU, plain and fast, against autograd; YaRN against transformers and against the published numbers."""

import math

import pytest
import torch
from tiny_models import YARN, tiny_config

from minids.model import layers
from minids.model.config import ModelConfig
from minids.model.ops import cpu
from minids.model.transformer import Transformer

V3_YARN = dict(
    type="yarn",
    factor=40,
    original_max_position_embeddings=4096,
    beta_fast=32,
    beta_slow=1,
    mscale=1.0,
    mscale_all_dim=1.0,
)


def plain_rms_norm(x, weight, eps):
    return weight * (x / torch.sqrt(x.pow(2).mean(-1, keepdim=True) + eps))


def plain_swiglu(gate, up):
    return gate * torch.sigmoid(gate) * up


both = pytest.mark.parametrize("version", [layers, cpu], ids=["plain", "fast"])


@both
@pytest.mark.parametrize("shape", [(7, 12), (2, 3, 5), (1, 1)])
def test_rms_norm(shape, version):
    x, w = torch.randn(*shape).double().requires_grad_(), torch.randn(shape[-1]).double().requires_grad_()
    for eps in (1e-6, 0.3):
        ours, theirs = version.rms_norm(x, w, eps), plain_rms_norm(x, w, eps)
        assert (ours - theirs).abs().max() < 1e-13
        upstream = torch.randn_like(ours)
        for a, b in zip(torch.autograd.grad(ours, (x, w), upstream), torch.autograd.grad(theirs, (x, w), upstream)):
            assert (a - b).abs().max() < 1e-12
        assert torch.autograd.gradcheck(lambda x, w, eps=eps: version.rms_norm(x, w, eps), (x, w))


@both
def test_rms_norm_of_zeros_and_of_a_view(version):
    x, w = torch.zeros(3, 4, requires_grad=True), torch.ones(4, requires_grad=True)
    version.rms_norm(x, w, 1e-6).sum().backward()
    assert x.grad.isfinite().all()
    wide = torch.randn(3, 10).double().requires_grad_()
    assert torch.autograd.gradcheck(lambda v: version.rms_norm(v[:, 2:6], w.detach().double(), 1e-6), (wide,))


@both
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_rms_norm_in_half_precision_is_computed_in_float32(dtype, version):
    x = (torch.randn(64, 256) * 30).to(dtype)
    exact = plain_rms_norm(x.double(), torch.ones(256).double(), 1e-6)
    error = (version.rms_norm(x, torch.ones(256, dtype=dtype), 1e-6).double() - exact).abs().max()
    assert error <= 4 * torch.finfo(dtype).eps  # values go up to about 4


@both
def test_swiglu(version):
    gate, up = (torch.randn(5, 9).double().mul(3).requires_grad_() for _ in range(2))
    ours, theirs = version.swiglu(gate, up), plain_swiglu(gate, up)
    assert (ours - theirs).abs().max() < 1e-13
    upstream = torch.randn_like(ours)
    for a, b in zip(torch.autograd.grad(ours, (gate, up), upstream), torch.autograd.grad(theirs, (gate, up), upstream)):
        assert (a - b).abs().max() < 1e-12
    assert torch.autograd.gradcheck(version.swiglu, (gate, up))
    extreme = torch.tensor([-1e4, -100.0, 0.0, 100.0, 1e4], requires_grad=True)
    version.swiglu(extreme, torch.ones(5)).sum().backward()
    assert extreme.grad.isfinite().all()


def test_rope_turns_pairs():
    """Lengths stay, the product of two turned vectors depends on the distance alone, and the pairs are those said."""
    table = layers.rotary_table(tiny_config(), 50, dtype=torch.float64)
    q, k = torch.randn(8).double(), torch.randn(8).double()
    for interleave in (True, False):

        def at(x, p, interleave=interleave):
            return layers.apply_rope(x, table[0][p], table[1][p], interleave)

        assert abs(at(q, 31).norm() - q.norm()) < 1e-6
        assert abs(at(q, 40) @ at(k, 33) - at(q, 7) @ at(k, 0)) < 1e-5
        assert torch.equal(at(q, 0).sort().values, q.sort().values)
    one = torch.zeros(8).double()
    one[1] = 1.0  # the second of pair (0, 1), or the first of pair (1, 5)
    assert layers.apply_rope(one, *(t[1] for t in table), True)[[0, 4]].tolist() == pytest.approx(
        [-math.sin(1), math.cos(1)]
    )
    angle = 10000 ** (-2 / 8)
    half = layers.apply_rope(one, *(t[1] for t in table), False)[[1, 5]]
    assert half.tolist() == pytest.approx([math.cos(angle), math.sin(angle)])


def test_numbers_of_deepseek_v3():
    config = ModelConfig(rope_scaling=V3_YARN, max_position_embeddings=163840)
    plain, slowed = layers.yarn_inv_freq(64, 10000.0, None), layers.yarn_inv_freq(64, 10000.0, V3_YARN)
    ratio = slowed / plain
    kept, full = ratio > 1 - 1e-6, (ratio * 40 - 1).abs() < 1e-5
    assert kept.nonzero().max() == 10 and full.nonzero().min() == 23  # low and high of the ramp
    assert kept[:11].all() and full[23:].all()
    assert layers.softmax_scale(config) == pytest.approx(0.1352338, abs=1e-6)
    assert layers.yarn_mscale(40, 1.0) == pytest.approx(1.36889, abs=1e-5)
    assert layers.rotary_magnitude(config) == 1.0


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"factor": 1.0},
        {"factor": 8.0, "beta_fast": 4, "beta_slow": 2},
        {"truncate": False},
        {"truncate": True},
        {"mscale": 0.7},
        {"attention_factor": 1.3},
        {"mscale": 0.0},
        {"original_max_position_embeddings": 4096},
    ],
    ids=str,
)
@pytest.mark.parametrize("dim,theta", [(64, 10000.0), (8, 500.0), (2, 10000.0)])
def test_yarn_equals_transformers(changes, dim, theta):
    transformers = pytest.importorskip("transformers")
    from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

    scaling = YARN | changes
    theirs = transformers.DeepseekV3Config(
        qk_rope_head_dim=dim,
        rope_parameters={**scaling, "rope_type": "yarn", "rope_theta": theta},
        max_position_embeddings=4096,
    )
    inv_freq, magnitude = ROPE_INIT_FUNCTIONS["yarn"](theirs)
    ours = tiny_config(qk_rope_head_dim=dim, rope_theta=theta, rope_scaling=scaling)
    torch.testing.assert_close(layers.yarn_inv_freq(dim, theta, scaling), inv_freq, rtol=1e-6, atol=1e-9)
    assert layers.rotary_magnitude(ours) == pytest.approx(magnitude)
    from transformers.models.deepseek_v3.modeling_deepseek_v3 import DeepseekV3Attention

    theirs_scale = DeepseekV3Attention(_small(theirs, ours), 0).scaling
    assert layers.softmax_scale(ours) == pytest.approx(theirs_scale)


def _small(theirs, ours):
    for key in ("hidden_size", "num_attention_heads", "kv_lora_rank", "qk_nope_head_dim", "v_head_dim", "qk_head_dim"):
        setattr(theirs, key, getattr(ours, key))
    theirs.q_lora_rank = None
    return theirs


def test_the_table_of_angles_grows():
    model = Transformer(tiny_config(max_position_embeddings=16, rope_scaling=YARN))
    short = model.angles(torch.arange(10)[None])[0]
    long = model.angles(torch.arange(300)[None])[0]
    assert torch.equal(short[0], long[0, :10])


# -- the whole architecture on paper -------------------------------------------------------------------------


def test_parameters_of_deepseek_v3():
    """671 B in all, 37 B active (arXiv 2412.19437 §4.2), counted on a model without storage."""
    with torch.device("meta"):
        model = Transformer(ModelConfig())
    assert model.parameter_count() == 671_026_404_352
    assert model.parameter_count(active=True) / 1e9 == pytest.approx(37.55, abs=0.005)
    assert sum(p.numel() for p in model.layers[0].self_attn.parameters()) / 1e6 == pytest.approx(187.1, abs=0.05)
    assert sum(p.numel() for p in model.layers[60].parameters()) / 1e9 == pytest.approx(11.5, abs=0.05)
    assert model.config.cache_elements * 61 == 35_136


def test_parameters_of_its_mtp_module():
    with torch.device("meta"):
        model = Transformer(ModelConfig(num_nextn_predict_layers=1))
    assert sum(p.numel() for p in model.mtp.parameters()) / 1e9 == pytest.approx(11.61, abs=0.005)
