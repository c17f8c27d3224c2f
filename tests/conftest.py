"""The main job in miniature: the whole pipeline in seconds. It learns nothing; it shows that the parts fit."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from minids import cli

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
prompts = 4
group = 3
max_new_tokens = 16
save_every = 2
random_reward = true
[eval]
problems = 6
samples = 2
sampled_problems = 2
beyond = 2
max_new_tokens = 16
"""


def write_recipe(folder, base="tiny", steps=12, fewer=6):
    path = Path(folder) / f"mini-{base}-{steps}.toml"
    path.write_text(MINI.format(base=base, steps=steps, fewer=fewer))
    return str(path)


def minids(*arguments, timeout=300, **how):
    """The command line in a process of its own."""
    command = [sys.executable, "-m", "minids.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, **how)


@pytest.fixture(autouse=True)
def same_threads():
    threads = torch.get_num_threads()  # the command line sets one
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def recipe(tmp_path_factory):
    return write_recipe(tmp_path_factory.mktemp("recipe"))


@pytest.fixture(scope="session")
def finished(recipe, tmp_path_factory):
    """The folder of a finished miniature run. Tests that change it work on a copy."""
    out = tmp_path_factory.mktemp("runs") / "mini"
    assert cli.main(["run", recipe, "--out", str(out), "--workers", "1"]) == 0
    return out


@pytest.fixture(scope="session")
def longer(tmp_path_factory):
    """longer(workers) -> (recipe, folder): a finished run with enough steps to be interrupted in, made once."""
    folder = tmp_path_factory.mktemp("longer")
    recipe, outs = write_recipe(folder, steps=60, fewer=20), {}

    def run(workers):
        if workers not in outs:
            out = tmp_path_factory.mktemp("longer") / "run"
            done = minids("run", recipe, "--workers", workers, "--out", out)
            assert done.returncode == 0, done.stderr
            outs[workers] = out
        return recipe, outs[workers]

    return run
