"""Real text from the Python installation, and one tokenizer trained on a part of it."""

import pytest
from tricky import TRICKY

from minids.bench.text import real_text
from minids.text.tokenizer import Tokenizer


@pytest.fixture(scope="session")
def texts() -> list[str]:
    return real_text(2)


@pytest.fixture(scope="session")
def tokenizer(texts) -> Tokenizer:
    return Tokenizer.train(texts + TRICKY, 2048)


@pytest.fixture(scope="session")
def lines() -> list[str]:
    """At least 100,000 lines of real text, and every line beyond ASCII of some twenty megabytes."""
    found, rich = [], []
    for text in real_text(20):
        for line in text.splitlines(keepends=True):
            if not line.isascii():
                rich.append(line)
            elif len(found) < 110_000:
                found.append(line)
    assert len(found) + len(rich) >= 100_000
    return found + rich
