"""`minids.load` and `minids.chat`: what a folder holds, asked from Python, as evaluation and the terminal ask it."""

import io
import re
import shutil
import warnings

import pytest
import torch

import minids
from minids import MinidsError, Tokenizer, Transformer
from minids.course import tiny_models
from minids.eval import evaluate, model_folder
from minids.model import generate as sampler
from minids.serve import ask, terminal
from minids.tasks import arithmetic


@pytest.fixture(scope="module")
def trained():
    return minids.load(tiny_models.FOLDER / "grpo")


@pytest.mark.parametrize("stage", tiny_models.STAGES)
def test_a_model_brings_its_template_along(stage):
    model, tokenizer = minids.load(tiny_models.FOLDER / stage)
    assert not model.training and model.style == ("plain" if stage == "base" else "tags")
    reply = minids.chat(model, tokenizer, "3+4")
    assert reply.thought and reply.answer and reply.finished and reply.style == model.style


def test_a_run_its_stages_and_what_transformers_wrote_can_be_loaded(finished, tmp_path):
    weights = [minids.load(folder)[0].lm_head.weight for folder in (finished, finished / "model", str(finished))]
    assert all(weights[0].equal(w) for w in weights)
    assert minids.load(finished / "base")[0].style == "plain"

    transformers = pytest.importorskip("transformers")
    config = transformers.AutoConfig.from_pretrained(finished / "model", num_hidden_layers=3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        transformers.AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path / "theirs")
    shutil.copy(finished / "model" / "tokenizer.json", tmp_path / "theirs")
    model, tokenizer = minids.load(tmp_path / "theirs")
    assert model.config.num_hidden_layers == 3 and model.style == "tags"
    assert minids.chat(model, tokenizer, "1+1", max_new_tokens=3).ids


def test_the_type_of_the_weights_is_that_of_the_file_or_the_one_asked_for():
    folder = tiny_models.FOLDER / "sft"
    assert minids.load(folder)[0].lm_head.weight.dtype is torch.float16
    assert minids.load(folder, dtype=torch.float32)[0].lm_head.weight.dtype is torch.float32


@pytest.mark.parametrize("dtype", ["float32", torch.int8, torch.complex64, torch.float8_e4m3fn, 32, False])
def test_what_is_no_type_of_weights_is_refused(dtype):
    with pytest.raises(MinidsError, match=r"dtype must be torch.float32, .* got .*" + re.escape(str(dtype))):
        minids.load(tiny_models.FOLDER / "sft", dtype=dtype)


def test_the_reply_is_taken_apart_and_every_token_has_its_probability(trained):
    model, tokenizer = trained
    reply = minids.chat(model, tokenizer, " 347 + 5896\n")
    assert reply.question == "347 + 5896" and reply.answer == "6243" and "7+6=13" in reply.thought
    assert len(reply.ids) == len(reply.tokens) == len(reply.logprobs) and "".join(reply.tokens) == reply.text
    prompt = ask.rollout.prompt_of(tokenizer, reply.question, "tags")
    with torch.no_grad():
        logps = model(torch.tensor([prompt + reply.ids])).float().log_softmax(-1)[0, len(prompt) - 1 : -1]
    mine = logps.gather(-1, torch.tensor(reply.ids)[:, None])[:, 0]
    assert torch.allclose(mine, torch.tensor(reply.logprobs), atol=2e-2)  # float16


def test_a_reply_that_is_cut_off_has_no_answer(trained):
    reply = minids.chat(*trained, "347+5896", max_new_tokens=5)
    assert not reply.finished and reply.answer is None and len(reply.ids) == 5 and reply.text


def test_evaluation_the_terminal_and_python_draw_the_same(trained, monkeypatch):
    model, tokenizer = trained
    opened = model_folder.open_folder(tiny_models.FOLDER / "grpo")
    stream, drawn = sampler.stream, []
    monkeypatch.setattr(sampler, "stream", lambda *a, **how: (drawn.append(i) or i for i in stream(*a, **how)))
    for temperature, seed in ((0.0, 0), (1.0, 5), (1.5, 6)):
        drawn.clear()
        source = io.StringIO("347+5896\n")
        terminal.talk(opened, temperature=temperature, seed=seed, source=source, out=io.StringIO())
        assert minids.chat(model, tokenizer, "347+5896", temperature=temperature, seed=seed).ids == drawn
    [[(_, length, text)]] = evaluate.answer(model, tokenizer, [evaluate.OutsideProblem("347+5896", "6243")])
    reply = minids.chat(model, tokenizer, "347+5896")
    assert reply.text == text and len(reply.ids) == length


def test_the_seed_decides(trained):
    texts = [minids.chat(*trained, "88+77", temperature=2.0, seed=s).text for s in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]


def test_what_cannot_be_asked_is_refused_with_what_to_pass(trained):
    model, tokenizer = trained
    for arguments, how, words in (
        ((model, tokenizer, 5), {}, "the question is a text"),
        ((model, tokenizer, "  "), {}, "the question is a text"),
        ((tokenizer, model, "1+1"), {}, "first argument is a model, got Tokenizer"),
        ((model, model, "1+1"), {}, "second argument is a minids.Tokenizer, got Transformer"),
        ((model, tokenizer, "1+1"), {"style": "tag"}, "Did you mean 'tags'"),
        ((model, tokenizer, "1+1"), {"temperature": -1}, "temperature"),
        ((model, tokenizer, "1+1"), {"seed": "x"}, "seed"),
        ((model, tokenizer, "1+1"), {"max_new_tokens": 0}, "max_new_tokens"),
    ):
        with pytest.raises(MinidsError, match=words):
            minids.chat(*arguments, **how)


def test_a_model_that_nobody_has_described_needs_a_style():
    folder = tiny_models.FOLDER / "base"
    model, tokenizer = Transformer.from_pretrained(folder), Tokenizer.from_pretrained(folder)
    with pytest.raises(MinidsError, match='style="plain".*minids.load'):
        minids.chat(model, tokenizer, "3+4")
    assert minids.chat(model, tokenizer, "3+4", style="plain").answer == "7"


def test_a_wrong_path_says_what_to_pass(finished, tmp_path):
    (tmp_path / "runs").mkdir()
    shutil.copytree(finished, tmp_path / "runs" / "tiny")
    run = tmp_path / "runs" / "tiny"
    (tmp_path / "ck" / "step-00000007").mkdir(parents=True)
    (tmp_path / "ck" / "step-00000007" / "state.json").write_text("{}", encoding="utf-8")
    for path, words in (
        (tmp_path / "runs" / "tinny", f"Did you mean {run}?"),
        (tmp_path / "nothing" / "at" / "all", "Give the folder of a run (runs/tiny)"),
        ("deepseek-ai/DeepSeek-V3", "Nothing is downloaded"),
        (run / "model" / "config.json", f"give the folder that it lies in: {run / 'model'}"),
        (tiny_models.FOLDER, f"Did you mean {tiny_models.FOLDER / 'base'} or "),
        (tmp_path / "ck", "resume=True"),
        (tmp_path / "ck" / "step-00000007", "resume=True"),
        (None, "as in 'runs/tiny', got None"),
    ):
        with pytest.raises(MinidsError) as refused:
            minids.load(path)
        assert words in str(refused.value)
    for kind in (Transformer, Tokenizer, minids.ModelConfig):
        with pytest.raises(MinidsError) as refused:
            kind.from_pretrained(run)
        assert f"Did you mean {run / 'model'}?" in str(refused.value)


def test_terminal_and_python_stop_at_the_same_length():
    assert ask.MAX_NEW_TOKENS == 320


def test_questions_are_read_as_evaluation_reads_them(trained):
    typed = "347\u00a0+ 5896"
    assert minids.chat(*trained, typed).question == arithmetic.normalise_question(typed)
