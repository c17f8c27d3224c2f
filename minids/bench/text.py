"""The tokenizer beside `tokenizers` (Rust): training and encoding, MB of UTF-8 a second, in one process.

Equal outputs are asserted before a time counts. Runs alternate, and each side keeps its best: what a busy
machine adds is never a credit. `tokenizers` uses all cores, minids one. The text is what every Python
installation holds: sources and documents of the standard library and of installed packages.
"""

import json
import os
import sysconfig
import time
from pathlib import Path

from minids.errors import MinidsError
from minids.text import bpe
from minids.text.tokenizer import DEFAULT_SPECIALS, Tokenizer


def real_text(n_mb: float = 10) -> list[str]:
    """Files of the Python installation, in the order of their names, until there are `n_mb` megabytes."""
    paths = sysconfig.get_paths()
    texts, room = [], int(n_mb * 1e6)
    for root in (paths["stdlib"], paths["purelib"]):
        for path in sorted(Path(root).rglob("*")):
            if path.suffix in (".py", ".txt", ".md", ".rst") and path.is_file():
                text = path.read_text(encoding="utf-8", errors="ignore")
                texts.append(text)
                room -= len(text.encode())
                if room <= 0:
                    return texts
    return texts


def train_rust(texts: list[str], vocab_size: int, digits: str = "triples", min_frequency: int = 2) -> object:
    """The `tokenizers` trainer, set up as DeepSeek-V3's tokenizer: what `Tokenizer.train` must equal."""
    from tokenizers import Regex, models, pre_tokenizers, trainers
    from tokenizers import Tokenizer as Rust

    rust = Rust(models.BPE())
    rust.pre_tokenizer = pre_tokenizers.Sequence(
        [
            *(pre_tokenizers.Split(Regex(pattern), "isolated") for pattern in bpe.splits(digits)),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        min_frequency=min_frequency,
        special_tokens=list(DEFAULT_SPECIALS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    rust.train_from_iterator(texts, trainer)
    return rust


def bench_bpe(n_mb: float = 10, vocab_size: int = 4096, repeats: int = 3) -> list[dict]:
    """Two rows, `bpe_train` and `bpe_encode`; ratio > 1 where minids is ahead."""
    try:
        import tokenizers
    except ImportError as error:
        raise MinidsError("the tokenizer bench compares with `tokenizers`: pip install 'minids[train]'") from error
    texts = real_text(n_mb)
    mb = sum(len(text.encode()) for text in texts) / 1e6

    ours, peer = Tokenizer.train(texts, vocab_size), train_rust(texts, vocab_size)
    mine, theirs = json.loads(ours.to_json())["model"], json.loads(peer.to_str())["model"]
    if (mine["vocab"], mine["merges"]) != (theirs["vocab"], theirs["merges"]):
        raise MinidsError("minids and tokenizers learned different merges: there is nothing to time")

    def peer_encode() -> list[list[int]]:
        return [e.ids for e in peer.encode_batch_fast(texts, add_special_tokens=False)]

    def our_encode() -> list[list[int]]:
        cold = Tokenizer(ours.pieces, ours.merges, ours.specials)  # its cache of words is empty
        return [cold.encode(text) for text in texts]

    peer.encode_special_tokens = True  # read special tokens in the text as text, as `encode` does
    if our_encode() != peer_encode():
        raise MinidsError("minids and tokenizers gave different ids: there is nothing to time")

    pairs = {
        "bpe_train": (lambda: Tokenizer.train(texts, vocab_size), lambda: train_rust(texts, vocab_size)),
        "bpe_encode": (our_encode, peer_encode),
    }
    rows = []
    for name, (our_run, peer_run) in pairs.items():
        best = [float("inf")] * 2
        for _ in range(repeats):
            for side, run in enumerate((our_run, peer_run)):
                start = time.perf_counter()
                run()
                best[side] = min(best[side], time.perf_counter() - start)
        rows.append(
            {
                "name": name,
                "ours": mb / best[0],
                "peer": mb / best[1],
                "peer_name": f"tokenizers {tokenizers.__version__}",
                "ratio": best[1] / best[0],
                "unit": "MB/s",
                "device": "cpu",
                "config": {
                    "mb": round(mb, 2),
                    "vocab_size": vocab_size,
                    "files": len(texts),
                    "cores": os.cpu_count(),
                    "our_cores": 1,
                    "repeats": repeats,
                },
            }
        )
    return rows
