"""A text of one's own, in the five lines of docs/library.md: trained, stopped, and resumed bit for bit."""

import json
import re
from pathlib import Path

import pytest
import torch

from minids import MinidsError, ModelConfig, Tokenizer, TrainConfig, Transformer, cli, errors, pretrain
from minids.text import corpus
from minids.train import checkpoint, metrics

TEXTS = [f"the {a} house stands by the {b} river. " * 3 for a in ("old", "new", "red") for b in ("small", "wide")]
STEPS = TrainConfig(steps=6, lr=2e-3, save_every=4, log_every=3)


class After:
    """Asks for a stop after `n` steps."""

    def __init__(self, n):
        self.n = n

    @property
    def requested(self):
        self.n -= 1
        return self.n < 0


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "corpus.txt"
    path.write_text("\n".join(TEXTS), encoding="utf-8")
    return path


def five_lines(path, out, seed=0, **how):
    tokenizer = Tokenizer.train(corpus.load_texts(path), 300)
    torch.manual_seed(seed)
    model = Transformer(ModelConfig.small(tokenizer, hidden_size=32, num_hidden_layers=2))
    source = corpus.batches(path, tokenizer, length=16, rows=4, seed=3)
    return model, pretrain(model, source, STEPS, out_dir=out, quiet=True, **how)


def without_seconds(folder):
    return [{k: v for k, v in line.items() if k != "seconds"} for line in metrics.read(folder / "metrics.jsonl")]


def test_own_text_is_trained_stopped_and_resumed_bit_for_bit(text, tmp_path):
    whole, result = five_lines(text, tmp_path / "whole")
    assert result.step == 6 and not result.stopped and result.loss > 0
    _, stopped = five_lines(text, tmp_path / "cut", stop=After(2))
    assert stopped.stopped and stopped.step == 3 and checkpoint.load(tmp_path / "cut")[0] == 3
    again, resumed = five_lines(text, tmp_path / "cut", seed=1, resume=True)
    assert (resumed.step, resumed.loss, resumed.tokens) == (6, result.loss, result.tokens) and not resumed.stopped
    assert all(a.equal(b) for a, b in zip(whole.state_dict().values(), again.state_dict().values()))
    assert without_seconds(tmp_path / "cut") == without_seconds(tmp_path / "whole")


def test_a_run_does_not_go_on_with_another_source(text, tmp_path):
    out, tokenizer = tmp_path / "own", Tokenizer.train(TEXTS, 300)
    model = Transformer(ModelConfig.small(tokenizer, hidden_size=32, num_hidden_layers=2))

    def go(path=text, length=16, rows=4, seed=3, **how):
        source = corpus.batches(path, tokenizer, length, rows, seed, **how)
        return pretrain(model, source, STEPS, out_dir=out, resume=True, quiet=True)

    loss = go().loss
    for change, said in (
        ({"length": 12}, r"settings \(the source's length was 16, is 12\)"),
        ({"rows": 2}, r"\(the source's rows of a step was 4, is 2\)"),
        ({"seed": 5}, r"\(the source's seed was 3, is 5\)"),
        ({"path": TEXTS[1:]}, r"\(the source's hash of token ids was '[0-9a-f]{16}', is '[0-9a-f]{16}'\)"),
        ({"boundaries": True}, "boundaries was False, is True"),
    ):
        with pytest.raises(MinidsError, match=said):
            go(**change)
    assert go(rows=2, world=2).loss == loss  # two processes share the same step
    pretrain(model, lambda step: [], STEPS, out_dir=out, resume=True, quiet=True)  # it says nothing of itself


def test_a_checkpoint_that_says_nothing_of_its_source_is_resumed(text, tmp_path, monkeypatch):
    with monkeypatch.context() as earlier:
        earlier.setattr(corpus.Rows, "fingerprint", None)
        _, stopped = five_lines(text, tmp_path / "own", stop=After(2))
    assert stopped.step == 3 and "source" not in checkpoint.load(tmp_path / "own")[1]["config"]
    assert five_lines(text, tmp_path / "own", resume=True)[1].step == 6
    assert checkpoint.load(tmp_path / "own")[1]["config"]["source"]["length"] == 16


def test_a_stop_without_a_folder_returns_too(text):
    assert five_lines(text, None, stop=After(0))[1].stopped


def test_a_source_is_endless_and_a_function_of_the_step(text):
    tokenizer = Tokenizer.train(TEXTS, 300)
    source, other = (corpus.batches(text, tokenizer, 16, 4, seed) for seed in (0, 1))
    again = corpus.batches(text, tokenizer, 16, 4, 0)
    far = int(5 * source.steps_per_epoch) + 1
    assert source(far)[0].ids_BT.shape == (4, 16)
    for step in (far, 0, 2):  # in any order
        assert source(step)[0].ids_BT.equal(again(step)[0].ids_BT)
    assert not source(0)[0].ids_BT.equal(other(0)[0].ids_BT)


@pytest.mark.parametrize("world", [1, 2])
@pytest.mark.parametrize("rows", [1, 3, 50])
def test_each_epoch_goes_through_every_row_once(world, rows):
    tokenizer = Tokenizer.train(TEXTS, 300)
    parts = [corpus.batches(TEXTS, tokenizer, 12, rows, rank=r, world=world) for r in range(world)]
    count = len(parts[0].packed)
    assert parts[0].steps_per_epoch == count / (rows * world)
    seen = [row for step in range(-(-2 * count // (rows * world))) for p in parts for row in p(step)[0].ids_BT.tolist()]
    everything = sorted(parts[0].packed.ids_BT.tolist())
    assert sorted(seen[:count]) == sorted(seen[count : 2 * count]) == everything
    assert count < 4 or seen[:count] != seen[count : 2 * count]


def test_every_id_of_the_corpus_is_predicted_once_and_documents_are_kept_apart_if_asked():
    tokenizer = Tokenizer.train(TEXTS, 300)
    docs = [[tokenizer.bos_id, *tokenizer.encode(t), tokenizer.eos_id] for t in TEXTS]
    for boundaries in (False, True):
        packed = corpus.batches(TEXTS, tokenizer, 20, 2, boundaries=boundaries).packed
        assert int(packed.weight_BT.sum()) >= sum(len(d) - 1 for d in docs)
        assert (packed.doc_ids_BT is not None) == boundaries
        predicted = packed.ids_BT[packed.weight_BT > 0].tolist()
        assert sorted(i for i in predicted if i != tokenizer.bos_id) == sorted(i for d in docs for i in d[1:])


def test_files_of_records_and_folders_are_read_as_load_texts_reads_them(tmp_path):
    tokenizer = Tokenizer.train(TEXTS, 300)
    lines = "".join(json.dumps({"body": t}) + "\n" for t in TEXTS)
    (tmp_path / "a.jsonl").write_text(lines, encoding="utf-8")
    wanted = corpus.batches(TEXTS, tokenizer, 16, 2).packed.ids_BT
    for path in (tmp_path / "a.jsonl", str(tmp_path)):
        assert corpus.batches(path, tokenizer, 16, 2, field="body").packed.ids_BT.equal(wanted)


def test_what_is_no_corpus_is_refused(tmp_path):
    tokenizer = Tokenizer.train(TEXTS, 300)
    for arguments, words in (
        ((tmp_path / "none.txt", tokenizer, 16, 2), "there is no corpus at"),
        (([], tokenizer, 16, 2), "not all empty"),
        (([3], tokenizer, 16, 2), "a list of texts"),
        ((TEXTS, tokenizer, 1, 2), "length >= 2"),
        ((TEXTS, tokenizer, "16", 2), "length='16'"),
        ((TEXTS, tokenizer, 16, 0), "rows must be"),
        ((TEXTS, tokenizer, 16, 2, -1), "seed=-1"),
    ):
        with pytest.raises(MinidsError, match=re.escape(words)):
            corpus.batches(*arguments)


def test_python_is_advised_in_python_and_the_shell_in_options(text, tmp_path, capsys, monkeypatch):
    five_lines(text, tmp_path / "own", stop=After(0))
    with pytest.raises(MinidsError, match=r"resume=True, or choose another folder \(out_dir=…\)") as refused:
        five_lines(text, tmp_path / "own")
    assert "--" not in str(refused.value)
    monkeypatch.setattr("minids.run.cost.describe", lambda name: five_lines(text, tmp_path / "own"))
    assert cli.main(["cost", "v3"]) == 2
    said = capsys.readouterr().err
    assert "go on with --resume, or choose another folder (--out)" in said and "resume=True" not in said


def test_every_argument_that_is_translated_is_spoken_of_somewhere():
    library = [p for p in Path(errors.__file__).parent.rglob("*.py") if p.name != "errors.py"]
    text = "\n".join(p.read_text(encoding="utf-8") for p in library)
    assert all(argument in text for argument in errors.IN_SHELL)
