"""What this machine can and cannot run, in plain words.

How long `make reason` will take is worked out from what it does most: a training step of the recipe's model, and the
sampling of a batch of answers, both timed here on one thread.

    seconds = (steps of pretraining and SFT) * t_step
            + (GRPO iterations) * (t_sample / processes + 2 t_step)
            + (answers of the evaluations) * t_answer / processes

Left out: other programs on the machine, heat, laptops that slow down on battery. Take it as a band.
"""

import importlib.metadata
import platform
import sys
import tempfile
import time
from pathlib import Path

import torch

from minids.errors import MinidsError
from minids.memory import total
from minids.model import generate as sampler
from minids.model.config import ModelConfig
from minids.model.transformer import Transformer
from minids.run import recipes
from minids.train import loss, parallel

OPTIONAL = {
    "tokenizers": "fast tokenizing",
    "datasets": "corpora in files and on the hub",
    "rich": "progress bars",
    "matplotlib": "plots",
    "transformers": "comparison with the reference",
    "triton": "GPU kernels",
    "jupyterlab": "the chapters",
    "pytest": "the tests",
}
NEEDED_MEMORY = 4 * 2**30


def text() -> str:
    """The report of `minids doctor`."""
    lines = [*_software(), *_machine(), *_speed()]
    width = max(len(name) for name, _ in lines)
    return "\n".join(f"{name.ljust(width)}  {said}" for name, said in lines)


def _software():
    old = "" if sys.version_info >= (3, 11) else "  too old: minids needs 3.11"
    yield "python", platform.python_version() + old
    yield "torch", torch.__version__
    for name, use in OPTIONAL.items():
        yield name, _version(name) or f"not installed; only needed for {use}"


def _version(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _machine():
    cores = parallel.available_cpus()
    yield "cores", f"{cores}; the main job uses {parallel.choose_workers('cpu')}"
    memory = total()
    enough = "" if memory is None or memory >= NEEDED_MEMORY else "  little: the main job may need up to 4 GiB"
    yield "memory", "unknown" if memory is None else f"{memory / 2**30:.1f} GiB{enough}"
    if torch.cuda.is_available():
        room = torch.cuda.get_device_properties(0).total_memory / 2**30
        yield "GPU", f"{torch.cuda.get_device_name()}, {room:.0f} GiB: --device cuda"
    elif torch.backends.mps.is_available():
        yield "GPU", "Apple's, through mps: --device mps (a model as small as tiny is faster on the CPU)"
    else:
        yield "GPU", "none that torch can use; tiny and tiny-zero need none"
    yield "folder", f"{Path.cwd()} can{'' if writable(Path.cwd()) else ' NOT'} be written; runs go to runs/ in it"


def writable(folder: str | Path) -> bool:
    """Whether a file can be made in the folder."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"minids")
        return True
    except OSError:
        return False


def _speed():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield "matrix product", f"{gemm_gflops():.0f} GFLOP/s on one thread, fp32"
        minutes = estimate(recipes.load("tiny"), parallel.choose_workers("cpu"))
        verdict = "as it should be" if minutes <= 10 else "slow; other programs may be running, or the cores are old"
        yield "make reason", f"about {minutes:.0f} minutes ({verdict})"
    except MinidsError as error:
        yield "make reason", f"cannot run: {error}"
    finally:
        torch.set_num_threads(threads)


def gemm_gflops(size: int = 512, seconds: float = 0.3) -> float:
    """GFLOP/s of a square matrix product with the threads that are set."""
    a, b = torch.randn(size, size), torch.randn(size, size)
    a @ b
    began, count = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        a @ b
        count += 1
    return 2 * size**3 * count / (time.perf_counter() - began) / 1e9


def estimate(recipe: recipes.Recipe, processes: int) -> float:
    """Minutes that a recipe will take here."""
    model = Transformer(ModelConfig.from_dict(recipes.model_values(recipe, recipe.tokenizer["vocab_size"])))
    step = _best(lambda: _train_step(model, recipe.pretrain["tokens_per_batch"]))
    rl = recipe.checked("grpo")
    prompts, group, length = rl["prompts_per_step"], rl["num_generations"], rl["max_new_tokens"] // 2
    count = prompts * group
    ask = [[0] * 20] * prompts
    sample = _best(lambda: sampler.generate(model, ask, n=group, max_new_tokens=length, stop_ids=[]))
    e = recipe.evaluation
    answers = 3 * len(recipe.families) * (2 * e.problems + e.samples * e.sampled_problems) * e.after_stages
    seconds = (recipe.pretrain["steps"] + recipe.sft["steps"]) * step
    seconds += recipe.grpo["steps"] * (sample / processes + 2 * step)
    seconds += answers / count * sample / processes
    return seconds / 60


def _train_step(model, tokens, length=80):
    from minids.text.corpus import Batch

    ids = torch.randint(0, model.config.vocab_size, (max(1, tokens // length), length))
    batch = Batch(ids, torch.ones(ids.shape), torch.ones(ids.shape, dtype=torch.bool))
    main, _ = loss.lm_loss(model, batch)
    main.backward()


def _best(function, times=3):
    """Seconds of the fastest of some calls: what the machine can do when nothing else disturbs it."""
    out = []
    for _ in range(times):
        began = time.perf_counter()
        function()
        out.append(time.perf_counter() - began)
    return min(out)
