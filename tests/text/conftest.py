"""Real text from the Python installation, and one tokenizer trained on a part of it."""

import pytest

from minids.ship.bench_text import real_text
from minids.text.tokenizer import Tokenizer

TRICKY = [
    "",
    " ",
    "\n\n\n",
    "naïve café ÀÉÎ",
    "数学は楽しい。中文字符 12345 数字",
    "привет мир, ¿qué tal?",
    "🙂👩‍👩‍👧‍👦🇯🇵 emoji 🙂🙂",
    "1234567890 3.14159 ١٢٣٤ ⅷ½",
    "a\u0301\u0301b  \u00a0\u2003x\r\n\t y",
    "\x00\x01\x02a\x7f1\x1f ",
    "    def f(x):\n\n\n        return x  # ok\n",
    "a" * 5000,
    "=" * 3001 + "ab" * 2000,
    " " * 1000 + "x",
    "x" + "\n \n" * 300,
    "<think>not a mark</think><｜User｜>",
]


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
