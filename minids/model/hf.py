"""Model folders in the layout in which DeepSeek-V3 is published, and which transformers reads and writes.

    FOLDER/config.json           ModelConfig under Hugging Face's names
    FOLDER/generation_config.json  more tokens that end a text (generation_config.py)
    FOLDER/model.safetensors     all tensors; or model-00001-of-….safetensors and model.safetensors.index.json

Reading: the model is built without storage and each tensor is read once into its place, so that memory for one
model is enough. Experts may lie one by one (as published) or fused; weights in float8 with a scale for each
block of 128 x 128 are multiplied out; MTP modules stand behind the last layer, with copies of embedding and
head. Writing: files are written aside, forced to the disk and renamed, so that a reader never meets half a file.

A model with `attention` other than "mla" has the same layout, but model_type "minids": transformers has no
name for it. Left out: writing float8, remote folders, reading only the part that one process of many needs.
"""

import json
import os
import re
import shutil
import warnings
from functools import reduce
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

from minids import files, memory
from minids.errors import MinidsError
from minids.files import brief
from minids.model import generation_config
from minids.model.config import ModelConfig
from minids.model.hf_names import BIAS, FUSED, INDEX, SINGLE, Files, Reader, expert_names, finite, layout, shared_copies


def _check_dtype(dtype):
    kinds = (None, torch.float16, torch.bfloat16, torch.float32, torch.float64)
    if not any(dtype is kind for kind in kinds):
        raise MinidsError(
            "dtype must be torch.float32, torch.bfloat16, torch.float16, torch.float64, or None for what is stored, "
            f"got {brief(dtype)}."
        )


def load_model(cls, folder, *, dtype=None, device=None):
    """Reads a model folder -> a model of class `cls` (minids.Transformer), in training mode.

    dtype   None keeps what is stored (the widest type if they differ; float8 becomes bfloat16). Router biases
            stay float32.
    Raises MinidsError, with file and key, for anything missing, unknown, of the wrong shape or cut off, and for a dtype
    that is not a floating-point type of torch.
    """
    _check_dtype(dtype)
    folder = Path(folder)
    if not folder.is_dir():
        raise MinidsError(f"{folder}: no such folder. A model folder holds config.json and {SINGLE}.")
    config = generation_config.with_stop_ids(ModelConfig.from_pretrained(folder), folder)
    reader = Reader(Files(folder), _block_size(config, folder))
    _fit_mtp(config, reader)
    _refuse_other_depth(config, reader)
    each = dtype.itemsize * config.parameters if dtype else reader.files.bytes
    memory.afford(each, f"{folder}: the model", "Use a machine with more, or a smaller model.")
    with torch.device("meta"):
        model = cls(config)
    wanted, missing, state = layout(model), [], {}
    for published, (name, like) in wanted.items():
        if FUSED.search(published):
            state[name], absent = reader.assemble(published, like.shape)
            missing += absent
        elif published in reader:
            state[name] = reader.read(published, like.shape)
        else:
            missing.append(published)
    _refuse_misfit(config, reader, missing)
    for copy, original in shared_copies(config).items():
        if copy in reader and not torch.equal(
            reader.read(copy, state[wanted[original][0]].shape), state[wanted[original][0]]
        ):
            raise MinidsError(
                f"{reader.files.where[copy]}: {copy} differs from {original}, but the two are one tensor "
                "in this architecture. The file is damaged or of another model."
            )
    dtype = dtype or reduce(torch.promote_types, reader.dtypes)
    for name, value in state.items():
        state[name] = value.to(device=device, dtype=torch.float32 if name.endswith(BIAS) else dtype)
        if torch.finfo(state[name].dtype).max < torch.finfo(value.dtype).max:
            finite(state[name], f"{folder}: {name}, as {str(dtype).removeprefix('torch.')},")
    if config.tie_word_embeddings:
        state["lm_head.weight"] = state["embed_tokens.weight"]
    model.load_state_dict(state, assign=True)
    if config.tie_word_embeddings:
        model.lm_head.weight = model.embed_tokens.weight
    config.passive.pop("quantization_config", None)  # the weights in memory are plain numbers
    return model


def _block_size(config, folder):
    quantization = config.passive.get("quantization_config")
    if not quantization:
        return (128, 128)
    method = quantization.get("quant_method") if isinstance(quantization, dict) else quantization
    if method != "fp8":
        raise MinidsError(
            f"{folder / 'config.json'}: quantization_config says {brief(method)}; only 'fp8' with a scale "
            "for each block is read. Use an unquantised checkpoint."
        )
    said = quantization.get("weight_block_size", [128, 128]) if isinstance(quantization, dict) else [128, 128]
    pair = isinstance(said, list) and len(said) == 2 and all(type(n) is int and 0 < n <= 2**20 for n in said)
    if not pair:
        raise MinidsError(
            f"{folder / 'config.json'}: weight_block_size must be two positive integers, as in [128, 128], got "
            f"{brief(said)}."
        )
    return tuple(said)


def _fit_mtp(config, reader):
    """Config and weights may disagree about MTP modules: transformers writes 1 for a model without, too."""
    folder, first, said = reader.files.folder, config.num_hidden_layers, config.num_nextn_predict_layers
    stored = 0
    while f"model.layers.{first + stored}.eh_proj.weight" in reader:
        stored += 1
    if said > 0 and not any(key.startswith(f"model.layers.{first}.") for key in reader.files.where):
        config.num_nextn_predict_layers = 0
        note = f"{folder}: num_nextn_predict_layers is {said}, but no MTP module is stored; read without."
        warnings.warn(note, stacklevel=3)
    elif stored > said:
        prefixes = tuple(f"model.layers.{i}." for i in range(first + said, first + stored))
        reader.used |= {key for key in reader.files.where if key.startswith(prefixes)}
        note = f"{folder}: {stored} MTP modules stored, {said} read (num_nextn_predict_layers in config.json)."
        warnings.warn(note, stacklevel=3)


def _refuse_other_depth(config, reader):
    """A config that asks for far more layers than are stored would take long to build, only to be refused."""
    stored, asked = len(reader.files.where), config.num_hidden_layers
    if asked > stored:
        raise MinidsError(
            f"{reader.files.name}: the weights do not fit config.json. Most are missing: num_hidden_layers = {asked}, "
            f"but {stored} tensors are stored. Check that config.json and weights are of the same model."
        )


def _refuse_misfit(config, reader, missing):
    # older files of Hugging Face hold the rotary frequencies, which follow from the config
    known = (
        reader.used | set(shared_copies(config)) | {k for k in reader.files.where if k.endswith("rotary_emb.inv_freq")}
    )
    odd = sorted(set(reader.files.where) - known)
    if not missing and not odd:
        return
    hint = "Check that config.json and weights are of the same model."
    layers = [int(m[1]) for key in odd if (m := re.match(r"model\.layers\.(\d+)\.", key))]
    if layers and max(layers) >= config.num_hidden_layers:
        hint = f"The weights have more layers than num_hidden_layers = {config.num_hidden_layers}. " + hint
    elif any(key.startswith(("layers.", "embed_tokens.")) for key in odd):
        hint = 'Published names begin with "model."; write the folder with save_pretrained.'
    parts = [_some(keys, what) for keys, what in ((missing, "missing"), (odd, "unexpected")) if keys]
    raise MinidsError(f"{reader.files.name}: the weights do not fit config.json. {' '.join(parts)} {hint}")


def _some(keys, what, most=3):
    rest = f" and {len(keys) - most} more" if len(keys) > most else ""
    return f"{len(keys)} {what}: {', '.join(keys[:most])}{rest}."


# -- writing -------------------------------------------------------------------------------------------------


def save_model(model, folder, *, experts="separate", max_shard_bytes=5_000_000_000):
    """Writes config.json and weights; experts "separate" (as published) or "fused". Other files there stay.

    A new folder appears at once and whole. In an old one every file is replaced whole, weights first. Raises
    MinidsError where the folder cannot be written.
    """
    if experts not in ("separate", "fused"):
        raise MinidsError(f"experts must be 'separate' or 'fused', got {experts!r}.")
    folder = Path(folder)
    shards = _shards(_published_tensors(model, experts == "separate"), max_shard_bytes)
    names = (
        [SINGLE]
        if len(shards) == 1
        else [f"model-{i + 1:05d}-of-{len(shards):05d}.safetensors" for i in range(len(shards))]
    )
    texts = {"config.json": _published_config(model)}
    if len(shards) > 1:
        size = sum(_nbytes(t) for shard in shards for t in shard.values())
        files = {key: name for name, shard in zip(names, shards) for key in shard}
        texts = {INDEX: {"metadata": {"total_size": size}, "weight_map": dict(sorted(files.items()))}, **texts}
    fresh = not folder.exists()
    aside = (folder.parent if fresh else folder) / f".writing-{folder.name}-{os.getpid()}"
    try:
        aside.mkdir(parents=True)
        for name, shard in zip(names, shards):
            # one shard is copied at a time, because the format has no tensors that share storage
            tensors = {k: t.detach().cpu().clone(memory_format=torch.contiguous_format) for k, t in shard.items()}
            save_file(tensors, aside / name, metadata={"format": "pt"})
        for name, values in texts.items():
            (aside / name).write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8", newline="\n")
        _put_in_place(aside, folder, [*names, *texts], fresh)
    except (OSError, SafetensorError) as error:
        raise MinidsError(
            f"{folder}: could not write the model ({getattr(error, 'strerror', None) or error}). No file "
            "there is half written. Free some space, or choose a folder that can be written."
        ) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _published_tensors(model, separate):
    """-> {published name: tensor}; experts are views of the fused ones; MTP repeats shared tensors."""
    out = {}
    for published, (_, value) in layout(model).items():
        if separate and FUSED.search(published):
            for group, expert in zip(expert_names(published, len(value)), value):
                out.update(zip(group, expert.chunk(len(group))))
        else:
            out[published] = value
    for copy, original in shared_copies(model.config).items():
        if copy != "lm_head.weight":  # a tied head is left out, as transformers does
            out[copy] = out[original]
    return out


def _published_config(model):
    values = {k: v for k, v in model.config.to_dict().items() if k not in ("torch_dtype", "quantization_config")}
    # transformers loads in the type named here, whatever type the weights have
    return {**values, "dtype": str(model.embed_tokens.weight.dtype).removeprefix("torch.")}


def _nbytes(tensor):
    return tensor.numel() * tensor.element_size()


def _shards(tensors, most):
    shards, size = [{}], 0
    for key, value in tensors.items():
        if shards[-1] and size + _nbytes(value) > most:
            shards.append({})
            size = 0
        shards[-1][key] = value
        size += _nbytes(value)
    return shards


def _put_in_place(aside, folder, names, fresh):
    for name in names:
        files.sync(aside / name)
    if fresh:
        files.replace(aside, folder)
        files.sync(folder.parent)
        return
    for name in names:
        files.replace(aside / name, folder / name)
    old = {path.name for path in folder.glob("model-*-of-*.safetensors")} | {SINGLE, INDEX}
    for name in sorted(old - set(names), reverse=True):  # what a reader looks at first goes first
        (folder / name).unlink(missing_ok=True)
    files.sync(folder)


# -- tokenizer and model -------------------------------------------------------------------------------------


def check_tokenizer(config, tokenizer):
    """Raises MinidsError if the tokenizer makes ids that the model has no row for, or is another model's."""
    advice = "They do not belong together; use the tokenizer.json that was saved with the model."
    if len(tokenizer) > config.vocab_size:
        raise MinidsError(
            f"tokenizer: {len(tokenizer)} ids, but the model's vocab_size is {config.vocab_size}. {advice}"
        )
    for name in ("bos", "eos", "pad"):
        try:
            theirs = getattr(tokenizer, f"{name}_id")
        except MinidsError:  # a tokenizer without this special token
            continue
        ours = getattr(config, f"{name}_token_id")
        if ours is not None and theirs != ours and not (name == "eos" and theirs in config.stop_ids):
            raise MinidsError(f"tokenizer: {name} is id {theirs}, but the model's {name}_token_id is {ours}. {advice}")
    ours = config.passive.get("tokenizer_fingerprint")
    if ours is not None and ours != tokenizer.fingerprint:
        raise MinidsError(
            f"tokenizer: fingerprint {tokenizer.fingerprint}, but the model was trained with {ours}. {advice}"
        )
