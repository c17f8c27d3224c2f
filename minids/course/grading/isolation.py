"""What the operating system can forbid a process that runs a stranger's code. Linux; each fence stands by itself.

    limits      POSIX: processor time, memory, file size, open files, processes, no core dumps
    namespaces  no network, no other process in sight, no rights (where unprivileged user namespaces are allowed)
    Landlock    files: read Python and its packages, write one folder (Linux 5.13 and later)
    seccomp     no new process, no signal, no socket, no look into another process (x86-64 and arm64; in Docker too)

A fence that the system refuses is left out, and the grader's first lines say which ones stand. Nothing is installed,
and no rights are needed; root is fenced in as well (the limit on processes does not hold for root, seccomp's does).
"""

import ctypes
import os
import platform
import struct
import sys
from pathlib import Path

try:
    import resource
except ImportError:  # Windows
    resource = None

_NEW = {"user": 0x10000000, "network": 0x40000000, "processes": 0x20000000, "IPC": 0x08000000}
_KILL_WITH_PARENT, _DUMPABLE, _SECCOMP, _ADOPT, _NO_NEW_PRIVILEGES = 1, 4, 22, 36, 38  # options of prctl

# Numbers of system calls: x86-64, arm64 (None: that machine has none such).
_FORBIDDEN = {
    "fork": (57, None),
    "vfork": (58, None),
    "execve": (59, 221),
    "execveat": (322, 281),
    "setsid": (112, 157),
    "setpgid": (109, 154),
    "kill": (62, 129),
    "tkill": (200, 130),
    "tgkill": (234, 131),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "pidfd_open": (434, 434),
    "pidfd_send_signal": (424, 424),
    "pidfd_getfd": (438, 438),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kcmp": (312, 272),
    "socket": (41, 198),
    "socketpair": (53, 199),
    "connect": (42, 203),
    "bind": (49, 200),
    "io_uring_setup": (425, 425),
    "memfd_create": (319, 279),
    "msgget": (68, 186),
    "semget": (64, 190),
    "shmget": (29, 194),
    "mq_open": (240, 180),
    "setrlimit": (160, 164),
    "setpriority": (141, 140),
    "sched_setaffinity": (203, 122),
    "sched_setscheduler": (144, 119),
    "sched_setparam": (142, 118),
    "sched_setattr": (314, 274),
    "ioprio_set": (251, 30),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "kexec_load": (246, 104),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "clock_settime": (227, 112),
    "settimeofday": (164, 170),
    "acct": (163, 89),
    "open_by_handle_at": (304, 265),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    "move_pages": (279, 239),
    "migrate_pages": (256, 238),
    "fanotify_init": (300, 262),
    "mount_setattr": (442, 442),
    "delete_module": (176, 106),
    "kexec_file_load": (320, 294),
    "mknod": (133, None),
    "mknodat": (259, 33),
}
# Who gets a signal when something comes over a link, and which: so a worker could have one sent to the grader.
_OF_SIGNALS = {  # call: (x86-64, arm64), values of its second argument
    "fcntl": ((72, 25), (8, 10, 15, 1024, 1026)),  # F_SETOWN, F_SETSIG, F_SETOWN_EX, F_SETLEASE, F_NOTIFY
    "ioctl": ((16, 29), (0x8901, 0x8902, 0x5452, 0x5412)),  # FIOSETOWN, SIOCSPGRP, FIOASYNC, TIOCSTI
}
_F_SETFL, _O_ASYNC = 4, 0o20000
_MACHINES = {"x86_64": (0, 0xC000003E, 56, 302), "aarch64": (1, 0xC00000B7, 220, 261)}  # column, ABI, clone, prlimit
_CLONE3 = 435


def _call(name, *args):
    """A function of the C library; whole numbers as words."""
    function = getattr(ctypes.CDLL(None, use_errno=True), name)
    return function(*(ctypes.c_long(a) if isinstance(a, int) else a for a in args))


def limit(cpu, memory, file, files):
    """The limits of POSIX for this process: seconds, and bytes beyond what it holds now."""
    try:
        Path("/proc/self/oom_score_adj").write_bytes(b"1000")  # where memory runs out, this process goes first
    except OSError:
        pass
    wanted = {
        "RLIMIT_CPU": (cpu, cpu + 1),  # a signal that a program may catch, then the one that it may not
        "RLIMIT_FSIZE": (file, file),
        "RLIMIT_NOFILE": (files, files),
        "RLIMIT_NPROC": (0, 0),
        "RLIMIT_CORE": (0, 0),
    }
    _set(wanted | _memory(memory))


def limit_memory(memory):
    """The one limit of a process that may still start others: bytes beyond what it holds now."""
    _set(_memory(memory))


def _memory(memory):
    sizes = Path("/proc/self/statm")
    held = int(sizes.read_text(encoding="utf-8").split()[0]) * resource.getpagesize() if sizes.exists() else 0
    return {"RLIMIT_AS": (held + memory, held + memory)}


def _set(wanted):
    for name, pair in wanted.items():
        try:
            hard = resource.getrlimit(getattr(resource, name))[1]
            if hard != resource.RLIM_INFINITY:
                pair = tuple(min(n, hard) for n in pair)
            resource.setrlimit(getattr(resource, name), pair)
        except (AttributeError, ValueError, OSError):  # macOS knows some of them by name only
            continue


def environment(folder):
    """Settings by which libraries find a home, a cache and a place for passing files in this folder, and no screen."""
    homes = (
        "HOME",
        "TMPDIR",
        "MPLCONFIGDIR",
        "IPYTHONDIR",
        "JUPYTER_CONFIG_DIR",
        "NUMBA_CACHE_DIR",
        "TRITON_CACHE_DIR",
        "TORCHINDUCTOR_CACHE_DIR",
        "XDG_CACHE_HOME",
        "XDG_CONFIG_HOME",
        "XDG_DATA_HOME",
        "XDG_STATE_HOME",
        "XDG_RUNTIME_DIR",
    )
    threads = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS", "VECLIB_MAXIMUM")}
    return {name: str(folder) for name in homes} | threads | {"MPLBACKEND": "Agg", "LC_ALL": "C.UTF-8"}


def leave_the_world():
    """New namespaces for this process, which must have one thread -> the names of what it left behind.

    With "processes" among them its next child is process 1 of a world of its own.
    """
    if sys.platform != "linux":
        return []
    for names in (("user", "network", "IPC", "processes"), ("user", "network", "IPC"), ("user", "network")):
        if _call("unshare", sum(_NEW[name] for name in names)) == 0:
            return list(names[1:])
    return []


def die_with_parent(parent=None):
    """Ends this process with the one that started it; at once, if that is `parent` and has gone already."""
    if sys.platform == "linux":
        _call("prctl", _KILL_WITH_PARENT, 9, 0, 0, 0)
    if parent is not None and os.getppid() != parent:
        os._exit(1)


def closed_to_others(closed=True):
    """Whether processes of the same user may look into this one's memory: for where the other fences are missing."""
    if sys.platform == "linux":
        _call("prctl", _DUMPABLE, int(not closed), 0, 0, 0)


def adopt():
    """Makes this process the parent of whatever its descendants leave behind."""
    return sys.platform == "linux" and _call("prctl", _ADOPT, 1, 0, 0, 0) == 0


def children():
    """The processes whose parent this one is, where the system tells."""
    try:
        return [int(n) for n in Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="utf-8").split()]
    except OSError:
        return []


def no_new_privileges():
    """No program that this process starts can gain rights (prctl PR_SET_NO_NEW_PRIVS) -> whether the system agreed."""
    return sys.platform == "linux" and _call("prctl", _NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0


# -- Landlock ----------------------------------------------------------------------------------------------------------


def around(folder, hidden):
    """The folder, or, when `hidden` lies in it, what surrounds `hidden`."""
    if folder == hidden:
        return []
    if folder not in hidden.parents:
        return [folder]
    return [path for child in sorted(folder.iterdir()) for path in around(child, hidden)]


def landlock(readable, writable):
    """A set of rules for `enter_landlock`, or None where the system has none: all files are out of reach but these."""
    if sys.platform != "linux":
        return None
    version = _call("syscall", 444, None, 0, 1)
    if version < 1:
        return None
    every = (1 << (13 + (version >= 2) + (version >= 3))) - 1 | (version >= 5) << 15
    attributes = struct.pack("<QQQ", every, 3 * (version >= 4), 3 * (version >= 6))  # files; TCP; signals and sockets
    rules = _call("syscall", 444, attributes, 8 if version < 4 else 16 if version < 6 else 24, 0)
    if rules < 0:
        return None
    of_files = 1 << 1 | 1 << 2 | 1 << 14 & every | 1 << 15 & every  # write, read, truncate, control of devices
    look = 1 << 2 | 1 << 3  # read files, list folders; not: execute
    change = look | 1 << 1 | 1 << 5 | 1 << 8 | every & (1 << 14 | 1 << 15)  # files only: no folder, no link, no fifo
    for paths, rights in ((readable, look), (writable, change)):
        for path in paths:
            try:
                fd = os.open(path, getattr(os, "O_PATH", os.O_RDONLY) | os.O_CLOEXEC)
            except OSError:
                continue
            allowed = rights if os.path.isdir(path) else rights & of_files
            _call("syscall", 445, rules, 1, struct.pack("<Qi", allowed, fd), 0)
            os.close(fd)
    return rules


def enter_landlock(rules):
    """Applies the rules of `landlock` to this process, for good -> whether the system agreed."""
    return rules is not None and _call("syscall", 446, rules, 0) == 0


# -- seccomp -----------------------------------------------------------------------------------------------------------


def seccomp():
    """Forbids what is listed above, to this process and for good -> whether the system agreed."""
    if sys.platform != "linux" or platform.machine() not in _MACHINES or sys.maxsize < 2**32:
        return False
    column, abi, clone, prlimit = _MACHINES[platform.machine()]
    load, equal, at_least, any_bit, end = 0x20, 0x15, 0x35, 0x45, 0x06
    allow, refuse, unknown, kill = 0x7FFF0000, 0x50001, 0x50026, 0x80000000  # errors: EPERM, ENOSYS
    code = [(load, 0, 0, 4), (equal, 1, 0, abi), (end, 0, 0, kill), (load, 0, 0, 0)]
    code += [(at_least, 0, 1, 0x40000000), (end, 0, 0, refuse)]  # x32: the same calls by other numbers
    for numbers in _FORBIDDEN.values():
        if numbers[column] is not None:
            code += [(equal, 0, 1, numbers[column]), (end, 0, 0, refuse)]
    for numbers, values in _OF_SIGNALS.values():
        refused = [line for v in values for line in ((equal, 0, 1, v), (end, 0, 0, refuse))]
        if numbers == _OF_SIGNALS["fcntl"][0]:
            refused += [(equal, 0, 3, _F_SETFL), (load, 0, 0, 32), (any_bit, 0, 1, _O_ASYNC), (end, 0, 0, refuse)]
        code += [(equal, 0, len(refused) + 2, numbers[column]), (load, 0, 0, 24), *refused, (end, 0, 0, allow)]
    code += [(equal, 0, 1, _CLONE3), (end, 0, 0, unknown)]  # its flags lie in memory, out of sight: glibc takes clone
    code += [(equal, 0, 4, clone), (load, 0, 0, 16), (any_bit, 1, 0, 0x10000), (end, 0, 0, refuse), (end, 0, 0, allow)]
    code += [(equal, 0, 5, prlimit), (load, 0, 0, 32), (equal, 0, 2, 0), (load, 0, 0, 36), (equal, 1, 0, 0)]
    code += [(end, 0, 0, refuse), (end, 0, 0, allow)]
    program = b"".join(struct.pack("<HBBI", *line) for line in code)
    held = ctypes.create_string_buffer(program, len(program))
    whole = ctypes.create_string_buffer(struct.pack("<HxxxxxxQ", len(code), ctypes.addressof(held)))
    return no_new_privileges() and _call("prctl", _SECCOMP, 2, whole, 0, 0) == 0
