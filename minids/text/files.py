"""`tokenizer.json` and `tokenizer_config.json`: written so that `tokenizers` and `transformers` load them,
read back with every assumption checked.

The file holds the pipeline of the DeepSeek-V3 tokenizer: three Splits ("Isolated"), ByteLevel, BPE. Bytes are
written as characters (`bpe.CHAR_OF_BYTE`). Nothing adds BOS: templates write it, once. A foreign file is
refused rather than half understood, with the name of the setting that would change its ids; one with the same
pipeline is read, wherever its special ids lie. What cannot matter is let through: a token for unknown bytes (there are
none), and what a post-processor would put around a text.
"""

import json
from pathlib import Path

from .. import files
from ..errors import MinidsError
from ..files import below, brief, load_json
from . import bpe
from .specials import BOS, EOS, PAD

# The text of `chat.prompt_ids`, byte for byte: an earlier reply is reduced to its answer by `chat.earlier`, which is
# written in Jinja here; its thought is left out (as R1 does).
CHAT_TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}"
    "{% if m['content'] is not string %}{{ raise_exception('minids has messages of text alone') }}"
    "{% elif m['role'] == 'user' %}<｜User｜>{{ m['content'] }}"
    "{% elif m['role'] == 'assistant' %}<｜Assistant｜><answer>"
    "{{ m['content'].split('</think>')[-1].split('<answer>')[-1].split('</answer>')[0].strip() }}"
    "</answer>{{ eos_token }}"
    "{% else %}{{ raise_exception('minids has the roles user and assistant, not ' ~ m['role']) }}{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}<｜Assistant｜>{% endif %}"
)


def tokenizer_json(tokenizer, with_specials: bool = True) -> str:
    """The file's text. Without specials their ids stay taken, but no text can produce them."""
    chars = ["".join(bpe.CHAR_OF_BYTE[b] for b in piece) for piece in tokenizer.pieces]
    text_of = {i: s for s, i in tokenizer.specials.items()}
    vocab = {text_of.get(i, c): i for i, c in enumerate(chars)}
    added = [
        {
            "id": i,
            "content": s,
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
            "special": s in tokenizer.control,
        }
        for s, i in sorted(tokenizer.specials.items(), key=lambda item: item[1])
    ]
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


def save(tokenizer, directory: Path) -> None:
    """Writes tokenizer.json and tokenizer_config.json in the form of Hugging Face's fast tokenizers. Raises
    MinidsError where the folder cannot be written."""
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        **{
            key: token
            for key, token in [("bos_token", BOS), ("eos_token", EOS), ("pad_token", PAD)]
            if token in tokenizer.specials
        },
        "clean_up_tokenization_spaces": False,
        "chat_template": CHAT_TEMPLATE,
    }
    texts = {
        "tokenizer.json": tokenizer.to_json(),
        "tokenizer_config.json": json.dumps(config, ensure_ascii=False, indent=2),
    }
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            files.write(directory / name, text)
    except OSError as error:
        raise MinidsError(f"cannot write the tokenizer to {directory}: {error.strerror or error}") from error


def load(directory: Path) -> dict:
    """The arguments of `Tokenizer(...)`, from the `tokenizer.json` of a folder (or the path of the file itself).
    Raises MinidsError for a damaged file, and for a tokenizer that is no byte-level BPE."""
    path = directory if directory.suffix == ".json" else directory / "tokenizer.json"
    content = load_json(
        path,
        "Restore it or make it again.",
        missing=f"There is no tokenizer at this place: give the folder of a model.{below(directory, path.name)}",
        kind=object,
    )

    try:
        model, added = content["model"], content.get("added_tokens") or []
        kind, vocab = model["type"], model["vocab"]
        if kind == "BPE":
            _refuse_settings(content, path)
            digits = _digits(content, path)
            merges = [tuple(m.split(" ")) if isinstance(m, str) else tuple(m) for m in model["merges"]]
            if not all(isinstance(m, str | list) for m in model["merges"]):
                raise ValueError("a merge is no pair of tokens")
            return _read(vocab, merges, added, digits)
    except MinidsError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise MinidsError(
            f"{path} is damaged or not a tokenizer of minids ({type(error).__name__}: {str(error)[:200]}): "
            "restore it, or train a new one with Tokenizer.train"
        ) from None
    raise MinidsError(f"{path} holds a {brief(kind)} tokenizer; minids reads byte-level BPE only")


def _read(vocab: dict[str, int], merges: list[tuple[str, str]], added: list[dict], digits: str) -> dict:
    specials = {token["content"]: token["id"] for token in added}
    _check_added(vocab, added)
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
    missing = [c for c in bpe.BYTE_OF_CHAR if c not in vocab or c in specials]
    if missing:
        raise ValueError(f"{len(missing)} of the 256 bytes are missing from the vocabulary")
    for a, b in merges:
        if a + b not in vocab:
            raise ValueError(f"the merge of {a!r} and {b!r} makes a token that is not in the vocabulary")
        if not specials.keys().isdisjoint((a, b, a + b)):
            raise ValueError(f"the merge of {a!r} and {b!r} is also a special token")
    return {
        "pieces": pieces,
        "merges": [(vocab[a], vocab[b]) for a, b in merges],
        "specials": specials,
        "control": [token["content"] for token in added if token["special"]],
        "digits": digits,
    }


# Settings of `model` and of the whole file that change ids or text -> the values that do not.
MODEL_OFF = {
    "dropout": (None, 0),
    "continuing_subword_prefix": (None, ""),
    "end_of_word_suffix": (None, ""),
    "ignore_merges": (None, False),
}
MODEL_FREE = {"type", "vocab", "merges", "unk_token", "fuse_unk", "byte_fallback"}  # no byte is unknown
FILE_OFF = {"truncation": (None,), "padding": (None,)}
FILE_FREE = {"version", "added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder", "model"}
ADDED_OFF = {"single_word": (False,), "lstrip": (False,), "rstrip": (False,)}
ADDED_FREE = {"id", "content", "normalized", "special"}


def _refuse_settings(content: dict, path: Path) -> None:
    """Refuses, by its name, what would change the ids or the text of a tokenizer with our pipeline."""
    added = [(f"added token {brief(token['content'])}", token) for token in content.get("added_tokens") or []]
    for where, values, off, free in (
        ("", content, FILE_OFF, FILE_FREE),
        ("model", content["model"], MODEL_OFF, MODEL_FREE),
        *((name, token, ADDED_OFF, ADDED_FREE) for name, token in added),
    ):
        for key, value in values.items():
            odd = not any(value is v or (type(value) is not bool and value == v) for v in off.get(key, (None,)))
            if key not in free and odd:
                raise MinidsError(
                    f"{path}: {f'{where}: ' if where else ''}{brief(key)} is {brief(value)}, which changes the ids of "
                    "a text in a way that minids does not have: load it with transformers, or train one with "
                    "Tokenizer.train"
                )
    for key, kinds in (("post_processor", ("ByteLevel", "TemplateProcessing")), ("decoder", ("ByteLevel",))):
        step = content.get(key)
        steps = step["processors" if key == "post_processor" else "decoders"] if _kind(step) == "Sequence" else [step]
        allowed = kinds if key == "decoder" else (*kinds, None)
        if not all(_kind(s) in allowed for s in steps):
            raise MinidsError(
                f"{path}: {key} is {brief(step)}, minids has {' or '.join(kinds)}: load it with transformers, or train "
                "one with Tokenizer.train"
            )


def _kind(step: dict | None) -> str | None:
    return None if step is None else step["type"]


def _check_added(vocab: dict[str, int], added: list[dict]) -> None:
    """The ids of added tokens are those that `tokenizers` gives them, which does not read them; no two of them could be
    found at one place in two ways."""
    known, following = {}, len(vocab)
    for token in added:
        text, i = token["content"], token["id"]
        if not isinstance(text, str) or not text or text in known:
            raise ValueError(f"the added token {brief(text)} is empty or given twice")
        if len(text) > 256:
            raise ValueError(f"the added token {brief(text)} is longer than any that is meant")
        right = vocab.get(text, following)
        if type(i) is not int or i != right:
            raise ValueError(f"the added token {brief(text)} has the id {brief(i)}, but stands at the place of {right}")
        if not all(type(token[key]) is bool for key in ("special", "normalized")):
            raise ValueError(f"the added token {brief(text)} is half described")
        if bpe.reads_as_bytes(text):
            raise ValueError(f"the added token {brief(text)} reads as other bytes, and would be decoded to them")
        following += text not in vocab
        known[text] = token["normalized"]
    if not all(type(i) is int for i in vocab.values()):
        raise ValueError("an id of the vocabulary is no integer")
    # those that are not normalised are looked for first
    first, second = ([t for t in known if known[t] is kind] for kind in (False, True))
    if len(first) * len(second) > 10**6:
        raise ValueError(f"{len(known)} added tokens, some normalised and some not, are too many to compare")
    for a in first:
        for b in second:
            if _overlap(a, b):
                raise ValueError(f"the added tokens {brief(a)} and {brief(b)} overlap, but only one is normalised")


def _overlap(a: str, b: str) -> bool:
    """Whether a text can hold both at places that share a character."""
    shorter = min(len(a), len(b))
    return a in b or b in a or any(a.endswith(b[:n]) or b.endswith(a[:n]) for n in range(1, shorter))


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

    outer = content["pre_tokenizer"] or {}
    found = outer.get("pretokenizers", []) if outer.get("type") == "Sequence" else []
    normalizer = content.get("normalizer") or {"normalizers": []}
    for digits in ("triples", "single"):
        if essence(found) == essence(_pre_tokenizer(digits)["pretokenizers"]):
            if normalizer.get("normalizers") == []:
                return digits
    raise MinidsError(
        f"{path} splits or normalises text in another way than DeepSeek-V3's tokenizer, so its ids would "
        "come out wrong here: load it with transformers, or train one with Tokenizer.train"
    )
