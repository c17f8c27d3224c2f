"""What is killed, damaged or full while `minids grade` works loses one answer at most. The kills are in kills.py."""

import csv
import json
import os
import sys
from pathlib import Path

import kills
import pytest

from minids.course.grading import grade, sandbox, table
from minids.errors import MinidsError

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="the grader needs fork (Linux, macOS)"),
]


@pytest.mark.parametrize("name", [n for n in kills.KILLS if n != "the job, SIGKILL"])  # twice is there
@pytest.mark.skipif(sys.platform != "linux", reason="the processes are found in /proc")
def test_what_is_killed_loses_one_answer_at_most(name, tmp_path):
    kill, *how = kills.KILLS[name]
    seen, wrong = kill(tmp_path, *how)
    assert not wrong, seen


@pytest.mark.parametrize("where", ["--csv a folder", "--csv in a file", "--html a file", "--csv nowhere"])
def test_what_cannot_be_written_is_noticed_before_the_work(tmp_path, monkeypatch, where):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("x", encoding="utf-8")
    to = {
        "--csv a folder": {"csv": tmp_path / "folder"},
        "--csv in a file": {"csv": tmp_path / "file" / "g.csv"},
        "--html a file": {"html": tmp_path / "file"},
        "--csv nowhere": {"csv": tmp_path / "none" / "g.csv"},
    }[where]
    monkeypatch.setattr(grade, "grade_answer", None)
    with pytest.raises(MinidsError, match="cannot be written|no such folder|no pages can be"):
        grade.grade_files([kills.class_of(tmp_path)], **to)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder", "sent"]


def test_a_full_disk_is_one_sentence_and_the_points_are_shown(tmp_path, capsys):
    if not os.path.exists("/dev/full"):
        pytest.skip("there is no /dev/full")
    with pytest.raises(MinidsError, match="/dev/full cannot be written"):
        grade.grade_files([kills.class_of(tmp_path, count=1)], csv="/dev/full", jobs=1)
    assert "s0" in capsys.readouterr().out


def _journal(tmp_path, lines, seed=3):
    path = tmp_path / "grades.csv"
    Path(f"{path}.partial").write_bytes(b"\n".join(lines))
    kept = table.Table(path)
    return kept.resume("this", seed), kept.done


ROW = {"file": "a", "exercise": "b", "source": "c", **dict.fromkeys(table.KEPT, "")}
FIRST, LINE = json.dumps({"what": "this", "seed": 3}).encode(), json.dumps(ROW).encode()


@pytest.mark.parametrize(
    "lines, count",
    [
        ([FIRST, LINE], 1),
        ([FIRST, LINE, LINE[:-9]], 1),
        ([FIRST, b"\xff\x00", b"[1]", b"{}", LINE], 1),
        ([FIRST], 0),
        ([], 0),
        ([b""], 0),
        ([FIRST[:-3]], 0),
        ([b"[]", LINE], 0),
        ([b"null", LINE], 0),
        ([b"\xff", LINE], 0),
        ([FIRST.replace(b"this", b"that"), LINE], 0),
        ([FIRST.replace(b"3", b"4"), LINE], 0),
    ],
)
def test_a_damaged_journal_gives_what_is_whole_of_it(tmp_path, lines, count):
    seed, done = _journal(tmp_path, lines)
    assert seed == 3 and len(done) == count


def test_an_answer_that_has_changed_is_graded_again_and_the_others_are_not(tmp_path, monkeypatch):
    sent, path, asked = kills.class_of(tmp_path, count=3), tmp_path / "grades.csv", []
    real = grade._once

    def once(answers, *settings):
        asked.append([s.student for s, _ in answers])
        for done in real(answers, *settings):
            yield done
            if len(asked) == 1:
                raise KeyboardInterrupt

    monkeypatch.setattr(grade, "_once", once)
    with pytest.raises(KeyboardInterrupt):
        grade.grade_files([sent], csv=path, seed=3, jobs=1)
    assert [r["student"] for r in kills.rows(path)] == ["s0"]
    (sent / "s2.py").write_text("def swiglu(gate, up):\n    return gate\n", encoding="utf-8")
    found = grade.grade_files([sent], csv=path, jobs=1, html=tmp_path / "pages")
    assert [s.points >= 1 for s in found] == [True, True, False]
    assert asked[:2] == [["s0", "s1", "s2"], ["s1", "s2"]]
    with open(path, newline="", encoding="utf-8-sig") as file:
        assert tuple(next(csv.reader(file))) == table.COLUMNS


def test_two_hundred_megabytes_of_results_do_not_stay_in_the_grader(tmp_path):
    """One process decodes what one answer gave, and ends: the grader itself holds none of it."""
    import resource

    text = "import torch\ndef swiglu(gate, up):\n    return torch.zeros(3_900_000)\n"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    grade.grade_files([kills.class_of(tmp_path, text, 2)], jobs=1, limits=sandbox.Limits(whole=60))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown * (1 if sys.platform == "darwin" else 1024) < 100 << 20
