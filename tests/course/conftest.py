import linecache

import pytest

from minids.course import answers, exercises


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    """Every test has an empty mine/, and the library its own functions back afterwards."""
    monkeypatch.setenv("MINIDS_MINE", str(tmp_path / "mine"))
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    monkeypatch.chdir(tmp_path)
    yield
    answers.uninstall()


_count = 0


@pytest.fixture
def cell():
    """cell(name, source): runs a cell as a notebook would, and returns the exercise's function."""

    def run(name, source, **space):
        global _count
        _count += 1
        filename = f"<cell {_count}>"
        linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
        exec(compile(source, filename, "exec"), space)
        return space[exercises.PLACES[name].function]

    return run
