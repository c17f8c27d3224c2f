"""Published tensors: their names, the files that hold them, and float8 weights made readable.

    ours                               published
    embed_tokens, layers.{i}, norm     model.embed_tokens, model.layers.{i}, model.norm
    mtp.{k}.{enorm, hnorm, eh_proj}    model.layers.{N+k}.{enorm, hnorm, eh_proj}
    mtp.{k}.layer.…, mtp.{k}.norm      model.layers.{N+k}.…, model.layers.{N+k}.shared_head.norm
    …experts.gate_up_proj [E, 2F, D]   …experts.{e}.gate_proj.weight [F, D], ….up_proj.weight [F, D]
    …experts.down_proj [E, D, F]       …experts.{e}.down_proj.weight [D, F]

Files are safetensors: opening one runs no code, and a file that was cut off is noticed. A flipped bit is not,
as the format has no checksum; but weights, biases and scales that are not finite are refused.
"""

import math
import re
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open

from minids.errors import MinidsError
from minids.files import brief, read_json, regular

SINGLE, INDEX = "model.safetensors", "model.safetensors.index.json"
PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
FUSED = re.compile(r"\.experts\.(gate_up|down)_proj$")
BIAS = "e_score_correction_bias"
FLOAT8 = {getattr(torch, name) for name in ("float8_e4m3fn", "float8_e5m2") if hasattr(torch, name)}


# -- names ---------------------------------------------------------------------------------------------------


def published_name(name, n_layers):
    """Ours -> published, experts fused: "mtp.0.norm.weight" -> "model.layers.61.shared_head.norm.weight"."""
    if name.startswith("lm_head."):
        return name
    match = re.fullmatch(r"mtp\.(\d+)\.(.*)", name)
    if match is None:
        return "model." + name
    rest = re.sub(r"^norm\.", "shared_head.norm.", match[2]).removeprefix("layer.")
    return f"model.layers.{n_layers + int(match[1])}.{rest}"


def expert_names(fused, n_experts):
    """The published per-expert names of a fused tensor: for each expert [gate, up], or [down]."""
    base, kind = fused.rsplit(".", 1)
    parts = ("gate_proj", "up_proj") if kind == "gate_up_proj" else ("down_proj",)
    return [[f"{base}.{e}.{part}.weight" for part in parts] for e in range(n_experts)]


def shared_copies(config):
    """Published names that repeat a shared tensor -> its name (embedding and head, in every MTP module)."""
    head = "model.embed_tokens.weight" if config.tie_word_embeddings else "lm_head.weight"
    copies = {"lm_head.weight": head} if config.tie_word_embeddings else {}
    for k in range(config.num_nextn_predict_layers):
        layer = f"model.layers.{config.num_hidden_layers + k}"
        copies[f"{layer}.embed_tokens.weight"] = "model.embed_tokens.weight"
        copies[f"{layer}.shared_head.head.weight"] = head
    return copies


def layout(model):
    """-> {published name, experts fused: (our name, tensor)}, without the repeated ones."""
    repeated = shared_copies(model.config)
    rows = ((published_name(name, model.config.num_hidden_layers), name, t) for name, t in model.state_dict().items())
    return {published: (name, t) for published, name, t in rows if published not in repeated}


# -- files ---------------------------------------------------------------------------------------------------


class Files:
    """The tensors of a folder by their published names; `where` says in which file each is."""

    def __init__(self, folder: Path):
        self.folder, self._open, self.bytes = folder, {}, 0
        single, index = folder / SINGLE, folder / INDEX
        self.name = index if index.exists() and not single.exists() else single
        if self.name == single:
            if not single.exists():
                raise MinidsError(_nothing_to_read(folder))
            self.where = dict.fromkeys(self._handle(single).keys(), single)
            return
        try:
            named = read_json(index)["weight_map"].items()
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise MinidsError(f"{index}: not a readable index of shards ({error!r}). Copy the file again.") from None
        for key, file in named:
            if not isinstance(file, str) or not re.fullmatch(r"[^/\\:\0]+", file) or file in (".", ".."):
                raise MinidsError(
                    f"{index}: not a readable index of shards: it says that {brief(key)} is in {brief(file)}, which is "
                    "no file of this folder. Copy the file again."
                )
        self.where = {key: folder / file for key, file in named}
        held = {path: set(self._handle(path).keys()) for path in sorted(set(self.where.values()))}
        for key, path in self.where.items():
            if key not in held[path]:
                raise MinidsError(f"{path}: {key} is not in this shard, though {INDEX} says so. Copy both files again.")

    def _handle(self, path):
        if path not in self._open:
            try:
                size = regular(path)
            except FileNotFoundError:
                raise MinidsError(
                    f"{path}: this shard is missing, but {INDEX} names it. Copy it into the folder."
                ) from None
            except OSError as error:
                raise MinidsError(f"{path}: not readable ({error.strerror or error}). Copy the file again.") from None
            try:
                self._open[path] = safe_open(path, framework="pt")
            except (SafetensorError, OSError, ValueError) as error:
                raise MinidsError(
                    f"{path}: corrupt or cut off ({size:,} bytes; {error}). Copy the file again."
                ) from None
            self.bytes += size
        return self._open[path]

    def shape(self, key):
        """The shape of a tensor, without reading it."""
        return tuple(self._handle(self.where[key]).get_slice(key).get_shape())

    def read(self, key):
        """The tensor, a copy. Raises MinidsError for a damaged file."""
        try:
            # a copy: the tensor is a view of the file, which may be gone before the model is
            return self._handle(self.where[key]).get_tensor(key).clone()
        except (SafetensorError, OSError, ValueError, AttributeError, RuntimeError) as error:  # a type torch lacks, too
            raise MinidsError(f"{self.where[key]}: {key} cannot be read ({error}). Copy the file again.") from None


def _nothing_to_read(folder):
    pickles = sorted(p.name for pattern in PICKLES for p in folder.glob(pattern))
    if pickles:
        return (
            f"{folder}: holds only pickled weights ({pickles[0]}). They are refused: opening a pickle runs "
            f"whatever code its author put in. Convert them to {SINGLE} if you trust them "
            "(transformers' save_pretrained does)."
        )
    return f"{folder}: there is no {SINGLE} (and no {INDEX}). Copy the weights into the folder."


# -- tensors -------------------------------------------------------------------------------------------------


def dequantize(weight, scale_inv, block=(128, 128), where="weight"):
    """float8 [..., M, N] * its block's scale [..., ceil(M/128), ceil(N/128)] -> float32, ragged ends included.
    Raises MinidsError for scales of another shape."""
    rows, cols = weight.shape[-2:]
    expected = (*weight.shape[:-2], -(-rows // block[0]), -(-cols // block[1]))
    if tuple(scale_inv.shape) != expected:
        raise MinidsError(
            f"{where}_scale_inv: shape {list(scale_inv.shape)}, but a weight {list(weight.shape)} in blocks "
            f"of {block[0]} x {block[1]} has {list(expected)} scales. Check weight_block_size in config.json."
        )
    scale = scale_inv.float().repeat_interleave(block[0], -2)[..., :rows, :]
    return weight.float() * scale.repeat_interleave(block[1], -1)[..., :cols]


def finite(value, where):
    """Refuses NaN and infinity: one of them makes every answer nonsense, and none is ever meant. One pass that writes
    nothing, about a tenth of what copying the tensor out of its file takes."""
    if not value.is_floating_point() or not value.numel():
        return
    least, most = value.aminmax()
    if not (math.isfinite(least) and math.isfinite(most)):
        raise MinidsError(
            f"{where} holds {'NaN' if most.isnan() else 'infinity'}, with which every answer is nonsense. The file is "
            "damaged, or training diverged before it was written. Use another checkpoint."
        )


class Reader:
    """Hands out tensors as floating point, however stored; remembers the keys used and the types met."""

    def __init__(self, files: Files, block=(128, 128)):
        self.files, self.block, self.used, self.dtypes = files, block, set(), set()

    def __contains__(self, key):
        return key in self.files.where

    def read(self, key, shape):
        """One tensor of this shape, in floating point; float8 is multiplied by its scales. Raises MinidsError for
        another shape, a type that is no weight's, missing scales, NaN and infinity."""
        path, found = self.files.where[key], self.files.shape(key)
        if found != tuple(shape):
            raise MinidsError(
                f"{path}: {key} has shape {list(found)}, but config.json asks for {list(shape)}. "
                "Weights and config are of different models; take both from the same place."
            )
        self.used.add(key)
        value = self.files.read(key)
        if value.dtype not in FLOAT8:
            finite(value, f"{path}: {key}")
        if value.dtype in FLOAT8:
            scale = key + "_scale_inv"
            if scale not in self:
                raise MinidsError(
                    f"{path}: {key} is {value.dtype}, but {scale} is missing, which it needs. "
                    "Use a complete checkpoint, or one in bfloat16."
                )
            self.used.add(scale)
            found = self.files.read(scale)
            if not found.is_floating_point():
                raise MinidsError(
                    f"{self.files.where[scale]}: {scale} is {found.dtype}; scales are floating point. Use a complete "
                    "checkpoint, or one in bfloat16."
                )
            finite(found.float(), f"{self.files.where[scale]}: {scale}")
            value = dequantize(value, found, self.block, key)
            finite(value, f"{path}: {key}")
            self.dtypes.add(torch.bfloat16)  # what float8 becomes when no type is asked for
        elif not value.is_floating_point():
            raise MinidsError(
                f"{path}: {key} is {value.dtype}; weights are floating point. Use an unquantised checkpoint."
            )
        elif not key.endswith(BIAS):
            self.dtypes.add(value.dtype)
        return value

    def assemble(self, fused, shape):
        """All experts [E, …] from one fused tensor or from theirs -> (tensor or None, missing keys)."""
        if fused in self:
            return self.read(fused, shape), []
        names = expert_names(fused, shape[0])
        missing = [name for group in names for name in group if name not in self]
        if missing:
            return None, missing
        pieces, out = len(names[0]), None
        for e, group in enumerate(names):
            for p, name in enumerate(group):
                value = self.read(name, (shape[1] // pieces, shape[2]))
                out = torch.empty(tuple(shape), dtype=value.dtype) if out is None else out
                out[e].chunk(pieces)[p].copy_(value)
        return out, []
