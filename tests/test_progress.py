import io
import sys

import pytest

from minids import progress
from minids.progress import Progress


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test moves."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_plain_lines_go_to_stderr_and_are_few(clock, capsys):
    with Progress("pretrain", 100) as bar:
        for _ in range(100):
            clock[0] += 0.5
            bar.update(1, loss=1.23456789, step="x")
    out, err = capsys.readouterr()
    assert out == ""
    lines = err.splitlines()
    assert len(lines) == 11  # one every 5 s of 50 s, and the last
    assert lines[0] == "pretrain  10/100 steps (10%)  2 steps/s  left 0:45  loss 1.235 step x"
    assert lines[-1] == "pretrain  100/100 steps (100%)  in 0:50  loss 1.235 step x"


def test_a_resumed_run_does_not_count_old_steps_as_speed(clock):
    with Progress("sft", 100, initial=50, quiet=True) as bar:
        clock[0] += 10
        bar.update(5)
        assert bar.line() == "sft  55/100 steps (55%)  2 s/step  left 1:30"
        assert bar.rate == 0.5


def test_quiet_and_empty(capsys):
    with Progress("a", 3, quiet=True) as bar:
        bar.update()
        bar.note("hidden")
    with Progress("b", 0, unit="problem") as bar:
        bar.note("shown")
    out, err = capsys.readouterr()
    assert out == "" and "hidden" not in err and "shown" in err and "b  0/0 problems" in err


def test_hours(clock):
    with Progress("long", 10, quiet=True) as bar:
        clock[0] += 3600
        bar.update()
        assert "1 h" not in bar.line() and "left 9:00:00" in bar.line()


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_live_bar_on_a_terminal(monkeypatch, capsys):
    pytest.importorskip("rich")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(progress, "LIVE_INTERVAL", 0.0)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    with Progress("grpo", 4) as bar:
        for _ in range(4):
            bar.update(1, reward=0.5)
        bar.note("a [line] between")
    text = terminal.getvalue()
    assert "4/4" in text and "reward 0.5" in text and "a [line] between" in text
    assert capsys.readouterr().out == ""


def test_without_rich_a_terminal_gets_plain_lines(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setitem(sys.modules, "rich.console", None)  # makes the import fail
    with Progress("grpo", 1) as bar:
        bar.update(1, reward=0.25)
    assert terminal.getvalue().startswith("grpo  1/1 steps (100%)") and "reward 0.25" in terminal.getvalue()


def test_an_error_inside_still_ends_the_bar(capsys):
    with pytest.raises(ValueError), Progress("x", 3) as bar:
        bar.update()
        raise ValueError
    assert "1/3" in capsys.readouterr().err
