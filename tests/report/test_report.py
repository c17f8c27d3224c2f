import re

import pytest
from report_runs import EVIL, FAMILIES, check, metrics, put, results, row

from minids.errors import MinidsError
from minids.report import findings, plots, run_report, thoughts
from minids.report.data import Run, read_metrics, read_results


def draw(folder, *what, **more):
    path = run_report.write(put(folder, *what, **more))
    assert path == folder / "report.html" and not list(folder.glob(".report.html.*"))
    return path.read_text(encoding="utf-8")


def test_a_whole_run(tmp_path):
    page = draw(tmp_path, results(), metrics())
    text = check(page)
    for words in (
        "from 30 % to 95 % right answers",
        "tiny",
        "seed 0",
        "2 min 56 s",
        "1.00 GiB",
        "Sharpening, or something new?",
        "347+5896",
        "right: 6243",
        "Learning to think",
        "Reward",
        "Entropy",
        "add, 6 digits",
        "Time per stage",
        "$5.576 million",
        "2,788,000 h",
        "minids chat",
        "--problems",
        "+65.0",
        "this is sharpening",
        "coin flips",
        "blind guess",
        "Checked in every iteration",
    ):
        assert words in text, words
    assert page.count("<svg") >= 15
    assert "not run (" not in text and "could not be read" not in text
    assert "prefers-color-scheme:dark" in page and 'name="viewport"' in page


def test_every_plot_has_title_labels_and_caption(tmp_path):
    page = draw(tmp_path, results(), metrics())
    figures = re.findall(r"<figure>.*?</figure>", page, re.DOTALL)
    assert len(figures) >= 15
    for one in figures:
        assert re.search(r"<h3>[^<]+</h3>", one) and 'role="img" aria-label="' in one
        assert 'class="label"' in one
        assert len(re.search(r"<figcaption>([^<]*)</figcaption>", one)[1]) > 20


def test_nothing_from_a_file_becomes_html(tmp_path):
    bad = results(recipe=EVIL, seed=EVIL, versions={EVIL: EVIL}, hardware={"cpu": EVIL, EVIL: EVIL, "processes": 2})
    bad["evals"] = [{**r, "family": EVIL if r["family"] == "add" else r["family"]} for r in bad["evals"]]
    bad["beyond"] = [{**bad["beyond"][0], "family": EVIL, "size": EVIL}]
    bad["stages"][1]["name"] = EVIL
    for rows in bad["examples"].values():
        rows[0] |= {
            "family": EVIL,
            "question": EVIL,
            "answer": EVIL,
            "text": f"<think>{EVIL}\n1+1=3 {EVIL}</think>{EVIL}\nAnswer: {EVIL}",
        }
    lines = [{**line, "families": {EVIL: 0.5}} for line in metrics()]
    page = draw(tmp_path, bad, lines)
    check(page)
    assert "<script" not in page and "<img" not in page and "&lt;script&gt;" in page


@pytest.mark.parametrize(
    "part", ["stages", "evals", "beyond", "examples", "model", "hardware", "versions", "seed", "seconds", "peak_bytes"]
)
def test_parts_that_are_missing(tmp_path, part):
    some = {k: v for k, v in results().items() if k != part}
    check(draw(tmp_path, some, metrics()))


def test_only_an_empty_object(tmp_path):
    assert "This run is not finished" in check(draw(tmp_path, {}, None))


def test_no_controls_says_how_to_get_them(tmp_path):
    r = results()
    r["evals"] = [e for e in r["evals"] if e["stage"] not in ("direct", "random_reward")]
    r["stages"] = [s for s in r["stages"] if not s.get("control")]
    text = check(draw(tmp_path, r, metrics()))
    assert text.count("not run (minids run tiny --controls)") == 2


def test_r1_zero_compares_with_the_base_model(tmp_path):
    r = results(recipe="tiny-zero")
    r["evals"] = [e for e in r["evals"] if e["stage"] != "sft"]
    r["stages"] = [s for s in r["stages"] if s["name"] != "sft"]
    r["examples"]["base"] = [
        {**r["examples"].pop("sft")[0], "text": " 347+5896=6244\nAnswer: 6244<｜end▁of▁sentence｜>"}
    ]
    text = check(draw(tmp_path, r, [line for line in metrics() if line["stage"] != "sft"]))
    assert "from 40 % to 95 %" in text and "two steps" in text and "GRPO − base, points" in text
    assert "base model: wrong" in text


def test_before_grpo(tmp_path):
    r = results()
    r["evals"] = [e for e in r["evals"] if e["stage"] in ("base", "sft")]
    r["stages"] = r["stages"][:3]
    assert "This run is not finished" in check(draw(tmp_path, r, metrics()[:5]))


def test_odd_values_are_left_out(tmp_path):
    r = results(seconds="soon", peak_bytes=None)
    r["evals"][0] |= {"pass1": None, "ci": "?", "pass_at": {"x": 1, "4": None}, "n": "many"}
    r["examples"] = {"sft": "none", "grpo": [1, {"question": 3}, {"question": "1+1", "text": None}]}
    r["stages"].append({"name": 7, "seconds": "long"})
    r["model"]["config"] = {"hidden_size": -1}
    odd = [
        *metrics(),
        {"stage": "grpo"},
        {"stage": "grpo", "step": 99, "reward": float("nan"), "length": True, "families": 3},
        {"stage": "pretrain", "step": 50, "loss": float("inf"), "expert_load": [[], 3]},
        {"step": 1},
    ]
    check(draw(tmp_path, r, odd))


def test_torn_lines_are_counted(tmp_path):
    text = check(draw(tmp_path, results(), metrics(), tail='[1, 2]\n{"stage": "grpo", "st'))
    assert "2 lines of metrics.jsonl could not be read" in text


def test_no_metrics_file(tmp_path):
    text = check(draw(tmp_path, results(), None))
    assert "Learning to think" not in text and "Sharpening" in text


@pytest.mark.parametrize(
    "content",
    [None, "", '{"recipe": "ti', "[]", "3", "\x00", '{"evals": 3}', '{"stages": [1]}', '{"model": []}', "[" * 100000],
)
def test_results_that_cannot_be_read(tmp_path, content):
    if content is not None:
        (tmp_path / "results.json").write_text(content, encoding="utf-8")
    with pytest.raises(MinidsError, match="results.json"):
        run_report.write(tmp_path)
    assert not (tmp_path / "report.html").exists()


def test_a_folder_that_cannot_be_written(tmp_path):
    put(tmp_path, results())
    (tmp_path / "report.html").mkdir()
    with pytest.raises(MinidsError, match="report.html"):
        run_report.write(tmp_path)


# -- what it says --------------------------------------------------------------------------------------------


def run_with(base, sft, grpo):
    """Each is (pass@1, pass@16)."""
    r = results()
    r["evals"] = [row(s, f, *v) for s, v in (("base", base), ("sft", sft), ("grpo", grpo)) for f in (*FAMILIES, "all")]
    return Run(r)


@pytest.mark.parametrize(
    ("base", "sft", "grpo", "kind"),
    [
        ((0.4, 0.98), (0.3, 0.9), (0.95, 0.98), "no higher"),
        ((0.4, 0.97), (0.3, 0.9), (0.95, 0.98), "within the noise"),
        ((0.1, 0.5), (0.1, 0.4), (0.9, 0.95), "higher"),
        ((0.1, 0.4), (0.1, 0.5), (0.9, 0.95), "higher"),  # the cold start is the better of the earlier stages
        ((0.4, 0.98), (0.3, 0.9), (0.8, 0.82), "lower"),
        ((0.4, 0.98), (0.3, 0.9), (0.3, 0.95), "no gain"),
        ((0.0, 0.0), (0.0, 0.0), (0.0, 0.0), "no gain"),
    ],
)
def test_verdict_follows_the_numbers(base, sft, grpo, kind):
    """What it decides, and that what it decided is said, whatever the words are."""
    run = run_with(base, sft, grpo)
    found, sentence = findings.outcome(run), findings.verdict(run)
    assert found.kind == kind and found.k == 16
    assert (found.p, found.q) == (max(base[1], sft[1]), grpo[1]) and found.first == (sft[0], grpo[0])
    said = [other for other, words in findings.SAID.items() if words.format(k=16) in sentence]
    assert said == [kind] and all(findings.share(x) in sentence for x in found.first)
    assert kind == "no gain" or all(findings.share(x) in sentence for x in (found.p, found.q))


def test_verdict_names_the_family_that_rose():
    run = run_with((0.1, 0.5), (0.1, 0.4), (0.9, 0.95))
    assert "chain" not in findings.verdict(run)
    run.rows["base", "chain"]["pass_at"]["16"] = 0.2
    assert "chain" in findings.verdict(run) and findings.share(0.2) in findings.verdict(run)


@pytest.mark.parametrize(
    ("after", "words"),
    [(0.95, "from 30 % to 95 %"), (0.31, "did not measurably change"), (0.1, "made this model worse")],
)
def test_headline_follows_the_numbers(tmp_path, after, words):
    r = results()
    for e in r["evals"]:
        if e["stage"] == "grpo":
            e |= row("grpo", e["family"], after, 0.99)
    assert words in check(draw(tmp_path, r))


def test_random_reward_that_gains_is_said(tmp_path):
    r = results()
    for e in r["evals"]:
        if e["stage"] == "random_reward":
            e |= row("random_reward", e["family"], 0.5)
    text = check(draw(tmp_path, r))
    assert "changes pass@1 by +20.0 ± 2.8 points: a gain that the answers cannot explain" in text


def test_gain_of_equal_answers_is_not_certain():
    run = run_with((0.0, 0.0), (0.0, 0.0), (1.0, 1.0))
    for r in run.rows.values():
        r["ci"] = [r["pass1"], r["pass1"]]
    gain, half = run.gain()
    assert gain == 1.0 and half == pytest.approx(2**0.5 * 1.5 / 1000)


def test_few_problems_have_no_guess_line(tmp_path):
    r = results()
    assert "blind guess" in check(draw(tmp_path, r))
    for e in r["evals"]:
        e["n"] = 20
    assert "blind guess" not in check(draw(tmp_path, r))


@pytest.mark.parametrize(
    ("base", "edge", "guess", "words"),
    [
        ((0.2, 0.1, 0.3), (0.6, 0.5, 0.7), 0.1, "That is new ability at this k."),
        ((0.2, 0.1, 0.4), (0.4, 0.3, 0.6), 0.1, "The intervals overlap: new ability is not shown."),
        ((0.4, 0.3, 0.6), (0.2, 0.1, 0.4), 0.1, "That is no new ability."),
        ((0.2, 0.1, 0.3), (0.6, 0.5, 0.7), 0.9, "As 8 of the most frequent answers solve 90.0 % unread"),
        ((0.2, 0.1, 0.3), (0.6, 0.5, 0.7), None, "That is new ability at this k."),
    ],
)
def test_the_edge_says_what_many_samples_show(tmp_path, base, edge, guess, words):
    def counted(stage, right, pass_at):
        blind = {} if guess is None else {"guess_at": {"1": guess / 8, "8": guess}}
        return {
            "stage": stage,
            "family": "chain",
            "size": 6,
            "tries": 8,
            "right": right,
            "pass_at": {"1": [0.1, 0.0, 0.2], "8": list(pass_at)},
        } | blind

    rows = [counted("base", [0, 0, 0, 3], base), counted("sft", [1, 0, 0, 0], base)]
    rows.append(counted("edge", [7, 4, 0, 8], edge))
    text = check(draw(tmp_path, results() | {"edge": rows}))
    assert "solved 3 in none of 8 samples; after RL on this length 2 of those are solved at least once, 1 more" in text
    assert words in text and ("without reading the question" in text.split("At the edge")[1]) == (guess is not None)


# -- pieces --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "right"),
    [
        ("6+7=13", True),
        ("9+4+1=14", True),
        ("13-8-1=4", True),
        ("3-8=-5", True),
        ("6+7=12", False),
        (">66", None),
        ("6=6", True),
        ("6++7=13", None),
        ("+=3", None),
        ("12", None),
        ("=", None),
        ("2*3=6", None),
        ("9" * 5000 + "=1", None),
        ("٣=3", None),
    ],
)
def test_adds_up(step, right):
    assert thoughts.adds_up(step) is right


def test_reply_marks_what_is_wrong():
    html = thoughts.reply("<think>12+7; 2+7=8 1+0=1 >19</think><answer>19</answer><｜end▁of▁sentence｜>", True)
    assert html.count('class="slip"') == 1 and ">2+7=8<" in html
    assert '<b class="right">19</b>' in html and "&lt;|end_of_sentence|&gt;" in html
    assert len(thoughts.reply("1+1=2 " * 10000)) < 60000


def test_read_metrics(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(b'{"step": 1}\n\xff\xfe\n3\n{"step": 2}\n{"st')
    assert read_metrics(path) == ([{"step": 1}, {"step": 2}], 3)
    assert read_metrics(tmp_path) == ([], 0)


def test_read_results_fills_parts(tmp_path):
    assert read_results(put(tmp_path, {"seed": 1}) / "results.json")["evals"] == []


def test_ticks():
    assert plots.nice_ticks(0, 1) == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1.0])
    assert plots.nice_ticks(10, 1400) == [500, 1000] or plots.nice_ticks(10, 1400)[-1] <= 1400
    assert plots.log_ticks(0.09, 7) == pytest.approx([0.1, 0.2, 0.5, 1, 2, 5])
    assert [plots.text_of(x) for x in (0.05, 1.5, 200, 20000, 3e6)] == ["0.05", "1.5", "200", "20k", "3M"]


def test_lines_lie_where_they_should():
    svg = plots.line_chart(
        "t", [{"color": "sft", "points": [(0, 0.0), (10, 1.0)]}], "x", "y", y_range=(0, 1), height=240
    )
    (x0, y0), (x1, y1) = (tuple(map(float, p.split(","))) for p in re.search(r'points="([^"]*)"', svg)[1].split())
    assert (x0, x1) == (plots.LEFT + 6, plots.WIDTH - plots.RIGHT - 6)
    assert (y0, y1) == (240 - plots.BOTTOM, plots.TOP)


def test_smooth_and_points():
    assert plots.smooth([(0, 0.0), (1, 3.0), (2, 6.0)], 3) == [(0, 1.5), (1, 3.0), (2, 4.5)]
    lines = [{"step": 1, "a": 2}, {"step": 2}, {"step": 3, "a": float("nan")}, {"step": 4, "a": "x"}, {"a": 1}]
    assert plots.points(lines, "a") == [(1, 2)]


@pytest.mark.parametrize("values", [[0.0, 0.0], [5.0, 5.0], [-1.0, -1.0], [1e-9, 1e12], [3.0]])
@pytest.mark.parametrize("log", [False, True])
def test_any_range_can_be_drawn(values, log):
    svg = plots.line_chart("t", [{"color": "sft", "points": list(enumerate(values))}], "x", "y", log_y=log)
    assert svg == "" if log and max(values) <= 0 else "nan" not in svg and "<svg" in svg
