"""The command line: every command does its work, and says it on the right stream."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mini import minids

from minids import Transformer, cli, dev

ROOT = Path(__file__).parents[1]
FOLDERS = ("docs", "minids", "kernels", "tools", "tests", "chapters/src")
SIZES = {
    "vocab_size": 300,
    "hidden_size": 32,
    "intermediate_size": 48,
    "moe_intermediate_size": 16,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "kv_lora_rank": 16,
    "q_lora_rank": None,
    "qk_rope_head_dim": 8,
    "qk_nope_head_dim": 8,
    "v_head_dim": 8,
    "n_routed_experts": 4,
    "num_experts_per_tok": 2,
    "n_group": 2,
    "topk_group": 1,
    "first_k_dense_replace": 1,
    "max_position_embeddings": 64,
}


@pytest.fixture
def problems(tmp_path):
    path = tmp_path / "problems.jsonl"
    lines = [
        '{"question": " 347 +  5896", "answer": "6243"}',
        "",
        '{"question": "12+7\\u22125", "answer": 14, "family": "chain", "note": "more keys are fine"}',
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_help_and_version(capsys):
    for words in (["--help"], ["--version"], ["run", "--help"], ["eval", "--help"]):
        with pytest.raises(SystemExit) as end:
            cli.main(words)
        assert end.value.code == 0
    out = capsys.readouterr().out
    assert "minids 0." in out and "--resume" in out and "--problems" in out


def test_dev_lists_its_tools_and_hands_them_their_arguments(capsys):
    assert cli.main(["dev"]) == 0
    listed = capsys.readouterr().out
    for name, (module, _) in dev.TOOLS.items():
        assert f"minids dev {name} " in listed
        with pytest.raises(SystemExit) as end:
            cli.main(["dev", name, "--help"])
        assert end.value.code == 0 and f"usage: minids dev {name} " in capsys.readouterr().out, module
    assert cli.main(["dev", "presets"]) == 0 and "| dapo" in capsys.readouterr().out
    assert cli.main(["dev", "presets", "--presets", "ppo2", "--out", "x.json"]) == 2
    assert capsys.readouterr().err.startswith("minids: ")


def test_what_the_documents_tell_to_type_is_there():
    """`minids dev NAME` wherever it stands; `python -m minids.…` is only the notebooks' old way to be built."""
    named = set()
    for path in sorted(ROOT.glob("*.md")) + [p for f in FOLDERS for p in sorted((ROOT / f).rglob("*")) if p.is_file()]:
        if path.suffix in (".py", ".md") and not path.is_relative_to(ROOT / "minids" / "kernels"):
            text = path.read_text(encoding="utf-8")
            named.update(re.findall(r"`minids dev ([a-z][\w-]*)", text))
            assert set(re.findall(r"python -m (minids\.[\w.]*\w)", text)) <= {"minids.course.build"}, path
    assert named and named <= set(dev.TOOLS)


def test_help_is_instant():
    """It imports neither torch nor any room."""
    code = "import sys; from minids import cli; cli.parser().format_help(); print(*sys.modules, sep='\\n')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    ours = {name for name in done.stdout.split() if name.startswith("minids")}
    assert "torch" not in done.stdout.split()
    assert ours == {"minids", "minids.cli", "minids.dev", "minids.errors", "minids.progress"}


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["dev", "fly"],
        ["fly"],
        ["run"],
        ["run", "tiny", "--seed", "-1"],
        ["run", "tiny", "--workers", "0"],
        ["chat", "x", "--temperature", "warm"],
        *[["chat", "x", "--temperature", t] for t in ("nan", "inf", "1e-40", "101", "-1")],
        ["chat", "x", "--max-new-tokens", "0"],
        ["run", "tiny", "--device", "tpu"],
        ["run", ""],
        ["run", "tiny", "--out", ""],
        ["eval", "x", "--problems", ""],
        ["progress", "--html", ""],
        ["course", "--nbgrader", ""],
    ],
)
def test_what_cannot_be_parsed_is_refused_with_2(words, capsys):
    with pytest.raises(SystemExit) as end:
        cli.main(words)
    assert end.value.code == 2 and "minids" in capsys.readouterr().err


def test_run_prints_the_table_and_what_to_do_next(finished, recipe, tmp_path, capsys):
    shutil.copytree(finished, tmp_path / "r")
    assert cli.main(["run", recipe, "--out", str(tmp_path / "r"), "--workers", "1", "--resume"]) == 0
    out = capsys.readouterr().out
    assert [line.split()[0] for line in out.splitlines()[1:4]] == ["base", "sft", "grpo"]
    assert f"minids chat {tmp_path / 'r'}" in out and "report.html" in out and "peak memory" in out


def test_default_folder_is_named_after_recipe_and_seed(recipe, tmp_path, monkeypatch):
    from minids import pipeline

    seen = []
    monkeypatch.setattr(pipeline, "run", lambda recipe, out, **how: seen.append(str(out)) or sys.exit(0))
    for seed in ("0", "2"):
        with pytest.raises(SystemExit):
            cli.main(["run", recipe, "--seed", seed])
    assert seen == ["runs/mini", "runs/mini-seed2"]


def test_set_changes_the_recipe(recipe, tmp_path, monkeypatch):
    from minids import pipeline

    seen = []
    monkeypatch.setattr(pipeline, "run", lambda recipe, out, **how: seen.append(recipe) or sys.exit(0))
    with pytest.raises(SystemExit):
        cli.main(["run", recipe, "--set", "grpo.steps=40", "sft.lr=0.5", "--set", "tokenizer.digits=triples"])
    assert (seen[0].grpo["steps"], seen[0].sft["lr"], seen[0].tokenizer["digits"]) == (40, 0.5, "triples")


def test_mine_says_that_nothing_is_saved(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("MINIDS_MINE", str(tmp_path))
    assert cli.main(["run", "tiny", "--mine"]) == 2
    assert "none are in" in capsys.readouterr().err


def test_eval_on_outside_problems(finished, problems, capsys):
    assert cli.main(["eval", str(finished), "--problems", str(problems), "--json"]) == 0
    captured = capsys.readouterr()
    found = json.loads(captured.out)  # nothing but JSON on stdout
    assert [row["family"] for row in found["rows"]] == ["outside", "chain", "all"]
    answers = [(a["line"], a["question"], a["answer"]) for a in found["answers"]]
    assert answers == [(1, "347 + 5896", "6243"), (3, "12+7-5", "14")]
    assert all({"said", "right", "text", "sampled_said", "sampled_right"} <= a.keys() for a in found["answers"])
    assert cli.main(["eval", str(finished / "model"), "--problems", str(problems)]) == 0
    assert "greedy all" in capsys.readouterr().out


def test_eval_on_held_out_problems_repeats_what_the_run_found(finished, capsys):
    assert cli.main(["eval", str(finished), "--json", "--workers", "1"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    before = [
        r for r in json.loads((finished / "results.json").read_text(encoding="utf-8"))["evals"] if r["stage"] == "grpo"
    ]
    assert [{**r, "stage": "grpo"} for r in rows] == before


def test_eval_counts_right_answers(finished, problems, monkeypatch, capsys):
    """A model that knows: whatever is sampled is the right answer in the right form."""
    from minids.model import generate as sampler
    from minids.text.tokenizer import Tokenizer

    tokenizer = Tokenizer.from_pretrained(finished / "model")
    right = {"347 + 5896": "6243", "12+7-5": "15"}

    def knows(model, prompts, *, n=1, **how):
        out = sampler.Generation()
        for prompt in prompts:
            asked = tokenizer.decode(prompt)
            said = next(a for q, a in right.items() if q in asked)
            text = f"<think>so</think><answer>{said}</answer>"
            ids = [*tokenizer.encode(text, allow_special=True), tokenizer.eos_id]
            out.ids += [ids] * n
            out.logps += [torch.zeros(len(ids))] * n
            out.finished += [True] * n
        return out

    monkeypatch.setattr(sampler, "generate", knows)
    assert cli.main(["eval", str(finished), "--problems", str(problems)]) == 0
    out = capsys.readouterr().out
    assert "50.0 %" in out and "1 of 2 wrong" in out and "said 15, right is 14" in out


def test_report_is_drawn_again(finished, tmp_path, capsys):
    for name in ("results.json", "metrics.jsonl"):
        shutil.copy(finished / name, tmp_path / name)
    assert cli.main(["report", str(tmp_path)]) == 0
    assert (tmp_path / "report.html").is_file() and "report.html" in capsys.readouterr().out


def test_cost_and_doctor_say_something(monkeypatch, capsys):
    from minids.bench import doctor

    monkeypatch.setattr(doctor, "estimate", lambda recipe, processes: 4.9)
    assert cli.main(["cost", "v3"]) == 0
    assert cli.main(["doctor"]) == 0
    out = capsys.readouterr().out
    for word in ("671", "torch", "cores", "memory", "GFLOP/s", "about 5 minutes"):
        assert word in out


def test_doctor_times_the_recipe():
    from minids.bench import doctor
    from minids.run import recipes

    r = recipes.load(
        "tiny",
        [
            "model.num_hidden_layers=1",
            "model.first_k_dense_replace=1",
            "grpo.prompts_per_step=2",
            "grpo.num_generations=2",
        ],
    )
    once = doctor.estimate(r, 1)
    assert 0 < once < 60
    assert doctor.gemm_gflops(64, 0.01) > 0


def test_export_and_import_round_trip(finished, tmp_path, capsys):
    assert cli.main(["export", str(finished), str(tmp_path / "hf")]) == 0
    assert cli.main(["import", str(tmp_path / "hf"), str(tmp_path / "back")]) == 0
    one, other = (
        Transformer.from_pretrained(folder).state_dict() for folder in (finished / "model", tmp_path / "back")
    )
    assert all(one[k].equal(other[k]) for k in one)
    assert (tmp_path / "back" / "tokenizer.json").read_bytes() == (finished / "model" / "tokenizer.json").read_bytes()
    assert cli.main(["export", str(finished), str(tmp_path / "hf")]) == 2  # nothing is overwritten
    assert "already there" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("experts", ["separate", "fused"])
def test_a_model_of_transformers_comes_in_and_goes_out(tmp_path, experts, capsys):
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    theirs = transformers.DeepseekV3ForCausalLM(transformers.DeepseekV3Config(**SIZES)).eval()
    theirs.save_pretrained(tmp_path / "theirs")
    assert cli.main(["import", str(tmp_path / "theirs"), str(tmp_path / "ours")]) == 0
    assert "holds no tokenizer.json" in capsys.readouterr().err
    assert cli.main(["export", str(tmp_path / "ours"), str(tmp_path / "out"), "--experts", experts]) == 0
    back = transformers.DeepseekV3ForCausalLM.from_pretrained(tmp_path / "out").eval()
    ours = Transformer.from_pretrained(tmp_path / "ours").eval()
    ids = torch.randint(0, 300, (2, 20))
    with torch.no_grad():
        want, got, again = theirs(ids).logits, ours(ids), back(ids).logits
    assert again.equal(want)
    assert (got - want).norm() <= 1e-5 * want.norm()


# -- as a person uses it: in a process of its own ----------------------------------------------------------------------


@pytest.mark.slow
def test_echo_into_chat(finished):
    done = subprocess.run(
        [sys.executable, "-m", "minids.cli", "chat", str(finished), "--max-new-tokens", "8"],
        input="347+5896\n",
        capture_output=True,
        text=True,
        timeout=120,
        encoding="utf-8",
    )
    assert done.returncode == 0 and done.stdout.strip() and "\x1b" not in done.stdout and not done.stderr


@pytest.mark.slow
def test_a_reader_that_leaves_is_no_error(finished):
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as gone:
        done = subprocess.run(
            [sys.executable, "-m", "minids.cli", "cost"],
            stdout=gone,
            stderr=subprocess.PIPE,
            text=True,
            timeout=120,
            encoding="utf-8",
        )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
def test_a_terminal_without_utf8(finished, tmp_path):
    env = {**os.environ, "PYTHONIOENCODING": "ascii"}
    (tmp_path / "p.jsonl").write_text('{"question": "2+2", "answer": "4"}', encoding="utf-8")
    done = minids("eval", finished, "--problems", tmp_path / "p.jsonl", "--json", env=env)
    assert done.returncode == 0 and json.loads(done.stdout)


def test_a_defect_keeps_its_traceback(monkeypatch, capsys):
    from minids.run import cost

    monkeypatch.setattr(cost, "describe", lambda name: 1 / 0)
    assert cli.main(["cost"]) == 1
    err = capsys.readouterr().err
    assert "ZeroDivisionError" in err and "Traceback" in err and "defect of minids" in err
