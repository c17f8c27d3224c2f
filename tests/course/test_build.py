"""From chapters/src to notebooks: blank and filled, the same bytes every time, drift and changed outputs seen."""

import json

import nbformat
import pytest

from minids.course import build, catalog, judge
from minids.errors import MinidsError

SOURCE = """# %% [markdown]
# # 01 A chapter
# Text.

# %%
import random
from minids.course import check, start
from minids.model import layers
start(1)

# %% exercise="layers.swiglu" points=2 minutes=5 difficulty=1
from minids.model.layers import swiglu

# %%
# NBVAL_CHECK_OUTPUT
print(6 * 7)

# %% clock
import time
print(time.time_ns())
"""


@pytest.fixture
def course(tmp_path, monkeypatch):
    monkeypatch.setattr(catalog, "ROOT", tmp_path)
    monkeypatch.setattr(catalog, "SOURCES", tmp_path / "chapters" / "src")
    (tmp_path / "chapters" / "src").mkdir(parents=True)
    source = tmp_path / "chapters" / "src" / "01_a.py"
    source.write_text(SOURCE, encoding="utf-8")
    return source


def test_an_exercise_becomes_two_cells_blank_or_filled(course):
    blank, filled = (build.notebook_of(course, f) for f in (False, True))
    assert [c.source for c in blank.cells if "check(" in c.source] == ['check("layers.swiglu", swiglu)']
    sources = [next(c.source for c in n.cells if "def swiglu" in c.source) for n in (blank, filled)]
    assert sources[0].endswith("raise NotImplementedError")
    assert sources[0].startswith("import torch\n")
    assert judge.is_library(judge.find(judge.definitions(sources[1]), "swiglu"), "layers.swiglu")
    note = next(c.metadata.minids for c in blank.cells if c.metadata.get("minids", {}).get("exercise"))
    assert note == {"exercise": "layers.swiglu", "points": 2, "minutes": 5, "difficulty": 1}
    nbformat.validate(blank)


def test_a_new_cell_leaves_the_other_ids_as_they_are(course):
    before = [c.id for c in build.notebook_of(course, False).cells]
    course.write_text(SOURCE.replace("# %%\n# NBVAL", "# %%\nprint('new')\n\n# %%\n# NBVAL"), encoding="utf-8")
    after = [c.id for c in build.notebook_of(course, False).cells]
    assert len(set(after)) == len(after) == len(before) + 1 and [i for i in after if i in before] == before


def test_a_clock_is_kept_until_code_changes(course):
    def built(text):
        course.write_text(text, encoding="utf-8")
        return build.notebook_of(course, True)

    def clock(notebook):
        return next(c for c in notebook.cells if c.metadata.get("minids", {}).get("clock"))

    before = built(SOURCE)
    clock(before).outputs = [nbformat.v4.new_output("stream", text="then")]
    same, prose, code = built(SOURCE), built(SOURCE.replace("Text.", "Tent.")), built(SOURCE.replace("6 * 7", "7 * 6"))
    for notebook in (same, prose, code):
        build.keep_clocks(notebook, before)
    assert clock(same).outputs == clock(prose).outputs == clock(before).outputs and clock(code).outputs == []


@pytest.mark.slow
def test_built_twice_it_is_the_same_bytes_and_drift_is_seen(course, tmp_path, capsys):
    assert build.main([]) == 0
    paths = [tmp_path / f / "01_a.ipynb" for f in build.FOLDERS]
    first = [p.read_bytes() for p in paths]
    outputs = [
        "".join("".join(o.get("text", [])) for c in json.loads(b)["cells"] for o in c.get("outputs", [])) for b in first
    ]
    assert "○ layers.swiglu" in outputs[0] and "✓ layers.swiglu" in outputs[1]
    assert all("42" in o and "Error" not in o for o in outputs)
    assert build.main(["--force"]) == 0  # the clock went on, the bytes did not
    assert [p.read_bytes() for p in paths] == first
    assert build.main(["--check"]) == 0
    paths[0].write_bytes(first[0].replace(b"Text.", b"Tent."))
    assert build.main(["--check"]) == 1
    assert "chapters/01_a.ipynb is not what chapters/src says" in capsys.readouterr().err
    paths[0].write_bytes(first[0].replace(b'"42\\n"', b'"43\\n"'))
    assert build.main(["--check"]) == 0 and build.main(["--rerun"]) == 1
    assert "an exact text came out otherwise" in capsys.readouterr().err


@pytest.mark.slow
def test_a_cell_that_fails_is_named_and_nothing_is_written(course, tmp_path):
    course.write_text(SOURCE + "\n# %%\nraise ValueError('not today')\n", encoding="utf-8")
    with pytest.raises(MinidsError, match=r"(?s)chapters/01_a.ipynb, cell 6: .*not today"):
        build.main([])
    assert not (tmp_path / "chapters" / "01_a.ipynb").exists()


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"cells": 3}', b'{"nbformat": 4, "cells": [{}]}'])
def test_a_damaged_notebook_counts_as_missing(tmp_path, damage):
    (tmp_path / "x.ipynb").write_bytes(damage)
    found = build.read(tmp_path / "x.ipynb")
    assert found is None or isinstance(found, nbformat.NotebookNode)
