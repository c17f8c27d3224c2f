"""A model opened from a folder as published ones are: in bfloat16, several stop tokens, generation_config.json."""

import io
import json
import shutil
import warnings

import pytest
import torch
from model_files import edit_config

from minids import MinidsError, Transformer, cli, generate
from minids.eval import evaluate, model_folder
from minids.model import generate as sampler
from minids.model import generation_config, hf
from minids.model.speculative import speculative_greedy
from minids.rl import rollout
from minids.serve import terminal
from minids.tasks import arithmetic

PROBLEMS = [evaluate.OutsideProblem("2+2", "4", line=1), evaluate.OutsideProblem("17+25", "42", line=2)]


@pytest.fixture
def model(finished, tmp_path):
    shutil.copytree(finished / "model", tmp_path / "model")
    return tmp_path / "model"


def says(folder, **values):
    (folder / generation_config.NAME).write_text(json.dumps(values), encoding="utf-8")


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
def test_commands_on_a_half_precision_folder(dtype, model, tmp_path, capsys, monkeypatch):
    hf.save_model(Transformer.from_pretrained(model).to(dtype), model)
    problems = tmp_path / "p.jsonl"
    problems.write_text('{"question": "2+2", "answer": "4"}\n' * 3, encoding="utf-8")
    assert cli.main(["eval", str(model), "--problems", str(problems)]) == 0
    for more in ([], ["--temperature", "0.7"]):
        monkeypatch.setattr("sys.stdin", io.StringIO("2+2\n"))
        assert cli.main(["chat", str(model), "--max-new-tokens", "8", *more]) == 0
    for command in ("import", "export"):
        assert cli.main([command, str(model), str(tmp_path / command)]) == 0
        again = Transformer.from_pretrained(tmp_path / command)
        assert {p.dtype for p in again.parameters()} == {dtype}
        assert model_folder.open_folder(tmp_path / command).families == list(arithmetic.FAMILIES)
    assert "Traceback" not in capsys.readouterr().err


def test_every_stop_token_stops_everything(model):
    """The greedy answer's own tokens become stop tokens, one in config.json and one in generation_config.json."""
    opened = model_folder.open_folder(model)
    net, tokenizer = opened.model, opened.tokenizer
    prompt = rollout.prompt_of(tokenizer, "2+2", opened.style)
    free = generate(net, [prompt], max_new_tokens=16, temperature=0, stop_ids=[]).ids[0]
    first = next(i for i in range(1, 16) if free[i] not in free[:i])
    stop = free[first]
    for config, more in (
        ([tokenizer.eos_id, stop], {}),
        (tokenizer.eos_id, {"eos_token_id": [tokenizer.eos_id, stop]}),
        (tokenizer.eos_id, {"eos_token_id": stop}),
    ):
        edit_config(model, eos_token_id=config)
        says(model, **more)
        opened = model_folder.open_folder(model)
        net = opened.model
        assert net.config.stop_ids == {tokenizer.eos_id, stop}
        cut = free[: first + 1]
        how = {"max_new_tokens": 16, "temperature": 0}
        for fold in (True, False):
            out = generate(net, [prompt], **how, fold=fold)
            assert out.ids == [cut] and out.finished == [True]
        assert list(sampler.stream(net, prompt, **how)) == cut
        assert speculative_greedy(net, prompt, 16)[0] == cut
        problem = evaluate.OutsideProblem("2+2", "4")
        ((result, length, text),) = evaluate.answer(net, tokenizer, [problem], style=opened.style, max_new_tokens=16)[0]
        assert length == len(cut) and not result.truncated and text == tokenizer.decode(cut[:-1])
        talk = io.StringIO()
        terminal.talk(opened, max_new_tokens=16, source=io.StringIO("2+2\n"), out=talk)
        assert terminal.CUT not in talk.getvalue()
        # and they are written back, for us and for transformers
        net.save_pretrained(model / "again")
        assert set(json.loads((model / "again" / "config.json").read_text(encoding="utf-8"))["eos_token_id"]) == {
            tokenizer.eos_id,
            stop,
        }
        shutil.rmtree(model / "again")


@pytest.mark.parametrize(
    "values, sampling",
    [
        ({}, (0.0, 0, 1.0, None)),
        ({"temperature": 0.6}, (0.0, 0, 1.0, None)),
        ({"do_sample": True, "temperature": 0.6, "top_p": 0.95}, (0.6, 0, 0.95, None)),  # DeepSeek-R1's
        ({"do_sample": True, "top_k": 20, "max_new_tokens": 7}, (1.0, 20, 1.0, 7)),
        ({"do_sample": False, "temperature": 0.6, "top_k": None, "eos_token_id": None}, (0.0, 0, 1.0, None)),
    ],
)
def test_a_chat_samples_as_the_folder_says(values, sampling, model, monkeypatch):
    says(model, **values, bos_token_id=0, transformers_version="5.0")
    opened, calls = model_folder.open_folder(model), []
    assert tuple(opened.sampling[k] for k in ("temperature", "top_k", "top_p", "max_new_tokens")) == sampling
    monkeypatch.setattr(sampler, "stream", lambda model, prompt, **how: calls.append(how) or iter([1]))
    for more in ({}, {"temperature": 0.9, "max_new_tokens": 5}):
        terminal.talk(opened, source=io.StringIO("2+2\n"), out=io.StringIO(), **more)
    how, chosen = calls
    assert (how["temperature"], how["top_k"], how["top_p"]) == sampling[:3]
    assert how["max_new_tokens"] == (sampling[3] or 320)
    assert chosen["temperature"] == 0.9 and chosen["max_new_tokens"] == 5


def test_what_is_not_done_is_said(model):
    says(model, do_sample=True, repetition_penalty=1.1, num_beams=4, min_p=0.0, typical_p=1.0)
    with pytest.warns(UserWarning, match="num_beams, repetition_penalty asked for"):
        model_folder.open_folder(model)
    says(model, do_sample=True, repetition_penalty=1.0, num_beams=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model_folder.open_folder(model)


@pytest.mark.parametrize(
    "values",
    [
        {"temperature": "hot"},
        {"temperature": -1},
        {"temperature": 1e-40},
        {"temperature": True},
        {"top_p": 0},
        {"top_p": 2},
        {"top_p": []},
        {"top_k": -1},
        {"top_k": 0.5},
        {"top_k": True},
        {"do_sample": "yes"},
        {"do_sample": 1},
        {"max_new_tokens": 0},
        {"max_new_tokens": -5},
        {"max_new_tokens": 1.5},
        {"max_new_tokens": "9"},
        {"eos_token_id": -1},
        {"eos_token_id": [1, 10**6]},
        {"eos_token_id": "1"},
        {"eos_token_id": [[1]]},
        {"eos_token_id": {}},
        {"eos_token_id": True},
    ],
    ids=str,
)
def test_impossible_settings_are_refused_with_the_file(values, model):
    says(model, **values)
    with pytest.raises(MinidsError, match=generation_config.NAME):
        model_folder.open_folder(model)


@pytest.mark.parametrize("text", ["{", "[]", "3", '{"temperature": NaN}', '{"top_k": 1, "top_k": 2}', "[" * 10**5])
def test_damaged_files_are_refused(text, model):
    (model / generation_config.NAME).write_text(text, encoding="utf-8")
    with pytest.raises(MinidsError, match=generation_config.NAME):
        model_folder.open_folder(model)
