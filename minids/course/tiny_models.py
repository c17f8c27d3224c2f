"""The trained tiny model that chapters look at, at three stages of its life, small enough to be committed.

    base    pretrained on documents of questions, thoughts and answers; continues "Question: … Thought:"
    sft     after the cold start: answers in the chat template, hasty about as often as careful
    grpo    after reinforcement learning

    model(stage) -> (model, tokenizer)      ask(stage, question) -> (reply, its tokens)      accuracy(stage, problems)

The folders chapters/data/tiny/<stage> are model folders like any other (`minids chat chapters/data/tiny/grpo`), with
the weights rounded to float16, half the bytes. They are made from a finished run of the tiny recipe by

    minids dev tiny-models runs/tiny

which answers problems of the test split with both, original and copy, and refuses copies whose answers differ in more
than MOST_CHANGED of them. Read without network; in memory the weights are float32.
"""

import argparse
import shutil
import tempfile
from pathlib import Path

import torch

from minids import files
from minids.errors import MinidsError
from minids.eval import evaluate, model_folder
from minids.model import hf
from minids.model.transformer import Transformer
from minids.serve import ask as serve_ask
from minids.tasks import arithmetic
from minids.text.tokenizer import Tokenizer

FOLDER = Path(__file__).resolve().parents[2] / "chapters" / "data" / "tiny"
STAGES = {"base": "base", "sft": "sft", "grpo": "model"}  # stage -> its folder in a run
FEWEST_PROBLEMS, MOST_CHANGED = 100, 0.02  # a family; share of answers that rounding may change
MOST_BYTES = 5_000_000


def model(stage, folder=None):
    """The model and its tokenizer at a stage ("base", "sft", "grpo"), read anew at each call, so that a chapter may
    train what it gets."""
    if stage not in STAGES:
        raise MinidsError(f"tour: stage {stage!r} is not one of {', '.join(STAGES)}.")
    folder = Path(folder or FOLDER) / stage
    if not folder.is_dir():
        raise MinidsError(f"{folder}: no such folder. Make it from a finished run: minids dev tiny-models RUN")
    return model_folder.load(folder, dtype=torch.float32)


def style(stage, folder=None):
    """How questions are put to it: "plain" or "tags" (see text.chat)."""
    path = Path(folder or FOLDER) / stage / model_folder.ABOUT
    return files.load_json(path, "Copy it again from the run.")["style"]


def ask(stage, question, temperature=0.0, seed=0, opened=None):
    """The reply to a question, as an ask.Reply, and how many tokens it has; `opened` is what model(stage) gave, if it
    is there already."""
    how = {"style": style(stage), "temperature": temperature, "seed": seed, "max_new_tokens": 200}
    reply = serve_ask.chat(*(opened or model(stage)), question, **how)
    return reply, len(reply.ids)


def accuracy(stage, problems, temperature=0.0, seed=0, opened=None):
    """(share of the problems solved by one answer each, tokens of an answer on average)"""
    net, tokenizer = opened or model(stage)
    given = evaluate.answer(net, tokenizer, problems, style=style(stage), temperature=temperature, seed=seed)
    right, lengths = zip(*[(result.accuracy, length) for ((result, length, _),) in given])
    return sum(right) / len(right), sum(lengths) / len(lengths)


# -- making the folders ------------------------------------------------------------------------------------------------


def make(run, out=None):
    """Writes the stages of a finished run as float16 -> [(stage, problems, answers that stayed the same, accuracy of
    the original, of the copy)]. The old folders stay until the new ones have passed."""
    run, out = Path(run), Path(out or FOLDER)
    out.parent.mkdir(parents=True, exist_ok=True)
    rows = []
    with tempfile.TemporaryDirectory(dir=out.parent) as aside:
        for stage, name in STAGES.items():
            if not (run / name / "config.json").exists():
                raise MinidsError(f"{run / name}: no such model. The tour is made from a finished run of a recipe.")
            target = Path(aside) / "tiny" / stage
            hf.save_model(Transformer.from_pretrained(run / name, dtype=torch.float16), target)
            model_folder.copy_tokenizer(run / name, target)
            rows.append(_compare(stage, run / name, target))
        size = sum(f.stat().st_size for f in Path(aside).rglob("*") if f.is_file())
        if size > MOST_BYTES:
            raise MinidsError(f"tour: {size:,} bytes, more than the {MOST_BYTES:,} that a repository should carry.")
        if out.exists():
            shutil.rmtree(out)
        files.replace(Path(aside) / "tiny", out)
    return rows


def _compare(stage, original, copy):
    problems = arithmetic.problem_set(arithmetic.FAMILIES, "test", FEWEST_PROBLEMS, seed=4)
    given = []
    for folder in (original, copy):
        how = {"style": style(folder.name, folder.parent)}
        net, tokenizer = (
            Transformer.from_pretrained(folder, dtype=torch.float32).eval(),
            Tokenizer.from_pretrained(folder),
        )
        given.append([answers[0] for answers in evaluate.answer(net, tokenizer, problems, **how)])
    same = sum(a[2] == b[2] for a, b in zip(*given))
    if same < (1 - MOST_CHANGED) * len(problems):
        raise MinidsError(f"tour: float16 changes {len(problems) - same} of {len(problems)} answers of {stage!r}.")
    return stage, len(problems), same, *(sum(r.accuracy for r, _, _ in part) / len(part) for part in given)


def main(argv=None):
    """`minids dev tiny-models`: makes the chapters' trained models from a finished run; returns the exit code."""
    parser = argparse.ArgumentParser(prog="minids dev tiny-models", description=__doc__.split("\n\n")[0])
    parser.add_argument("run", type=Path, help="folder of a finished run of the tiny recipe")
    parser.add_argument("--out", type=Path, default=None, help="where to, instead of chapters/data/tiny")
    asked = parser.parse_args(argv)
    torch.set_num_threads(1)
    rows = make(asked.run, asked.out)
    print("stage   same answers   right before   right as float16")
    for stage, n, same, before, after in rows:
        print(f"{stage:<7} {same:>4} of {n:<5} {100 * before:>12.1f} % {100 * after:>15.1f} %")
    return 0
