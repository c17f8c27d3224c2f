"""Several runs on one page: what it shows, that a stranger's folder cannot do anything, and what is refused."""

import copy
import json
import os
import random
import re
from dataclasses import dataclass
from html import unescape

import pytest
from report_runs import EVIL, check, metrics, put, results

from minids import cli
from minids.errors import MinidsError
from minids.eval.evaluate import outcomes
from minids.report import compare, compared, run_report
from minids.run import recipes


@dataclass
class Problem:
    question: str
    answer: int


@dataclass
class Graded:
    accuracy: float


def answered(right, first=0):
    """What a row keeps of problems from number `first` on, answered rightly or not."""
    graded = [[(Graded(float(r)),)] for r in right]
    return outcomes([Problem(f"{i}+{i}", 2 * i) for i in range(first, first + len(right))], graded, graded)


def measured(r, rate, seed=0, n=1000, first=0):
    """Results whose rows of GRPO have outcomes at such a rate of right answers, and say so."""
    rng = random.Random(seed)
    for row in r["evals"]:
        if row["stage"] == "grpo":
            right = [rng.random() < rate for _ in range(n)]
            share = sum(right) / n
            row |= {"n": n, "outcomes": answered(right, first), "pass1": share, "greedy": share}
            row["ci"] = [max(0.0, share - 0.02), min(1.0, share + 0.02)]
    return r


def asked(*overrides, seed=0, **more):
    recipe = recipes.load("tiny", overrides).to_dict()
    return {
        "recipe": recipe,
        "seed": seed,
        "workers": 2,
        "device": "cpu",
        "mine": False,
        "set": list(overrides),
        **more,
    }


def folder(path, r=None, lines=None, recipe=None):
    path.mkdir(parents=True, exist_ok=True)
    if recipe is not None:
        (path / "recipe.json").write_text(json.dumps(recipe), encoding="utf-8")
    return put(path, results() if r is None else r, metrics() if lines is None else lines)


@pytest.fixture
def pair(tmp_path):
    one = folder(tmp_path / "runs" / "a", measured(results(), 0.5), recipe=asked())
    other = measured(results(seed=1), 0.9, seed=1)
    return one, folder(tmp_path / "runs" / "b", other, recipe=asked("grpo.lr=1e-4", seed=1))


def draw(*folders, out):
    """The page's text and its HTML."""
    path = run_report.compare(folders, out)
    assert path == out
    html = path.read_text(encoding="utf-8")
    return check(html), html


def table(html, heading):
    """The cells of the first table below a heading, by the row's name."""
    body = re.search(re.escape(heading) + r".*?<tbody>(.*?)</tbody>", html, re.S)[1]
    rows = re.findall(r"<tr.*?</tr>", body, re.S)
    cells = [
        [unescape(re.sub(r"<[^>]+>", " ", c)).split() for c in re.findall(r"<t[hd].*?</t[hd]>", row, re.S)]
        for row in rows
    ]
    return {" ".join(first): [" ".join(c) for c in rest] for first, *rest in cells}


def test_two_runs(pair, tmp_path):
    text, html = draw(*pair, out=tmp_path / "compare.html")
    assert re.search(r"b is right more often than a: (89|9\d)\.\d % against (4|5)\d\.\d %, p < 0.001", text), text
    rows = table(html, "Settings that differ")
    assert rows == {
        "seed": ["0", "1"],
        "workers": ["2", "2"],
        "device": ["cpu", "cpu"],
        "grpo.lr": ["0.0003", "0.0001"],
    }
    final = table(html, "The final models, one sampled")
    assert list(final) == ["all families", "add", "chain"] and all("p < 0.001" in row[2] for row in final.values())
    for words in ("Loss, base model", "Reward", "Length of an answer", "Right answers", "Time per stage", "1 min 40 s"):
        assert words in text, words
    # the runs are drawn over each other, in colours of their own that the legend names
    for title in ("Loss, base model", "Reward", "Length of an answer"):
        drawn = re.search(rf"<figure><h3>{title}</h3>.*?</figure>", html, re.S)[0]
        lines = re.findall(r'<polyline class="line" style="stroke:var\(--(\w+)\)', drawn)
        keys = re.findall(r"color:var\(--(\w+)\)\"></i>(\w+)<", drawn)
        assert keys == [("sft", "a"), ("f1", "b")] and lines == ["sft", "f1"]


def test_the_paired_test_is_that_of_the_problems_that_differ(tmp_path):
    both = ([1, 1, 0, 0, 0, 0, 0, 1], [1, 0, 1, 1, 1, 1, 1, 1])
    rows = [{"pass1": sum(x) / 8, "n": 8, "ci": [0, 1], "outcomes": answered(x)} for x in both]
    found = compared.difference(*rows)
    assert (found.better, found.worse, found.p) == (5, 1, 14 / 64) and found.points == 0.5 and not found.sure
    back = compared.difference(*rows[::-1])
    assert (back.better, back.worse, back.p, back.points) == (1, 5, 14 / 64, -0.5)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"outcomes": None}, "outcomes not kept"),
        ({"outcomes": {"problems": "0", "sampled": 3}}, "outcomes not kept"),
        ({"outcomes": answered([1, 0, 1, 0], first=9)}, "different problems"),
        ({"n": 5}, "different problems"),
        ({"outcomes": answered([1, 0, 1, 0]) | {"sampled": "zz"}}, "damaged"),
        ({"outcomes": answered([1, 0, 1, 0]) | {"sampled": ""}}, "damaged"),
    ],
)
def test_rows_that_cannot_be_paired_say_why_and_are_compared_by_intervals(change, why):
    row = {"pass1": 0.5, "n": 4, "ci": [0.3, 0.7], "outcomes": answered([1, 0, 1, 0])}
    found = compared.difference(row, {**row, "pass1": 0.6, **change})
    assert found.p is None and found.why == why and found.noise == pytest.approx(0.2 * 2**0.5 * 1.5, rel=0.6)
    assert compared.difference(row, {**row, "pass1": None}) is None


def test_runs_of_earlier_versions_keep_no_outcomes(tmp_path):
    text, html = draw(folder(tmp_path / "a"), folder(tmp_path / "b"), out=tmp_path / "compare.html")
    assert "not measurably better or worse" in text and "not paired: outcomes not kept" in text
    assert "no recipe.json that can be read" in text and "All keys" not in text


def test_runs_that_were_asked_other_problems_or_families(pair, tmp_path):
    others = measured(results(), 0.9, seed=1, first=5000)
    text, _ = draw(pair[0], folder(tmp_path / "c", others), out=tmp_path / "compare.html")
    assert "not paired: different problems" in text
    fewer = results()
    fewer["evals"] = [row for row in fewer["evals"] if row["family"] != "chain"]
    text, html = draw(pair[0], folder(tmp_path / "d", fewer), out=tmp_path / "compare.html")
    rows = table(html, "The final models, one sampled")
    assert rows["all families"][2] == "–" and rows["chain"][1:] == ["–", "–"] and rows["add"][2] != "–"
    assert "were asked other families" in text


def test_a_run_without_evaluation_beside_one_with(pair, tmp_path):
    bare = folder(tmp_path / "c", results(evals=[], beyond=[], examples={}))
    text, html = draw(*pair, bare, out=tmp_path / "compare.html")
    assert "c was not evaluated" in text and "b is right more often than a" in text
    other = folder(tmp_path / "d", results(evals=[], beyond=[], examples={}))
    assert "None of these runs was evaluated" in draw(bare, other, out=tmp_path / "compare.html")[0]


def test_runs_that_got_less_far_are_compared_by_what_they_have(pair, tmp_path):
    r = results()
    r["evals"] = [row for row in r["evals"] if row["stage"] == "base"]
    r["stages"] = r["stages"][:2]
    text, _ = draw(pair[0], folder(tmp_path / "c", r, metrics()[:4]), out=tmp_path / "compare.html")
    assert "c (base model)" in text and "a (GRPO)" in text


def test_settings_that_are_left_out_are_those_below_or_the_default(tmp_path):
    short = asked()
    long = copy.deepcopy(short)
    long["recipe"]["grpo"] |= {"epochs": 2, "minibatches": 2}
    long["recipe"]["sft"]["prompt_weight"] = 0.25
    del short["recipe"]["sft"]["prompt_weight"]
    runs = [folder(tmp_path / n, recipe=what) for n, what in (("a", short), ("b", long))]
    rows = table(draw(*runs, out=tmp_path / "compare.html")[1], "Settings that differ")
    assert rows["grpo.epochs"] == ["1 default", "2"] and rows["sft.prompt_weight"] == ["0.0 default", "0.25"]
    r1 = [recipes.load("tiny-r1", change).to_dict() for change in ([], ['rl1={"lr": 7e-5}'])]
    assert "rl1" not in r1[0] and "rl1" in r1[0]["stages"]
    for path, recipe in zip(runs, r1):
        folder(path, recipe=asked() | {"recipe": recipe})
    rows = table(draw(*runs, out=tmp_path / "compare.html")[1], "Settings that differ")
    assert rows["rl1.lr"] == [f"{r1[0]['grpo']['lr']} as in grpo", "7e-05"]


def test_a_run_from_a_model_has_none_of_the_settings_that_it_did_not_read(tmp_path):
    one, other = asked(), asked()
    one["recipe"]["origin"] = other["recipe"]["origin"] = "runs/tiny/base"
    other["recipe"]["tokenizer"]["vocab_size"] = 700
    other["recipe"]["pretrain"]["steps"] = 7
    runs = [folder(tmp_path / n, recipe=what) for n, what in (("a", one), ("b", other), ("c", asked()))]
    rows = table(draw(*runs[:2], out=tmp_path / "compare.html")[1], "Settings that differ")
    assert set(rows) == {"seed", "workers", "device"}
    rows = table(draw(*runs[1:], out=tmp_path / "compare.html")[1], "Settings that differ")
    steps = str(asked()["recipe"]["pretrain"]["steps"])
    assert rows["origin"] == ["runs/tiny/base", "–"] and rows["pretrain.steps"] == ["–", steps]


def test_former_names_are_the_same_setting(tmp_path):
    now, then = asked(), asked()
    grpo = then["recipe"]["grpo"]
    grpo["group"] = grpo.pop("num_generations")
    runs = [folder(tmp_path / n, recipe=what) for n, what in (("a", now), ("b", then))]
    assert "All keys of the recipe are the same" in draw(*runs, out=tmp_path / "compare.html")[0]


def test_names_are_as_long_as_it_takes(pair, tmp_path):
    same = folder(tmp_path / "old" / "a")
    text, _ = draw(pair[0], same, out=tmp_path / "compare.html")
    assert "runs/a and old/a" in text
    long = [folder(tmp_path / (c + "x" * 100)) for c in "pq"]
    names = [entry.name for entry in compared.read(long)]
    assert len(set(names)) == 2 and max(map(len, names)) < 50


# -- a stranger's folder -----------------------------------------------------------------------------------------------


def test_nothing_from_a_folder_becomes_html(pair, tmp_path):
    bad = measured(results(recipe=EVIL, seed=EVIL, versions={"minids": EVIL}, hardware={"cpu": EVIL, EVIL: EVIL}), 0.5)
    bad["evals"] = [{**row, "family": EVIL if row["family"] == "add" else row["family"]} for row in bad["evals"]]
    bad["beyond"] = [{**bad["beyond"][0], "family": EVIL, "size": EVIL}]
    bad["stages"][1]["name"] = EVIL
    recipe = {"recipe": {EVIL: EVIL, "grpo": {EVIL: {EVIL: EVIL}, "lr": EVIL}}, "seed": EVIL, EVIL: [EVIL]}
    lines = [{**line, "families": {EVIL: 0.5}, EVIL: EVIL} for line in metrics()]
    name = "<b>&\"'" if os.name == "posix" else "b&"
    _, page = draw(*pair, folder(tmp_path / name, bad, lines, recipe), out=tmp_path / "compare.html")
    assert "<script" not in page and "<img" not in page and '<b>&"' not in page and "&lt;script&gt;" in page


def test_odd_values_are_left_out(pair, tmp_path):
    r = results(seconds="soon", peak_bytes=10**400, model={"parameters": "many"})
    r["evals"][0] |= {"pass1": 10**400, "ci": "?", "n": "many", "outcomes": 3}
    for row in r["evals"]:
        if row["stage"] == "grpo":
            row |= {"ci": [3], "outcomes": {"problems": [], "sampled": "f" * 999, "greedy": None}, "n": 1000}
    r["stages"].append({"name": 7, "seconds": [], "evaluation_seconds": "long"})
    odd = [*metrics(), {"stage": "grpo", "step": 10**400, "reward": 1}, {"stage": "pretrain", "step": 1, "loss": -1.0}]
    recipe = {"recipe": {"grpo": 3, "sft": None, "": {"": {}}, "model": []}, "seed": {}, "workers": None}
    draw(*pair, folder(tmp_path / "c", r, odd, recipe), out=tmp_path / "compare.html")
    for text in ("[]", '{"recipe": [1]}', "{", "[" * 100000, '{"recipe": {"start": 1, "rl_from": 2}}'):
        (tmp_path / "c" / "recipe.json").write_text(text, encoding="utf-8")
        draw(*pair, tmp_path / "c", out=tmp_path / "compare.html")


def test_a_large_folder_gives_a_page_of_bounded_size(pair, tmp_path):
    rng = random.Random(0)
    lines = [{"stage": "grpo", "step": i, "reward": rng.random(), "length": 9.0} for i in range(20000)]
    r = measured(results(), 0.5, n=20)
    rows = [row for row in r["evals"] if row["family"] == "add"]
    r["evals"] += [{**row, "family": f"f{i}" * 50} for row in rows for i in range(300)]
    r["beyond"] = [{**r["beyond"][0], "size": i} for i in range(3000)]
    recipe = asked()
    recipe["recipe"]["grpo"] |= {f"key{i}": "long " * 1000 for i in range(3000)}
    _, page = draw(*pair, folder(tmp_path / "c", r, lines, recipe), out=tmp_path / "compare.html")
    assert len(page) < 2_000_000


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(pair, tmp_path):
    for name in ("metrics.jsonl", "recipe.json"):
        (pair[1] / name).unlink()
        os.mkfifo(pair[1] / name)
    text, _ = draw(*pair, out=tmp_path / "compare.html")
    assert "Loss, base model" in text and "no recipe.json that can be read" in text


def test_many_points_are_thinned():
    pairs = [(float(i), float(i % 2)) for i in range(10_001)]
    thinned = compare.thin(pairs)
    assert len(thinned) <= 400 and thinned[0][0] < thinned[-1][0] <= 10_000
    assert all(abs(y - 0.5) < 0.1 for _, y in thinned)
    assert compare.thin(pairs[:400]) == pairs[:400] and compare.thin([]) == []


# -- what is refused ---------------------------------------------------------------------------------------------------


def test_folders_that_are_no_runs(pair, tmp_path, monkeypatch):
    out, (one, other) = tmp_path / "compare.html", pair
    empty = folder(tmp_path / "empty", results(stages=[], evals=[]), [])
    (tmp_path / "nothing").mkdir()
    monkeypatch.chdir(tmp_path)
    for folders, words in (
        ([one, tmp_path / "not-there"], "not-there: no such folder"),
        ([one, one / "results.json"], "no such folder"),
        ([one, tmp_path / "nothing"], "results.json: no such file"),
        ([one, empty], "empty: this run has finished no stage"),
        ([one, other, one], "the same run as"),
        ([one, other, "runs/../runs/a"], "the same run as"),
        ([one], "two runs or more"),
        ([], "two runs or more"),
        (str(one), "two runs or more"),
        ([one, *[tmp_path / str(i) for i in range(8)]], "at most 8 runs"),
    ):
        with pytest.raises(MinidsError, match=words):
            run_report.compare(folders, out)
    assert not out.exists()


def test_only_an_earlier_comparison_is_replaced(pair, tmp_path):
    out = tmp_path / "compare.html"
    draw(*pair, out=out)
    draw(*pair, out=out)
    run_report.write(pair[0])
    for path, words in (
        (tmp_path, "this is a folder"),
        (pair[0] / "results.json", "no comparison that minids wrote"),
        (pair[0] / "report.html", "no comparison that minids wrote"),
        (tmp_path / "not-there" / "x.html", "could not be written"),
    ):
        before = path.read_bytes() if path.is_file() else None
        with pytest.raises(MinidsError, match=words):
            run_report.compare(pair, path)
        assert before is None or path.read_bytes() == before


def test_from_the_command_line(pair, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    one, other = map(str, pair)
    assert cli.main(["report", one, other, "--out", "x.html"]) == 0 and capsys.readouterr().out.strip() == "x.html"
    assert cli.main(["report", one, other]) == 0 and (tmp_path / "compare.html").exists()
    assert cli.main(["report", one]) == 0 and (pair[0] / "report.html").exists()
    capsys.readouterr()
    assert cli.main(["report", one, "--out", "y.html"]) == 2 and "--out is for" in capsys.readouterr().err
    assert cli.main(["report", one, one]) == 2 and "the same run" in capsys.readouterr().err
