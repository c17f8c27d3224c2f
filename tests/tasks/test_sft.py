"""`minids.sft`: the split "train" of a file of worked problems, with the batches and schedule of the recipe's stage."""

import contextlib
import json

import pytest
import tiny_rl
import torch

import minids
from minids import MinidsError, SFTConfig, Tokenizer
from minids.tasks import documents, sft, user_file
from minids.text import chat
from minids.train import loop, metrics


@pytest.fixture
def file(tmp_path):
    def write(count=60, thought=True, name="cmp.jsonl", long=0):
        path = tmp_path / name
        rows = [
            {"question": f"{a}+{a + 1}=", "answer": str(2 * a + 1)} | ({"thought": f"{a}+{a + 1}"} if thought else {})
            for a in range(count)
        ]
        rows += [{"question": "1 " * long, "answer": "1"}] * bool(long)
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return path

    return write


def weights(model):
    return torch.cat([p.detach().reshape(-1) for p in model.parameters()])


def test_it_is_the_training_loop_on_the_split_train_of_the_file(start, file):
    path = file()
    tokenizer, model = tiny_rl.fresh(start)
    done = minids.sft(model, tokenizer, path, SFTConfig(steps=8, tokens_per_batch=300, seed=3), quiet=True)
    assert model.style == "tags" and isinstance(done, loop.TrainResult) and done.step == 8 and done.loss > 0

    tokenizer, same = tiny_rl.fresh(start)
    problems = [p for p in user_file.read(path, "user") if p.split == "train"]
    assert 20 < len(problems) < 50
    docs = documents.Documents.of(chat.document_ids(tokenizer, p.question, p.data, p.answer) for p in problems)
    source = documents.Source(docs, 300, seed=4, prompt_weight=0.1)
    plain = {"lr": 1e-3, "warmup": 10, "weight_decay": 0.05, "seed": 3}
    loop.train(same, source, loop.TrainConfig(steps=8, **plain), quiet=True)
    assert torch.equal(weights(model), weights(same))


def test_it_learns_what_the_file_says(start, file):
    tokenizer, model = tiny_rl.fresh(start)
    config = SFTConfig(steps=40, lr=3e-3, log_every=1)
    first = minids.sft(tiny_rl.fresh(start)[1], tokenizer, file(), SFTConfig(steps=1, log_every=1), quiet=True)
    assert minids.sft(model, tokenizer, file(), config, quiet=True).loss < 0.6 * first.loss


@pytest.mark.parametrize("form", ["path", "text", "family", "graded", "documents"])
def test_a_source_is_a_file_a_family_or_documents(start, file, form):
    path = file()
    tokenizer, model = tiny_rl.fresh(start)
    forms = {"path": path, "text": str(path), "family": f"user:{path}", "graded": f"user:{path}@check.py:verify"}
    source = forms.get(form) or sft.file_documents(tokenizer, path)
    tokens = minids.sft(model, tokenizer, source, SFTConfig(steps=2), quiet=True).tokens
    assert tokens == minids.sft(tiny_rl.fresh(start)[1], tokenizer, path, SFTConfig(steps=2), quiet=True).tokens


def test_without_thoughts_the_answer_comes_at_once(start, file):
    tokenizer, _ = tiny_rl.fresh(start)
    docs = sft.file_documents(tokenizer, file(thought=False))
    text = tokenizer.decode(docs.ids[: docs.starts[1]].tolist())
    assert "<think>" not in text and "<answer>" in text
    assert "<think>" in tokenizer.decode(sft.file_documents(tokenizer, file()).ids.tolist())


class After:
    def __init__(self, n):
        self.n = n

    @property
    def requested(self):
        self.n -= 1
        return self.n < 0


def test_a_stopped_run_goes_on_bit_for_bit(start, file, tmp_path):
    path, config = file(), SFTConfig(steps=6, tokens_per_batch=300, log_every=2)
    tokenizer, whole = tiny_rl.fresh(start)
    minids.sft(whole, tokenizer, path, config, out_dir=tmp_path / "whole", quiet=True)
    _, half = tiny_rl.fresh(start)
    with contextlib.suppress(MinidsError):
        minids.sft(half, tokenizer, path, config, out_dir=tmp_path / "half", stop=After(2), quiet=True)
    _, again = tiny_rl.fresh(start)
    done = minids.sft(again, tokenizer, path, config, out_dir=tmp_path / "half", resume=True, quiet=True)
    assert done.step == 6 and torch.equal(weights(whole), weights(again))
    lines = [metrics.read(tmp_path / name / "metrics.jsonl") for name in ("whole", "half")]
    assert [line["loss"] for line in lines[0]] == [line["loss"] for line in lines[1]]


def test_a_run_does_not_go_on_with_another_file(start, file, tmp_path):
    tokenizer, model = tiny_rl.fresh(start)
    config, how = SFTConfig(steps=1, tokens_per_batch=300), {"out_dir": tmp_path / "out", "quiet": True}
    minids.sft(model, tokenizer, file(), config, **how)
    assert minids.sft(model, tokenizer, file(), config, resume=True, **how).step == 1
    with pytest.raises(MinidsError, match="the source's hash of token ids was"):
        minids.sft(model, tokenizer, file(thought=False), config, resume=True, **how)
    with pytest.raises(MinidsError, match="the source's documents was"):
        minids.sft(model, tokenizer, file(count=50), config, resume=True, **how)


def test_what_cannot_be_learned_from_is_named(start, file, tmp_path):
    tokenizer, model = tiny_rl.fresh(start)

    def refused(source, said, tokenizer=tokenizer, **change):
        with pytest.raises(MinidsError, match=said):
            minids.sft(model, tokenizer, source, SFTConfig(**{"steps": 2, **change}), quiet=True)

    refused(tmp_path / "missing.jsonl", "missing.jsonl")
    refused(file(long=300), "has 30[0-9]|longest text is 128")
    refused(file(), "tokens, more than a batch may hold", tokens_per_batch=5)
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"question": "1+1"}\n', encoding="utf-8")
    refused(bad, "bad.jsonl, line 1")
    rows = [{"question": f"{i}?", "answer": "1"} for i in range(40)]
    tests = [r for r in rows if user_file._item(json.dumps(r).encode(), "user", "x").split != "train"]
    bad.write_text("".join(json.dumps(r) + "\n" for r in tests), encoding="utf-8")
    refused(bad, "none of its .* is in the split 'train'")
    another = Tokenizer.train(["some other text, some other merges"] * 9, 290, digits="single")
    model.config.passive["tokenizer_fingerprint"] = tokenizer.fingerprint
    try:
        refused(file(), "fingerprint", tokenizer=another)
    finally:
        del model.config.passive["tokenizer_fingerprint"]


def test_arguments_of_another_kind_are_named(start, file):
    tokenizer, model = tiny_rl.fresh(start)
    for change, said in (
        (
            {"config": loop.TrainConfig(steps=1, lr=1e-3)},
            "config must be an SFTConfig.*tokens_per_batch.* a TrainConfig",
        ),
        ({"source": [{"question": "1+1", "answer": "2"}] * 50}, "source must be a file's path, .*, got a list.$"),
        ({"model": None}, "model must be a Transformer"),
    ):
        with pytest.raises(MinidsError, match="^sft: " + said):
            minids.sft(
                **{"model": model, "tokenizer": tokenizer, "source": file(), "config": SFTConfig(steps=1), **change}
            )


@pytest.mark.parametrize(
    "line,said",
    [
        ({"question": "20+3", "answer": "23</answer>"}, "line 2: the answer has the mark '</answer>'"),
        ({"question": "20+3", "answer": "23<｜end▁of▁sentence｜>"}, "line 2: the answer has the mark"),
        ({"question": "20+3", "answer": "23", "thought": "a</think>b"}, "line 2: the thought has the mark '</think>'"),
        ({"question": "20+3", "answer": "23", "thougth": "20+3=23"}, "line 2: unknown key 'thougth'.*'thought'"),
        ({"question": "20+3", "Answer": "23"}, "line 2: unknown key 'Answer'.*'answer'"),
    ],
)
def test_a_line_that_nobody_could_be_rewarded_for(line, said, tmp_path):
    path = tmp_path / "t.jsonl"
    rows = [{"question": "1 < 2 <b>?", "answer": "<b>", "source": "me", "answers": 1, "thought": "x"}, line]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    with pytest.raises(MinidsError, match=said):
        user_file.read(path, "user")
    path.write_text(json.dumps(rows[0]) + "\n", encoding="utf-8")
    assert user_file.read(path, "user")[0].answer == "<b>"


def test_settings_are_checked():
    with pytest.raises(MinidsError, match="sft setting prompt_weight = -1"):
        SFTConfig(steps=1, prompt_weight=-1)
    assert SFTConfig(steps=1).lr == 1e-3
