"""The committed tiny model: there, small, loadable at each stage; made from a run's folders, and only if it answers as
they do."""

import pytest
import torch

from minids.course import tiny_models
from minids.errors import MinidsError
from minids.model import hf
from minids.tasks import arithmetic


@pytest.mark.parametrize("stage", tiny_models.STAGES)
def test_stage_loads_as_float32_and_answers_in_its_style(stage):
    model, tokenizer = tiny_models.model(stage)
    assert {p.dtype for p in model.parameters()} == {torch.float32} and not model.training
    assert model.config.vocab_size == len(tokenizer)
    reply, tokens = tiny_models.ask(stage, "3+4", opened=(model, tokenizer))
    assert reply.thought and reply.answer and 0 < tokens < 200


def test_reinforcement_learning_has_helped():
    problems = arithmetic.problem_set(arithmetic.FAMILIES, "test", 20, seed=9)
    before, after = tiny_models.accuracy("sft", problems)[0], tiny_models.accuracy("grpo", problems)[0]
    assert after > 0.8 and after > before + 0.3


def test_it_is_small():
    assert sum(f.stat().st_size for f in tiny_models.FOLDER.rglob("*") if f.is_file()) <= tiny_models.MOST_BYTES


def test_unknown_stage_and_missing_folder(tmp_path):
    with pytest.raises(MinidsError, match="dpo"):
        tiny_models.model("dpo")
    with pytest.raises(MinidsError, match="minids dev tiny-models"):
        tiny_models.model("sft", tmp_path)


def run_folder(folder):
    """What a finished run leaves, from the committed stages."""
    for stage, name in tiny_models.STAGES.items():
        model, _ = tiny_models.model(stage)
        hf.save_model(model, folder / name)
        for extra in ("tokenizer.json", "tokenizer_config.json", "minids.json"):
            (folder / name / extra).write_bytes((tiny_models.FOLDER / stage / extra).read_bytes())


@pytest.mark.slow
def test_made_from_a_run(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(tiny_models, "FEWEST_PROBLEMS", 4)
    run_folder(tmp_path / "run")
    assert tiny_models.main([str(tmp_path / "run"), "--out", str(tmp_path / "out" / "tiny")]) == 0
    assert "12 of 12" in capsys.readouterr().out
    made, _ = tiny_models.model("grpo", tmp_path / "out" / "tiny")
    kept, _ = tiny_models.model("grpo")
    assert all(torch.equal(a, b) for a, b in zip(made.parameters(), kept.parameters()))
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["tiny"]


@pytest.mark.slow
def test_an_unfinished_run_leaves_the_old_folders(tmp_path):
    run_folder(tmp_path / "run")
    (tmp_path / "run" / "model" / "config.json").unlink()
    out = tmp_path / "tiny"
    out.mkdir()
    (out / "kept").write_text("", encoding="utf-8")
    with pytest.raises(MinidsError, match="no such model"):
        tiny_models.main([str(tmp_path / "run"), "--out", str(out)])
    assert (out / "kept").exists()
