"""A student's function is called and not bypassed by a fast path, even if it is installed before all else."""

import os
import subprocess
import sys

import pytest

from minids import dispatch
from minids.course import answers, catalog
from minids.model import layers

PROGRAM = """
from minids.course import answers
answers.load_one({name!r})
from minids.model import attention, generate
from minids.model.config import ModelConfig
from minids.model.transformer import Transformer
import torch
model = Transformer(ModelConfig(vocab_size=64, hidden_size=32, intermediate_size=64, moe_intermediate_size=16,
    num_hidden_layers=2, num_attention_heads=2, kv_lora_rank=8, q_lora_rank=None, qk_rope_head_dim=4,
    qk_nope_head_dim=8, v_head_dim=8, n_routed_experts=4, n_group=1, topk_group=1, num_experts_per_tok=2,
    first_k_dense_replace=1, max_position_embeddings=64))
calls = 0
def count(frame, event, arg):
    global calls
    calls += event == "call" and frame.f_code.co_filename.endswith({name!r} + ".py")
import sys
sys.setprofile(count)
model(torch.arange(12)[None])
forward, calls = calls, 0
generate.generate(model, [[1, 2, 3, 4, 5, 6]], max_new_tokens=4)
sys.setprofile(None)
print(forward, calls)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "name, in_forward",
    [
        ("layers.rms_norm", True),
        ("layers.swiglu", True),
        ("layers.rope", True),
        ("attention.attend", True),
        ("mla.expand", True),
        ("mla.naive", True),
        ("mla.absorb", False),
        ("mla.cache", True),
        ("moe.route", True),
        ("moe.experts", True),
        ("moe.groups", True),
        ("attention.cache", False),
    ],
)
def test_the_model_calls_it(name, in_forward):
    body = catalog.solution(name)  # the library's code with one more statement: nobody's but the student's
    head, rest = catalog.parts(body)
    answers.write(answers.path_of(name), "\n".join([*head, "    mine = True", *rest]) + "\n")
    env = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(name=name)], env=env, capture_output=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    forward, generated = map(int, done.stdout.split())
    assert generated > 0 and (forward > 0) == in_forward, (forward, generated)


def test_the_librarys_own_takes_the_fast_paths():
    from minids.model import attention
    from minids.model.ops import cpu

    assert dispatch.as_written(layers.swiglu, layers.rms_norm, attention.attend, attention.mla_naive)
    assert layers.swiglu is not cpu.swiglu
