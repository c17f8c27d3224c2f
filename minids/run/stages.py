"""The table of stages: every row of the modules beside this one, in the order in which they are shown.

A new stage is a function and a row (run/stage.py) in one of these modules. Whoever asks what a stage needs, reads,
leaves, costs or is called, asks this table.
"""

from collections.abc import Container

from minids.run import controls, stages_edge, stages_main, stages_r1, stages_start
from minids.run.stage import Stage

FIRST = ("tokenizer", "pretrain")  # of every run that starts from nothing; what follows is named by the recipe
FROM_MODEL = ("start",)  # of a run that starts from a model that is there
STAGES: dict[str, Stage] = {
    stage.name: stage
    for module in (stages_main, stages_start, stages_r1, stages_edge, controls)
    for stage in module.STAGES
}


def plannable() -> list[str]:
    """The names that `stages` of a recipe may have."""
    return [s.name for s in STAGES.values() if not s.control and s.name not in FIRST + FROM_MODEL]


def controls_known() -> list[str]:
    """The names that `controls` of a recipe may have."""
    return [s.name for s in STAGES.values() if s.control]


def sections(name: str) -> list[str]:
    """The sections that a stage's settings come from: its own, then those below it."""
    out, section, below = [], STAGES[name].section, STAGES[name].below
    while section and section not in out:
        out.append(section)
        section = below
        below = next((s.below for s in STAGES.values() if s.section == section), "")
    return out


def inherited(name: str, what: str) -> object:
    """What the row of a stage says of its section (settings, planned), or else the row of a section below it."""
    rows = [STAGES[name], *(s for section in sections(name) for s in STAGES.values() if s.section == section)]
    return next((value for row in rows if (value := getattr(row, what))), None)


def classes(name: str) -> list[type]:
    """The classes that check a stage's settings: `settings`, then those of further keys."""
    rows = [STAGES[name], *(s for section in sections(name) for s in STAGES.values() if s.section == section)]
    settings = inherited(name, "settings")
    return ([settings] if settings else []) + list(dict.fromkeys(row.also for row in rows if row.also))


def further(name: str) -> list[type]:
    """The classes of the keys beside those of `settings`."""
    return [cls for cls in classes(name) if cls is not inherited(name, "settings")]


def of_section(section: str) -> list[type]:
    """The classes that check a section of a recipe."""
    return next((classes(s.name) for s in STAGES.values() if s.section == section and classes(s.name)), [])


def is_rl(name: str) -> bool:
    """Whether a stage of the plan is reinforcement learning: it reads [grpo], or a section that stands on it."""
    return name in STAGES and not STAGES[name].control and sections(name)[-1] == "grpo"


def by_rows(rows: str) -> Stage | None:
    """The stage whose rows in the evaluation have this name."""
    return next((s for s in STAGES.values() if s.rows and s.rows == rows), None)


def by_models(folders: Container[str]) -> list[Stage]:
    """The stages that leave models in these folders, one per folder."""
    found = {}
    for stage in STAGES.values():
        if stage.model and stage.model in folders:
            found.setdefault(stage.model, stage)
    return list(found.values())
