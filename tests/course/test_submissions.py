"""What students send in: every file is read or named with a reason, and no student is lost behind another."""

import json
import os
import random
import re
import subprocess
import sys
import unicodedata

import pytest

from minids.course import catalog, exercises, reader
from minids.course.grading import cells, folders, submissions
from minids.errors import MinidsError

BPE, TRAIN, GATED = "bpe.count_pairs", "bpe.train", "layers.swiglu"
COUNT = "def count_pairs(words, counts):\n    return {}\n"
GATE = "def swiglu(gate, up):\n    return gate\n"


def code(source, **more):
    return {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": [], "source": source, **more}


def notebook(*sources, check=BPE, **more):
    parts = [code(s) if not isinstance(s, dict) else s for s in sources]
    place = exercises.PLACES.get(exercises.canonical(check))
    parts += [code(f'check("{check}", {place.function if place else check.rsplit(".", 1)[-1]})')] if check else []
    return json.dumps({"cells": parts, "metadata": {}, "nbformat": 4, "nbformat_minor": 5, **more})


def write(folder, **files):
    """write(folder, **{"a/b.ipynb": text or bytes, …})."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def collected(*paths):
    """{student: exercises with an answer, or the error}."""
    sent = submissions.collect(paths)
    assert len({s.student for s in sent}) == len(sent), "two under one name"
    return {s.student: s.error or [g.exercise for g in s.grades if g.source is not None] for s in sent}


# -- whose -------------------------------------------------------------------------------------------------------------


def test_a_file_called_as_an_exercise_leaves_the_notebooks_beside_it_what_they_are(tmp_path):
    names = {f"{n}.ipynb": notebook(COUNT) for n in ("ana", "ben", "eva")}
    write(tmp_path / "sent", **names, **{f"{GATED}.py": GATE})
    assert collected(tmp_path / "sent") == {"ana": [BPE], "ben": [BPE], "eva": [BPE], "sent": [GATED]}


def test_numbered_folders_are_students(tmp_path):
    write(tmp_path, **{f"{n}/hw.ipynb": notebook(COUNT) for n in ("01", "02", "03")})
    assert collected(tmp_path) == {"01": [BPE], "02": [BPE], "03": [BPE]}


@pytest.mark.parametrize(
    "names, students",
    [
        (["alice.py", "alice.ipynb"], ["alice.ipynb", "alice.py"]),
        (["alice.py", "alice.ipynb", "bob.ipynb"], ["alice.ipynb", "alice.py", "bob"]),
        (["alice.ipynb", "alice.IPYNB", "alice.ipynb.txt"], ["alice.IPYNB", "alice.ipynb", "alice.ipynb.txt"]),
        (["alice.ipynb", "alice/hw.ipynb"], ["alice", "alice/hw"]),
        (["alice.ipynb", f"alice/mine/{GATED}.py", "bob.ipynb"], ["alice.ipynb", "bob", "alice/mine"]),
        (["alice.py", "alice.ipynb", "alice.py.ipynb"], ["alice.ipynb", "alice.py", "alice.py.ipynb"]),
        (["a/alice.ipynb", "b/alice.ipynb", "b/bob.ipynb"], ["a/alice", "b/alice", "b/bob"]),
        (["a b.ipynb", "a\nb.ipynb"], ["a\\nb", "a b"]),
        ([f"alice/{GATED}.py", f"bob/{GATED}.py"], ["alice", "bob"]),
        ([f"alice/mine/{GATED}.py", f"bob/mine/{GATED}.py"], ["alice", "bob"]),
    ],
)
def test_two_files_are_never_one_student_in_silence(tmp_path, names, students):
    write(tmp_path, **{n: GATE if n.endswith(".py") else notebook(COUNT) for n in names})
    sent = submissions.collect([tmp_path])
    assert [s.student for s in sent] == students and not sent.told()


def test_two_files_in_a_folder_of_a_students_are_hers_and_that_is_told(tmp_path):
    files = {"alice/03_mla.ipynb": notebook(COUNT), f"alice/mine/{GATED}.py": GATE, "bob/03_mla.ipynb": notebook(COUNT)}
    sent = submissions.collect([write(tmp_path, **files)])
    assert [s.student for s in sent] == ["alice", "alice", "bob"]
    (line,) = sent.told()
    assert line.startswith("alice has 2 files") and "03_mla.ipynb" in line and "mine" in line


def test_a_folder_with_nothing_to_grade_keeps_its_row(tmp_path):
    write(tmp_path, **{"ana/hw.ipynb": notebook(COUNT), "ben/hw.pdf": "", "ben/a/hw.docx": ""})
    (tmp_path / "eva" / "empty").mkdir(parents=True)
    for paths in ([tmp_path], sorted(tmp_path.iterdir())):
        sent = submissions.collect(paths)
        assert [s.student for s in sent] == ["ana", "ben", "eva"]
        assert not sent[0].error and sent[2].error == "an empty folder"
        assert sent[1].error == "no notebook and no .py file in this folder, only hw.pdf, hw.docx"
        assert all(g.why == s.error and not g.points for s in sent[1:] for g in s.grades) and sent[2].grades
        assert "hw.docx" in "".join(sent.told())


def test_folders_beside_files_of_students_are_none(tmp_path):
    sent = collected(write(tmp_path, **{"ana.ipynb": notebook(COUNT), "ben.ipynb": notebook(COUNT), "plots/a.png": ""}))
    assert set(sent) == {"ana", "ben"}


@pytest.mark.parametrize(
    "names",
    [
        ["00_the_bill", "00_the_bill (1)", "Copy of 00_the_bill", "00_the_bill-Copy1"],
        ["week 1/homework", "week 2/homework"],
        ["Week_1/hw", "mine/hw"],
    ],
)
def test_copies_and_weeks_of_one_student_are_hers(tmp_path, names):
    files = {f"{who}/00_the_bill.ipynb": notebook(COUNT) for who in ("ana", "ben")}
    sent = submissions.collect([write(tmp_path, **files, **{f"gina/{n}.ipynb": notebook(COUNT) for n in names})])
    hers = [s.student for s in sent][2:]
    assert len(hers) == len(names) and len(set(hers)) == 1 and hers[0].startswith("gina")
    (line,) = sent.told()
    assert line.startswith(f"{hers[0]} has {len(names)} files, of which each exercise counts once, at its best")


def test_other_files_in_one_folder_are_told_to_be_rows_of_their_own(tmp_path):
    files = {f"{who}/00_the_bill.ipynb": notebook(COUNT) for who in ("ana", "ben")}
    sent = submissions.collect([write(tmp_path, **files, **{f"gina/{n}.ipynb": notebook(COUNT) for n in ("a", "b")})])
    assert sent.told() == ["gina has 2 rows, as if of 2 students: gina/a, gina/b"]


def test_a_file_that_defines_no_exercise_is_no_student(tmp_path):
    others = {"Anna Müller/helper.py": "def f():\n    return 1\n", "c/x.py": "x = 1\n"}
    write(tmp_path, **{f"{who}/hw.ipynb": notebook(COUNT) for who in ("Anna Müller", "ben")}, **others)
    for paths in ([tmp_path], sorted(tmp_path.iterdir())):
        for chapter in (None, "01_tokenizer"):
            sent = submissions.collect(paths, chapter)
            assert [s.student.partition("/")[0] for s in sent] == ["Anna Müller", "ben", "c"]
            assert [(p.name, why) for p, why in sent.unused] == [("helper.py", "it defines no exercise")]


def test_a_chapters_file_at_the_top_is_called_by_its_own_name(tmp_path):
    files = ("00_the_bill.ipynb", "ana/00_the_bill.ipynb", "ben/00_the_bill.ipynb")
    assert set(collected(write(tmp_path / "a", **{n: notebook(COUNT) for n in files}))) == {"00_the_bill", "ana", "ben"}
    files = ("00_the_bill.ipynb", "ana.ipynb")
    assert set(collected(write(tmp_path / "b", **{n: notebook(COUNT) for n in files}))) == {"00_the_bill", "ana"}


def test_names_that_look_the_same_are_one_and_that_is_told(tmp_path):
    names = {f"{unicodedata.normalize(form, 'Jürgen')}/hw.ipynb": notebook(COUNT) for form in ("NFC", "NFD")}
    sent = submissions.collect([write(tmp_path, **names, **{"ana/hw.ipynb": notebook(COUNT)})])
    assert [s.student for s in sent].count("Jürgen") == 2 and sent.told()[0].startswith("Jürgen has 2 files")


def test_at_random_every_file_is_a_submission_or_named(tmp_path):
    """And two submissions have one name only where that is told."""
    dice = random.Random(5)
    parts = ["alice", "bob", "01", "02", "03_mla", "mine", "answers", "hw", "a b", "é", GATED, "x.py", "-"]
    ends = [".ipynb", ".py", ".IPYNB", ".txt", ".ipynb.txt", ".zip", ".html", ".PY", ""]
    for n in range(30):
        top, made = tmp_path / str(n), set()
        for _ in range(dice.randint(1, 8)):
            folder = [dice.choice(parts) for _ in range(dice.randint(0, 3))]
            path = top.joinpath(*folder, dice.choice(parts) + dice.choice(ends))
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                if not path.is_dir():
                    path.write_text(GATE, encoding="utf-8")
                    made.add(path)
            except (NotADirectoryError, FileExistsError):
                continue
        try:
            sent = submissions.collect([top])
        except MinidsError as error:
            assert all(str(p) in str(error) for p in made)
            continue
        kept = {p for s in sent if s.path.is_dir() for p in s.path.glob("*.py") if p.stem == GATED}
        assert {s.path for s in sent if s.path.is_file()} | kept | {p for p, _ in sent.unused} == made
        told = "\n".join(sent.told())
        for student in {s.student for s in sent if sum(t.student == s.student for t in sent) > 1}:
            assert f"{student} has" in told


# -- what is read ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.ipynb", "a.IPYNB", "a.Ipynb", "a.ipynb.txt", "a.ipynb.json", "a.IPYNB.TXT"])
def test_a_notebook_has_any_spelling_of_its_ending(tmp_path, name):
    assert collected(write(tmp_path, **{name: notebook(COUNT)})) == {"a": [BPE]}


@pytest.mark.parametrize("name", ["a.py", "a.PY", "a.py.txt"])
def test_a_file_too(tmp_path, name):
    assert collected(write(tmp_path, **{name: COUNT})) == {"a": [BPE]}


def test_what_is_not_read_is_named_with_the_reason(tmp_path):
    write(
        tmp_path,
        **{
            "a.ipynb": notebook(COUNT),
            "notes.txt": "",
            "b.ipynb.download": "",
            ".c.ipynb": "",
            "__pycache__/x.pyc": "",
            ".ipynb_checkpoints/a-checkpoint.ipynb": "",
            "d/e/plot.png": "",
            "f.docx": "",
        },
    )
    (tmp_path / "g.txt").symlink_to(tmp_path / "notes.txt")
    (tmp_path / "h").symlink_to(tmp_path / "h")
    os.mkfifo(tmp_path / "pipe")
    sent = submissions.collect([tmp_path])
    why = {path.name: reason for path, reason in sent.unused}
    assert len(sent) == 1 and set(why) == {
        "notes.txt",
        "b.ipynb.download",
        ".c.ipynb",
        "__pycache__",
        ".ipynb_checkpoints",
        "plot.png",
        "f.docx",
        "g.txt",
        "h",
        "pipe",
    }
    assert "copies" in why[".ipynb_checkpoints"] and "hidden" in why[".c.ipynb"] and why["f.docx"].startswith("neither")
    assert "link" in why["g.txt"] and "link" in why["h"] and why["pipe"] == "not a file"
    said = "\n".join(sent.told())
    assert all(name in said for name in why)


def test_archives_keep_their_row(tmp_path):
    sent = collected(write(tmp_path, **{"a/hw.ipynb": notebook(COUNT), "b/hw.zip": "PK", "c/hw.tar.gz": ""}))
    assert sent["a/hw"] == [BPE] and "archive" in sent["b/hw.zip"] and "archive" in sent["c/hw.tar.gz"]


def test_where_nothing_is_read_the_message_names_what_there_is(tmp_path):
    with pytest.raises(MinidsError, match="(?s)no notebook.*neither.*hw.docx"):
        submissions.collect([write(tmp_path, **{"hw.docx": ""})])


def test_outputs_are_passed_over(tmp_path):
    """Of any size and shape, before the source and behind it."""
    text = 'a "quoted" \\ text]}[{ \u2028 \ud83d\ude00'
    for out in ([{"output_type": "stream", "text": [text] * 50}], [], [[[[[[[[{"a": [text]}]]]]]]]], [{"x": "y"}]):
        for indent in (None, 1):
            cell = {"outputs": out, **code(COUNT, outputs=out), "attachments": {"source": out}}
            whole = json.dumps({"metadata": {"cells": [1]}, "cells": [cell]}, indent=indent)
            (tmp_path / "a.ipynb").write_text(whole, encoding="utf-8")
            for piece in (1 << 20, 7, 1):
                with pytest.MonkeyPatch.context() as patch:
                    patch.setattr(cells, "_PIECE", piece)
                    assert cells.code_cells(tmp_path / "a.ipynb", 1 << 30, 1 << 20) == [(COUNT, "")]


def random_json(dice, depth=0):
    kind = dice.randrange(9 if depth < 6 else 6)
    if kind < 3:
        return dice.choice(["", "a", '"', "\\", "\\\\", "]", "}", '{"source": "x"}', "é", "\u2028", "\ud800", "\n"])
    if kind < 6:
        return dice.choice([None, True, False, 0, -1.5e300, 7])
    if kind < 8:
        return [random_json(dice, depth + 1) for _ in range(dice.randrange(4))]
    keys = ["cells", "source", "cell_type", "outputs", "a\\", '"', ""]
    return {dice.choice(keys): random_json(dice, depth + 1) for _ in range(dice.randrange(4))}


def test_at_random_it_reads_what_json_reads(tmp_path, monkeypatch):
    dice = random.Random(1)
    for _ in range(150):
        sources = [dice.choice([COUNT, [COUNT, "x\n"], '\u2028\\"é', ["a", "b"]]) for _ in range(3)]
        parts = [code(s, outputs=random_json(dice), metadata=random_json(dice)) for s in sources]
        parts.insert(dice.randrange(3), {"cell_type": "markdown", "source": random_json(dice)})
        whole = {"a": random_json(dice), "cells": parts, "metadata": random_json(dice)}
        text = json.dumps(whole, ensure_ascii=dice.random() < 0.5, indent=dice.choice([None, 1]))
        (tmp_path / "a.ipynb").write_bytes(text.encode("utf-8", "surrogatepass"))
        monkeypatch.setattr(cells, "_PIECE", dice.choice([1, 3, 64, 1 << 20]))
        got = cells.code_cells(tmp_path / "a.ipynb", 1 << 30, 1 << 20)
        assert got == [("".join(s), "") for s in sources]
        cut = text[: dice.randrange(1, len(text))].encode("utf-8", "surrogatepass")
        (tmp_path / "b.ipynb").write_bytes(cut)
        with pytest.raises(cells.Unreadable, match="damaged"):
            cells.code_cells(tmp_path / "b.ipynb", 1 << 30, 1 << 20)


@pytest.mark.parametrize("bad", [None, 3, {}, [None], ["a", 3], True, [["a"]]])
def test_a_source_that_is_no_text_spoils_its_cell_alone(tmp_path, bad):
    write(tmp_path, **{"a.ipynb": notebook(code(bad), COUNT, code(bad)), "b.ipynb": notebook(code(bad))})
    sent = submissions.collect([tmp_path])
    grades = [next(g for g in s.grades if g.exercise == BPE) for s in sent]
    assert grades[0].source == COUNT and not sent[0].error
    assert bad == {} or "1 of its cells cannot be read" in grades[1].why


def test_cells_of_other_kinds_and_versions(tmp_path):
    old = {"worksheets": [{"cells": [code("x = 1"), {"cell_type": "code", "input": COUNT}]}, 3], "nbformat": 3}
    write(
        tmp_path,
        **{
            "a.ipynb": notebook(3, None, code(COUNT)).replace('{"cells": [', '{"cells": [3, null, "x", ', 1),
            "b.ipynb": json.dumps(old),
            "c.ipynb": b"\xef\xbb\xbf" + notebook(COUNT).encode(),
            "d.ipynb": json.dumps({"cells": [{"source": COUNT, "cell_type": "code"}]}),
            "e.ipynb": notebook(COUNT.replace("\n", "\r\n")),
            "f.ipynb": "\n\n " + notebook(COUNT) + " \n",
        },
    )
    assert collected(tmp_path) == {n: [BPE] for n in "abcdef"}


@pytest.mark.parametrize("name", ["a.ipynb", "a.py"])
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_utf_16_is_said_to_be_the_reason(tmp_path, name, encoding):
    text = notebook(COUNT) if name == "a.ipynb" else COUNT
    (why,) = collected(write(tmp_path, **{name: text.encode(encoding)})).values()
    assert "UTF-16" in why


@pytest.mark.parametrize("name", ["a.ipynb", "a.py"])
@pytest.mark.parametrize("encoding", ["cp1252", "utf-16"])
def test_another_encoding_has_its_chapters_rows_and_says_what_to_do(tmp_path, name, encoding):
    text = COUNT + "# für Jürgen\n"
    data = (json.dumps(json.loads(notebook(text)), ensure_ascii=False) if name == "a.ipynb" else text).encode(encoding)
    (sent,) = submissions.collect([write(tmp_path, **{name: data})])
    got = next(g for g in sent.grades if g.exercise == BPE)
    assert got.source is None and {g.chapter for g in sent.grades} == {"01_tokenizer"}
    assert "UTF-8" in got.why and got.why.endswith("save it as UTF-8 and send it again")


@pytest.mark.parametrize(
    "data, why",
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf \n", "empty"),
        (b"PK\x03\x04", "a zip archive"),
        (b"\x1f\x8b\x08", "a gzip archive"),
        (b"%PDF-1.7", "a PDF"),
        (b"<!doctype html>", "a web page"),
    ],
)
def test_what_is_no_text_is_named(tmp_path, data, why):
    for name in ("a.ipynb", "a.py"):
        (got,) = collected(write(tmp_path / name, **{name: data})).values()
        assert got.startswith(why)


@pytest.mark.slow
def test_a_notebook_with_300_mb_of_outputs_takes_no_memory(tmp_path):
    path, start = tmp_path / "a.ipynb", notebook(code(COUNT, outputs=["HERE"])).partition('"HERE"')
    with open(path, "w", encoding="utf-8") as file:
        file.write(start[0])
        file.write('"' + "A" * (200 << 20) + '", ')
        for _ in range(100):
            file.write('"some text of a line\\n", ' * ((1 << 20) // 25))
        file.write("3" + start[2])
    look = "import resource; from minids.course.grading import cells; from pathlib import Path; import sys\n"
    look += "a = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
    look += "n = len(cells.code_cells(Path(sys.argv[1]), 1 << 30, 1 << 20))\n"
    look += "print(n, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - a)"
    done = subprocess.run(
        [sys.executable, "-c", look, path],
        capture_output=True,
        encoding="utf-8",
        env=os.environ | {"PYTHONPATH": str(catalog.ROOT)},
    )
    n, more = map(int, done.stdout.split())
    assert n == 2 and more < (64 << 20) / (1 if sys.platform == "darwin" else 1024)
    assert collected(path) == {"a": [BPE]}


# -- chapters ----------------------------------------------------------------------------------------------------------


def test_two_chapters_in_one_file_both_count(tmp_path):
    for name, text in {
        "a.py": COUNT + GATE,
        "b.ipynb": notebook(COUNT + GATE, check=None),
        "c.ipynb": notebook(COUNT, code(f'check("{GATED}", swiglu)'), GATE),
    }.items():
        (sent,) = submissions.collect([write(tmp_path / name, **{name: text})])
        assert {g.chapter for g in sent.grades} == {"01_tokenizer", "02_transformer"}
        assert [g.exercise for g in sent.grades if g.source is not None] == [BPE, GATED]


def test_a_helper_of_another_chapter_brings_not_all_of_that_chapter(tmp_path):
    (sent,) = submissions.collect([write(tmp_path, **{"a.ipynb": notebook(COUNT, GATE)})])
    assert {g.chapter for g in sent.grades} == {"01_tokenizer"}


def test_two_functions_of_one_name_are_told_apart_by_their_parameters(tmp_path):
    names = ("speculative.accept", "rejection.accept")
    own = [catalog.solution(n) for n in names]
    for order in (own, own[::-1]):
        also = code(f'check("{names[0]}", accept)')
        files = {"a.py": "\n".join(order), "b.ipynb": notebook(*order, also, check=names[1])}
        for name, text in files.items():
            (sent,) = submissions.collect([write(tmp_path / name, **{name: text})])
            found = {g.exercise: g for g in sent.grades if g.source is not None}
            assert set(found) == set(names) and all(g.same_as_library for g in found.values())
            for n, text in zip(names, own):
                assert text.splitlines()[0] in found[n].code
                assert len(re.findall(r"^def accept", found[n].code, flags=re.M)) == 1


def test_one_damaged_file_of_kept_answers_costs_itself_alone(tmp_path):
    write(tmp_path / "a", **{f"{BPE}.py": COUNT, f"{GATED}.py": b"\xff" + GATE.encode(), "x.txt": ""})
    (sent,) = submissions.collect([tmp_path / "a"])
    grades = {g.exercise: g for g in sent.grades}
    assert grades[BPE].source == COUNT and "not a text in UTF-8" in grades[GATED].why


MERGE = "bpe.merge_word"


@pytest.mark.parametrize(
    "text, source, why",
    [
        (catalog.blank(catalog.solution(MERGE)), None, "not attempted"),
        ("def merge_word(word, pair, new):\n    retrun []\n", True, "SyntaxError: invalid syntax (line 2)"),
        ("merge_word = lambda word, pair, new: []\n", True, "is a lambda"),
        ("async def merge_word(word, pair, new):\n    return []\n", True, "is an `async def`"),
        (COUNT, None, "not attempted"),
    ],
)
def test_what_a_later_stub_imports_is_told_for_what_its_own_cell_is(tmp_path, text, source, why):
    later = f"from minids.text.bpe import count_pairs, merge_word\n\n\n{catalog.blank(catalog.solution(TRAIN))}"
    (sent,) = submissions.collect([write(tmp_path, **{"a.ipynb": notebook(text, later)})])
    got = {g.exercise: g for g in sent.grades}
    assert why in got[MERGE].why and got[MERGE].source == (text if source else None) and not got[MERGE].code
    assert got[TRAIN].why == "not attempted"


def test_every_cell_of_the_solutions_is_said_to_be_the_librarys_own():
    for e in catalog.every():
        nodes = reader.definitions(catalog.cell(e, filled=True))
        assert reader.is_library(reader.find(nodes, e.function), e.name), e.name


def test_endings():
    for name, stem in {"a.b.IPYNB.txt": "a.b", "a.py": "a", "a": "a", "a.zip": "a.zip", ".ipynb": ""}.items():
        assert folders.stem(folders.Path(name), "file") == stem
