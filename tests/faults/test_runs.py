"""Two runs in one folder, damage to its files: one sentence, or the same run as if nothing had been. Kills are in
test_pipeline.py."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import run_damage as damage
import run_kills as kills
from mini import write_recipe

from minids import MinidsError, cli, files
from minids.report import run_report
from minids.run import run_folder
from minids.run.sums import SUMS, Sums
from minids.train import metrics


@pytest.mark.slow
def test_a_second_run_in_the_folder_is_refused_until_the_first_is_gone(tmp_path, capsys):
    """By kill -9 too: the lock is the system's."""
    recipe, out = write_recipe(tmp_path, steps=4000, fewer=4), tmp_path / "run"
    command = [sys.executable, "-m", "minids.cli", "run", recipe, "--out", str(out), "--workers", "1"]
    first = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 120
        while not (out / "metrics.jsonl").exists() and time.monotonic() < end:
            assert first.poll() is None
            time.sleep(0.1)
        for option in ("--resume", "--redo=sft"):
            assert cli.main(["run", recipe, "--out", str(out), "--workers", "1", option]) == 2
            said = capsys.readouterr().err
            assert len(said.splitlines()) == 1 and "another process is running in this folder" in said, said
            assert f"process {first.pid} on " in said
        assert first.poll() is None
    finally:
        first.kill()
        first.wait()
    with run_folder.locked(out):  # nothing is left of it
        pass


def test_the_lock_of_a_folder(tmp_path):
    with run_folder.locked(tmp_path / "a" / "b"):
        with pytest.raises(MinidsError, match=f"process {os.getpid()} on .*Wait until it ends"):
            with run_folder.locked(tmp_path / "a" / "b"):
                pass
        with run_folder.locked(tmp_path / "c"):  # another folder is free
            pass
    with run_folder.locked(tmp_path / "a" / "b"):
        pass
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(MinidsError, match="cannot be written"):
        with run_folder.locked(tmp_path / "file"):
            pass


def test_a_file_system_without_locks_stops_nobody(tmp_path, monkeypatch):
    if run_folder.fcntl is None:
        pytest.skip("needs fcntl")

    def none(*args):
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(run_folder.fcntl, "flock", none)
    with run_folder.locked(tmp_path), run_folder.locked(tmp_path):
        pass


def test_a_flipped_bit_in_the_checksums_themselves_is_noticed(tmp_path):
    (tmp_path / "state.json").write_text("{}\n", encoding="utf-8")
    Sums(tmp_path).note(tmp_path / "state.json", "sft")
    path = tmp_path / SUMS
    data = path.read_bytes()
    for at in range(8 * len(data)):
        changed = bytearray(data)
        changed[at // 8] ^= 1 << at % 8
        path.write_bytes(changed)
        with pytest.raises(MinidsError, match="checksums"):
            Sums(tmp_path).check()
    path.write_bytes(data)
    Sums(tmp_path).check()


@pytest.mark.slow
def test_every_damage_is_noticed_when_a_run_goes_on(finished, recipe):
    """One bit, one digit, a lost end or line, bytes of another encoding; each file that a resumed run builds on."""
    rows = list(damage.rows(finished, recipe, places=1, seed=0))
    assert len({name for name, *_ in rows}) > 20
    for name, kind, noticed, of, said in rows:
        assert noticed == of, (name, kind)
        assert (
            not of
            or Path(name).name.removeprefix(".").removesuffix(".crc") in said
            or name == ".checksums.json"
            or name == "recipe.json"
        ), (name, kind, said)


def test_a_stage_whose_model_is_damaged_is_done_again(finished, recipe, tmp_path, capsys):
    out = tmp_path / "run"
    shutil.copytree(finished, out)
    path = out / "model" / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[-3] ^= 4
    path.write_bytes(data)
    assert cli.main(["run", recipe, "--out", str(out), "--workers", "1", "--resume"]) == 2
    said = capsys.readouterr().err
    assert str(path) in said and "--redo grpo" in said and ".checksums.json" in said
    assert cli.main(["run", recipe, "--out", str(out), "--workers", "1", "--redo", "grpo"]) == 0
    assert kills.same(finished, out)


def test_a_change_that_is_meant_and_a_run_of_an_earlier_version(finished, recipe, tmp_path):
    out = tmp_path / "run"
    shutil.copytree(finished, out)
    for name in (".checksums.json", ".metrics.jsonl.crc", ".lock"):
        (out / name).unlink()
    assert cli.main(["run", recipe, "--out", str(out), "--workers", "1", "--resume"]) == 0


def test_a_kill_between_two_writes_is_no_damage(tmp_path, monkeypatch):
    """The sums are written before the file, and hold both what it was and what it will be."""
    sums = Sums(tmp_path)
    sums.write("results.json", "one")
    monkeypatch.setattr(
        files, "write", lambda path, data, real=files.write: real(path, data) if path.name == SUMS else None
    )
    sums.write("results.json", "two")
    monkeypatch.undo()
    Sums(tmp_path).check()
    (tmp_path / "results.json").write_text("two", encoding="utf-8")
    Sums(tmp_path).check()
    (tmp_path / "results.json").write_text("three", encoding="utf-8")
    with pytest.raises(MinidsError, match="results.json: damaged, changed or missing"):
        Sums(tmp_path).check()


BROKEN = [
    b"{}",
    b"[]",
    b"3",
    b"null",
    b"",
    b"{",
    b"\xff\xfe",
    b"[" * 100_000,
    b'{"stages": 1, "evals": []}',
    b'{"recipe": "tiny", "seed": 0, "stages": [], "evals": []}',
]


def variants(good):
    """results.json with one part missing, or of another kind, at every place that is read."""
    for key in ("recipe", "seed", "seconds", "peak_bytes", "stages", "evals", "examples", "versions", "hardware"):
        yield {k: v for k, v in good.items() if k != key}
        for value in (None, [1], {"a": 1}, "x", True):
            if type(value) is not type(good[key]):
                yield {**good, key: value}
    for part, key in (("stages", "name"), ("stages", "seconds"), ("stages", "control"), ("evals", "stage")):
        yield {**good, part: [{**good[part][0], key: []}, *good[part][1:]]}


@pytest.mark.slow
def test_results_of_another_kind_are_named(finished, recipe, tmp_path, capsys):
    """By resume, redo, report and the README's table; without the sums, which would have noticed before."""
    out = tmp_path / "run"
    shutil.copytree(finished, out)
    (out / ".checksums.json").unlink()
    good = json.loads((out / "results.json").read_text(encoding="utf-8"))
    contents = BROKEN + [json.dumps(v).encode() for v in variants(good)]
    for content in contents:
        (out / "results.json").write_bytes(content)
        (out / ".checksums.json").unlink(missing_ok=True)
        for option in (["--resume"], ["--redo", "grpo"]):
            assert cli.main(["run", recipe, "--out", str(out), "--workers", "1", *option]) == 2, content[:99]
            said = capsys.readouterr().err
            assert "results.json" in said and len(said.strip().splitlines()) == 1, said
        code = cli.main(["report", str(out)])  # what is missing is left out of a report, if it is a report at all
        said = capsys.readouterr().err
        assert code == 0 or code == 2 and "results.json" in said, said
        docs = tmp_path / "docs" / "results"
        docs.mkdir(parents=True, exist_ok=True)
        (docs / "mini-seed0.json").write_bytes(content)
        (tmp_path / "docs" / "results.md").write_text("<!-- results -->\n<!-- /results -->\n", encoding="utf-8")
        (tmp_path / "README.md").write_text("<!-- table -->\n<!-- /table -->\n", encoding="utf-8")
        code = cli.main(["dev", "readme-tables", "--root", str(tmp_path)])
        said = capsys.readouterr().err
        assert code == 0 or code == 2 and "mini-seed0.json" in said and "Traceback" not in said, (content[:99], said)


TAILS = [b"\xff\xfe\n", b'{"stage": "gr', b"[1]\n", b"\x00" * 50 + b"\n", b"\n\n", b"[" * 99_999]


@pytest.mark.parametrize("tail", TAILS)
def test_metrics_that_are_torn_or_not_utf8(finished, recipe, tmp_path, capsys, tail):
    out = tmp_path / "run"
    shutil.copytree(finished, out)
    with open(out / "metrics.jsonl", "ab") as file:
        file.write(tail)
    assert cli.main(["report", str(out)]) == 0
    capsys.readouterr()
    for _ in range(2):  # with the sums, and without
        code = cli.main(["run", recipe, "--out", str(out), "--workers", "1", "--resume"])
        said = capsys.readouterr().err
        # half a line at the end is what a kill leaves; blank lines say nothing
        assert (code == 0) == (not tail.strip() or not tail.endswith(b"\n")), said
        assert code == 0 or f"{out / 'metrics.jsonl'}, line " in said
        (out / ".metrics.jsonl.crc").unlink(missing_ok=True)
    assert run_report.write(out).exists()


def test_sums_of_metrics(tmp_path):
    path = tmp_path / "metrics.jsonl"
    log = metrics.MetricsLog(path)
    for step in range(1, 6):
        log.write(stage="a", step=step, loss=1.5)
    log.write(stage="b", step=1, loss=0.5)
    assert len(metrics.read(path)) == 6
    log.rewind("a", 3)
    log.rewind("b", 0)
    assert [line["step"] for line in metrics.read(path)] == [1, 2, 3]
    log.write(stage="a", step=4, loss=2.0)
    assert len(metrics.read(path)) == 4
    # a kill after the sum and before the line, or in either
    for sums, line in ((b"0123abcd\n", b""), (b"0123", b""), (b"0123abcd\n", b'{"stage": "a", "st')):
        before = log.sums.read_bytes(), path.read_bytes()
        log.sums.write_bytes(before[0] + sums)
        path.write_bytes(before[1] + line)
        assert len(metrics.read(path)) == 4
        log.rewind("a", 4)
        assert (log.sums.read_bytes(), path.read_bytes()) == before
    path.write_bytes(path.read_bytes().replace(b"1.5", b"1.6", 1))
    with pytest.raises(MinidsError, match="line 1 was changed"):
        log.rewind("a", 2)
    path.unlink()
    with pytest.raises(MinidsError, match="4 lines at its end are missing"):
        metrics.read(path)
