"""The main job in miniature: the whole pipeline in seconds. It learns nothing; it shows that the parts fit."""

import json
import random
import subprocess
import sys
from pathlib import Path

from safetensors.torch import load_file

# GRPO's rewards are coins here: an untrained model is never right, and without differences nothing would be updated.
MINI = """
extends = "{base}"
name = "mini"
[model]
hidden_size = 32
intermediate_size = 48
moe_intermediate_size = 16
num_hidden_layers = 2
num_attention_heads = 2
kv_lora_rank = 16
qk_nope_head_dim = 8
v_head_dim = 8
n_routed_experts = 4
n_shared_experts = 1
max_position_embeddings = 256
[tokenizer]
vocab_size = 300
documents = 100
[pretrain]
documents = 300
tokens_per_batch = 400
steps = {steps}
warmup = 2
save_every = 4
[sft]
documents = 60
tokens_per_batch = 400
steps = {fewer}
warmup = 1
save_every = 3
[direct]
tokens_per_batch = 400
documents = 100
[grpo]
steps = {fewer}
warmup = 1
prompts_per_step = 4
num_generations = 3
max_new_tokens = 16
save_every = 2
random_reward = true
[eval]
problems = 6
samples = 2
sampled_problems = 2
ood_problems = 2
max_new_tokens = 16
"""


def write_recipe(folder, base="tiny", steps=12, fewer=6):
    path = Path(folder) / f"mini-{base}-{steps}.toml"
    path.write_text(MINI.format(base=base, steps=steps, fewer=fewer), encoding="utf-8")
    return str(path)


def own_files(folder):
    """What the examples bring along: corpus.txt, and cmp.jsonl with check.py, problems and a function that grades."""
    rng = random.Random(0)
    words = "the a small large red old new house river road goes runs stands by over under and".split()
    lines = [" ".join(rng.choices(words, k=rng.randint(4, 12))) + "." for _ in range(400)]
    (folder / "corpus.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "cmp.jsonl").write_text("".join(map(_comparison, _pairs(rng))), encoding="utf-8")
    check = "def verify(question, answer, reply):\n    return reply.strip() == answer\n"
    (folder / "check.py").write_text(check, encoding="utf-8")


def _pairs(rng, n=300):
    pairs = {(rng.randint(1, 99), rng.randint(1, 99)) for _ in range(2 * n)}
    return sorted((a, b) for a, b in pairs if a != b)[:n]


def _comparison(pair):
    a, b = pair
    sign = ">" if a > b else "<"
    line = {"question": f"which is larger, {a} or {b}?", "thought": f"{a}{sign}{b}", "answer": str(max(pair))}
    return json.dumps(line) + "\n"


def minids(*arguments, timeout=300, **how):
    """The command line in a process of its own."""
    command = [sys.executable, "-m", "minids.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, **how)


# what a clock says differs from run to run
PARTS = ("sampling", "scoring", "update")
CLOCKS = {"seconds", *PARTS, *(f"{part}_share" for part in PARTS), "evaluation_seconds", "peak_bytes"}


def results(out):
    return json.loads((out / "results.json").read_text(encoding="utf-8"))


def without_clocks(value):
    if isinstance(value, dict):
        return {k: without_clocks(v) for k, v in value.items() if k not in CLOCKS}
    return [without_clocks(v) for v in value] if isinstance(value, list) else value


def assert_same_run(one, other, models=("base", "sft", "model")):
    """Bit-identical weights, and the same metrics and results but for clocks."""
    for name in models:
        a, b = (load_file(run / name / "model.safetensors") for run in (one, other))
        assert a.keys() == b.keys()
        for key in a:
            assert a[key].equal(b[key]), f"{name}: {key}"
    assert without_clocks(results(one)) == without_clocks(results(other))
    lines = [
        [json.loads(line) for line in (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
        for run in (one, other)
    ]
    assert without_clocks(lines[0]) == without_clocks(lines[1])
