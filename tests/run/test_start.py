"""A run that starts from a model that is there: recorded, resumed, redone; what does not do is refused at once."""

import json
import shutil

import pytest
from mini import assert_same_run, results
from safetensors.torch import load_file

from minids import MinidsError, cli, pipeline
from minids.run import cost, recipes
from minids.tasks import registry
from minids.tasks.environment import Environment, Item

SMALL = ["eval.problems=4", "eval.samples=2", "eval.sampled_problems=2", "grpo.random_reward=true"]


def run(*words):
    return cli.main(["run", *map(str, words), "--workers", "1"])


@pytest.fixture
def family(tmp_path):
    rows = [
        {"question": f"larger of {a} and {a + b}", "thought": f"{a}<{a + b}", "answer": str(a + b)}
        for a in range(20)
        for b in range(1, 11)
    ]
    (tmp_path / "cmp.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    (tmp_path / "check.py").write_text("def verify(question, answer, reply):\n    return reply.strip() == answer\n")
    return f"user:{tmp_path / 'cmp.jsonl'}@{tmp_path / 'check.py'}:verify"


def test_a_task_of_ones_own_from_a_base_model(recipe, finished, family, tmp_path, capsys):
    out, origin = tmp_path / "run", finished / "base"
    sets = [f"families={json.dumps([family])}", *SMALL]
    assert run(recipe, "--from", origin, "--out", out, "--until", "sft", "--set", *sets) == 0
    assert "--resume   (grpo)" in capsys.readouterr().out
    assert not (out / "corpus.safetensors").exists()
    a, b = (load_file(folder / "model.safetensors") for folder in (origin, out / "base"))
    assert a.keys() == b.keys() and all((a[k] == b[k]).all() for k in a)
    assert run(out, "--resume") == 0  # the folder knows where it came from
    found = results(out)
    assert [s["name"] for s in found["stages"]] == ["start", "sft", "grpo"]
    assert found["stages"][0]["origin"] == str(origin) and len(found["stages"][0]["weights"]) == 8
    assert {row["stage"] for row in found["evals"]} == {"start", "sft", "grpo"}
    assert found["model"]["parameters"] == results(finished)["model"]["parameters"]
    assert json.loads((out / "recipe.json").read_text("utf-8"))["recipe"]["origin"] == str(origin)
    page = (out / "report.html").read_text("utf-8")
    assert "Pretraining was no part of this run" in page and "from nothing" not in page
    assert "pretrain" not in cost.of_run(found)["stages"]


def test_redo_and_resume_need_no_origin(recipe, finished, tmp_path, capsys):
    origin, out, again = tmp_path / "origin", tmp_path / "run", tmp_path / "again"
    shutil.copytree(finished / "sft", origin)
    words = ["--set", "rl_from=base", *SMALL]
    assert run(recipe, "--from", origin, "--out", out, *words) == 0
    shutil.copytree(out, again)
    shutil.rmtree(origin)
    assert run(again, "--redo", "grpo") == 0
    assert_same_run(out, again, models=("base", "model"))
    assert run(again, "--resume") == 0
    capsys.readouterr()
    assert run(again, "--redo", "start") == 2
    assert "origin: no such folder" in capsys.readouterr().err


def test_what_is_no_model_to_start_from_is_named(recipe, finished, tmp_path, capsys):
    def refused(origin, *said, words=()):
        capsys.readouterr()
        out = tmp_path / "refused"
        assert run(recipe, "--from", origin, "--out", out, *words) == 2
        err = capsys.readouterr().err
        assert all(s in err for s in said), err
        assert not (out / "recipe.json").exists()

    refused(tmp_path / "nowhere", "--from", "nowhere: no such folder")
    (tmp_path / "empty").mkdir()
    refused(tmp_path / "empty", "neither a run nor a model")
    for name, change, said in (
        ("no-tokenizer", lambda f: (f / "tokenizer.json").unlink(), "tokenizer.json"),
        ("other", _other_tokenizer, "fingerprint"),
        ("no-marks", _without_marks, "the tokenizer does not do for the chat template"),
    ):
        shutil.copytree(finished / "base", tmp_path / name)
        change(tmp_path / name)
        refused(tmp_path / name, "--from", said)
    refused(finished / "base", "[model] is not read", words=["--set", "model.hidden_size=64"])
    refused(finished / "base", "'direct'", "pretraining corpus", words=["--controls"])
    refused(finished / "base", "leaves no room", words=["--set", "grpo.max_new_tokens=256"])


def _other_tokenizer(folder):
    path = folder / "config.json"
    config = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({**config, "tokenizer_fingerprint": "0" * 16}), encoding="utf-8")


def _without_marks(folder):
    path = folder / "tokenizer.json"
    path.write_text(path.read_text("utf-8").replace("<｜Assistant｜>", "<｜Helper｜>"), encoding="utf-8")
    config = json.loads((folder / "config.json").read_text("utf-8"))
    config.pop("tokenizer_fingerprint", None)
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")


def test_more_problems_than_the_file_has_are_refused_at_once(recipe, finished, family, tmp_path, capsys):
    sets = [f"families={json.dumps([family])}", "eval.problems=1000"]
    assert run(recipe, "--from", finished / "base", "--out", tmp_path / "run", "--set", *sets) == 2
    said = capsys.readouterr().err
    assert "in the split 'test'" in said and "--set eval.problems=" in said
    assert not (tmp_path / "run" / "recipe.json").exists()


def test_the_cost_says_that_pretraining_is_not_in_it(finished):
    recipe = recipes.load("tiny", [f"origin={json.dumps(str(finished / 'base'))}"])
    assert recipe.first == ("start",) and "start" not in recipe.plan
    found = cost._recipe(recipe, 1)
    assert set(found["stages"]) == {"sft", "grpo"} and "pretraining is not part of it" in " ".join(found["assumptions"])
    assert "origin" not in recipes.load("tiny").to_dict()


class Few(Environment):
    """990 numbers, about 100 of them to be tested on, and 90 beyond; it does not count them."""

    name, styles, sizes, beyond = "few", ("careful",), {2: 1.0, 3: 1.0}, (1,)

    def sample(self, rng, split, size=None):
        while True:
            size = size or rng.choice(list(self.sizes))
            number = rng.randrange(1000, 1090) if size == 1 else rng.randrange(10 ** (size - 1), 10**size)
            item = Item(self.name, f"is {number} even", "yes" if number % 2 == 0 else "no", str(number), size)
            if item.split == split:
                return item


@pytest.mark.parametrize(
    "sets, said",
    [
        (["eval.problems=60"], "of 100 different 'few' problems (size 1)"),
        ([], "of 1000 different 'few' problems (size None)"),
        (["eval.ood_problems=2", "eval.problems=500"], "of 500 different 'few' problems (size None)"),
        (["eval.ood_problems=2", "eval.problems=60"], None),
        (["eval.after_stages=false"], None),
    ],
)
def test_a_family_with_too_few_problems_is_refused_before_the_start(sets, said, tmp_path, monkeypatch):
    monkeypatch.setitem(registry.FAMILIES, "few", lambda name: Few())
    started = []
    monkeypatch.setattr(pipeline.parallel, "run", lambda *args: started.append(args))
    recipe = recipes.load("tiny", ['families=["few"]', *sets])
    try:
        pipeline.run(recipe, tmp_path / "run", workers=1)
    except MinidsError as error:
        assert said is not None and said in str(error) and "Ask for fewer (in a recipe: eval.problems" in str(error)
        assert not (tmp_path / "run").exists()
    assert len(started) == (said is None)
    registry.assert_disjoint(["few"], 1000, 0)  # looks at as many as there are
