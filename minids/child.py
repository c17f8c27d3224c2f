"""A Python process at the other end of a socket: how it is started, and how bytes go there and back in time.

    process, link = start(code, told)    the code finds [number of its socket, *told] as JSON in sys.argv[1]
    send(link, data, end)                all of the bytes before `end` (time.monotonic), or TimeoutError
    exactly(link, count, end)            as many bytes before `end`, or TimeoutError; EOFError if the other side is gone

It leads a session of its own, so that it can be ended together with what it started (os.killpg). What it may do (limits
of memory and time, fences) is set by its own first lines, before anything that is not trusted runs there.
"""

import json
import socket
import subprocess
import sys
import time

_PART = 1 << 20  # bytes asked for at a time


def start(code: str, told: list, *flags: str, stderr=subprocess.DEVNULL, **settings):
    """-> (Popen, socket). `flags` are Python's; `settings` (env, cwd) are Popen's. Output goes nowhere."""
    link, there = socket.socketpair()
    with there:
        process = subprocess.Popen(
            [sys.executable, *flags, "-c", code, json.dumps([there.fileno(), *told])],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            pass_fds=[there.fileno()],
            start_new_session=True,
            **settings,
        )
    return process, link


def send(link: socket.socket, data: bytes, end: float) -> None:
    """Sends all of `data`; TimeoutError if that is not done at `end`, a moment of time.monotonic()."""
    view = memoryview(data)
    while view:
        link.settimeout(max(end - time.monotonic(), 0.001))
        view = view[link.send(view[:_PART]) :]


def exactly(link: socket.socket, count: int, end: float | None) -> bytes:
    """Without an end it waits as long as it takes."""
    data = bytearray()
    while len(data) < count:
        if end is not None:
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError
            link.settimeout(left)
        part = link.recv(min(count - len(data), _PART))
        if not part:
            raise EOFError
        data += part
    return bytes(data)
