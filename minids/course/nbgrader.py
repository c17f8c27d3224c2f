"""`minids course --nbgrader DIR`: the chapters as assignments of nbgrader, made from the same sources as the notebooks.

    DIR/source/03_mla/03_mla.ipynb    answers between ### BEGIN SOLUTION and ### END SOLUTION, checks as graded tests
    DIR/nbgrader_config.py            `nbgrader generate_assignment 03_mla` clears them; then autograde, export

A check raises under autograding when an answer is blank or fails, and runs the held-out cases too, so a test gives all
of its points or none. nbgrader runs the whole notebook as the user who started it: see sandbox.py for what
`minids grade` does instead. nbgrader is needed to use the folder, not to make it: pip install 'minids[nbgrader]', in an
environment of its own, since it puts an instructor's buttons into JupyterLab.
"""

import nbformat

from minids.course import build, catalog

CONFIG = """# Made by `minids course --nbgrader`. Run nbgrader in this folder.
c = get_config()
c.CourseDirectory.course_id = "minids"
c.ClearSolutions.code_stub = {"python": "raise NotImplementedError"}
c.ClearSolutions.enforce_metadata = False  # a bug to be found is released as it is
c.Execute.timeout = 600  # seconds a cell; nbgrader's own limit is 30
c.ExecutePreprocessor.timeout = 600
c.IgnorePattern.enabled = True
c.IgnorePattern.pattern = ".*"  # a library's warning on stderr costs no points; a failing check raises
"""


def write(folder):
    """Writes every chapter that has exercises, and the configuration, into a folder."""
    for source in sorted(catalog.SOURCES.glob("[0-9][0-9]_*.py")):
        if not catalog.every(source.stem):
            continue
        path = folder / "source" / source.stem / f"{source.stem}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(nbformat.writes(assignment(source), version=4) + "\n", encoding="utf-8", newline="\n")
        print(path)
    (folder / "nbgrader_config.py").write_text(CONFIG, encoding="utf-8", newline="\n")
    print(f"next     cd {folder} && nbgrader generate_assignment {source.stem}")


def assignment(source):
    """The filled notebook of a chapter, marked for nbgrader. A bug hunt keeps its bug: there is nothing to clear."""
    notebook = build.notebook_of(source, filled=True)
    for cell in notebook.cells:
        note = cell.metadata.get("minids", {})
        if "exercise" in note:
            found = catalog.exercise(note["exercise"])
            cell.source = (catalog.cell(found, filled=False) if found.start else marked(found)).rstrip()
            cell.metadata["nbgrader"] = _note(found.name, solution=not found.start)
        elif "check" in note:
            found = catalog.exercise(note["check"])
            cell.metadata["nbgrader"] = _note(f"{found.name}-check", grade=True, locked=True, points=found.points)
    return notebook


def marked(found):
    """A filled cell with the body between nbgrader's marks: cleared, it is the blank one of the chapters."""
    _, body = catalog.parts(catalog.solution(found.name))
    *kept, last = catalog.cell(found, filled=False).rstrip("\n").split("\n")
    indent = last[: len(last) - len(last.lstrip())]
    code = [line for line in body if line not in kept]
    return "\n".join([*kept, f"{indent}### BEGIN SOLUTION", *code, f"{indent}### END SOLUTION"]) + "\n"


def _note(name, *, solution=False, grade=False, locked=False, **more):
    identity = name.replace(".", "-")  # no dots are allowed
    kind = {"solution": solution, "grade": grade, "locked": locked, "task": False}
    return nbformat.from_dict({"schema_version": 3, "grade_id": identity, **kind, **more})
