"""Model folders: what is written can be read, and what cannot be read is refused with file, key and advice."""

import json
import os
import shutil
import warnings

import pytest
import torch
from model_files import edit_config
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from minids.errors import MinidsError
from minids.model import hf
from minids.model.config import ModelConfig
from minids.model.hf_names import dequantize
from minids.model.transformer import Transformer

SIZES = dict(
    vocab_size=50,
    hidden_size=24,
    intermediate_size=40,
    moe_intermediate_size=12,
    num_hidden_layers=2,
    num_attention_heads=2,
    n_routed_experts=4,
    n_group=2,
    topk_group=1,
    num_experts_per_tok=2,
    first_k_dense_replace=1,
    kv_lora_rank=10,
    q_lora_rank=8,
    qk_rope_head_dim=4,
    qk_nope_head_dim=6,
    v_head_dim=5,
    max_position_embeddings=64,
)


def tiny(seed=0, **changes):
    torch.manual_seed(seed)
    model = Transformer(ModelConfig(**(SIZES | changes)))
    for buffer in model.buffers():
        buffer.normal_(mean=5)
    return model


def same(a, b):
    a, b = a.state_dict(), b.state_dict()
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) and a[k].dtype == b[k].dtype for k in a)


@pytest.fixture
def folder(tmp_path):
    tiny().save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def edit(folder, change):
    """Applies `change` to the dict of stored tensors."""
    path = folder / "model.safetensors"
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path)


def refused(folder, *words):
    with pytest.raises(MinidsError) as error:
        Transformer.from_pretrained(folder)
    for word in words:
        assert word in str(error.value), (word, str(error.value))
    assert str(error.value).rstrip().endswith(".")


# -- round trips ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("experts", ["separate", "fused"])
@pytest.mark.parametrize("shard", [5_000_000_000, 20_000])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        dict(q_lora_rank=None),
        dict(num_nextn_predict_layers=2),
        dict(tie_word_embeddings=True),
        dict(tie_word_embeddings=True, num_nextn_predict_layers=1),
        dict(first_k_dense_replace=2),
        dict(attention_bias=True),
        dict(attention="gqa", num_key_value_heads=1),
        dict(attention="mha", num_nextn_predict_layers=1),
    ],
    ids=str,
)
def test_round_trip(changes, shard, experts, tmp_path):
    model = tiny(**changes)
    model.save_pretrained(tmp_path / "a" / "b", experts=experts, max_shard_bytes=shard)
    files = {p.name for p in (tmp_path / "a" / "b").iterdir()}
    assert ("model.safetensors" in files) == (shard > 10**6) and ("model.safetensors.index.json" in files) == (
        shard < 10**6
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = Transformer.from_pretrained(tmp_path / "a" / "b")
    assert same(model, again) and again.config.attention == model.config.attention
    assert all(p.requires_grad and p.is_leaf for p in again.parameters())
    assert (again.lm_head.weight is again.embed_tokens.weight) == model.config.tie_word_embeddings
    ids = torch.randint(0, 50, (2, 9))
    assert torch.equal(model(ids), again(ids))
    again(ids).sum().backward()


def test_the_file_is_not_a_window_into_the_model(folder):
    model = Transformer.from_pretrained(folder)
    with torch.no_grad():
        model.embed_tokens.weight.add_(1)
    assert not same(model, Transformer.from_pretrained(folder))
    os.truncate(folder / "model.safetensors", 0)  # would be the end of the process, if the weights were mapped from it
    assert model(torch.tensor([[1, 2]])).isfinite().all()


def test_reading_leaves_the_random_numbers_alone(folder):
    torch.manual_seed(3)
    before = torch.get_rng_state()
    Transformer.from_pretrained(folder)
    assert torch.equal(before, torch.get_rng_state())


def test_names_on_disk(tmp_path):
    model = tiny(num_nextn_predict_layers=1)
    model.save_pretrained(tmp_path)
    with safe_open(tmp_path / "model.safetensors", framework="pt") as file:
        keys, form = set(file.keys()), file.metadata()
        expert = file.get_tensor("model.layers.1.mlp.experts.3.up_proj.weight")
    assert form == {"format": "pt"}
    assert torch.equal(expert, model.layers[1].mlp.experts.gate_up_proj[3, 12:])
    moe = {f"mlp.experts.{e}.{p}_proj.weight" for e in range(4) for p in ("gate", "up", "down")}
    moe |= {f"mlp.shared_experts.{p}_proj.weight" for p in ("gate", "up", "down")}
    moe |= {"mlp.gate.weight", "mlp.gate.e_score_correction_bias"}
    parts = "q_a_proj q_a_layernorm q_b_proj kv_a_proj_with_mqa kv_a_layernorm kv_b_proj o_proj".split()
    attention = {f"self_attn.{name}.weight" for name in parts}
    attention |= {"input_layernorm.weight", "post_attention_layernorm.weight"}
    dense = {f"mlp.{p}_proj.weight" for p in ("gate", "up", "down")}
    mtp = {
        "enorm.weight",
        "hnorm.weight",
        "eh_proj.weight",
        "embed_tokens.weight",
        "shared_head.head.weight",
        "shared_head.norm.weight",
    }
    expected = {"model.embed_tokens.weight", "model.norm.weight", "lm_head.weight"}
    for layer, parts in enumerate((attention | dense, attention | moe, attention | moe | mtp)):
        expected |= {f"model.layers.{layer}.{name}" for name in parts}
    assert keys == expected


def test_types(tmp_path):
    model = tiny().to(torch.bfloat16)
    model.save_pretrained(tmp_path)
    assert json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))["dtype"] == "bfloat16"
    again = Transformer.from_pretrained(tmp_path)
    assert same(model, again)
    gate = again.layers[1].mlp.gate
    assert gate.weight.dtype == torch.bfloat16 and gate.e_score_correction_bias.dtype == torch.float32
    wide = Transformer.from_pretrained(tmp_path, dtype=torch.float32)
    assert {p.dtype for p in wide.parameters()} == {torch.float32}
    half = Transformer.from_pretrained(tmp_path, dtype=torch.float16)
    assert half.layers[1].mlp.gate.e_score_correction_bias.dtype == torch.float32
    # norms kept in float32 beside bfloat16 weights: nothing is rounded
    edit(tmp_path, lambda t: t.update({"model.norm.weight": torch.full((24,), 1 / 3)}))
    assert Transformer.from_pretrained(tmp_path).norm.weight[0].item() == torch.tensor(1 / 3).item()


def test_float64_weights_come_back_whole(tmp_path):
    model = tiny().double()
    model.save_pretrained(tmp_path)
    assert same(model, Transformer.from_pretrained(tmp_path))


# -- writing -------------------------------------------------------------------------------------------------


def test_writing_over_another_model_leaves_nothing_of_it(tmp_path):
    (tmp_path / "tokenizer.json").write_text("kept", encoding="utf-8")
    small, large = tiny(), tiny(1, vocab_size=60)
    for model, shard in ((large, 15_000), (small, 40_000), (large, 10**9), (small, 30_000), (large, 10**9)):
        model.save_pretrained(tmp_path, max_shard_bytes=shard)
        assert same(model, Transformer.from_pretrained(tmp_path))
        named = set()
        if shard < 10**9:
            named = set(
                json.loads((tmp_path / "model.safetensors.index.json").read_text(encoding="utf-8"))[
                    "weight_map"
                ].values()
            )
        else:
            named = {"model.safetensors"}
        assert {p.name for p in tmp_path.glob("*.safetensors")} == named
        assert {p.name for p in tmp_path.iterdir()} - named <= {
            "config.json",
            "tokenizer.json",
            "model.safetensors.index.json",
        }
    assert (tmp_path / "tokenizer.json").read_text(encoding="utf-8") == "kept"


@pytest.mark.parametrize("existing", [True, False])
def test_a_full_disk_loses_nothing(existing, tmp_path, monkeypatch):
    target = tmp_path / "model"
    old = tiny()
    if existing:
        old.save_pretrained(target)
    before = sorted(p.name for p in tmp_path.rglob("*"))

    def full(tensors, path, **_):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(hf, "save_file", full)
    with pytest.raises(MinidsError, match="No space left on device.*Free some space"):
        tiny(1).save_pretrained(target)
    assert sorted(p.name for p in tmp_path.rglob("*")) == before
    if existing:
        assert same(old, Transformer.from_pretrained(target))


@pytest.mark.parametrize("at", range(3))
def test_interrupted_while_files_are_put_in_place(at, folder, monkeypatch):
    """Every file stays whole, and a reader gets the old or the new weights, never a mixture."""
    replace, count = os.replace, [0]

    def stop(a, b):
        if count[0] == at:
            raise KeyboardInterrupt
        count[0] += 1
        replace(a, b)

    monkeypatch.setattr(os, "replace", stop)
    new = tiny(1)
    try:
        new.save_pretrained(folder)
    except KeyboardInterrupt:
        assert at < 2
    assert same(Transformer.from_pretrained(folder), tiny() if at == 0 else new)
    assert not list(folder.glob(".writing*"))


def test_places_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    for target in (tmp_path / "file", tmp_path / "file" / "model", "/proc/none/model"):
        with pytest.raises(MinidsError, match="could not write"):
            tiny().save_pretrained(target)
    with pytest.raises(MinidsError, match="'separate' or 'fused'"):
        tiny().save_pretrained(tmp_path, experts="together")


# -- refused -------------------------------------------------------------------------------------------------


def test_missing_files(folder, tmp_path):
    refused(tmp_path / "nowhere", "nowhere", "no such folder")
    (folder / "config.json").rename(tmp_path / "c")
    refused(folder, "config.json", "no such file")
    (tmp_path / "c").rename(folder / "config.json")
    (folder / "model.safetensors").unlink()
    refused(folder, "no model.safetensors")


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "consolidated.00.pth", "x.ckpt"])
def test_pickles(name, folder):
    (folder / "model.safetensors").rename(folder / name)
    refused(folder, name, "pickle", "runs whatever code")


@pytest.mark.parametrize("size", [0, 5, 8, 200, -1, -1000])
def test_truncated(size, folder):
    path = folder / "model.safetensors"
    os.truncate(path, size if size >= 0 else path.stat().st_size + size)
    refused(folder, "model.safetensors", "corrupt or cut off", "Copy the file again")


@pytest.mark.parametrize("at", [0, 9, 40])
def test_corrupt_header(at, folder):
    path = folder / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[at : at + 4] = b"\xff\xff\xff\xff"
    path.write_bytes(data)
    refused(folder, "model.safetensors", "corrupt")


def test_something_else_under_the_name(folder):
    (folder / "model.safetensors").write_text(
        "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12\n", encoding="utf-8"
    )
    refused(folder, "corrupt")


def test_wrong_shapes(folder):
    edit_config(folder, hidden_size=28)
    refused(folder, "model.safetensors", "model.embed_tokens.weight", "[50, 24]", "[50, 28]")


def test_wrong_shape_of_one_expert(folder):
    key = "model.layers.1.mlp.experts.2.gate_proj.weight"
    edit(folder, lambda t: t.update({key: torch.zeros(11, 24)}))
    refused(folder, key, "[11, 24]", "[12, 24]")


@pytest.mark.parametrize(
    "key",
    [
        "model.norm.weight",
        "model.layers.1.mlp.experts.2.up_proj.weight",
        "model.layers.1.mlp.gate.e_score_correction_bias",
        "lm_head.weight",
    ],
)
def test_missing_key(key, folder):
    edit(folder, lambda t: t.pop(key))
    refused(folder, "model.safetensors", "1 missing", key)


def test_unexpected_keys(folder):
    edit(folder, lambda t: t.update({"model.layers.1.mlp.extra.weight": torch.zeros(1), "other": torch.zeros(1)}))
    refused(folder, "2 unexpected", "model.layers.1.mlp.extra.weight", "other")


def test_frequencies_of_older_files_are_let_through(folder):
    edit(folder, lambda t: t.update({"model.layers.1.self_attn.rotary_emb.inv_freq": torch.zeros(2)}))
    Transformer.from_pretrained(folder)


def test_fewer_layers_in_the_config(folder):
    edit_config(folder, num_hidden_layers=1, first_k_dense_replace=0)
    refused(folder, "unexpected", "more layers than num_hidden_layers = 1")


def test_names_without_their_prefix(folder):
    model = tiny()
    save_file(model.state_dict(), folder / "model.safetensors")
    refused(folder, "unexpected", 'begin with "model."')


def test_both_forms_of_the_experts(folder):
    fused = "model.layers.1.mlp.experts.down_proj"
    edit(folder, lambda t: t.update({fused: torch.zeros(4, 24, 12)}))
    refused(folder, "unexpected", "experts.0.down_proj.weight")


def test_integer_weights(folder):
    edit(folder, lambda t: t.update({"model.norm.weight": torch.ones(24, dtype=torch.int8)}))
    refused(folder, "model.norm.weight", "int8", "floating point")


def test_sharded_errors(tmp_path):
    tiny().save_pretrained(tmp_path, max_shard_bytes=20_000)
    shard = sorted(tmp_path.glob("model-*"))[1]
    index = tmp_path / "model.safetensors.index.json"
    shard.rename(tmp_path / "away")
    refused(tmp_path, shard.name, "missing", "Copy it")
    (tmp_path / "away").rename(shard)
    os.truncate(shard, 300)
    refused(tmp_path, shard.name, "cut off")
    tensors = dict(json.loads(index.read_text(encoding="utf-8"))["weight_map"])
    tiny().save_pretrained(tmp_path, max_shard_bytes=20_000)
    tensors["lm_head.weight"] = next(file for file in tensors.values() if file != tensors["lm_head.weight"])
    index.write_text(json.dumps({"weight_map": tensors}), encoding="utf-8")
    refused(tmp_path, "lm_head.weight", "not in this shard")
    for text in ("", "{}", "[]", '{"weight_map": 3}'):
        index.write_text(text, encoding="utf-8")
        refused(tmp_path, "index.json", "not a readable index")


# -- MTP -----------------------------------------------------------------------------------------------------


def test_mtp_modules_that_the_config_does_not_want(tmp_path):
    model = tiny(num_nextn_predict_layers=2)
    model.save_pretrained(tmp_path)
    for wanted in (0, 1):
        edit_config(tmp_path, num_nextn_predict_layers=wanted)
        with pytest.warns(UserWarning, match=f"2 MTP modules stored, {wanted} read"):
            again = Transformer.from_pretrained(tmp_path)
        assert len(again.mtp) == wanted
        ids = torch.randint(0, 50, (1, 8))
        assert torch.equal(again(ids), model(ids))


def test_an_mtp_module_that_is_promised_but_not_there(folder):
    edit_config(folder, num_nextn_predict_layers=1)
    with pytest.warns(UserWarning, match="no MTP module"):
        model = Transformer.from_pretrained(folder)
    assert len(model.mtp) == 0 and model.config.num_nextn_predict_layers == 0


def test_half_an_mtp_module(tmp_path):
    tiny(num_nextn_predict_layers=1).save_pretrained(tmp_path)
    edit(tmp_path, lambda t: t.pop("model.layers.2.hnorm.weight"))
    refused(tmp_path, "1 missing", "model.layers.2.hnorm.weight")
    edit(tmp_path, lambda t: t.pop("model.layers.2.eh_proj.weight"))
    refused(tmp_path, "2 missing", "model.layers.2.eh_proj.weight")
    edit_config(tmp_path, num_nextn_predict_layers=2)
    refused(tmp_path, "missing", "model.layers.3")


@pytest.mark.parametrize(
    "copy,original", [("embed_tokens", "model.embed_tokens.weight"), ("shared_head.head", "lm_head.weight")]
)
def test_copies_must_be_equal_and_may_be_left_out(copy, original, tmp_path):
    model = tiny(num_nextn_predict_layers=1)
    model.save_pretrained(tmp_path)
    key = f"model.layers.2.{copy}.weight"
    edit(tmp_path, lambda t: t[key].view(-1)[7].add_(1e-3))
    refused(tmp_path, key, original, "differs")
    edit(tmp_path, lambda t: t.pop(key))
    assert same(model, Transformer.from_pretrained(tmp_path))


def test_a_tied_head_that_is_stored_too(tmp_path):
    model = tiny(tie_word_embeddings=True)
    model.save_pretrained(tmp_path)
    edit(tmp_path, lambda t: t.update({"lm_head.weight": t["model.embed_tokens.weight"].clone()}))
    assert same(model, Transformer.from_pretrained(tmp_path))
    edit(tmp_path, lambda t: t["lm_head.weight"].add_(1))
    refused(tmp_path, "lm_head.weight", "differs")


# -- float8 --------------------------------------------------------------------------------------------------


def quantize(weight, block=128):
    """Block by block, with loops: float8 values and the scale that multiplies them back."""
    rows, cols = weight.shape
    values = torch.empty(rows, cols, dtype=torch.float8_e4m3fn)
    scales = torch.empty(-(-rows // block), -(-cols // block))
    for i in range(scales.shape[0]):
        for j in range(scales.shape[1]):
            at = slice(i * block, (i + 1) * block), slice(j * block, (j + 1) * block)
            scales[i, j] = weight[at].abs().max().clamp(min=1e-4) / 448
            values[at] = (weight[at] / scales[i, j]).to(torch.float8_e4m3fn)
    return values, scales


@pytest.mark.parametrize("shape", [(128, 128), (576, 256), (192, 100), (1, 1), (129, 257), (7, 300)])
def test_dequantize_ragged_blocks(shape):
    """576 and 192 rows are where a block size guessed from rows / scale rows goes wrong."""
    torch.manual_seed(0)
    weight = torch.randn(shape) * torch.linspace(0.01, 10, shape[0])[:, None]
    values, scales = quantize(weight)
    back = dequantize(values, scales)
    for i in range(0, shape[0], 37):
        for j in range(0, shape[1], 37):
            assert back[i, j] == values[i, j].float() * scales[i // 128, j // 128]
    assert (back - weight).abs().max() <= weight.abs().max() / 16
    stacked = dequantize(torch.stack([values, values]), torch.stack([scales, 2 * scales]))
    assert torch.equal(stacked[0], back) and torch.equal(stacked[1], 2 * back)


def as_float8(folder, block):
    def change(tensors):
        for key in [k for k in tensors if k.endswith("_proj.weight") or "with_mqa" in k]:
            tensors[key], tensors[key + "_scale_inv"] = quantize(tensors[key].float(), block)

    edit(folder, change)
    edit_config(folder, quantization_config={"quant_method": "fp8", "fmt": "e4m3", "weight_block_size": [block, block]})


@pytest.mark.parametrize("block", [128, 8])
def test_float8_checkpoint(block, folder):
    original = tiny()
    as_float8(folder, block)
    model = Transformer.from_pretrained(folder)
    assert {p.dtype for p in model.parameters()} == {torch.float32}  # norms and embedding are stored so
    expected = dequantize(*quantize(original.layers[0].mlp.up_proj.weight.detach(), block), (block, block))
    assert torch.equal(model.layers[0].mlp.up_proj.weight, expected)
    expected = dequantize(*quantize(original.layers[1].mlp.experts.down_proj[2].detach(), block), (block, block))
    assert torch.equal(model.layers[1].mlp.experts.down_proj[2], expected)
    assert torch.equal(model.norm.weight, original.norm.weight)
    assert "quantization_config" not in model.config.passive
    model.save_pretrained(folder)
    assert "quantization_config" not in json.loads((folder / "config.json").read_text(encoding="utf-8"))
    assert same(model, Transformer.from_pretrained(folder))


def test_float8_in_a_bfloat16_checkpoint_becomes_bfloat16(folder):
    as_float8(folder, 8)
    edit(
        folder,
        lambda t: t.update(
            {
                k: v.bfloat16()
                for k, v in t.items()
                if v.dtype == torch.float32 and not k.endswith(("_scale_inv", "bias"))
            }
        ),
    )
    model = Transformer.from_pretrained(folder)
    assert {p.dtype for p in model.parameters()} == {torch.bfloat16}
    assert model.layers[1].mlp.gate.e_score_correction_bias.dtype == torch.float32


def test_float8_without_scales_or_with_wrong_ones(folder, tmp_path):
    as_float8(folder, 8)
    shutil.copytree(folder, tmp_path / "copy")
    key = "model.layers.0.mlp.up_proj.weight"
    edit(folder, lambda t: t.pop(key + "_scale_inv"))
    refused(folder, key, "float8", "_scale_inv is missing")
    edit_config(tmp_path / "copy", quantization_config={"quant_method": "fp8"})
    refused(tmp_path / "copy", "_scale_inv", "weight_block_size")


def test_other_quantisation(folder):
    edit_config(folder, quantization_config={"quant_method": "gptq", "bits": 4})
    refused(folder, "config.json", "gptq", "unquantised")


# -- the tokenizer -------------------------------------------------------------------------------------------


class FakeTokenizer:
    def __init__(self, size=50, bos=0, eos=1, fingerprint="abc"):
        self.size, self.bos_id, self.eos_id, self.fingerprint = size, bos, eos, fingerprint

    def __len__(self):
        return self.size

    @property
    def pad_id(self):
        raise MinidsError("this tokenizer has no special token")


def test_tokenizer_fits():
    config = ModelConfig(**SIZES)
    hf.check_tokenizer(config, FakeTokenizer())
    hf.check_tokenizer(config, FakeTokenizer(size=10))  # rows to spare
    config.passive["tokenizer_fingerprint"] = "abc"
    config.pad_token_id = 2
    hf.check_tokenizer(config, FakeTokenizer())


@pytest.mark.parametrize(
    "tokenizer,words",
    [
        (FakeTokenizer(size=51), ["51", "50", "vocab_size"]),
        (FakeTokenizer(bos=3), ["bos", "3", "0"]),
        (FakeTokenizer(eos=0), ["eos", "0", "1"]),
        (FakeTokenizer(fingerprint="def"), ["fingerprint", "def", "abc"]),
    ],
)
def test_tokenizer_of_another_model(tokenizer, words):
    config = ModelConfig(**SIZES)
    config.passive["tokenizer_fingerprint"] = "abc"
    with pytest.raises(MinidsError) as error:
        hf.check_tokenizer(config, tokenizer)
    for word in [*words, "tokenizer", "saved with the model"]:
        assert word in str(error.value)
