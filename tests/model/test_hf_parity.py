"""Logits, gradients, files and MTP modules against transformers' DeepseekV3ForCausalLM, float32, eager attention."""

import json
import re
import warnings

import pytest
import torch
import torch.nn.functional as F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny_models import FORMS, YARN, ids_for, random_model, relative

from minids.model.speculative import speculative_greedy
from minids.model.transformer import Transformer

transformers = pytest.importorskip("transformers")
transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()


def load_hf(folder, expect_unexpected=None):
    model, info = transformers.AutoModelForCausalLM.from_pretrained(
        folder, attn_implementation="eager", experts_implementation="eager", output_loading_info=True
    )
    assert not info["missing_keys"] and not info["mismatched_keys"] and not info["error_msgs"]
    if expect_unexpected is None:
        assert not info["unexpected_keys"]
    else:
        assert all(re.match(expect_unexpected, key) for key in info["unexpected_keys"])
    assert type(model).__name__ == "DeepseekV3ForCausalLM" and model.dtype == torch.float32
    return model.eval()


def as_hf(model, folder, **how):
    model.save_pretrained(folder, **how)
    return load_hf(folder)


def assert_same_logits(model, hf, ids):
    with torch.no_grad():
        ours, theirs = model(ids), hf(ids).logits
    assert relative(ours, theirs) <= 1e-5
    assert torch.equal(ours.argmax(-1), theirs.argmax(-1))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("experts", ["separate", "fused"])
def test_logits_through_files_and_back(form, experts, tmp_path):
    model = random_model(**FORMS[form])
    hf = as_hf(model, tmp_path / "ours", experts=experts)
    assert hf.config.num_nextn_predict_layers == 0
    assert_same_logits(model, hf, ids_for(model))

    hf.save_pretrained(tmp_path / "theirs")
    back = Transformer.from_pretrained(tmp_path / "theirs").eval()
    assert (
        back.config.to_dict().items()
        >= {k: v for k, v in model.config.to_dict().items() if k != "rope_scaling"}.items()
    )
    before, after = model.state_dict(), back.state_dict()
    assert before.keys() == after.keys()
    for name in before:
        assert torch.equal(before[name], after[name]), name
    assert_same_logits(back, hf, ids_for(model))


def test_a_model_made_by_transformers(tmp_path):
    """Config and weights all theirs; it claims one MTP module, which is not in the file."""
    config = transformers.DeepseekV3Config(
        vocab_size=61,
        hidden_size=32,
        intermediate_size=48,
        moe_intermediate_size=16,
        num_hidden_layers=4,
        num_attention_heads=2,
        num_key_value_heads=2,
        n_routed_experts=8,
        n_group=2,
        topk_group=1,
        num_experts_per_tok=2,
        first_k_dense_replace=2,
        kv_lora_rank=8,
        q_lora_rank=12,
        qk_rope_head_dim=4,
        qk_nope_head_dim=6,
        v_head_dim=10,
        initializer_range=0.2,
        attn_implementation="eager",
        experts_implementation="eager",
    )
    hf = transformers.DeepseekV3ForCausalLM(config).eval()
    for name, buffer in hf.named_buffers():
        if "bias" in name:
            buffer.uniform_(-2, 0)
    hf.save_pretrained(tmp_path)
    with pytest.warns(UserWarning, match="no MTP module"):
        model = Transformer.from_pretrained(tmp_path).eval()
    assert_same_logits(model, hf, torch.randint(0, 61, (2, 30)))
    model.save_pretrained(tmp_path / "again")
    again = load_hf(tmp_path / "again")
    for (name, a), b in zip(hf.state_dict().items(), again.state_dict().values()):
        assert torch.equal(a, b), name


def test_padding_on_the_left_is_not_seen(tmp_path):
    model = random_model(rope_scaling=YARN)
    hf = as_hf(model, tmp_path)
    ids, padding = ids_for(model, 3, 20), torch.tensor([0, 3, 7])
    mask = (torch.arange(20) >= padding[:, None]).long()
    with torch.no_grad():
        theirs = hf(ids, attention_mask=mask, position_ids=(mask.cumsum(-1) - 1).clamp(min=0)).logits
        ours = model(ids, cache=model.new_cache(3, 20, padding), absorb=False)
    for row, n in enumerate(padding.tolist()):
        assert relative(ours[row, n:], theirs[row, n:]) <= 1e-5


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_random_configs(data, tmp_path_factory):
    pick = lambda name, *values: data.draw(st.sampled_from(values), label=name)  # noqa: E731
    groups = pick("groups", 1, 2, 4)
    model = random_model(
        seed=data.draw(st.integers(0, 999)),
        hidden_size=pick("hidden", 24, 40),
        num_hidden_layers=pick("layers", 3, 4),
        num_attention_heads=pick("heads", 1, 3),
        q_lora_rank=pick("q_lora", None, 10),
        kv_lora_rank=pick("kv_lora", 6, 16),
        qk_nope_head_dim=pick("nope", 2, 12),
        qk_rope_head_dim=pick("rope", 2, 8),
        v_head_dim=pick("v", 3, 16),
        n_group=groups,
        topk_group=pick("topk_group", 1, groups),
        num_experts_per_tok=pick("k", 1, 4),
        n_shared_experts=pick("shared", 1, 2),
        first_k_dense_replace=pick("dense", 0, 1),
        rope_scaling=pick("yarn", None, YARN),
        rope_theta=pick("theta", 10000.0, 500.0),
        routed_scaling_factor=pick("route_scale", 1.0, 2.5),
        rms_norm_eps=pick("eps", 1e-6, 1e-3),
    )
    hf = as_hf(model, tmp_path_factory.mktemp("random"), experts=pick("experts", "separate", "fused"))
    assert_same_logits(model, hf, ids_for(model, 2, 33))


@pytest.mark.parametrize("form", ["plain", "q_lora yarn", "tied", "half-split rope"])
def test_every_gradient(form, tmp_path):
    model = random_model(**FORMS[form]).train()
    hf = as_hf(model, tmp_path).train()
    ids = ids_for(model)

    def loss(logits):
        return F.cross_entropy(logits[:, :-1].flatten(0, 1), ids[:, 1:].flatten())

    ours, theirs = loss(model(ids)), loss(hf(ids).logits)
    assert abs(ours.item() - theirs.item()) <= 1e-5
    ours.backward()
    theirs.backward()
    grads = {name.removeprefix("model."): p.grad for name, p in hf.named_parameters()}
    assert grads.keys() == dict(model.named_parameters()).keys()
    for name, p in model.named_parameters():
        assert grads[name].norm() > 0, name
        assert relative(p.grad, grads[name]) <= 1e-4, name


# -- MTP -----------------------------------------------------------------------------------------------------


def hf_with_mtp(model, folder):
    """transformers 5.23 looks for MTP keys only in layer 61; this tells it the layer that the model has."""
    from transformers.modeling_layers import MtpModel

    model.save_pretrained(folder)
    first, count = model.config.num_hidden_layers, model.config.num_nextn_predict_layers
    pattern = rf"model\.layers\.({'|'.join(str(first + k) for k in range(count))})\."
    hf = load_hf(folder, expect_unexpected=pattern)
    hf._keys_to_ignore_on_load_unexpected = [pattern]
    return hf, MtpModel.from_pretrained(hf).eval()


@pytest.mark.parametrize("modules", [1, 2])
@pytest.mark.parametrize("changes", [{}, dict(q_lora_rank=14, rope_scaling=YARN)], ids=["plain", "q_lora yarn"])
def test_mtp_logits(modules, changes, tmp_path):
    """Each of their modules is fed by theirs below it, ours by ours; the first by the state after the final norm."""
    model = random_model(num_nextn_predict_layers=modules, **changes)
    hf, mtp = hf_with_mtp(model, tmp_path)
    ids = ids_for(model, 1, 30)
    with torch.no_grad():
        states = model.mtp_hidden(model.hidden(ids), ids)
        theirs = hf.model(ids).last_hidden_state
        for k, state in enumerate(states):
            T = ids.shape[1] - k - 1  # beyond it a position has no token to be fed
            theirs = mtp.forward_layer(
                k, theirs[:, :T], torch.arange(k + 1, k + 1 + T)[None], None, input_ids=ids[:, k + 1 :]
            )
            ours, their_logits = model.lm_head(state[:, :T]), hf.lm_head(theirs)
            assert relative(ours, their_logits) <= 1e-5
            assert torch.equal(ours.argmax(-1), their_logits.argmax(-1))


def train_mtp(model, ids, steps, lr):
    model.train()
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    for _ in range(steps):
        hidden = model.hidden(ids)
        losses = [F.cross_entropy(model.lm_head(hidden)[:, :-1].flatten(0, 1), ids[:, 1:].flatten())]
        for k, state in enumerate(model.mtp_hidden(hidden, ids)):
            losses.append(F.cross_entropy(model.lm_head(state)[:, : -k - 2].flatten(0, 1), ids[:, k + 2 :].flatten()))
        optimizer.zero_grad()
        sum(losses).backward()
        optimizer.step()
    return model.eval()


def sequences(rule_seed=0, batch=16, length=24, vocab=23):
    """x_t+1 = a x_t + b mod 23 most of the time, so that two tokens can be guessed, not always rightly."""
    generator = torch.Generator().manual_seed(rule_seed)
    rows = [torch.randint(0, vocab, (batch,), generator=generator)]
    for _ in range(length - 1):
        noise = torch.rand(batch, generator=generator) < 0.1
        rows.append(
            torch.where(noise, torch.randint(0, vocab, (batch,), generator=generator), (rows[-1] * 5 + 3) % vocab)
        )
    return torch.stack(rows, 1)


@pytest.mark.parametrize("modules", [1, 2])
def test_speculation_equals_transformers_own(modules, tmp_path):
    """The same tokens as transformers' generate(use_mtp=True), in as many forwards: a wrong input to the modules,
    which verification would hide, shows in the acceptance."""
    model = random_model(
        num_nextn_predict_layers=modules,
        vocab_size=23,
        num_hidden_layers=2,
        n_routed_experts=4,
        n_group=2,
        topk_group=2,
        num_experts_per_tok=2,
        initializer_range=0.1,
        eos_token_id=None,
    )
    train_mtp(model, sequences(), 6, lr=2e-3)  # few, so that some guesses are wrong
    hf, _ = hf_with_mtp(model, tmp_path)
    hf.generation_config.eos_token_id = hf.config.eos_token_id = None
    forwards, drafted, accepted = [], 0, 0
    hf.model.register_forward_hook(lambda *_: forwards.append(1))
    for seed in range(3):
        prompt = sequences(seed + 1, 1, 8)[0].tolist()
        ours, stats = speculative_greedy(model, prompt, 30, stop_ids=())
        forwards.clear()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = hf.generate(torch.tensor([prompt]), max_new_tokens=30, do_sample=False, use_mtp=True)
        assert ours == theirs[0, len(prompt) :].tolist()
        assert stats["forwards"] == len(forwards)
        drafted, accepted = drafted + stats["drafted"], accepted + stats["accepted"]
    assert 0.1 * drafted < accepted < 0.9 * drafted


def test_config_json_is_read_by_transformers_with_the_same_meaning(tmp_path):
    model = random_model(rope_scaling=YARN, q_lora_rank=14)
    model.save_pretrained(tmp_path)
    theirs = transformers.AutoConfig.from_pretrained(tmp_path)
    for key, value in json.loads((tmp_path / "config.json").read_text(encoding="utf-8")).items():
        if key == "rope_scaling":
            assert theirs.rope_parameters["factor"] == 4.0 and theirs.rope_parameters["rope_theta"] == 10000.0
        elif key not in ("architectures", "dtype", "rope_theta"):
            assert getattr(theirs, key) == value, key
