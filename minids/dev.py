"""`minids dev NAME …`: the project's own tools, for those who work on it.

Each is a module with a `main(argv)` that returns an exit code. It is imported when it runs, and a user's mistake in it
is told as in every other command.
"""

from importlib import import_module

from minids.errors import MinidsError

TOOLS = {
    "build": ("minids.course.build", "chapters/src to notebooks, blank and filled in"),
    "check-quality": ("minids.course.check_quality", "every planted mistake refused, every other right way accepted"),
    "tiny-models": ("minids.course.tiny_models", "the trained models of the chapters, from a finished run"),
    "exact": ("minids.studies.exact_model", "expected updates of RL losses against the exact gradient"),
    "presets": ("minids.studies.compare_presets", "published settings of GRPO: their table, or a comparison"),
    "fp8-gap": ("minids.studies.fp8_gap", "what training in FP8 costs in loss against BF16"),
    "settings": ("minids.run.settings_page", "docs/settings.md: every key of a recipe"),
    "readme-tables": ("minids.report.readme_tables", "the tables of results, from docs/results"),
    "bench-kernels": ("minids.bench.kernels", "a record of `minids bench kernels --json` against its bars"),
    "compile-kernels": ("minids.kernels.compiled", "every Triton kernel, compiled for four GPUs without one"),
}


def run(name, arguments):
    """The tool's exit code; without a name, the table of tools. Raises MinidsError for a file that is not there."""
    if name is None:
        print("\n".join(f"minids dev {name:<16} {about}" for name, (_, about) in TOOLS.items()))
        return 0
    try:
        return import_module(TOOLS[name][0]).main(arguments)
    except FileNotFoundError as error:
        raise MinidsError(f"{error.filename}: no such file. Give the path of one that is there.") from None
