"""Kills `minids grade` and its processes at several moments. `python tests/faults/kills.py` prints the table.

Six students send a right answer that takes its time. Whatever is killed, all of them have their points in the end, a
row that was written stays, no process and no folder is left, and what was graded twice is noted.
"""

import csv
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from minids.course.grading import grade, sandbox

NAME = "layers.swiglu"
ANSWER = """import time
import torch
def swiglu(gate, up):
    time.sleep(0.02)
    return torch.nn.functional.silu(gate) * up
"""
STUDENTS = 6
LIMITS = sandbox.Limits(cpu=2, call=5, total=20, whole=8)


def class_of(folder, text=ANSWER, count=STUDENTS):
    """A folder of submissions."""
    (folder / "sent").mkdir(parents=True)
    for i in range(count):
        (folder / "sent" / f"s{i}.py").write_text(text, encoding="utf-8")
    return folder / "sent"


def rows(path):
    with open(path, newline="", encoding="utf-8-sig") as file:
        return [r for r in csv.DictReader(file) if r["exercise"] == NAME]


def below(pid):
    """All processes below this one, as the system has them."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            parents[int(path.parent.name)] = int(fields[1])
        except OSError:
            continue
    found = [pid]
    for p in found:
        found += [child for child, parent in parents.items() if parent == p]
    return found[1:]


def alive(pids):
    def runs(pid):
        try:
            return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] not in "ZX"
        except OSError:
            return False

    return [p for p in pids if runs(p)]


# -- the grader itself -------------------------------------------------------------------------------------------------


def kill_grader(folder, number, after):
    """Sends a signal to `minids grade` when `after` rows are there -> (what was kept, what went wrong)."""
    sent, table, temporary = class_of(folder), folder / "grades.csv", folder / "tmp"
    temporary.mkdir()
    settings = ["--csv", str(table), "--seed", "3", "--jobs", "1"]
    command = [sys.executable, "-m", "minids.cli", "grade", str(sent), *settings]
    outside = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "env": os.environ | {"TMPDIR": str(temporary)}}
    process = subprocess.Popen(command, text=True, **outside)
    end, wrong = time.monotonic() + 120, []
    while process.poll() is None and time.monotonic() < end:
        if below(process.pid) if after == 0 else table.exists() and len(rows(table)) >= after:
            break
        time.sleep(0.01)
    started = below(process.pid)
    os.kill(process.pid, number)
    said = process.communicate(timeout=60)[0]
    time.sleep(0.5)
    for _ in range(600):  # what is importing torch at that time looks up only when that is done
        if not alive(started) and not list(temporary.iterdir()):
            break
        time.sleep(0.1)
    if left := alive(started):
        wrong.append(f"{len(left)} processes are left")
    if left := [p.name for p in temporary.iterdir()]:
        wrong.append(f"left in the temporary folder: {left}")
    kept = rows(table) if table.exists() and table.stat().st_size else []
    if len(kept) < after:
        wrong.append(f"{len(kept)} rows of {after} are left")
    if any(r["passed"] != r["cases"] for r in kept):
        wrong.append("a row that is not what it should be")
    if number != signal.SIGKILL and process.returncode not in (130, 128 + number, -number):
        wrong.append(f"exit code {process.returncode}: {said[-300:]}")
    grade.grade_files([sent], csv=table, seed=None if after else 3, jobs=1)
    whole = rows(table)
    students = [f"s{i}" for i in range(STUDENTS)]
    if [r["student"] for r in whole] != students or any(r["points"] != r["of"] for r in whole):
        wrong.append("the second run is not whole")
    if Path(f"{table}.partial").exists():
        wrong.append("the journal stays")
    return f"{len(kept)} rows kept, {STUDENTS} after the same command again", wrong


# -- its processes, while it runs --------------------------------------------------------------------------------------


def kill_below(folder, which, times=1):
    """Kills the job, the nursery or the worker while the third answer is graded -> (what was seen, what went wrong)."""
    sent, table, wrong = class_of(folder, count=4), folder / "grades.csv", []
    marks, real, main = folder / "marks", grade.grade_answer, os.getpid()
    marks.mkdir()

    def watched(one, seed, limits=None):
        mine = len(list(marks.iterdir()))
        if one is victim[0] and mine < times:
            (marks / str(mine)).touch()
            if which == "job":
                os.kill(os.getpid(), signal.SIGKILL)
            if which == "job, out of memory":
                return bytearray(1 << 40)
            if which == "job, hanging":
                time.sleep(60)
            if which == "slow machine":
                one.why, one.points = "stopped: it took more than 30 seconds", 0.0
                return "it took more than 30 seconds by the clock"
            nursery = sandbox.nursery_here().process.pid
            before = below(nursery)
            if os.fork() == 0:
                os.closerange(3, 4096)  # the job's pipe among them
                while len(found := below(nursery)) <= len(before):
                    time.sleep(0.001)
                os.kill(found[-1] if which == "worker" else nursery, signal.SIGKILL)
                os._exit(0)
        return real(one, seed, limits)

    victim, collect = [], grade.submissions.collect

    def collected(*args):
        found = collect(*args)
        victim.append(next(g for g in found[2].grades if g.source is not None))
        return found

    grade.grade_answer, grade.submissions.collect = watched, collected
    try:
        grade.grade_files([sent], csv=table, seed=3, jobs=1, limits=LIMITS)
    finally:
        grade.grade_answer, grade.submissions.collect = real, collect
    assert os.getpid() == main
    whole = rows(table)
    for i, r in enumerate(whole):
        right, noted = r["points"] == r["of"], bool(r["note"])
        if right != (i != 2 or times < 2) or noted != (i == 2):
            wrong.append(f"s{i}: {r['points']} points, note {r['note']!r}")
    if len(whole) != 4:
        wrong.append(f"{len(whole)} rows")
    return whole[2]["note"], wrong


KILLS = {
    "the grader, SIGKILL, when the nursery starts": (kill_grader, signal.SIGKILL, 0),
    "the grader, SIGKILL, after 3 rows": (kill_grader, signal.SIGKILL, 3),
    "the grader, SIGTERM, after 3 rows": (kill_grader, signal.SIGTERM, 3),
    "the grader, SIGINT, after 4 rows": (kill_grader, signal.SIGINT, 4),
    "the job, SIGKILL": (kill_below, "job"),
    "the job, SIGKILL, twice": (kill_below, "job", 2),
    "the job, out of memory": (kill_below, "job, out of memory"),
    "the job, hanging": (kill_below, "job, hanging"),
    "the nursery, SIGKILL": (kill_below, "nursery"),
    "the worker, SIGKILL": (kill_below, "worker"),
    "a machine that stood still": (kill_below, "slow machine"),
}


def main():
    failed = 0
    for name, (kill, *how) in KILLS.items():
        if not all(word in name for word in sys.argv[1:]):
            continue
        with tempfile.TemporaryDirectory() as folder:
            start, out = time.monotonic(), sys.stdout
            with open(os.devnull, "w", encoding="utf-8") as sys.stdout:
                seen, wrong = kill(Path(folder), *how)
            sys.stdout = out
        failed += bool(wrong)
        state = "NOT HELD" if wrong else "held"
        print(f"{state:8}  {name:46} {time.monotonic() - start:5.1f} s  {'; '.join(wrong) or seen}", flush=True)
    print(f"\n{len(KILLS) - failed} of {len(KILLS)} held")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
