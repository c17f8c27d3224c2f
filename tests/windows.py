"""A Windows, imitated as far as Python programs can see it; `imitate()` is called in a process of its own.

    modules       resource, fcntl, pwd, … cannot be imported
    attributes    os.fork, signal.SIGKILL, socket.send_fds, … are not there, in the modules that minids imports
    files         /proc, /sys, /dev and /etc are empty; a file that is open or mapped cannot be replaced or removed; a
                  name with one of <>:"|?*, a name that ends with a dot or a blank, and CON, NUL, … are refused

Left out: os.name and sys.platform (Python's own modules decide by them what to call), backslashes, drives.
A default for text encodings is forbidden by `strict()`, in a program that was started with `STRICT`.
"""

import builtins
import errno
import importlib
import io
import os
import pkgutil
import re
import sys
import warnings

STRICT = ["-X", "warn_default_encoding", "-W", "ignore::EncodingWarning"]  # other people's packages rely on the default
MODULES = ("resource", "fcntl", "pwd", "grp", "termios", "tty", "pty", "readline")
ATTRIBUTES = {
    "os": """fork forkpty sched_getaffinity sched_setaffinity sysconf getuid geteuid getgid getegid killpg getpgid
        setpgid setsid wait wait3 wait4 waitid mkfifo mknod chown lchown fchown fchmod nice uname getloadavg openpty
        memfd_create pidfd_open eventfd sendfile posix_fallocate setpriority statvfs WNOHANG O_CLOEXEC O_PATH O_NOFOLLOW
        O_DIRECTORY""",
    "signal": """SIGKILL SIGALRM SIGCHLD SIGHUP SIGXCPU SIGXFSZ SIGUSR1 SIGUSR2 SIGPIPE SIGSTOP SIGCONT alarm setitimer
        ITIMER_REAL pthread_sigmask sigtimedwait sigwait""",
    "socket": "send_fds recv_fds AF_UNIX SCM_RIGHTS",
}
RESERVED = re.compile(r'[<>:"|?*\x00-\x1f]|[. ]$|^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)', re.IGNORECASE)
EMPTY = ("/proc", "/sys", "/dev", "/etc")


def modules():
    """The names of all modules of minids."""
    import minids

    return ["minids", *(m.name for m in pkgutil.walk_packages(minids.__path__, "minids."))]


def strict():
    warnings.filterwarnings("error", category=EncodingWarning, module=r"(minids|__main__)(\.|$)")


def imitate(attributes=True):
    """Imports everything once, so that the packages of others are there; then takes away what Windows lacks and forgets
    minids: what is imported next is imported on this Windows."""
    for name in modules():
        importlib.import_module(name)
    for name in [m for m in sys.modules if m == "minids" or m.startswith("minids.")]:
        del sys.modules[name]
    for name in MODULES:
        sys.modules[name] = None
    _restrict_files()
    for module, names in ATTRIBUTES.items() if attributes else ():
        # a copy without them, for minids alone: Python's own modules look them up when they are called
        real = sys.modules[module]
        copy = type(sys)(module, real.__doc__)
        copy.__dict__.update({k: v for k, v in real.__dict__.items() if k not in names.split()})
        _OURS[module] = copy
    builtins.__import__ = _import


_OURS, _real_import = {}, builtins.__import__


def _import(name, globals=None, locals=None, fromlist=(), level=0):
    found = _real_import(name, globals, locals, fromlist, level)
    ours = (globals or {}).get("__name__", "").split(".")[0] == "minids"
    return _OURS.get(name, found) if ours and level == 0 else found


def _restrict_files():
    opened, replace, rename, unlink, mkdir, listdir, readlink = (
        io.open,
        os.replace,
        os.rename,
        os.unlink,
        os.mkdir,
        os.listdir,
        os.readlink,
    )

    def in_use(path):
        """Whether this process has a file, or a file below a folder, open or mapped."""
        real = os.path.realpath(path)
        held = []
        for fd in listdir("/proc/self/fd"):
            try:
                held.append(readlink(f"/proc/self/fd/{fd}"))
            except OSError:
                continue
        with opened("/proc/self/maps", encoding="utf-8") as maps:
            held += [line.split(maxsplit=5)[5].rstrip("\n") for line in maps if line.count("/")]
        return any(h == real or h.startswith(real + os.sep) for h in held)

    def checked(path):
        if isinstance(path, int):
            return
        text = os.fspath(path)
        text = text.decode() if isinstance(text, bytes) else text
        for part in text.split("/"):
            if part not in ("", ".", "..") and RESERVED.search(part):
                raise OSError(errno.EINVAL, "Windows takes no such name", text)

    def open_(file, mode="r", *args, **kwargs):
        if not isinstance(file, int):
            text = os.fspath(file)
            if isinstance(text, str) and text.startswith(EMPTY) and text != os.devnull:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), text)
            if "r" not in mode:
                checked(file)
        return opened(file, mode, *args, **kwargs)

    def moved(action, target_must_be_free):
        def move(source, target, **kwargs):
            checked(target)
            if in_use(source) or os.path.exists(target) and (in_use(target) or os.path.isdir(target)):
                raise PermissionError(errno.EACCES, "open in a program", os.fspath(source))
            if target_must_be_free and os.path.exists(target):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), os.fspath(target))
            return action(source, target, **kwargs)

        return move

    def removed(path, **kwargs):
        if "dir_fd" not in kwargs and in_use(path):
            raise PermissionError(errno.EACCES, "open in a program", os.fspath(path))
        return unlink(path, **kwargs)

    def made(path, *args, **kwargs):
        checked(path)
        return mkdir(path, *args, **kwargs)

    builtins.open = io.open = open_
    os.replace, os.rename, os.unlink, os.remove = moved(replace, False), moved(rename, True), removed, removed
    os.mkdir = made
