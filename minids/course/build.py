"""chapters/src/NN_name.py -> chapters/NN_name.ipynb (exercises blank) and solutions/NN_name.ipynb (filled in).

    minids dev build                  write and run every notebook whose source changed
    minids dev build 03 04 --force    these chapters, changed or not
    minids dev build --check          write nothing; exit 1 if a notebook is not what its source says
    minids dev build --rerun          write nothing; run them; exit 1 if an exact text came out otherwise

(`python -m minids.course.build` is the same.)

A source is a jupytext py:percent file. A cell headed `exercise="attention.attend" points=2` becomes two: the
function (blank, or the library's own) and its check. A cell headed `clock` measures time: its output is kept from the
notebook that is there, so that a rebuild of the same code gives the same bytes. A cell that begins with
`# NBVAL_CHECK_OUTPUT` prints text that is the same on every machine. Ids are hashes of the cells' texts, so a new cell
leaves the others' as they are.
"""

import argparse
import hashlib
import os
import re
import sys
import tempfile
from collections import Counter

import jupytext
import nbformat
from nbformat.v4 import new_code_cell

from minids import files
from minids.course import catalog
from minids.errors import MinidsError
from minids.progress import Progress, console

FOLDERS = {"chapters": False, "solutions": True}  # folder -> whether exercises are filled in
TIMEOUT = 300  # seconds a cell
EXACT = "# NBVAL_CHECK_OUTPUT"
_MEASURE = (
    "import resource as _r\n"
    "_a = [_r.getrusage(w) for w in (_r.RUSAGE_SELF, _r.RUSAGE_CHILDREN)]\n"
    "print(sum(u.ru_utime + u.ru_stime for u in _a), max(u.ru_maxrss for u in _a))"
)


def notebook_of(source, filled):
    """The notebook of a source file, without outputs: the same on every machine."""
    notebook, cells = jupytext.read(source), []
    for cell in notebook.cells:
        values = dict(cell.metadata)
        cell.metadata = nbformat.from_dict({})
        if "exercise" in values:
            cells += exercise_cells(catalog.exercise(values["exercise"]), filled)
            continue
        if values.get("title") == "clock":
            cell.metadata["minids"] = {"clock": True}
        cells.append(cell)
    seen = Counter()
    for cell in cells:
        digest = hashlib.sha256(cell.source.encode()).hexdigest()[:8]
        seen[digest] += 1
        cell.id = digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    notebook.cells = cells
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    notebook.metadata = nbformat.from_dict({"kernelspec": kernel, "language_info": {"name": "python"}})
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def exercise_cells(found, filled):
    """The cell that a student writes in, and the cell that checks it."""
    text = catalog.cell(found, filled)
    note = {"exercise": found.name, "points": found.points, "minutes": found.minutes, "difficulty": found.difficulty}
    return [
        new_code_cell(text.rstrip(), metadata={"minids": note}),
        new_code_cell(f'check("{found.name}", {found.function})', metadata={"minids": {"check": found.name}}),
    ]


def texts(notebook):
    """What a rebuild would have to change."""
    return [(c.id, c.cell_type, c.source, c.metadata.get("minids")) for c in notebook.cells]


def read(path):
    """A notebook that may be missing or damaged -> it, or None."""
    try:
        notebook = nbformat.read(path, 4)
        nbformat.validate(notebook)
    except Exception:  # nbformat meets what it did not expect in many ways
        return None
    return notebook


def run(notebook, folder, name):
    """Runs a notebook in a fresh kernel, with an empty mine/, and leaves its outputs in it.

    Returns (CPU seconds, bytes of memory at its peak). Raises MinidsError that names the cell that failed.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError

    measure = new_code_cell(_MEASURE)
    notebook.cells.append(measure)
    with tempfile.TemporaryDirectory() as mine:
        env = os.environ | {
            "MINIDS_MINE": mine,
            "MINIDS_STATIC": "1",
            "OMP_NUM_THREADS": "1",
            "PYTHONHASHSEED": "0",
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
            "MINIDS_QUICK": "",
        }
        client = NotebookClient(
            notebook, timeout=TIMEOUT, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
        )
        try:
            client.execute(env=env)
        except (CellExecutionError, CellTimeoutError) as error:
            bad = next((i for i, c in enumerate(notebook.cells) if _failed(c)), None)
            said = re.sub(r"\x1b\[[0-9;]*m", "", str(error)).strip()
            raise MinidsError(f"{name}, cell {bad}: {said[-1500:]}") from None
        finally:
            notebook.cells.pop()
    seconds, peak = "".join(o.text for o in measure.outputs if o.output_type == "stream").split()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = _settled(cell.outputs)
    notebook.metadata["language_info"] = nbformat.from_dict({"name": "python"})
    return float(seconds), int(peak) * (1 if sys.platform == "darwin" else 1024)


def _failed(cell):
    return any(o.output_type == "error" for o in cell.get("outputs", []))


def _settled(outputs):
    """Outputs without what changes from run to run: how a stream was cut, addresses, stderr."""
    kept = []
    for output in outputs:
        if output.output_type == "stream":
            if output.name == "stderr":
                continue
            output.text = re.sub(r"0x[0-9a-f]{8,}", "0x…", output.text)
            if kept and kept[-1].output_type == "stream":
                kept[-1].text += output.text
                continue
        kept.append(output)
    return kept


def keep_clocks(notebook, before):
    """Puts the outputs of `clock` cells, which no two runs share, back as they were, unless any code has changed."""
    codes, codes_before = ([c.source for c in nb.cells if c.cell_type == "code"] for nb in (notebook, before))
    if codes != codes_before:
        return  # what a clock measures may come from the cells above it
    old = {c.id: c.outputs for c in before.cells if c.metadata.get("minids", {}).get("clock") and c.outputs}
    for cell in notebook.cells:
        if cell.metadata.get("minids", {}).get("clock") and cell.id in old:
            cell.outputs = old[cell.id]


def exact_texts(notebook):
    """{cell id: text} of the cells whose output must be the same everywhere."""
    return {
        c.id: "".join(o.get("text", "") for o in c.outputs if o.output_type == "stream")
        for c in notebook.cells
        if c.cell_type == "code" and c.source.startswith(EXACT)
    }


def write(notebook, path):
    """Writes a notebook, whole or not at all."""
    files.write(path, nbformat.writes(notebook, version=4) + "\n")


def main(argv=None):
    """`minids dev build`: makes the notebooks of chapters/ and solutions/ from their sources; returns the exit code."""
    console()
    parser = argparse.ArgumentParser(prog="minids dev build", description=__doc__.split("\n\n")[0])
    parser.add_argument("chapters", nargs="*", help="numbers, such as 03; all without")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--check", action="store_true", help="only say which notebooks are not what their sources say")
    how.add_argument("--rerun", action="store_true", help="run without writing; exact texts must come out the same")
    how.add_argument("--force", action="store_true", help="also those whose source did not change")
    asked = parser.parse_args(argv)
    complaints, jobs = [], []
    for source in sorted(catalog.SOURCES.glob("[0-9][0-9]_*.py")):
        if asked.chapters and source.name[:2] not in asked.chapters:
            continue
        for folder, filled in FOLDERS.items():
            path = catalog.ROOT / folder / f"{source.stem}.ipynb"
            notebook, before = notebook_of(source, filled), read(path)
            fresh = before is not None and texts(before) == texts(notebook)
            if asked.check or asked.rerun:
                complaints += [] if fresh else [f"{folder}/{path.name} is not what chapters/src says"]
            if asked.rerun or asked.force or not (asked.check or fresh):
                jobs.append((path, notebook, before))
    with Progress("notebooks", len(jobs), "notebook", quiet=not jobs) as bar:
        for path, notebook, before in jobs:
            name = f"{path.parent.name}/{path.name}"
            path.parent.mkdir(exist_ok=True)
            seconds, peak = run(notebook, path.parent, name)
            if asked.rerun:
                old, new = exact_texts(before) if before else {}, exact_texts(notebook)
                changed = [i for i in new if old.get(i) != new[i]]
                complaints += [f"{name}, cell {i}: an exact text came out otherwise" for i in changed]
            else:
                if before:
                    keep_clocks(notebook, before)
                write(notebook, path)
            print(f"{name}: {seconds:.0f} CPU-seconds, {peak / 2**30:.1f} GiB", flush=True)
            bar.update(1)
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    if complaints and asked.check:
        print("run: minids dev build", file=sys.stderr)
    return 1 if complaints else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except MinidsError as error:
        sys.exit(f"error: {error}")
