"""`tokenizer.json` and `tokenizer_config.json`: written so that `tokenizers` and `transformers` load them,
read back with every assumption checked.

The file holds the pipeline of the DeepSeek-V3 tokenizer: three Splits ("Isolated"), ByteLevel, BPE. Bytes are
written as characters (`bpe.CHAR_OF_BYTE`). Nothing adds BOS: templates write it, once. A foreign file is
refused rather than half understood; one with the same pipeline is read, wherever its special ids lie.
"""

import json
import os
from pathlib import Path

from ..errors import MinidsError
from . import bpe
from .tokenizer import BOS, EOS, PAD, Tokenizer

# Same text as minids.text.chat renders: an earlier reply keeps its answer, its thought is left out (as R1
# does).
CHAT_TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}"
    "{% if m['role'] == 'user' %}<｜User｜>{{ m['content'] }}"
    "{% elif m['role'] == 'assistant' %}<｜Assistant｜>{% set reply = m['content'].split('</think>')[-1] %}"
    "{% if '<answer>' in reply %}{{ reply }}{% else %}<answer>{{ reply }}</answer>{% endif %}{{ eos_token }}"
    "{% else %}{{ raise_exception('minids has the roles user and assistant, not ' ~ m['role']) }}{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}<｜Assistant｜>{% endif %}"
)


def tokenizer_json(tokenizer: Tokenizer, with_specials: bool = True) -> str:
    """The file's text. Without specials their ids stay taken, but no text can produce them."""
    chars = ["".join(bpe.CHAR_OF_BYTE[b] for b in piece) for piece in tokenizer.pieces]
    text_of = {i: s for s, i in tokenizer.specials.items()}
    vocab = {text_of.get(i, c): i for i, c in enumerate(chars)}
    added = [
        {"id": i, "content": s, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
         "special": s in tokenizer.control}
        for s, i in sorted(tokenizer.specials.items(), key=lambda item: item[1])
    ]  # fmt: skip
    content = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added if with_specials else [],
        "normalizer": None,
        "pre_tokenizer": _pre_tokenizer(tokenizer.digits),
        "post_processor": None,
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": vocab,
            "merges": [[chars[a], chars[b]] for a, b in tokenizer.merges],
        },
    }
    return json.dumps(content, ensure_ascii=False, indent=1)


def save(tokenizer: Tokenizer, directory: Path) -> None:
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        **{key: token for key, token in [("bos_token", BOS), ("eos_token", EOS), ("pad_token", PAD)]
           if token in tokenizer.specials},
        "clean_up_tokenization_spaces": False,
        "chat_template": CHAT_TEMPLATE,
    }  # fmt: skip
    files = {
        "tokenizer.json": tokenizer.to_json(),
        "tokenizer_config.json": json.dumps(config, ensure_ascii=False, indent=2),
    }
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            aside = directory / f".{name}.{os.getpid()}"  # renamed when complete, so no reader sees half a file
            try:
                aside.write_text(text, encoding="utf-8")
                os.replace(aside, directory / name)
            finally:
                aside.unlink(missing_ok=True)
    except OSError as error:
        raise MinidsError(f"cannot write the tokenizer to {directory}: {error.strerror or error}") from error


def load(directory: Path) -> dict:
    """The arguments of `Tokenizer(...)`, from the `tokenizer.json` of a folder (or the path of the file itself)."""
    path = directory if directory.suffix == ".json" else directory / "tokenizer.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise MinidsError(f"there is no tokenizer at {path}: give the folder of a run or of an export") from None
    except OSError as error:
        raise MinidsError(f"cannot read the tokenizer {path}: {error.strerror or error}") from error
    except ValueError as error:
        raise MinidsError(f"{path} is damaged, it is no valid JSON ({error}): restore it or make it again") from None

    try:
        model, added = content["model"], content.get("added_tokens") or []
        kind, vocab = model["type"], model["vocab"]
        if kind == "BPE":
            digits = _digits(content, path)
            merges = [tuple(m.split(" ")) if isinstance(m, str) else tuple(m) for m in model["merges"]]
            return _read(vocab, merges, added, digits)
    except MinidsError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise MinidsError(
            f"{path} is damaged or not a tokenizer of minids ({type(error).__name__}: {error}): "
            "restore it, or train a new one with Tokenizer.train"
        ) from None
    raise MinidsError(f"{path} holds a {kind} tokenizer; minids reads byte-level BPE only")


def _read(vocab: dict[str, int], merges: list[tuple[str, str]], added: list[dict], digits: str) -> dict:
    specials = {token["content"]: token["id"] for token in added}
    text_of = {i: text for text, i in vocab.items()} | {i: text for text, i in specials.items()}
    size = max(text_of) + 1
    if len(text_of) != len(vocab | specials) or min(text_of) < 0 or size > 2 * len(text_of):
        raise ValueError("ids are given twice or missing")
    pieces = [b""] * size
    for text, i in vocab.items():
        if text not in specials:
            pieces[i] = bytes(bpe.BYTE_OF_CHAR[c] for c in text)
    for text, i in specials.items():
        pieces[i] = text.encode()
    missing = [c for c in bpe.BYTE_OF_CHAR if c not in vocab]
    if missing:
        raise ValueError(f"{len(missing)} of the 256 bytes are missing from the vocabulary")
    for a, b in merges:
        if a + b not in vocab:
            raise ValueError(f"the merge of {a!r} and {b!r} makes a token that is not in the vocabulary")
    return {
        "pieces": pieces,
        "merges": [(vocab[a], vocab[b]) for a, b in merges],
        "specials": specials,
        "control": [token["content"] for token in added if token["special"]],
        "digits": digits,
    }


def _pre_tokenizer(digits: str) -> dict:
    steps = [
        {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}
        for pattern in bpe.splits(digits)
    ]
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
    return {"type": "Sequence", "pretokenizers": [*steps, level]}


def _digits(content: dict, path: Path) -> str:
    """Which of our pre-tokenizers the file has; how it escapes a line break does not matter."""

    def essence(steps: list[dict]) -> list[tuple]:
        return [
            (
                step["type"],
                step.get("pattern", {}).get("Regex", "").replace("\r", r"\r").replace("\n", r"\n"),
                *(step.get(key) for key in ("behavior", "invert", "add_prefix_space", "use_regex")),
            )
            for step in steps
        ]

    found = (content["pre_tokenizer"] or {}).get("pretokenizers", [])
    normalizer = content.get("normalizer") or {"normalizers": []}
    for digits in ("triples", "single"):
        if essence(found) == essence(_pre_tokenizer(digits)["pretokenizers"]):
            if normalizer.get("normalizers") == []:
                return digits
    raise MinidsError(
        f"{path} splits or normalises text in another way than DeepSeek-V3's tokenizer, so its ids would "
        "come out wrong here: load it with transformers, or train one with Tokenizer.train"
    )
