"""The one exception for a user's mistake: its message says what is wrong, where, and what to do."""

import difflib
import reprlib

# What the library advises, in arguments of its functions, and the same in options of `minids run`.
IN_SHELL = {"resume=True": "--resume", "out_dir=…": "--out", "replay=False": "--set grpo.replay=false"}


class MinidsError(Exception):
    """Raised for bad input (a config key, a checkpoint, a file, a setting).
    The command line prints it without a traceback, `for_shell`."""


def for_shell(message: str) -> str:
    """A message as the command line says it: "go on with --resume" for "go on with resume=True"."""
    for argument, option in IN_SHELL.items():
        message = message.replace(argument, option)
    return message


def need(value, kind, name: str, what: str) -> None:
    """Raises MinidsError unless an argument is of a class, or of one of several: "generate: model must be …, got 3"."""
    if not isinstance(value, kind):
        plain = value is None or isinstance(value, bool | int | float | str)
        got = reprlib.repr(value) if plain else f"a {type(value).__name__}"
        raise MinidsError(f"{name} must be {what}, got {got}.")


def nearest(name, known) -> str | None:
    """Which of the `known` names somebody who wrote `name` may have meant; capitals do not count."""
    known = {k.lower(): k for k in known}
    return next((known[k] for k in difflib.get_close_matches(str(name)[:100].lower(), known, n=1)), None)


def did_you_mean(name, known, otherwise: str = "") -> str:
    """The hint at the end of a message about an unknown name, with a space before it."""
    near = nearest(name, known)
    return f" Did you mean {near!r}?" if near else otherwise
