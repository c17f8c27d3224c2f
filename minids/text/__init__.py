"""Text: the tokenizer, the templates, and documents as batches. Names are loaded when first used."""

from importlib import import_module

_HOME = {
    "Tokenizer": "tokenizer",
    "DEFAULT_SPECIALS": "tokenizer",
    "Reply": "chat",
    "Batch": "corpus",
    "load_texts": "corpus",
}
__all__ = list(_HOME)


def __getattr__(name):
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
