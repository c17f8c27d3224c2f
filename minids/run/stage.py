"""A stage of a run: a function, and one row that says everything else about it.

    Stage("polish", polish, title="polished", needs=("grpo",), below="grpo", passes={"model": 4}, model="polished")

is all that a new stage takes. `minids run` (with --resume, --until and --redo), `minids cost`, the report and the
tables of results read the row; run/stages.py lists all rows.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from minids.eval.evaluate import EvalConfig

LEARN, SAMPLE = 3, 1  # forward passes per token: a backward pass costs two


@dataclass(frozen=True)
class Stage:
    """What is known of a stage.

    name        in `stages` of a recipe, in --until and --redo, in results.json and metrics.jsonl
    function    takes the run/job.py:Job, does the work, and returns a record for results.json
    title       what its result is called in the report;  colour: a variable of report/page.py
    label       what its result is called in the tables of results, as in "after GRPO"; default "after" and the title
    about       one line: what the stage does, or which question a control answers
    needs       stages that come before it in a plan; tokenizer and pretrain always do
    section     the section of the recipe that it reads; default its name
    below       the section that its own stands on: its own says only what differs
    reads       further sections that its result depends on
    settings    the class that checks the section; default that of the section below
    also        a class of run/sections.py with further keys of the section, which checks them
    planned     called with (section, tokens of a text, processes): how many tokens it will take; default as below
    passes      forward passes per token of the record, by model ("model", or "small" for the one that is distilled
                into): 3 to learn from a token, 1 to sample or to read it; empty where nothing is counted
    model       folder of the model that it leaves, "" for none
    rows        name of its rows in the evaluation; default its name, where it leaves a model
    parts       further keys of results.json that it fills
    control     whether it is only what the result is compared with; its time is counted apart
    """

    name: str
    function: Callable
    title: str
    colour: str = "total"
    label: str = ""
    about: str = ""
    needs: tuple = ()
    section: str = ""
    below: str = ""
    reads: tuple = ()
    settings: type | None = None
    also: type | None = None
    planned: Callable | None = None
    passes: dict = field(default_factory=dict)
    model: str = ""
    rows: str = ""
    parts: tuple = ()
    control: bool = False

    def __post_init__(self):
        defaults = {"section": self.name, "label": f"after {self.title}", "rows": self.name if self.model else ""}
        for key, value in defaults.items():
            if not getattr(self, key):
                object.__setattr__(self, key, value)

    @property
    def small(self) -> bool:
        """Whether it makes or changes the small model."""
        return "small" in self.passes

    @property
    def learns(self) -> bool:
        """Whether a model is trained on its tokens, rather than only asked."""
        return max(self.passes.values(), default=0) >= LEARN


def batches(section: dict, length: float, processes: int) -> int:
    """Tokens of supervised training: each process has its own batches."""
    return section["steps"] * section["tokens_per_batch"] * processes


def groups(section: dict, length: float, processes: int) -> float:
    """Tokens of the answers that RL samples."""
    return section["steps"] * section["prompts_per_step"] * section["num_generations"] * length


@runtime_checkable
class AnyRecipe(Protocol):
    """What stages read of a run/recipes.py:Recipe, which stands above them: it checks itself by the table of stages."""

    name: str
    families: list
    model: dict
    pretrain: dict
    sft: dict
    direct: dict
    small: dict
    origin: str

    @property
    def plan(self) -> list:
        """The stages after pretraining."""

    @property
    def first_rl(self) -> str:
        """The first stage of RL in the plan."""

    @property
    def evaluation(self) -> EvalConfig:
        """The settings of the evaluation."""

    def section(self, stage: str) -> dict:
        """The settings of a stage, unchecked."""

    def checked(self, stage: str) -> dict:
        """The settings of a stage with all defaults, each checked."""

    def further(self, stage: str) -> list[type]:
        """The classes of a stage's keys beside those of its `settings`."""
