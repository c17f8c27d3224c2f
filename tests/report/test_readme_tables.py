"""The pages' results are what the records say."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from minids import MinidsError, cli
from minids.report import readme_tables

ROOT = Path(__file__).parents[2]


EXAMPLE = {
    "family": "add",
    "question": "47+5",
    "answer": "52",
    "text": "<think>7+5=12 4+0+1=5 and more of it</think><answer>52</answer>",
    "right": True,
}


def record(seed, pass1=0.9, controls=True):
    def row(stage, pass1, greedy, family="all"):
        return {
            "stage": stage,
            "family": family,
            "n": 1000,
            "greedy": greedy,
            "pass1": pass1,
            "ci": [pass1 - 0.01, pass1 + 0.01],
            "length": 50.0,
        }

    evals = [row("base", 0.1, 0.2), row("sft", 0.3, 0.4)]
    evals += [row("grpo", pass1, 0.96, f) for f in ("add", "chain", "all")]
    if controls:
        evals += [row("direct", 0.1, 0.15), row("random_reward", 0.305, 0.4)]
    return {
        "recipe": "tiny",
        "seed": seed,
        "seconds": 300.0 + 60 * seed,
        "peak_bytes": 2**30,
        "stages": [],
        "evals": evals,
        "versions": {"torch": "2.13.0"},
        "hardware": {"cpu": "A CPU", "processes": 2, "device": "cpu"},
        "examples": {"grpo": [EXAMPLE]},
        "beyond": [{"stage": "grpo", "family": "add", "size": 6, "n": 100, "greedy": 0.5, "ci": [0.4, 0.6]}],
    }


@pytest.fixture
def repo(tmp_path):
    folder = tmp_path / "docs" / "results"
    folder.mkdir(parents=True)
    for page, name in (("README.md", "table"), ("docs/results.md", "results")):
        (tmp_path / page).write_text(f"above\n<!-- {name} -->\nold\n<!-- /{name} -->\nbelow\n", encoding="utf-8")
    for seed, pass1 in ((0, 0.9), (1, 0.94)):
        (folder / f"tiny-seed{seed}.json").write_text(json.dumps(record(seed, pass1)), encoding="utf-8")
    bench = {
        "name": "decode_single",
        "ours": 800.0,
        "peer": 200.0,
        "peer_name": "transformers",
        "ratio": 4.0,
        "unit": "tokens/s",
        "device": "cpu",
        "config": "tiny",
    }
    (folder / "bench.json").write_text(json.dumps([bench]), encoding="utf-8")
    return tmp_path


def run(repo, *more):
    return cli.main(["dev", "readme-tables", "--root", str(repo), *more])


def test_writes_the_block_and_nothing_else(repo):
    assert run(repo) == 0
    text = (repo / "docs" / "results.md").read_text(encoding="utf-8")
    assert text.startswith("above\n") and text.endswith("below\n") and "old" not in text
    rows = [line.split("|")[1:-1] for line in text.splitlines() if line[:1] == "|"]
    lines = {name.strip(): [c.strip() for c in cells] for name, *cells in rows}
    assert lines["pass@1 at T=1 after GRPO"] == ["≥ 90 %", "92.0 %", "90.0 % [89.0, 91.0]", "94.0 % [93.0, 95.0]"]
    assert lines["time, evaluation included"] == ["≤ 10 min", "5.5 min", "5.0 min", "6.0 min"]
    assert lines["GRPO over SFT, pass@1"][1] == "+62.0 points"
    assert lines["control: answers without thinking, greedy"][1] == "15.0 %"
    assert lines["control: GRPO on random rewards, gain in pass@1"][2] == "+0.5 points [-0.5, 1.5]"
    assert lines["longer than trained on: add, 6 digits, greedy"][2] == "50.0 % [40.0, 60.0]"
    assert lines["decode_single (tiny)"] == ["800 tokens/s", "200 tokens/s", "transformers", "4.00", "≥ 2.5"]
    assert "seeds 0, 1; A CPU, processes: 2" in text


def test_check_fails_on_drift_and_writes_nothing(repo, capsys):
    before = (repo / "README.md").read_text(encoding="utf-8")
    assert run(repo, "--check") == 1 and "differs" in capsys.readouterr().err
    assert (repo / "README.md").read_text(encoding="utf-8") == before
    assert run(repo) == 0 and run(repo, "--check") == 0
    for page in ("README.md", "docs/results.md", "docs/results/way.svg"):
        text = (repo / page).read_text(encoding="utf-8")
        (repo / page).write_text(text.replace("92", "99"), encoding="utf-8")
        assert run(repo, "--check") == 1 and page in capsys.readouterr().err.replace("\\", "/")
        assert run(repo) == 0 and (repo / page).read_text(encoding="utf-8") == text


def test_a_run_that_was_not_evaluated_has_its_time_and_memory(repo):
    bare = {**record(2, 0.9), "recipe": "tiny-zero", "evals": [], "beyond": [], "examples": {}}
    (repo / "docs" / "results" / "tiny-zero-seed2.json").write_text(json.dumps(bare), encoding="utf-8")
    assert run(repo) == 0
    text = (repo / "docs" / "results.md").read_text(encoding="utf-8").partition("`minids run tiny-zero`")[2]
    assert "not evaluated" in text and "| peak memory |" in text and "pass@1" not in text.partition("**")[2]
    for path in (repo / "docs" / "results").glob("tiny-seed*.json"):
        path.write_text(json.dumps({**bare, "recipe": "tiny"}), encoding="utf-8")
    assert run(repo) == 0


def test_the_readme_has_a_line_for_each_finding(repo):
    assert run(repo) == 0
    text = (repo / "README.md").read_text(encoding="utf-8")
    assert "right at T=1 | 10.0 (10.0 to 10.0) → 30.0 (30.0 to 30.0) → 92.0 (90.0 to 94.0) % |" in text
    assert "on two idle cores, evaluation included | 5.5 (5.0 to 6.0) min |" in text
    assert "coin flips, change at T=1 | +0.5 (+0.5 to +0.5) points |" in text


def test_the_picture_shows_the_means_and_a_tick_a_seed(repo):
    assert run(repo) == 0
    root = ElementTree.parse(repo / "docs" / "results" / "way.svg").getroot()
    words = ["".join(node.itertext()) for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"10 %", "30 %", "92 %", "47+5", "52"} <= {w.removeprefix("> ") for w in words}
    assert sum("opacity" in node.attrib for node in root.iter("{http://www.w3.org/2000/svg}path")) == 3 * 2


def test_controls_that_were_not_run_are_said_to_be(repo):
    folder = repo / "docs" / "results"
    (folder / "tiny-seed1.json").write_text(json.dumps(record(1, controls=False)), encoding="utf-8")
    lines = [line for line in readme_tables.render(folder).splitlines() if "control:" in line]
    assert len(lines) == 2 and all(line.split(" | ")[-1] == "not run |" for line in lines)
    for path in folder.glob("tiny-seed*.json"):
        seed = json.loads(path.read_text(encoding="utf-8"))["seed"]
        path.write_text(json.dumps(record(seed, controls=False)), encoding="utf-8")
    text = readme_tables.render(folder)
    assert "control:" not in text and "pass@1 at T=1 after GRPO" in text


def test_no_records(tmp_path):
    assert readme_tables.render(tmp_path) == "No run is recorded yet.\n"


@pytest.mark.parametrize("text", ["{", "{}", '"x"', '{"recipe": "tiny"}'])
def test_damaged_records_are_named(tmp_path, text):
    (tmp_path / "bad.json").write_text(text, encoding="utf-8")
    with pytest.raises(MinidsError, match="bad.json"):
        readme_tables.render(tmp_path)


@pytest.mark.parametrize(
    "text", ["no marks", "<!-- /results --> <!-- results -->", "<!-- results --> <!-- results --> <!-- /results -->"]
)
def test_a_readme_without_its_marks_is_refused(text):
    with pytest.raises(MinidsError, match="needs the line"):
        readme_tables.replaced(text, "x")


def test_our_own_readme_says_what_our_records_say():
    assert run(ROOT, "--check") == 0


def test_kernels_that_were_not_measured_and_fp8_gaps_have_their_blocks(tmp_path):
    row = {
        "name": "kernel_x",
        "ours": None,
        "peer": None,
        "peer_name": "cuBLAS",
        "ratio": None,
        "unit": "TFLOP/s",
        "device": "cpu, interpreted",
        "config": {},
        "bar": 1.0,
        "aim": 1.4,
    }
    (tmp_path / "kernels.json").write_text(json.dumps([row]), encoding="utf-8")
    gap = {
        "steps": 2000,
        "bf16_seeds_differ_percent": 1.5,
        "pairs": [
            {"seed": 0, "gap_percent": 0.1, "held_out_bf16": 0.5, "held_out_fp8": 0.51, "held_out_gap_percent": 2.0}
        ],
    }
    (tmp_path / "fp8-gap.json").write_text(json.dumps(gap), encoding="utf-8")
    text = readme_tables.render(tmp_path)
    assert "not measured, for want of a GPU" in text and "| 0 | +0.10 % | 0.5000 | 0.5100 | +2.00 % |" in text
    row |= {"ours": 20.0, "peer": 10.0, "ratio": 2.0, "device": "H100"}
    (tmp_path / "kernels.json").write_text(json.dumps([row]), encoding="utf-8")
    assert "| kernel_x | 20 TFLOP/s | 10 TFLOP/s | cuBLAS | 2 | ≥ 1 | ≥ 1.4 |" in readme_tables.render(tmp_path)


def test_runs_at_the_edge_show_what_only_the_last_model_solves(tmp_path):
    def row(stage, right):
        return {
            "stage": stage,
            "family": "add",
            "size": 6,
            "tries": 8,
            "right": right,
            "pass_at": {"1": [sum(right) / 24, 0.0, 0.5], "8": [sum(map(bool, right)) / 3, 0.25, 1.0]},
            "guess_at": {"1": 0.125, "8": 0.5},
        }

    for seed, last in ((0, [8, 4, 5]), (1, [2, 0, 0])):
        edge = [row("base", [2, 0, 0]), row("model", [0, 0, 0]), row("edge", last)]
        (tmp_path / f"edge-{seed}.json").write_text(
            json.dumps(record(seed) | {"recipe": "tiny-edge", "edge": edge}), encoding="utf-8"
        )
    lines = [line for line in readme_tables.render(tmp_path).splitlines() if line.startswith("| add")]
    assert lines[0] == (
        "| add, size 6: after pretraining | 8.3 % [0.0, 50.0], 8.3 % [0.0, 50.0] | "
        "33.3 % [25.0, 100.0], 33.3 % [25.0, 100.0] | 0 (0), 0 (0) |"
    )
    assert lines[2].startswith("| add, size 6: after GRPO on longer problems | 70.8 % ")
    assert lines[2].endswith("| 2 (1), 0 (0) |")  # 4 of 8 samples are not most of them
    assert lines[3] == "| add, size 6: the most frequent answers, unread | 12.5 %, 12.5 % | 50.0 %, 50.0 % | |"


def test_presets_are_a_line_each(tmp_path):
    curves = {"accuracy": [0.0] + [0.5] * 5, "length": [9.0] * 6, "entropy": [0.25] * 6, "clip_fraction": [0.0] * 6}
    entry = {"title": "DAPO", "runs": [{"seed": 0, "curves": curves}, {"seed": 1, "curves": curves}]}
    shared = {"steps": 6, "minibatches": 2, "epochs": 2}
    family = {"shared": shared, "seeds": [0, 1], "presets": {"dapo": entry}}
    (tmp_path / "grpo-family.json").write_text(json.dumps(family), encoding="utf-8")
    text = readme_tables.render(tmp_path)
    assert "| DAPO | 50.0 %, 50.0 % | 9.0 | 0.250 | 0.0 % |" in text and "4 optimizer steps on each batch" in text
