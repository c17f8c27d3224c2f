"""The Triton kernels beside what one would use instead, on a GPU; on any other machine the same rows at toy sizes.

Every row checks its result first. On a GPU the runs alternate, the L2 cache is overwritten before each, times come
from CUDA events, and figures are medians. Without a GPU the kernels run in Triton's interpreter at toy sizes: what is
checked then is that they are right and that this file works; `ours`, `peer` and `ratio` are None: nothing is claimed.

    minids bench kernels                                       the rows
    minids bench kernels --json > docs/results/kernels.json    a record, from which the README and chapter 07 read
    minids dev bench-kernels docs/results/kernels.json         a record against its bars; exit 1 if one is missed

`bar` and `aim` are ratios that the project has set itself. Liger-Kernel is the peer where it is installed; where it is
not, its published figure for an H100 (its README and pull requests) stands in where there is one, said in `peer_name`.
"""

import argparse
import statistics
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import torch

from minids import files
from minids.errors import MinidsError
from minids.progress import Progress

BANDWIDTH = 3.084e12  # bytes/s that an H100 SXM reaches, 92 % of 3.35e12 (torchao's roofline, README of 2026-03-20)
SHAPES = ((2112, 7168), (24576, 1536), (32768, 512), (7168, 16384), (4096, 7168), (7168, 2048))  # DeepGEMM's (N, K)
LIGER_MOE = {"forward": 2.1e-3, "forward and backward": 9.7e-3}  # seconds, T=8192 E=128 H=2048 I=768 K=8, H100, bf16
REPEATS = 30


# -- measuring ---------------------------------------------------------------------------------------------------------


class Timer:
    """Seconds of functions on this machine's GPU; None for each where there is none."""

    def __init__(self):
        self.gpu = torch.cuda.is_available()
        self.device = torch.device("cuda" if self.gpu else "cpu")
        self.name = torch.cuda.get_device_name() if self.gpu else "cpu, interpreted"
        self.backend = "triton"

    def medians(self, *runs: Callable, repeats: int = REPEATS) -> list[float | None]:
        """Median seconds of each function, taken in turns after three rounds of warm-up."""
        if not self.gpu:
            for run in runs:
                run()
            return [None] * len(runs)
        flush, times = torch.empty(2**28, dtype=torch.int8, device="cuda"), [[] for _ in runs]
        for i in range(-3, repeats):
            for k, run in enumerate(runs):
                flush.zero_()
                begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
                begin.record()
                run()
                end.record()
                end.synchronize()
                if i >= 0:
                    times[k].append(begin.elapsed_time(end) / 1000)
        return [statistics.median(t) for t in times]


def gaussian(
    *shape: int, device: torch.device, dtype: torch.dtype = torch.bfloat16, seed: int = 0, scale: float = 1.0
) -> torch.Tensor:
    """Normal random numbers times `scale`, the same for the same seed."""
    make = torch.Generator(device=device).manual_seed(seed)
    return (torch.randn(*shape, generator=make, device=device) * scale).to(dtype)


def row(
    timer: Timer,
    name: str,
    seconds: float | None,
    work: float,
    unit: str,
    peer: float | tuple | None,
    peer_name: str,
    config: str,
    bar: float | None = None,
    aim: float | None = None,
) -> dict:
    """`work` per second over `peer`, which is in the same unit, or (seconds of the peer,) for the same work."""
    if isinstance(peer, tuple):
        peer = None if peer[0] is None else work / peer[0]
    ours = None if seconds is None else work / seconds
    measured = ours is not None and peer is not None
    return {
        "name": f"kernel_{name}",
        "ours": ours,
        "peer": peer if ours is not None else None,
        "peer_name": peer_name,
        "ratio": ours / peer if measured else None,
        "unit": unit,
        "device": timer.name,
        "config": config,
        "bar": bar,
        "aim": aim,
    }


def right(what: str, ours: torch.Tensor, want: torch.Tensor, limit: float) -> None:
    """Raises MinidsError where a kernel's result is not the wanted one within `limit`, relative: a wrong one is not
    timed."""
    from minids.bench.measure import same

    same(what, ours.double(), want.double(), limit)


def liger(path: str) -> Callable | None:
    """Something of Liger-Kernel, or None where it is not installed."""
    module, _, name = path.rpartition(".")
    try:
        return getattr(__import__(module, fromlist=[name]), name)
    except (ImportError, AttributeError):
        return None


# -- the rows ----------------------------------------------------------------------------------------------------------


def fp8_gemm(timer: Timer) -> Iterator[dict]:
    """Block-scaled FP8 product against cuBLAS in bfloat16 (large M) and against the memory (M = 64)."""
    from minids.kernels import gemm, quantise

    shapes = SHAPES if timer.gpu else ((160, 144),)
    for M in (4096, 64) if timer.gpu else (96, 24):
        for N, K in shapes:
            x, w = gaussian(M, K, device=timer.device), gaussian(N, K, device=timer.device, seed=1)
            a, b = quantise.quantise(x), quantise.quantise_weight(w)
            want = gemm.matmul_reference(*a, *b)
            right("fp8_gemm", gemm.matmul(*a, *b, backend=timer.backend), want, 5e-3)
            turned = w.t()
            ours, cublas = timer.medians(
                lambda: gemm.matmul(*a, *b, backend=timer.backend),  # noqa: B023 (called at once)
                lambda: x @ turned,  # noqa: B023 (called at once)
            )
            config = {"M": M, "N": N, "K": K, "scales": "1x128, 128x128", "out": "bfloat16"}
            if M >= 96:
                work = 2 * M * N * K / 1e12
                yield row(
                    timer, f"fp8_gemm_{N}x{K}", ours, work, "TFLOP/s", (cublas,), "cuBLAS bfloat16", config, 1.0, 1.4
                )
                theirs = scaled_mm(timer, a, b)
                if theirs is not None:
                    yield row(
                        timer,
                        f"fp8_gemm_{N}x{K}_scaled_mm",
                        ours,
                        work,
                        "TFLOP/s",
                        (theirs,),
                        "torch scaled_mm 1x128/128x128",
                        config,
                        None,
                        0.8,
                    )
            else:
                moved = M * K + N * K + 2 * M * N + 4 * (a[1].numel() + b[1].numel())
                yield row(
                    timer,
                    f"fp8_gemm_64_{N}x{K}",
                    ours,
                    moved / 1e9,
                    "GB/s",
                    BANDWIDTH / 1e9,
                    "3.08 TB/s",
                    config,
                    0.60,
                    0.75,
                )


def scaled_mm(timer: Timer, a: torch.Tensor, b: torch.Tensor) -> float | None:
    """Median seconds of torch's own block-scaled product, or None where torch or the GPU has none."""
    import torch.nn.functional as F

    from minids.kernels import gemm

    if not timer.gpu or not hasattr(F, "scaled_mm") or torch.cuda.get_device_capability() != (9, 0):
        return None
    kinds, (q, s), (w, t) = F.ScalingType, a, b
    padded = torch.zeros(t.shape[0], -(-t.shape[1] // 4) * 4, device=t.device)  # K/128 in multiples of 4
    padded[:, : t.shape[1]] = t

    def run():
        return F.scaled_mm(
            q,
            w.t(),
            s,
            kinds.BlockWise1x128,
            padded[:, : t.shape[1]].t(),
            kinds.BlockWise128x128,
            output_dtype=torch.bfloat16,
        )

    try:
        right("scaled_mm", run(), gemm.matmul_reference(*a, *b), 5e-3)
        return timer.medians(run)[0]
    except (RuntimeError, TypeError, ValueError) as error:
        print(f"bench: torch's scaled_mm is left out ({str(error).splitlines()[0]})", file=sys.stderr)
        return None


def quantising(timer: Timer) -> Iterator[dict]:
    """Rows for quantising to FP8 along and across a tensor, beside the bandwidth that an H100 reaches."""
    from minids.kernels import quantise as Q

    M, K = (32768, 4096) if timer.gpu else (40, 300)
    x = gaussian(M, K, device=timer.device)
    for name, moved in (("quantise", 3 * M * K + M * K / 32), ("quantise_t", 3 * M * K + M * K / 32)):
        fn = getattr(Q, name)
        right(name, fn(x, backend=timer.backend)[0].float(), fn(x, backend="torch")[0].float(), 1e-6)
        (ours,) = timer.medians(lambda: fn(x, backend=timer.backend))  # noqa: B023
        yield row(timer, name, ours, moved / 1e9, "GB/s", BANDWIDTH / 1e9, "3.08 TB/s", {"M": M, "K": K}, 0.85, 0.92)


def experts(timer: Timer) -> Iterator[dict]:
    """The MoE layer's experts, forward and with its backward, beside Liger's fused MoE."""
    from minids.kernels import grouped

    T, E, H, width, K = (8192, 128, 2048, 768, 8) if timer.gpu else (12, 4, 32, 16, 2)
    x = gaussian(T, H, device=timer.device).requires_grad_()
    chosen = torch.rand(T, E, device=timer.device).topk(K).indices
    gates = torch.rand(T, K, device=timer.device, dtype=torch.bfloat16).requires_grad_()
    up = gaussian(E, 2 * width, H, device=timer.device, seed=1, scale=0.02).requires_grad_()
    down = gaussian(E, H, width, device=timer.device, seed=2, scale=0.02).requires_grad_()
    tensors, above = (x, gates, up, down), torch.ones(T, H, device=timer.device, dtype=torch.bfloat16)

    def forward(backend=None):
        return grouped.moe_experts(x, chosen, gates, up, down, backend=backend or timer.backend)

    def both():
        torch.autograd.grad(forward(), tensors, above)

    right("experts", forward().detach(), forward("torch").detach(), 2e-2)
    theirs, named = liger("liger_kernel.ops.fused_moe.LigerFusedMoEFunction"), "Liger-Kernel's fused MoE"
    seconds = timer.medians(lambda: forward().detach(), both, repeats=10)
    peers = list(LIGER_MOE.values())
    if theirs is not None and timer.gpu:

        def peer():
            return theirs.apply(x, up, down, chosen, gates)

        try:
            peers = timer.medians(peer, lambda: torch.autograd.grad(peer(), tensors, above), repeats=10)
        except (RuntimeError, TypeError, ValueError) as error:  # its signature is not a promise
            print(f"bench: the installed Liger-Kernel is left out ({error})", file=sys.stderr)
            theirs = None
    if theirs is None:
        named += ", published for an H100"
    for kind, ours, peer_seconds, factor in zip(LIGER_MOE, seconds, peers, (1, 3)):
        work = factor * 6 * T * K * H * width / 1e12
        yield row(
            timer,
            f"moe_{kind.replace(' ', '_')}",
            ours,
            work,
            "TFLOP/s",
            (peer_seconds,),
            named,
            {"T": T, "E": E, "H": H, "I": width, "K": K, "dtype": "bfloat16"},
            1.0,
            1.2,
        )


def decoding(timer: Timer) -> Iterator[dict]:
    """The row of MLA's attention for one new token a sequence over a long latent cache, beside the data sheet's
    bandwidth."""
    from minids.kernels.decode import mla_decode

    B, T, H, rank, rope = (128, 4096, 128, 512, 64) if timer.gpu else (2, 40, 16, 32, 16)
    q, cache = (gaussian(B, n, rank + rope, device=timer.device, seed=n) for n in (H, T))
    lengths = torch.full((B,), T, dtype=torch.int32, device=timer.device)
    scale = (rank + rope) ** -0.5

    def run(backend=None):
        return mla_decode(q, cache, lengths, scale, rank, backend=backend or timer.backend)[0]

    some = slice(0, 4)  # of the sequences; float32 scores of all of them would not fit
    want = mla_decode(q[some].float(), cache[some].float(), lengths[some], scale, rank, backend="torch")[0]
    right("mla_decode", run()[some], want, 1e-2)
    (ours,) = timer.medians(run)
    moved = 2 * (cache.numel() + q.numel() + B * H * rank)
    yield row(
        timer,
        "mla_decode",
        ours,
        moved / 1e9,
        "GB/s",
        3350.0,
        "3.35 TB/s, the data sheet's bandwidth",
        {"B": B, "T": T, "heads": H, "rank": rank, "rope": rope, "dtype": "bfloat16"},
        0.60,
        0.80,
    )


def fused(timer: Timer) -> Iterator[dict]:
    """RMSNorm, SwiGLU and cross-entropy, forward and backward together, beside Liger-Kernel or torch's own."""
    import torch.nn.functional as F

    from minids.kernels import cross_entropy, rmsnorm, swiglu

    N, H, V = (8192, 4096, 131072) if timer.gpu else (6, 48, 100)
    x = gaussian(N, H, device=timer.device).requires_grad_()
    weight = torch.ones(H, device=timer.device, dtype=torch.bfloat16, requires_grad=True)
    gate, up = (gaussian(N, H, device=timer.device, seed=i).requires_grad_() for i in (1, 2))
    logits = gaussian(N // 2, V, device=timer.device, seed=3)
    target = torch.randint(0, V, (N // 2,), device=timer.device)
    above = torch.ones(N, H, device=timer.device, dtype=torch.bfloat16)
    ligers = [
        liger(f"liger_kernel.ops.{name}Function")
        for name in ("rms_norm.LigerRMSNorm", "swiglu.LigerSiLUMul", "cross_entropy.LigerCrossEntropy")
    ]

    def loss(fn):
        leaf = logits.detach().requires_grad_()
        return torch.autograd.grad(fn(leaf * 1.0), leaf)  # the product is what may be overwritten

    def liger_loss(z):
        done = ligers[2].apply(z, target, None, -100)
        return done[0] if isinstance(done, tuple) else done

    def norm(fn):
        return lambda: torch.autograd.grad(fn(), (x, weight), above)

    def gated(fn):
        return lambda: torch.autograd.grad(fn(), (gate, up), above)

    pieces = (
        (
            "rms_norm",
            norm(lambda: rmsnorm.rms_norm(x, weight, 1e-6, backend=timer.backend)),
            norm(lambda: F.rms_norm(x, (H,), weight, 1e-6)),
            norm(lambda: ligers[0].apply(x, weight, 1e-6)),
            10 * N * H,
        ),
        (
            "swiglu",
            gated(lambda: swiglu.swiglu(gate, up, backend=timer.backend)),
            gated(lambda: F.silu(gate) * up),
            gated(lambda: ligers[1].apply(gate, up)),
            16 * N * H,
        ),
        (
            "cross_entropy",
            lambda: loss(lambda z: cross_entropy.cross_entropy(z, target, backend=timer.backend)),
            lambda: loss(lambda z: F.cross_entropy(z.float(), target)),
            lambda: loss(liger_loss),
            5 * N * V,
        ),
    )
    for (name, ours, plain, theirs, moved), found in zip(pieces, ligers):
        for got, want in zip(ours(), plain()):
            right(name, got, want, 2e-2)
        peer, peer_name, bar = (theirs, "Liger-Kernel", 1.0) if found and timer.gpu else (plain, "torch, eager", None)
        seconds, other = timer.medians(ours, peer)
        yield row(
            timer,
            name,
            seconds,
            moved / 1e9,
            "GB/s",
            (other,),
            peer_name,
            {"rows": N, "H": H, "V": V, "what": "forward and backward"},
            bar,
            bar and 1.1,
        )


def training(timer: Timer) -> Iterator[dict]:
    """A training step of recipe `small`: minids in bfloat16 beside transformers, and its FP8 beside its bfloat16."""
    from minids.bench import train
    from minids.model import accounting, fp8
    from minids.model.config import ModelConfig
    from minids.model.transformer import Transformer
    from minids.run import recipes
    from minids.text.corpus import Batch
    from minids.train import loss as losses

    recipe = recipes.load("small")
    values = recipes.model_values(recipe, recipe.tokenizer["vocab_size"])
    if not timer.gpu:
        values |= {
            "hidden_size": 64,
            "num_hidden_layers": 2,
            "intermediate_size": 96,
            "n_routed_experts": 4,
            "num_experts_per_tok": 2,
            "moe_intermediate_size": 32,
            "vocab_size": 128,
            "kv_lora_rank": 32,
            "num_attention_heads": 2,
            "q_lora_rank": None,
        }
    config = ModelConfig.from_dict(values, where="recipe small")
    torch.manual_seed(0)
    model = Transformer(config).to(timer.device)
    B, T = (16, 1024) if timer.gpu else (2, 16)
    ids = torch.randint(0, config.vocab_size, (B, T), device=timer.device)
    batch = Batch(ids, torch.ones(B, T, device=timer.device), torch.ones(B, T, dtype=torch.bool, device=timer.device))

    def ours():
        with torch.autocast(timer.device.type, torch.bfloat16):
            losses.lm_loss(model, batch)[0].backward()

    peer = train.peer_of(model, "eager", "eager").to(timer.device) if timer.gpu else None

    def theirs():
        with torch.autocast(timer.device.type, torch.bfloat16):
            peer(ids, labels=ids).loss.backward()

    bf16, other = timer.medians(ours, theirs, repeats=10) if peer else (*timer.medians(ours), None)
    fp8.convert(model)
    in_fp8 = timer.medians(ours, repeats=10)[0]
    fp8.restore(model)
    tokens, flops = B * T, accounting.training_flops(config, B * T, T)
    mfu = f"MFU {100 * flops / bf16 / 989e12:.1f} % of 989 TFLOP/s" if bf16 else "MFU not measured"
    note = {
        "B": B,
        "T": T,
        "parameters": model.parameter_count(),
        "flops_a_step": flops,
        "mfu": mfu,
        "mfu_formula": "accounting.training_flops: 6 a multiplied parameter and token, and attention",
    }
    yield row(timer, "train_small", bf16, tokens, "tokens/s", (other,), "transformers, eager, bfloat16", note, 2.0)
    yield row(timer, "train_small_fp8", in_fp8, tokens, "tokens/s", (bf16,), "minids in bfloat16", note, 1.15)


ROWS = (fp8_gemm, quantising, experts, decoding, fused, training)


def rows(bar: Progress | None = None) -> list[dict]:
    """All rows; on a machine without a GPU they are checked and not measured."""
    from minids.kernels import runtime

    if runtime.VERSION is None or not (torch.cuda.is_available() or runtime.INTERPRETED):
        raise MinidsError(f"bench kernels: {runtime.why_not(torch.zeros(1))}")
    timer, found = Timer(), []
    for measure in ROWS:
        found += measure(timer)
        if bar is not None:
            bar.update(1)
    return found


# -- a record against its bars -----------------------------------------------------------------------------------------


def verdicts(record: list[dict]) -> list[tuple[dict, str]]:
    """[(row, "missed" | "bar" | "aim" | "not measured" | "no bar")]"""
    said = []
    for r in record:
        goals = [r.get("bar"), r.get("aim")]
        if r["ratio"] is None:
            said.append((r, "not measured"))
        elif goals == [None, None]:
            said.append((r, "no bar"))
        elif goals[0] is not None and r["ratio"] < goals[0]:
            said.append((r, "missed"))
        else:
            said.append((r, "aim" if goals[1] is not None and r["ratio"] >= goals[1] else "bar"))
    return said


def table(record: list[dict]) -> str:
    """Markdown for the README."""

    def number(x):
        return "not measured" if x is None else f"{x:,.4g}"

    lines = ["| kernel | minids | peer | | ratio | bar | aim |", "|---|---|---|---|---|---|---|"]
    for r, _ in verdicts(record):
        goals = ["" if r.get(k) is None else f"≥ {r[k]:g}" for k in ("bar", "aim")]
        unit = "" if r["ours"] is None else f" {r['unit']}"
        lines.append(
            f"| {r['name']} | {number(r['ours'])}{unit} | {number(r['peer'])}{unit} | {r['peer_name']} | "
            f"{number(r['ratio'])} | {goals[0]} | {goals[1]} |"
        )
    return "\n".join(lines) + "\n"


def main(argv: list[str] | None = None) -> int:
    """A record of `minids bench kernels --json` against its bars."""
    parser = argparse.ArgumentParser(prog="minids dev bench-kernels", description=main.__doc__)
    parser.add_argument("record", type=Path)
    asked = parser.parse_args(argv)
    try:
        whole = files.load_json(asked.record, "Write one with `minids bench kernels --json`.", kind=list)
        record = [r for r in whole if r["name"].startswith("kernel_")]
    except (KeyError, TypeError) as error:
        raise MinidsError(
            f"{asked.record}: no record of `minids bench kernels --json` ({error}). Write one with that command."
        ) from None
    said = verdicts(record)
    for r, verdict in said:
        ratio = "" if r["ratio"] is None else f"{r['ratio']:.2f} of {r['peer_name']}"
        print(f"{verdict:13} {r['name']:34} {ratio}")
    return 1 if any(v in ("missed", "not measured") for _, v in said) or not said else 0
