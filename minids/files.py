"""Files that somebody else wrote: read whole and within limits, or refused with a reason. Files of ours: written whole.

    write        bytes, or text as UTF-8 with "\n" at the end of lines: the same bytes on every system
    replace      a rename over what is there; Windows refuses while another program (a virus scanner, an indexer, an
                 editor) has the file open, so it is tried again for `PATIENCE` seconds
    read_bytes   a regular file of at most `most` bytes that lies in its folder
    read_json    the same as JSON: no key twice, no NaN or Infinity, not nested without end
    load_json    the same, where the caller has nothing to add but what to do: all that is wrong is a MinidsError
    sync         to the disk: a rename can outlive the data otherwise
    below        for a message about a file that is not there: whether it lies one folder further down

A pipe or a device in the place of a file would be read for ever, and a link may lead to any file of this computer,
which an export would then carry away. Links within the folder are followed, and those from a snapshot of Hugging Face's
cache (models--NAME/snapshots/ID/FILE) to the cache's own `blobs`.

The others raise OSError (no such file, not readable, no file at all) or ValueError (not what it should hold): their
caller knows what the file is for, and says so. Left out: files that change while they are read.
"""

import errno
import json
import os
import stat
import time
from pathlib import Path

from minids.errors import MinidsError

MOST = 256 << 20  # bytes; DeepSeek-V3's tokenizer.json has 8 MB, its index of shards 9 MB
PATIENCE = 2.0


def regular(path):
    """Raises OSError unless `path` is a regular file in its folder; returns its size."""
    path = Path(path)
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        kinds = ((stat.S_ISDIR, "a folder"), (stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"))
        kind = next((name for test, name in kinds if test(found.st_mode)), "a device")
        raise OSError(errno.EINVAL, f"it is {kind}, not a file", str(path))
    if path.is_symlink():
        home, real = path.parent.resolve(), path.resolve()
        blobs = home.parent.parent / "blobs" if home.parent.name == "snapshots" else home
        if not real.is_relative_to(home) and real.parent != blobs:
            raise OSError(errno.EINVAL, "it is a link out of its folder; put the file itself there", str(path))
    return found.st_size


def read_bytes(path, most=MOST):
    """The bytes of a regular file. Raises FileNotFoundError, another OSError, or ValueError if it is too large."""
    size = regular(path)
    if size > most:
        raise ValueError(f"{size:,} bytes, at most {most:,} are read")
    with open(path, "rb") as file:
        return file.read(most)


def read_json(path, most=MOST):
    """What a JSON file holds. Raises as `read_bytes` does, and ValueError for whatever is no plain JSON in UTF-8."""
    try:
        return json.loads(read_bytes(path, most).decode("utf-8"), object_pairs_hook=_once, parse_constant=_refuse)
    except UnicodeDecodeError as error:  # which would carry the whole file into the message
        raise ValueError(f"it is not UTF-8 text (byte {error.start})") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def load_json(path, hint: str, missing: str = "", kind: type = dict):
    """What a JSON file holds, if that is of this kind. MinidsError names the file, says what is wrong, and ends with
    `hint`, or with `missing` where there is no such file."""
    try:
        value = read_json(path)
    except FileNotFoundError:
        raise MinidsError(f"{path}: no such file. {missing or hint}") from None
    except OSError as error:
        raise MinidsError(f"{path}: cannot read this file ({error.strerror or error}). {hint}") from None
    except ValueError as error:
        raise MinidsError(f"{path}: damaged, not readable as JSON ({error}). {hint}") from None
    if not isinstance(value, kind):
        wanted = {dict: "an object", list: "a list"}[kind]
        raise MinidsError(f"{path}: expected {wanted}, got {brief(value)}. {hint}")
    return value


def below(folder, name):
    """ " Did you mean runs/tiny/model?" where `name` lies in a folder right below this one; else ""."""
    found = sorted(path.parent for path in Path(folder).glob(f"*/{name}") if path.is_file())
    last = [path for path in found if path.name == "model"]  # of a run's folders: what it made last
    return f" Did you mean {' or '.join(map(str, last or found[:5]))}?" if found else ""


def brief(value, most=80):
    """A value of a file as an error message shows it: its repr, cut short."""
    try:
        text = repr(value)
    except (RecursionError, ValueError):  # nested, or a number too long to be written
        text = f"<{type(value).__name__}>"
    return text if len(text) <= most else text[:most] + " …"


def write(path, data):
    """Writes bytes or a text aside and renames them, so that no reader sees half a file. What is no file (a pipe,
    /dev/null) is written to and stays what it is."""
    path = Path(path)
    if path.exists() and not path.is_file() and not path.is_dir():
        path.write_bytes(data.encode("utf-8") if isinstance(data, str) else data)
        return
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(aside, "wb") as file:
            file.write(data.encode("utf-8") if isinstance(data, str) else data)
        sync(aside)
        replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def replace(source, target):
    """os.replace, patiently; a folder may be moved too, to where nothing is."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return os.replace(source, target)
        except PermissionError:
            if os.name == "posix" or time.monotonic() > end:  # there it is about rights, and waiting does not help
                raise
            time.sleep(0.05)


def sync(path):
    """Forces a file, or the names in a folder, to the disk: a rename can outlive the data otherwise."""
    path = Path(path)
    if os.name != "posix" and path.is_dir():  # Windows cannot open folders
        return
    handle = os.open(path, os.O_RDWR if path.is_file() else os.O_RDONLY)  # Windows syncs what may be written
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _once(pairs):
    out = dict(pairs)
    if len(out) != len(pairs):
        seen = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))
        raise ValueError(f"the key {brief(twice)} stands there twice")
    return out


def _refuse(constant):
    raise ValueError(f"{constant} is no number of JSON")
