"""A student's function is called by everything that uses the library's, and no fast form computes past it.

For every exercise of the table the library's own body with one statement more, which notes the call, is kept in mine/
and loaded, alone; then a model is trained, trained in FP8, computed as on a GPU, and sampled from. At last all of them
together run `minids run --mine` on R1's recipe in miniature. CALLED_BY says which of these call which exercise, and
holds both ways: what it leaves out is not called.
"""

import builtins

import pytest
import torch
from mini import results, write_recipe

from minids import cli, dispatch, generate
from minids.course import answers, catalog, exercises
from minids.kernels import quantise, rmsnorm, runtime, swiglu, tiled
from minids.model import attention, fp8, layers, moe, speculative, transformer
from minids.model import generate as sampler
from minids.model.config import ModelConfig
from minids.model.ops import cpu, gpu
from minids.tasks import documents
from minids.text import bpe, chat, corpus
from minids.text.tokenizer import Tokenizer
from minids.train import loop, optim

# t trains a model, 8 in FP8, g trains and samples as on a GPU, s samples; k a Triton kernel's wrapper launches it;
# r `minids run --mine`, of a model with an MTP module, pretrained in FP8 on V3's schedule
CALLED_BY = {
    "bill.active": "r",
    "bill.attention_flops": "r",
    "bill.training_flops": "r",
    "bill.gpu_hours": "",  # `minids cost`
    "bill.dollars": "r",
    "bill.cache_bytes": "r",
    "bpe.count_pairs": "t8gr",
    "bpe.merge_word": "t8gr",
    "bpe.train": "t8gr",
    "bpe.apply": "t8gsr",
    "bpe.isolate": "t8gsr",
    "chat.document_ids": "r",
    "layers.rms_norm": "t8gsr",
    "layers.rope": "t8gsr",
    "layers.swiglu": "t8gsr",
    "attention.attend": "t8gsr",
    "sampling.filter": "gsr",
    "attention.cache": "gsr",
    "mla.expand": "t8gsr",
    "mla.naive": "t8gsr",
    "mla.absorb": "gsr",
    "mla.cache": "t8gsr",
    "yarn.frequencies": "t8gsr",
    "yarn.scale": "t8gsr",
    "moe.route": "t8gsr",
    "moe.experts": "t8gsr",
    "moe.permute": "tgsr",  # FP8 experts sort nothing on a CPU
    "moe.bias": "t8gr",
    "moe.balance_loss": "t8gr",
    "moe.groups": "t8gsr",
    "mtp.combine": "t8gsr",
    "mtp.inputs": "t8gr",  # a draft has its next token already
    "mtp.targets": "t8gr",
    "speculative.accept": "gs",
    "speculative.step": "gs",
    "speculative.speedup": "",  # a formula of chapter 05
    "fp8.round": "",  # torch's cast does it; chapter 06 compares
    "fp8.scale": "8r",
    "fp8.quantise": "8r",
    "fp8.dequantise": "8r",
    "fp8.matmul": "8r",
    "fp8.backward": "8r",
    "triton.swiglu": "k",
    "triton.rms_norm": "k",
    "triton.quantise": "k",
    "triton.quantise_weight": "k",
    "triton.matmul": "k",
    "triton.fp8_matmul": "k",
    "pretraining.pack": "t8g",  # a run pads its short documents
    "pretraining.schedule": "t8gr",
    "pretraining.adamw": "t8gr",
    "pretraining.clip": "t8gr",
    "pretraining.muon": "t8gr",
    "pretraining.scaling_law": "",  # chapter 08 fits with it
    "sft.prompt": "gsr",
    "sft.thought": "r",
    "sft.loss_weights": "r",
    "sft.pad": "t8gr",
    "sft.mask": "t8g",  # of packed documents
    "grpo.slopes": "",  # `minids dev exact`
    "grpo.advantages": "r",
    "grpo.surrogate": "r",
    "grpo.kl": "r",
    "grpo.loss": "r",
    "reward.integer": "r",
    "r1.number_words": "r",
    "reward.language": "r",
    "rejection.accept": "r",
    "rejection.expected": "",  # a formula of chapter 12
    "distill.kl": "r",
    "statistics.pass_at_k": "r",
    "statistics.bootstrap": "r",
    "statistics.paired": "",  # chapter 13
    "statistics.slope": "",  # chapter 13
    "held_out.key": "r",
    "thoughts.limit": "",  # chapter 13
}
TEXTS = [
    "Rosa has 12 pens and 34 cups.",
    "Two und zwei sind vier: \u00fc, \u4e2d\u6587.",
    "3 + 4 = 7, 7 - 4 = 3.\n",
] * 3
SIZES = dict(
    vocab_size=320,
    hidden_size=16,
    intermediate_size=24,
    moe_intermediate_size=8,
    num_hidden_layers=2,
    num_attention_heads=2,
    kv_lora_rank=8,
    q_lora_rank=None,
    qk_rope_head_dim=4,
    qk_nope_head_dim=8,
    v_head_dim=8,
    n_routed_experts=4,
    n_group=2,
    topk_group=1,
    num_experts_per_tok=2,
    first_k_dense_replace=1,
    num_nextn_predict_layers=1,
    max_position_embeddings=64,
)
PROMPTS = [[5, 6, 7], [8, 9, 10, 11, 12]]


def keep_noting(name):
    """Keeps the library's own function, with one statement more: whoever calls it appends its name to a list."""
    head, body = catalog.parts(catalog.solution(name))
    text = "\n".join(["import builtins", "", *head, f"    builtins.noted.append({name!r})", *body]) + "\n"
    answers.write(answers.path_of(name), answers._stamp(name, text) + text)


@pytest.fixture
def noted(monkeypatch):
    monkeypatch.setattr(builtins, "noted", [], raising=False)
    return builtins.noted


# -- what uses the functions --------------------------------------------------------------------------------------


def training(precision="fp32"):
    """From texts to weights: tokenizer, packing, two optimizer steps with an MTP module."""
    tokenizer = Tokenizer.train(TEXTS, 300)
    docs = [*tokenizer.encode_batch(TEXTS), tokenizer.encode(TEXTS[0])]
    batches = [corpus.pack(docs, None, 32)], list(corpus.length_bucketed(docs, None, 64, 0))[:1]
    how = dict(lr=1e-3, schedule="deepseek_v3", bias_update_speed=0.1, balance_alpha=0.1, precision=precision)
    model = transformer.Transformer(ModelConfig(**SIZES))
    loop.train(model, lambda step: batches[step % 2], loop.TrainConfig(steps=2, **how), quiet=True)


def training_in_fp8():
    training("fp8")


def as_on_a_gpu():
    """Both by the branches that a GPU takes, with the CPU's fast forms in the place of its kernels."""

    def rope(x_BTHR, cos, sin, interleave):
        return OWN_ROPE(x_BTHR, cos[..., None, :], sin[..., None, :], interleave)

    def decode(q_BHX, cache_BTX, length, rank):
        past_BSX = cache_BTX[:, :length]
        return torch.bmm(torch.bmm(q_BHX, past_BSX.transpose(1, 2)).softmax(-1), past_BSX[..., :rank])

    forms = dict(rms_norm=cpu.rms_norm, swiglu=cpu.swiglu, linear_cross_entropy=cpu.linear_cross_entropy)
    forms |= dict(rope=rope, experts=OWN_EXPERTS, decode=decode, supports=lambda x: True)
    with pytest.MonkeyPatch.context() as patch:
        for name, form in forms.items():
            patch.setattr(gpu, name, form)
        for room in ("ops.linear", "layers", "attention"):
            patch.setattr(f"minids.model.{room}.full_precision_cpu", lambda x: False)
        training()
        sampling()


def sampling():
    """Answers of a batch, of a prompt alone and with guesses."""
    model = transformer.Transformer(ModelConfig(**SIZES))
    tokenizer = Tokenizer(TOKENIZER.pieces, TOKENIZER.merges, TOKENIZER.specials)  # it remembers no word yet
    prompt = chat.prompt_ids(tokenizer, "3 + 4 = ?")
    generate(model, [*PROMPTS, prompt], n=2, max_new_tokens=3, top_p=0.9)
    generate(model, PROMPTS[:1] * 140, max_new_tokens=2)  # more than `moe.DENSE_LIMIT`
    speculative.speculative_greedy(model, prompt, max_new_tokens=6)


TOKENIZER = Tokenizer.train(TEXTS, 300)
OWN_ROPE, OWN_EXPERTS = dispatch.original(layers.apply_rope), dispatch.original(moe.experts_loop)
USES = {"t": training, "8": training_in_fp8, "g": as_on_a_gpu, "s": sampling}
BELOW = [
    name for name, p in exercises.PLACES.items() if p.module.split(".")[0] in ("model", "text", "train", "kernels")
]
KERNELS = [name for name in exercises.PLACES if name.startswith("triton.")]


# -- alone --------------------------------------------------------------------------------------------------------


def test_the_table_has_every_exercise():
    assert list(CALLED_BY) == list(exercises.PLACES)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in BELOW if name not in KERNELS])
def test_a_planted_function_is_called_by_what_uses_it_and_by_nothing_else(name, noted):
    keep_noting(name)
    answers.load_one(name)
    assert dispatch.replacement(catalog.current(name)) is not None
    called = ""
    for letter, use in USES.items():
        noted.clear()
        use()
        called += letter * (name in noted)
    assert called == CALLED_BY[name].rstrip("r")


def test_floors_above_are_out_of_their_reach():
    """What is not tried alone stands above training and sampling, which cannot import it (tests/test_house.py)."""
    for name in set(exercises.PLACES) - set(BELOW):
        assert set(CALLED_BY[name]) <= {"r"}


def test_the_librarys_own_takes_the_fast_forms(monkeypatch):
    """Every definition that a fast form asks for is declared: else it would never be used, and only be slow."""
    asked = []
    for module in (layers, attention, moe, sampler, bpe, optim, fp8, documents):
        own = module.as_written
        monkeypatch.setattr(module, "as_written", lambda *d, own=own: asked.append((d, own(*d))) or own(*d))
    for use in (training, training_in_fp8, sampling):
        use()
    assert len(asked) > 50 and all(answer for _, answer in asked), [d for d, answer in asked if not answer]
    assert sampler.folds(ModelConfig(**SIZES))


# -- kernels ------------------------------------------------------------------------------------------------------


def launched(name):
    x, gate, w = torch.randn(4, 128), torch.randn(4, 128), torch.randn(128)
    if name == "triton.swiglu":
        return swiglu.swiglu(gate, x, backend="triton")
    if name == "triton.rms_norm":
        return rmsnorm.rms_norm(x, w, 1e-6, backend="triton")
    if name == "triton.matmul":
        return tiled.matmul(x, gate.T.contiguous(), backend="triton")
    if name == "triton.quantise":
        return quantise.quantise(x, backend="triton")
    if name == "triton.quantise_weight":
        return quantise.quantise_weight(x, backend="triton")
    (q, s), (q_w, s_w) = quantise.quantise(x, backend="torch"), quantise.quantise_weight(gate, backend="torch")
    return tiled.fp8_matmul(q, s, q_w, s_w, backend="triton")


@pytest.mark.slow
@pytest.mark.skipif(not runtime.INTERPRETED, reason="Triton's interpreter is not available")
@pytest.mark.parametrize("name", KERNELS)
def test_a_planted_kernel_is_launched(name, noted):
    keep_noting(name)
    answers.load_one(name)
    launched(name)
    assert name in noted and CALLED_BY[name] == "k"


# -- all of them in a run -----------------------------------------------------------------------------------------

R1 = """
[rejection]
questions = 6
samples = 2
max_new_tokens = 16
general = 30
[sft2]
steps = 2
[rl1]
steps = 2
[rl2]
steps = 2
[teacher]
questions = 60
general = 30
[small]
hidden_size = 16
intermediate_size = 32
num_hidden_layers = 2
first_k_dense_replace = 2
[small_pretrain]
steps = 2
[distill]
steps = 2
[small_rl]
steps = 2
"""
SETTINGS = ["model.num_nextn_predict_layers=1", "pretrain.precision=fp8", "pretrain.schedule=deepseek_v3"]


@pytest.mark.slow
def test_a_run_with_mine_calls_every_function_that_it_uses(tmp_path, noted):
    for name in exercises.PLACES:
        keep_noting(name)
    path = write_recipe(tmp_path, "tiny-r1", steps=4, fewer=2)
    with open(path, "a", encoding="utf-8") as file:
        file.write(R1)
    out = tmp_path / "run"
    assert cli.main(["run", path, "--mine", "--out", str(out), "--workers", "1", "--set", *SETTINGS]) == 0
    assert len(results(out)["mine"]["yours"]) == len(exercises.PLACES)
    called = set(noted)
    assert {name for name, by in CALLED_BY.items() if "r" in by} == called
