"""Users' mistakes and a machine's misfortunes: one message that says what, where and what to do; exit code 2; no
traceback; nothing lost."""

import errno
import json
import os
import resource
import shutil
import signal
import struct
import subprocess
import sys
import time

import pytest
from mini import assert_same_run

from minids import Tokenizer, cli


def refused(capsys, *arguments, code=2):
    """Runs a command that must fail, and returns its one message."""
    capsys.readouterr()
    assert cli.main([str(a) for a in arguments]) == code
    return one_message(capsys.readouterr().err)


def one_message(err):
    assert "Traceback" not in err, err
    lines = [line for line in err.splitlines() if line.startswith("minids: ") and not line.startswith("minids: note:")]
    assert len(lines) == 1, err
    return lines[0]


@pytest.fixture
def model(finished, tmp_path):
    """A copy of a finished run's model, to be damaged."""
    shutil.copytree(finished / "model", tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture
def one_problem(tmp_path):
    path = tmp_path / "one.jsonl"
    path.write_text('{"question": "2+2", "answer": "4"}\n', encoding="utf-8")
    return path


def change_config(folder, **values):
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **values}), encoding="utf-8")


# -- models ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("keep", [0, 3, 8, 100, 0.5, 0.999])
def test_truncated_weights(model, one_problem, capsys, keep):
    path = model / "model.safetensors"
    data = path.read_bytes()
    path.write_bytes(data[: keep if isinstance(keep, int) else int(keep * len(data))])
    assert str(path) in refused(capsys, "eval", model, "--problems", one_problem)


@pytest.mark.parametrize(
    "data",
    [
        b"\x80\x04garbage" * 100,
        struct.pack("<Q", 2**60) + b"{}",
        struct.pack("<Q", 2) + b"[]",
        struct.pack("<Q", 2) + b"{}",
        b"version https://git-lfs" + b"x" * 80,
    ],
)
def test_weights_that_are_something_else(model, one_problem, capsys, data):
    (model / "model.safetensors").write_bytes(data)
    assert "model.safetensors" in refused(capsys, "eval", model, "--problems", one_problem)


@pytest.mark.parametrize(
    "key,value,named",
    [
        ("hidden_size", 64, "shape"),
        ("num_hidden_layers", 3, "missing"),
        ("num_hidden_layers", 1, "num_hidden_layers"),
        ("vocab_size", 299, "shape"),
        ("n_routed_experts", 8, "asks for [8, 32]"),
        ("hiden_size", 32, "Did you mean 'hidden_size'"),
        ("kv_lora_rank", "16", "kv_lora_rank"),
        ("num_experts_per_tok", 9, "num_experts_per_tok"),
        ("model_type", "llama", "model_type"),
        ("rope_scaling", {"type": "linear"}, "rope_scaling"),
    ],
)
def test_config_that_does_not_fit_or_cannot_be(model, one_problem, capsys, key, value, named):
    change_config(model, **{key: value})
    assert named in refused(capsys, "eval", model, "--problems", one_problem)


@pytest.mark.parametrize(
    "name,text",
    [
        ("config.json", "{"),
        ("config.json", "[1]"),
        ("config.json", "\x00"),
        ("tokenizer.json", "{"),
        ("tokenizer.json", '{"model": 3}'),
        ("minids.json", "{"),
        ("minids.json", "[]"),
        ("minids.json", '{"families": [[]]}'),
    ],
)
def test_damaged_files_beside_the_weights(model, one_problem, capsys, name, text):
    (model / name).write_text(text, encoding="utf-8")
    assert str(model / name) in refused(capsys, "eval", model, "--problems", one_problem)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_missing_files(model, one_problem, capsys, name):
    (model / name).unlink()
    assert name in refused(capsys, "chat", model)


def test_a_tokenizer_that_does_not_fit(model, one_problem, capsys):
    other = Tokenizer.train(["other words than those of the run " * 3], 280)
    other.save_pretrained(model)
    assert "fingerprint" in refused(capsys, "eval", model, "--problems", one_problem)
    config = json.loads((model / "config.json").read_text(encoding="utf-8"))
    config.pop("tokenizer_fingerprint")
    (model / "config.json").write_text(json.dumps(config), encoding="utf-8")
    Tokenizer.train(["".join(chr(97 + i % 26) * (i // 26) for i in range(2000))], 400).save_pretrained(model)
    assert "vocab_size is 300" in refused(capsys, "eval", model, "--problems", one_problem)
    assert "vocab_size is 300" in refused(capsys, "import", model, model.parent / "new")


def test_folders(tmp_path, one_problem, capsys):
    assert "no such folder" in refused(capsys, "chat", tmp_path / "none")
    assert "no such folder" in refused(capsys, "chat", one_problem)
    assert "neither a run nor a model" in refused(capsys, "eval", tmp_path)
    assert "results.json" in refused(capsys, "report", tmp_path)
    assert "no such folder" in refused(capsys, "import", tmp_path / "none", tmp_path / "out")
    assert "no such folder" in refused(capsys, "export", tmp_path / "none", tmp_path / "out")


def test_devices_that_are_not_there(recipe, tmp_path, capsys):
    import torch

    for name, there in (("cuda", torch.cuda.is_available()), ("mps", torch.backends.mps.is_available())):
        if not there:
            assert "no such device" in refused(capsys, "run", recipe, "--out", tmp_path / "x", "--device", name)
    assert not (tmp_path / "x").exists()


# -- recipes -----------------------------------------------------------------------------------------------------------


def test_unknown_recipes(tmp_path, capsys):
    assert "Did you mean 'tiny'" in refused(capsys, "run", "tiy")
    assert "not found" in refused(capsys, "run", tmp_path / "mine.toml")
    for i, text in enumerate(["name = ", "name = 'x'", "extends = 'nobody'", "extends = 3", "\udcff"]):
        path = tmp_path / f"r{i}.toml"
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        assert "recipe" in refused(capsys, "run", path) or str(path) in refused(capsys, "run", path)
    loop = tmp_path / "loop.toml"
    loop.write_text(f"extends = {json.dumps(str(loop))}", encoding="utf-8")
    assert "extends" in refused(capsys, "run", loop)
    assert "recipe" in refused(capsys, "cost", "v4")


@pytest.mark.parametrize(
    "change,named",
    [
        ("model.hiden_size=64", "Did you mean 'hidden_size'"),
        ("pretrain.stepz=5", "Did you mean 'steps'"),
        ("grpo.grup=4", "Did you mean 'num_generations'"),
        ("grp.x=1", "Did you mean 'grpo'"),
        ("zzz.x=1", "no section 'zzz'"),
        ("grpo", "section.key=value"),
        ("nonsense=1", "'nonsense'"),
        ("model.qk_rope_head_dim=7", "even"),
        ("model.n_routed_experts=-2", "n_routed_experts"),
        ("model.num_experts_per_tok=99", "num_experts_per_tok"),
        ("model.hidden_size=many", "hidden_size"),
        ("pretrain.lr=-1", "lr"),
        ("pretrain.lr=fast", "lr"),
        ("pretrain.steps=1.5", "steps"),
        ("pretrain.schedule=magic", "schedule"),
        ("pretrain.tokens_per_batch=0", "tokens_per_batch"),
        ("pretrain.documents=0", "documents"),
        ("pretrain.styles={}", "styles"),
        ('pretrain.styles={"slow":1}', "slow"),
        ("pretrain.styles=3", "styles"),
        ("pretrain.fact_share=2", "fact_share"),
        ("pretrain.prompt_weight=-1", "prompt_weight"),
        ("grpo.num_generations=1", "num_generations"),
        ("grpo.temperature=0", "temperature"),
        ("grpo.temperature=1e-40", "temperature"),
        ("grpo.temperature=nan", "temperature"),
        ("grpo.temperature=inf", "temperature"),
        ("grpo.top_p=true", "top_p"),
        ("grpo.top_k=1.5", "top_k"),
        ("grpo.top_p=nan", "top_p"),
        ("eval.samples=100000", "samples"),
        ("model.num_hidden_layers=1000000000", "num_hidden_layers"),
        ("model.hidden_size=100000000000", "parameters"),
        ("grpo.clip=tight", "clip"),
        ("grpo.loss_aggregation=sum", "loss_aggregation"),
        ("grpo.max_new_tokens=9999", "max_new_tokens"),
        ("grpo.template=rhyme", "template"),
        ('grpo.reward={"luck":1}', "luck"),
        ("grpo.top_p=0", "top_p"),
        ("grpo.max_batch=0", "max_batch"),
        ("eval.problems=0", "problems"),
        ("eval.samples=-3", "samples"),
        ("eval.problems=1000000", "problems"),
        ("tokenizer.vocab_size=100", "vocab_size"),
        ("tokenizer.digits=roman", "digits"),
        ('families=["poetry"]', "poetry"),
        ("families=[]", "families"),
        ("families=add", "families"),
        ("rl_from=middle", "rl_from"),
        ("model=3", "model"),
        ("eval.seed=x", "seed"),
        ("pretrain.save_every=-1", "save_every"),
        ("grpo.save_every=-1", "save_every"),
    ],
)
def test_impossible_recipes_are_refused_before_anything_is_written(recipe, tmp_path, capsys, change, named):
    out = tmp_path / "out"
    assert named in refused(capsys, "run", recipe, "--out", out, "--workers", 1, "--set", change)
    assert not out.exists()


def test_a_learning_rate_that_explodes(recipe, tmp_path, capsys):
    out = tmp_path / "out"
    message = refused(capsys, "run", recipe, "--out", out, "--workers", 1, "--set", "pretrain.lr=1e30")
    assert "pretrain step" in message and "Lower lr" in message and "not changed" in message


# -- folders of runs ---------------------------------------------------------------------------------------------------


def test_a_folder_that_holds_a_run_is_not_overwritten(finished, recipe, capsys):
    before = (finished / "results.json").read_bytes()
    assert "already holds a run" in refused(capsys, "run", recipe, "--out", finished, "--workers", 1)
    message = refused(capsys, "run", recipe, "--out", finished, "--workers", 1, "--resume", "--seed", 5)
    assert "seed was 0, is 5" in message
    message = refused(capsys, "run", recipe, "--out", finished, "--workers", 1, "--resume", "--set", "sft.lr=0.1")
    assert "the recipe is another" in message and (finished / "results.json").read_bytes() == before


@pytest.mark.parametrize(
    "name", ["recipe.json", "results.json", "tokenizer/tokenizer.json", "corpus.safetensors", "metrics.jsonl"]
)
def test_a_damaged_run_is_not_resumed_in_silence(finished, recipe, tmp_path, capsys, name):
    out = tmp_path / "out"
    shutil.copytree(finished, out)
    results = json.loads((out / "results.json").read_text(encoding="utf-8"))
    results["stages"] = results["stages"][:1]  # as if cut off in pretraining
    (out / "results.json").write_text(json.dumps(results), encoding="utf-8")
    (out / ".checksums.json").unlink()
    (out / name).write_text("{not json\n{neither\n", encoding="utf-8")
    assert name in refused(capsys, "run", recipe, "--out", out, "--workers", 1, "--resume")


def test_damaged_checkpoints(recipe, finished, tmp_path, capsys):
    """The newest is damaged: the one before it is taken, and the run ends as if nothing had been.
    All are: a message."""
    out = tmp_path / "out"
    shutil.copytree(finished, out)
    results = json.loads((out / "results.json").read_text(encoding="utf-8"))
    results["stages"] = results["stages"][:1]
    (out / "results.json").write_text(json.dumps(results), encoding="utf-8")
    (out / ".checksums.json").unlink()
    paths = sorted((out / "checkpoints" / "pretrain").glob("step-*"))
    assert len(paths) == 2
    (paths[-1] / "tensors.safetensors").write_bytes(b"")
    for stage in ("sft", "grpo"):
        shutil.rmtree(out / "checkpoints" / stage)
    assert cli.main(["run", recipe, "--out", str(out), "--workers", "1", "--resume"]) == 0
    assert "minids: note:" in capsys.readouterr().err
    assert_same_run(finished, out)
    (out / "results.json").write_text(json.dumps(results), encoding="utf-8")
    (out / ".checksums.json").unlink()
    for path in (out / "checkpoints" / "pretrain").glob("step-*"):
        (path / "state.json").write_text("{", encoding="utf-8")
    assert "damaged" in refused(capsys, "run", recipe, "--out", out, "--workers", 1, "--resume")


def test_a_path_that_cannot_be_a_folder(recipe, one_problem, finished, capsys):
    assert str(one_problem) in refused(capsys, "run", recipe, "--out", one_problem, "--workers", 1)
    assert str(one_problem) in refused(capsys, "run", recipe, "--out", one_problem / "x", "--workers", 1)
    assert str(one_problem) in refused(capsys, "export", finished, one_problem / "x")
    assert "long" in refused(capsys, "run", recipe, "--out", "x" * 5000, "--workers", 1)


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES, errno.ENOSPC, errno.EDQUOT])
def test_a_folder_that_cannot_be_written(recipe, finished, tmp_path, monkeypatch, capsys, code):
    def no(*args, **kwargs):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("pathlib.Path.mkdir", no)
    out = tmp_path / "out"
    for command in (["run", recipe, "--out", out, "--workers", 1], ["export", finished, out]):
        assert os.strerror(code) in refused(capsys, *command)
    monkeypatch.undo()
    monkeypatch.setattr("minids.run.cost.describe", no)  # wherever it comes up
    assert os.strerror(code) in refused(capsys, "cost")


@pytest.mark.slow
def test_a_disk_that_is_full_when_a_checkpoint_is_forced_to_it(recipe, finished, tmp_path, monkeypatch, capsys):
    def full(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    out = tmp_path / "out"
    assert cli.main(["run", recipe, "--out", str(out), "--workers", "1", "--until", "tokenizer"]) == 0
    monkeypatch.setattr(os, "fsync", full)
    message = refused(capsys, "run", recipe, "--out", out, "--workers", 1, "--resume")
    assert "No space left" in message and "--resume" in message
    monkeypatch.undo()
    assert cli.main(["run", recipe, "--out", str(out), "--workers", "1", "--resume"]) == 0
    assert_same_run(finished, out)


LIMITED = (
    "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)),) * 2)\n"
    "from minids import cli; sys.exit(cli.main(sys.argv[1:]))"
)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="this system has no limit on file sizes")
@pytest.mark.parametrize("limit", [100, 6000, 60_000, 120_000, 300_000])
def test_no_file_may_grow_any_more(recipe, finished, tmp_path, limit):
    """A limit on file sizes stands for a full disk: each one stops the run at another file.
    Then there is room again."""
    out = tmp_path / "out"
    command = [sys.executable, "-c", LIMITED, str(limit), "run", recipe, "--out", str(out), "--workers", "1"]
    done = subprocess.run(command, capture_output=True, timeout=120, encoding="utf-8")
    assert done.returncode == 2, done.stderr
    one_message(done.stderr)
    assert cli.main(["run", recipe, "--out", str(out), "--workers", "1", "--resume"]) == 0
    assert_same_run(finished, out)


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
def test_output_that_cannot_be_written():
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run(
            [sys.executable, "-m", "minids.cli", "cost"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
    assert done.returncode == 2 and "No space left" in one_message(done.stderr)


# -- Ctrl-C ------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("stage", ["pretrain", "grpo"])
def test_ctrl_c_saves_and_resume_goes_on(longer, tmp_path, workers, stage):
    recipe, whole = longer(workers)
    cut = tmp_path / "cut"
    common = ["run", recipe, "--workers", str(workers), "--out", str(cut)]
    command = [sys.executable, "-m", "minids.cli", *common]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8") as job:
        while f'"stage": "{stage}"' not in _read(cut / "metrics.jsonl") and job.poll() is None:
            time.sleep(0.01)
        job.send_signal(signal.SIGINT)
        out, err = job.communicate(timeout=120)
    assert job.returncode in (2, 130) and "--resume" in one_message(err)
    assert cli.main([*common, "--resume"]) == 0
    assert_same_run(whole, cut)


def _read(path):
    return path.read_text(encoding="utf-8") if path.exists() else ""


def test_ctrl_c_where_nothing_can_be_saved(recipe, tmp_path, monkeypatch, capsys):
    from minids.eval import evaluate

    def stop(*args, **how):
        raise KeyboardInterrupt

    monkeypatch.setattr(evaluate, "evaluate", stop)
    message = refused(capsys, "run", recipe, "--out", tmp_path / "out", "--workers", 1, code=130)
    assert "stopped" in message and "--resume" in message


# -- problems from outside ---------------------------------------------------------------------------------------------

GOOD = b'{"question": "2+2", "answer": "4"}\n'


@pytest.mark.slow
@pytest.mark.parametrize(
    "line,named",
    [
        (b"{", "not JSON"),
        (b"2+2,4", "not JSON"),
        (b"[]", "question"),
        (b"null", "question"),
        (b"{}", "question"),
        (b'{"question": "2+2"}', "answer"),
        (b'{"question": 4, "answer": "4"}', "question"),
        (b'{"question": "2+2", "answer": 4.0}', "answer"),
        (b'{"question": "2+2", "answer": true}', "answer"),
        (b'{"question": "2+2", "answer": "four"}', "whole number"),
        (b'{"question": "2+2", "answer": ""}', "whole number"),
        (b'{"question": "2+2", "answer": ' + b"9" * 5000 + b"}", "line 2"),
        (b'{"question": "2+2", "answer": NaN}', "answer"),
        (b'{"question": "", "answer": "4"}', "empty"),
        (b'{"question": "2\\u0000+2", "answer": "4"}', "control characters"),
        (b'{"question": "2\x00+2", "answer": "4"}', "not JSON"),
        (b'{"question": "\\ud800", "answer": "4"}', "control characters"),
        (b'{"question": "\xff\xfe", "answer": "4"}', "UTF-8"),
        (b"[" * 50_000, "line 2"),
        (b'{"a":' * 9000, "line 2"),
        (b'{"question": "' + b"1+" * 500_000 + b'1", "answer": "4"}', "longer than"),
        (b'{"question": "' + b"1+" * 400 + b'1", "answer": "401"}', "context of this model is 256"),
        (b"\x00" * 100, "line 2"),
    ],
)
def test_hostile_lines(finished, tmp_path, capsys, line, named):
    path = tmp_path / "p.jsonl"
    path.write_bytes(GOOD + line + b"\n" + GOOD)
    message = refused(capsys, "eval", finished, "--problems", path)
    assert named in message and "line 2" in message


@pytest.mark.parametrize(
    "data,named", [(b"", "holds no problem"), (b"\n\n  \n", "holds no problem"), (None, "no such file")]
)
def test_files_without_problems(finished, tmp_path, capsys, data, named):
    path = tmp_path / "p.jsonl"
    if data is not None:
        path.write_bytes(data)
    assert named in refused(capsys, "eval", finished, "--problems", path)
    assert "not readable" in refused(capsys, "eval", finished, "--problems", tmp_path)


def test_lines_that_are_odd_and_right(finished, tmp_path, capsys):
    path = tmp_path / "p.jsonl"
    path.write_bytes(
        b"\xef\xbb\xbf"
        + GOOD.replace(b"\n", b"\r\n")
        + '{"question": "1\u2028+1", "answer": " -0003"}'.encode()[:-9]
        + b'"-3"}\n'
        + b'{"question": "<answer>4</answer>", "answer": 4, "family": {"a": 1}}'
    )
    assert cli.main(["eval", str(finished), "--problems", str(path), "--json"]) == 0
    answers = json.loads(capsys.readouterr().out)["answers"]
    assert [a["question"] for a in answers] == ["2+2", "1 +1", "<answer>4</answer>"]
