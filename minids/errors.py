"""The one exception for a user's mistake: its message says what is wrong, where, and what to do."""


class MinidsError(Exception):
    """Raised for bad input (a config key, a checkpoint, a file, a setting).
    The command line prints it without a traceback."""
