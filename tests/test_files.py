"""Files that somebody else wrote, read or refused in one message; and hints for names that nobody knows."""

import os
import threading

import pytest

from minids import MinidsError, files
from minids.errors import did_you_mean, nearest


@pytest.mark.parametrize(
    "content, said",
    [
        (b"{", "damaged, not readable as JSON"),
        (b'{"a": 1, "a": 2}', "the key 'a' stands there twice"),
        (b'{"a": NaN}', "NaN is no number of JSON"),
        (b"\xff\xfe", "it is not UTF-8 text"),
        (b"[" * 200_000, "damaged"),
        (b"[1]", "expected an object, got [1]"),
    ],
)
def test_json_that_is_not_what_it_should_be(tmp_path, content, said):
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(MinidsError) as caught:
        files.load_json(path, "Copy it again.")
    message = str(caught.value)
    assert message.startswith(f"{path}: ") and said in message and message.endswith(" Copy it again.")


def test_json_that_is_not_there(tmp_path):
    path = tmp_path / "x.json"
    with pytest.raises(MinidsError, match="no such file. Copy it again."):
        files.load_json(path, "Copy it again.")
    with pytest.raises(MinidsError, match="no such file. Make one."):
        files.load_json(path, "Copy it again.", missing="Make one.")
    path.mkdir()
    with pytest.raises(MinidsError, match="cannot read this file .*a folder.* Copy it again."):
        files.load_json(path, "Copy it again.")


def test_json_of_the_kind_that_is_asked_for(tmp_path):
    path = tmp_path / "x.json"
    files.write(path, "[1, 2]\n")
    assert files.load_json(path, "", kind=list) == files.load_json(path, "", kind=object) == [1, 2]
    files.write(path, "{}")
    assert files.load_json(path, "") == {} and [p.name for p in tmp_path.iterdir()] == ["x.json"]
    with pytest.raises(MinidsError, match="expected a list"):
        files.load_json(path, "Copy it again.", kind=list)


def test_hints_for_names():
    known = ["hidden_size", "vocab_size", "DAPO"]
    assert nearest("hiden_size", known) == "hidden_size" and nearest("dapo", known) == "DAPO"
    assert nearest(7, known) is None and nearest("x" * 10_000_000, known) is None
    assert did_you_mean("vocabsize", known) == " Did you mean 'vocab_size'?"
    assert did_you_mean("?", known) == "" and did_you_mean("?", known, " There are three.") == " There are three."


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_what_is_no_file_is_written_to_and_stays_what_it_is(tmp_path):
    """As root a rename would put a file in the place of /dev/null."""
    pipe, read = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()), daemon=True)
    reader.start()
    files.write(pipe, "half an hour")
    reader.join(10)
    assert read == [b"half an hour"] and pipe.is_fifo() and os.listdir(tmp_path) == ["pipe"]
