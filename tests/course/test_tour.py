"""The committed tiny model: there, small, loadable at each stage; made from a run's folders, and only if it answers as
they do."""

import pytest
import torch

from minids.course import tour
from minids.errors import MinidsError
from minids.reason import tasks
from minids.ship import hub


@pytest.mark.parametrize("stage", tour.STAGES)
def test_stage_loads_as_float32_and_answers_in_its_style(stage):
    model, tokenizer = tour.model(stage)
    assert {p.dtype for p in model.parameters()} == {torch.float32} and not model.training
    assert model.config.vocab_size == len(tokenizer)
    reply = tour.ask(stage, "3+4", opened=(model, tokenizer))
    assert reply.thought and reply.answer and 0 < reply.tokens < 200


def test_reinforcement_learning_has_helped():
    problems = tasks.problem_set(tasks.FAMILIES, "test", 20, seed=9)
    before, after = tour.accuracy("sft", problems)[0], tour.accuracy("grpo", problems)[0]
    assert after > 0.8 and after > before + 0.3


def test_it_is_small():
    assert sum(f.stat().st_size for f in tour.FOLDER.rglob("*") if f.is_file()) <= tour.MOST_BYTES


def test_unknown_stage_and_missing_folder(tmp_path):
    with pytest.raises(MinidsError, match="dpo"):
        tour.model("dpo")
    with pytest.raises(MinidsError, match="python -m minids.course.tour"):
        tour.model("sft", tmp_path)


def run_folder(folder):
    """What a finished run leaves, from the committed stages."""
    for stage, name in tour.STAGES.items():
        model, _ = tour.model(stage)
        hub.save_model(model, folder / name)
        for extra in ("tokenizer.json", "tokenizer_config.json", "minids.json"):
            (folder / name / extra).write_bytes((tour.FOLDER / stage / extra).read_bytes())


@pytest.mark.slow
def test_made_from_a_run(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(tour, "FEWEST_PROBLEMS", 4)
    run_folder(tmp_path / "run")
    assert tour.main([str(tmp_path / "run"), "--out", str(tmp_path / "out" / "tiny")]) == 0
    assert "12 of 12" in capsys.readouterr().out
    made, _ = tour.model("grpo", tmp_path / "out" / "tiny")
    kept, _ = tour.model("grpo")
    assert all(torch.equal(a, b) for a, b in zip(made.parameters(), kept.parameters()))
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["tiny"]


@pytest.mark.slow
def test_an_unfinished_run_leaves_the_old_folders(tmp_path, capsys):
    run_folder(tmp_path / "run")
    (tmp_path / "run" / "model" / "config.json").unlink()
    out = tmp_path / "tiny"
    out.mkdir()
    (out / "kept").write_text("", encoding="utf-8")
    assert tour.main([str(tmp_path / "run"), "--out", str(out)]) == 1
    assert "no such model" in capsys.readouterr().err and (out / "kept").exists()
