"""Files that want more than their points: links, loops, bombs. None ends a batch, none is graded as another's work."""

import os
import time

import pytest

from minids.course.grading import submissions
from minids.errors import MinidsError

BPE = "bpe.count_pairs"
COUNT = "def count_pairs(words, counts):\n    return {}\n"
SENT = '{"cells": [{"cell_type": "code", "source": "def count_pairs(words, counts):\\n    return {}\\n"}]}'
pytestmark = pytest.mark.skipif(os.name != "posix", reason="links and pipes of Unix")


def collected(*paths):
    sent = submissions.collect(paths)
    return {s.student: s.error or [g.exercise for g in s.grades if g.source is not None] for s in sent}


@pytest.fixture
def alice(tmp_path):
    (tmp_path / "alice").mkdir()
    (tmp_path / "alice" / "hw.ipynb").write_text(SENT, encoding="utf-8")
    (tmp_path / "alice" / f"{BPE}.py").write_text(COUNT, encoding="utf-8")
    return tmp_path


def test_a_link_to_a_neighbours_file_is_refused_by_name(alice):
    (alice / "bob").mkdir()
    (alice / "bob" / "hw.ipynb").symlink_to(alice / "alice" / "hw.ipynb")
    (alice / "eva").symlink_to(alice / "alice")
    (alice / "jim").mkdir()
    (alice / "jim" / f"{BPE}.py").symlink_to(alice / "alice" / f"{BPE}.py")
    (alice / "kim.py").symlink_to("/etc/passwd")
    for paths in ([alice], sorted(alice.iterdir())):
        got = collected(*paths)
        assert got["alice/hw"] == got["alice"] == [BPE]
        others = {name: why for name, why in got.items() if not name.startswith("alice")}
        assert len(others) == 4 and all("a link to another file" in why for why in others.values()), got


def test_a_hard_link_is_refused_too(alice):
    (alice / "bob").mkdir()
    os.link(alice / "alice" / "hw.ipynb", alice / "bob" / "hw.ipynb")
    got = collected(alice)
    assert got["alice"] == [BPE] and all("the same file as" in got[n] for n in ("alice/hw", "bob/hw"))


def test_loops_of_links_end_nothing(alice):
    (alice / "alice" / "again").symlink_to(alice)
    (alice / "a").symlink_to(alice / "b")
    (alice / "b").symlink_to(alice / "a")
    (alice / "self.ipynb").symlink_to(alice / "self.ipynb")
    got = collected(alice)
    assert got["alice/hw"] == [BPE] and "link" in got["self"] and "link" in got["alice/again"]


def test_a_path_that_ends_in_a_link_is_refused_when_it_is_given(alice):
    (alice / "link").symlink_to(alice / "alice")
    (why,) = collected(alice / "link").values()
    assert "a link" in why


def test_deep_folders_and_many_files(tmp_path):
    here = tmp_path
    for _ in range(60):
        here = here / ("d" * 40)
    here.mkdir(parents=True)
    (here / "hw.ipynb").write_text(SENT, encoding="utf-8")
    for i in range(3000):
        (tmp_path / f"{i}.txt").touch()
    sent = submissions.collect([tmp_path])
    assert len(sent) == 1 and len(sent.unused) == 3000
    assert len("\n".join(sent.told())) < 20_000


def test_a_folder_that_may_not_be_read(alice):
    (alice / "bob").mkdir(mode=0)
    try:
        sent = submissions.collect([alice])
    finally:
        (alice / "bob").chmod(0o700)
    (bob,) = (s for s in sent if s.path.name == "bob")  # a student's folder keeps a row, with the reason
    assert len(sent) == 3 and (os.geteuid() == 0 or "cannot be read" in sent.unused[0][1])
    assert bob.error


def test_names_that_are_no_text(alice):
    with open(os.fsencode(alice) + b"/\xff\x1b[2J.ipynb", "w", encoding="utf-8") as file:
        file.write(SENT)
    open(os.fsencode(alice) + b"/\xfe.txt", "w", encoding="utf-8").close()
    sent = submissions.collect([alice])
    assert len(sent) == 3
    "\n".join(sent.told()).encode()


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        "[" * 3_000_000,
        '{"a":' * 1_000_000,
        '{"cells": [' + "{}," * 1_000_000,
        '{"cells": [' + "[[[[[[1]]]]]]," * 500_000,
        '{"cells": [{"cell_type": "code", "source": ["' + "\\" * 3_000_001,
        '{"cells": ["' + "\\u" * 3_000_000,
        '{"cells": [' + '{"cell_type":"code","source":"x"},' * 200_000 + "{}]}",
        '{"' + '":1,"' * 2_000_000,
        "\0" * 3_000_000,
        '{"cells": [{"cell_type": "code", "source": [' + '"a",' * 2_000_000 + '"a"]}]}',
        " " * 5_000_000,
        '"' * 3_000_000,
        '{"cells": [' + '{"cell_type":"code","source":null},' * 200_000 + "{}]}",
    ],
)
def test_bombs_of_json_take_seconds(tmp_path, text):
    (tmp_path / "a.ipynb").write_text(text, encoding="utf-8")
    (tmp_path / "b.ipynb").write_text(SENT, encoding="utf-8")
    start = time.process_time()
    sent = submissions.collect([tmp_path])
    assert time.process_time() - start < 60
    assert sent[1].grades and not any(g.source for g in sent[0].grades)


def test_a_file_of_a_terabyte_that_holds_nothing(tmp_path):
    with open(tmp_path / "a.ipynb", "wb") as file:
        file.write(b'{"cells": [')
        file.truncate(1 << 40)
    (tmp_path / "b.py").write_text(COUNT, encoding="utf-8")
    with open(tmp_path / "c.py", "wb") as file:
        file.truncate(1 << 32)
    got = collected(tmp_path)
    assert "larger than" in got["a"] and got["b"] == [BPE] and "larger than" in got["c"]


def test_a_pipe_is_no_file_and_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.ipynb")
    os.mkfifo(tmp_path / f"{BPE}.py")
    (tmp_path / "b.py").write_text(COUNT, encoding="utf-8")
    got = collected(tmp_path)
    assert got["a"] == "not a file" and got["b"] == [BPE]


def test_what_is_not_there_is_a_mistake_of_the_instructor(tmp_path):
    for path in (tmp_path / "none", tmp_path / ("x" * 300), tmp_path / "none" / "a.ipynb"):
        with pytest.raises(MinidsError, match="no such file"):
            submissions.collect([path])
