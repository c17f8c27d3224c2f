"""`minids …`: a thin face over the rooms. A command imports what it needs when it runs: `minids --help` is instant.

Exit codes: 0 done; 1 a defect of minids (with a traceback); 2 a mistake that the user can mend, in one message;
130 Ctrl-C.
With --json, stdout holds JSON and nothing else; progress goes to stderr.
"""

import argparse
import errno
import json
import os
import sys
import traceback
import warnings
from pathlib import Path

from minids import __version__, dev
from minids.errors import MinidsError, for_shell
from minids.progress import console

DEVICES = ("auto", "cpu", "cuda", "mps")
FIXES = {
    errno.ENOSPC: "Free some space, or choose a folder on another disk.",
    errno.EDQUOT: "Your quota is used up: free some space, or choose another folder.",
    errno.EFBIG: "Files may not grow so large here; choose a folder on another disk.",
    errno.EROFS: "Choose a folder that can be written.",
    errno.EACCES: "Choose a folder that you may write, or change its permissions.",
    errno.EPERM: "Choose a folder that you may write, or change its permissions.",
    errno.ENOTDIR: "A part of this path is a file; choose another path.",
    errno.EISDIR: "This is a folder; name a file.",
    errno.ENAMETOOLONG: "Choose a shorter name.",
}


def main(argv=None):
    """Runs one command and returns the exit code."""
    console()
    top = parser()
    args = top.parse_args(argv)
    if not hasattr(args, "command"):
        top.print_help(sys.stderr)
        top.exit(2)
    for name, value in vars(args).items():
        if value == "":  # a shell variable that is not set, most often
            args.usage(f"{name} is empty: say what it should be, or leave it out")
    with warnings.catch_warnings():
        warnings.showwarning = _note
        code = _guarded(args)
    try:
        sys.stdout.flush()
    except OSError:  # a full disk or a closed pipe; Python would complain about it once more at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


def _guarded(args):
    try:
        code = args.command(args)  # dev's tools have verdicts; the other commands are done when they return
        sys.stdout.flush()
        return code or 0
    except MinidsError as error:
        return _complain(for_shell(str(error)), 2)
    except KeyboardInterrupt as stopped:
        return _complain(f"stopped. {stopped}".strip(), 130)
    except BrokenPipeError:  # `minids … | head`
        return 0
    except OSError as error:
        if error.errno not in FIXES:
            return _defect(error)
        where = f"{error.filename}: " if error.filename else ""
        return _complain(f"{where}{error.strerror}. {FIXES[error.errno]}", 2)
    except MemoryError:
        return _complain(
            "not enough memory. Close other programs, or set smaller batches (--set grpo.max_batch=64).", 2
        )
    except Exception as error:
        if isinstance(error, RuntimeError) and "can't allocate memory" in str(error):  # torch's, on a CPU
            return _complain("not enough memory. Use shorter texts or smaller batches, or close other programs.", 2)
        if type(error).__name__ == "OutOfMemoryError":  # torch's, which is not imported here
            return _complain(
                "the GPU's memory is full. Use --device cpu, or smaller batches (--set pretrain.tokens_per_batch=…).", 2
            )
        return _defect(error)


def _note(message, category, filename, line, file=None, code=None):
    if category is UserWarning:  # ours
        print(f"minids: note: {for_shell(str(message))}", file=sys.stderr)
    elif not issubclass(category, (DeprecationWarning, FutureWarning)):
        print(f"{filename}:{line}: {category.__name__}: {message}", file=sys.stderr)


def _complain(message, code):
    print(f"minids: {message}", file=sys.stderr)
    return code


def _defect(error):
    traceback.print_exception(error)
    return _complain("this is a defect of minids, not of what you typed. Please report it with the lines above.", 1)


# -- the commands --------------------------------------------------------------------------------------------


def run(args):
    """`minids run`: a recipe from nothing to its report."""
    from minids import pipeline
    from minids.eval import eval_command
    from minids.run import begun

    recipe, out, how = _asked(args)
    try:
        results = pipeline.run(recipe, out, **how)
    except KeyboardInterrupt:
        again = f"minids run {out} --resume" + " --controls" * args.controls
        saved = f"What was finished is in {out}. Go on with: {again}" if (out / begun.NAME).exists() else ""
        raise KeyboardInterrupt(saved) from None
    control = sum(s["seconds"] + s["evaluation_seconds"] for s in results["stages"] if s["control"])
    if results["evals"]:
        print(eval_command.table(results["evals"]) + "\n")
    peak = results["peak_bytes"] / 2**30
    print(
        f"{_clock(results['seconds'])} in all"
        + f", and {_clock(control)} for the controls" * (control > 0)
        + f"; peak memory {peak:.1f} GiB" * (peak > 0)
    )
    print(f"report   {out / 'report.html'}")
    print("next     " + "\n         ".join(begun.advice(recipe, out, results)))


def _asked(args):
    """The recipe, the folder and the settings of a run; one that goes on has those of its folder."""
    from minids.run import begun, recipes

    going_on, changes = args.resume or args.redo, [*args.set, *["eval.after_stages=false"] * args.no_eval]
    changes += [f"origin={json.dumps(args.origin)}"] if args.origin else []
    if not args.recipe and not (going_on and args.out):
        args.usage("name a recipe (minids run tiny), or a folder to go on with (minids run runs/tiny --resume)")
    out = args.out or begun.folder_of(args.recipe)
    named = Path(args.recipe or "")
    if going_on and out is None and len(named.parts) > 1 and not (named.suffix or named.exists()):
        raise MinidsError(f"{args.recipe}: not found; no such run to go on with. Begin one: minids run tiny --out DIR.")
    if out is None:
        name = recipes.name_of(args.recipe, changes)
        out = Path("runs") / (
            name + (f"-seed{args.seed}" if args.seed else "") + "-mine" * args.mine + "-from" * bool(args.origin)
        )
    before = begun.read(out) if going_on else {}
    recipe, changes = begun.recipe(args.recipe, out, changes, before)
    how = {name: getattr(args, name) for name in ("resume", "controls", "until", "redo")} | {"changes": changes}
    how["seed"] = before.get("seed", 0) if args.seed is None else args.seed
    how["workers"] = args.workers or before.get("workers")
    how["device"] = before.get("device", "auto") if args.device == "auto" else args.device
    how["prepare"] = _mine() if args.mine or before.get("mine") else None
    return recipe, Path(out), how


def _mine():
    """Puts the student's functions into this process, says which, and returns what a worker does."""
    from minids.course import answers

    book = answers.ledger()
    print(answers.status(book), file=sys.stderr)
    if not book["yours"]:
        raise MinidsError(
            f"--mine runs on functions that you wrote and kept, but none are in {answers.shown(answers.folder())}. "
            "Solve exercises first (make lab), or leave --mine out."
        )
    return answers.ledger


def chat(args):
    """`minids chat`: questions to a model, in the terminal."""
    from minids import pipeline
    from minids.eval import model_folder
    from minids.serve import terminal

    if args.mine:
        _mine()
    opened = model_folder.open_folder(args.dir, pipeline.pick_device(args.device))
    terminal.talk(opened, temperature=args.temperature, max_new_tokens=args.max_new_tokens, seed=args.seed)


def evaluate(args):
    """`minids eval`: how often a model is right."""
    from minids import pipeline
    from minids.eval import eval_command
    from minids.eval.evaluate import read_problems

    problems = read_problems(args.problems) if args.problems else None
    device = pipeline.pick_device(args.device)
    found = eval_command.run(args.dir, problems, device, args.workers, args.seed, args.families)
    print(json.dumps(found, ensure_ascii=False) if args.json else eval_command.text(found))


def replay(args):
    """`minids replay`: an answer of RL again, token for token."""
    from minids import pipeline
    from minids.eval import model_folder
    from minids.report import replayed
    from minids.rl import replay

    device = pipeline.pick_device(args.device) if args.device else None
    prepare = _mine() if model_folder.made_with_mine(args.run) else None
    found = replay.replay(
        args.run,
        args.step,
        args.sample,
        stage=args.stage,
        device=device,
        quiet=False,
        prepare=prepare,
        families=args.families,
        reward=args.reward,
        advantages=args.advantages,
    )
    if args.json:
        print(json.dumps(found, ensure_ascii=False))
    else:
        replayed.show(found)


def export(args):
    """`minids export`: a model in Hugging Face's layout, into a new folder."""
    from minids.eval import model_folder
    from minids.model import hf
    from minids.model.transformer import Transformer

    source, out = model_folder.find_model(args.dir), _new_folder(args.out)
    hf.save_model(Transformer.from_pretrained(source), out, experts=args.experts)
    _say_written(out, model_folder.copy_tokenizer(source, out))


def import_(args):
    """`minids import`: a model from Hugging Face's layout, into a new folder."""
    from minids.eval import model_folder
    from minids.model import hf
    from minids.model.transformer import Transformer
    from minids.text.tokenizer import Tokenizer

    model, out = Transformer.from_pretrained(args.hf_dir), _new_folder(args.out)
    if (Path(args.hf_dir) / "tokenizer.json").exists():
        hf.check_tokenizer(model.config, Tokenizer.from_pretrained(args.hf_dir))
    hf.save_model(model, out)
    names = model_folder.copy_tokenizer(args.hf_dir, out)
    _say_written(out, names)
    if "tokenizer.json" not in names:
        print(f"{args.hf_dir} holds no tokenizer.json: copy one into {out} before `minids chat`.", file=sys.stderr)


def _new_folder(out):
    if Path(out).exists() and (not Path(out).is_dir() or any(Path(out).iterdir())):
        raise MinidsError(f"{out}: already there. Choose a new folder, so that nothing is overwritten.")
    return Path(out)


def _say_written(out, names):
    print(f"{out}: config.json, weights" + "".join(f", {n}" for n in names))


def bench(args):
    """`minids bench`: speed beside peers."""
    from minids.bench import suite

    suite.main(args.what, as_json=args.json)


def cost(args):
    """`minids cost`: what a model takes on paper."""
    from minids.run import cost

    print(cost.text(cost.describe(args.name)))


def grade(args):
    """`minids grade`: points and feedback for students' notebooks."""
    from minids.course.grading import grade

    grade.grade_files(
        args.files,
        csv=args.csv,
        html=args.html,
        private=args.private,
        chapter=args.chapter,
        jobs=args.jobs,
        seed=args.seed,
    )


def progress(args):
    """`minids progress`: a student's ledger."""
    from minids.course import progress

    print(progress.write_html(args.html) if args.html else progress.text())


def course(args):
    """`minids course`: the course for nbgrader."""
    from minids.course import nbgrader

    nbgrader.write(Path(args.nbgrader))


def doctor(args):
    """`minids doctor`: what this machine can run."""
    from minids.bench import doctor

    print(doctor.text())


def report(args):
    """`minids report`: a run's page, drawn again, or a page that compares several. Raises MinidsError for --out with
    one."""
    from minids.report import run_report

    if len(args.runs) == 1 and args.out:
        raise MinidsError(f"--out is for a comparison of several runs; one run's report is {args.runs[0]}/report.html.")
    several = len(args.runs) > 1
    print(run_report.compare(args.runs, args.out or "compare.html") if several else run_report.write(args.runs[0]))


def dev_(args):
    """`minids dev`: the project's own tools."""
    return dev.run(args.tool, args.arguments)


# -- words ---------------------------------------------------------------------------------------------------


def _clock(seconds):
    return f"{int(seconds) // 60} min {int(seconds) % 60} s"


def parser():
    """The parser of the whole command line; each command's function is its default `command`."""
    top = argparse.ArgumentParser(
        prog="minids", description="A DeepSeek-V3/R1 style reasoning model, from nothing, on two CPU cores."
    )
    top.add_argument("--version", action="version", version=f"minids {__version__}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND")

    def command(name, function, text, *arguments):
        sub = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        for *names, settings in arguments:
            sub.add_argument(*names, **settings)
        sub.set_defaults(command=function, usage=sub.error)

    device = ("--device", {"choices": DEVICES, "default": "auto"})
    folder = ("dir", {"metavar": "DIR", "help": "a run's folder (runs/tiny) or a model's"})
    as_json = ("--json", {"action": "store_true", "help": "JSON on stdout"})
    workers = ("--workers", {"type": positive, "metavar": "N", "help": "processes; default: 2 on a CPU with two cores"})
    seed = ("--seed", {"type": natural, "default": 0, "metavar": "N"})
    answers = ("--mine", {"action": "store_true", "help": "on your own functions, kept in mine/ by the chapters"})
    change = {"action": "extend", "nargs": "+", "default": [], "metavar": "key=value"}
    named = "tiny, tiny-zero, …, a .toml file, or a run's folder or recipe.json"
    controls = "also train to answer without thinking, and with random rewards"
    command(
        "run",
        run,
        "the main job: tokenizer, pretraining, SFT, GRPO, evaluation, report",
        ("recipe", {"nargs": "?", "metavar": "RECIPE", "help": named}),
        ("--out", {"metavar": "DIR", "help": "default runs/<name>, with -seed<N> behind it if N is not 0"}),
        ("--seed", {"type": natural, "metavar": "N", "help": "default 0"}),
        device,
        workers,
        ("--no-eval", {"action": "store_true", "help": "no evaluation after the stages (eval.after_stages=false)"}),
        ("--resume", {"action": "store_true", "help": "go on with the run in that folder, with what it was asked for"}),
        ("--controls", {"action": "store_true", "help": controls}),
        (
            "--from",
            {
                "dest": "origin",
                "metavar": "DIR",
                "help": "start from this model (a run's, a stage's), not from nothing",
            },
        ),
        ("--until", {"metavar": "STAGE", "help": "stop after this stage; --resume goes on"}),
        ("--redo", {"metavar": "STAGE", "help": "run this stage of an earlier run again, and those after it"}),
        ("--set", {**change, "help": "change the recipe: grpo.steps=40 (docs/settings.md)"}),
        answers,
    )
    some = {"nargs": "+", "metavar": "NAME"}
    heat = {"type": temperature, "metavar": "T", "help": "0 (default, if the folder says nothing): the likeliest token"}
    command(
        "chat",
        chat,
        "talk to a model in the terminal",
        folder,
        device,
        seed,
        answers,
        ("--temperature", heat),
        ("--max-new-tokens", {"type": positive, "metavar": "N", "help": "default: the folder's, or 320"}),
    )
    command(
        "eval",
        evaluate,
        "how often a model is right, on held-out problems or on yours",
        folder,
        device,
        workers,
        as_json,
        ("--problems", {"metavar": "FILE.jsonl", "help": 'lines {"question": "347+5896", "answer": "6243"}'}),
        ("--seed", {"type": natural, "metavar": "N", "help": "of the held-out problems and the samples"}),
        ("--families", {**some, "default": None, "help": "kinds of problems, instead of those that the folder names"}),
    )
    hook = {"metavar": "FILE.py:NAME"}
    which_stage = {"metavar": "NAME", "help": "which stage of RL; default: the only one, or grpo"}
    command(
        "replay",
        replay,
        "an answer of a finished iteration of RL, drawn again token for token",
        ("run", {"metavar": "RUN", "help": "a run's folder (runs/tiny)"}),
        ("step", {"metavar": "STEP", "type": positive, "help": "iteration, from 1"}),
        ("sample", {"metavar": "SAMPLE", "type": natural, "help": "the answer's number in it, from 0"}),
        ("--stage", which_stage),
        ("--device", {"choices": DEVICES, "help": "default: the run's"}),
        as_json,
        ("--families", {**some, "default": [], "help": "the run's user:FILE families: they may hold code"}),
        ("--reward", {**hook, "help": "the run's hook that paid, if it had one"}),
        ("--advantages", {**hook, "help": "the run's hook for advantages, if it had one"}),
    )
    experts = {"choices": ("separate", "fused"), "default": "separate"}
    layout = ("--experts", {**experts, "help": "a tensor for each expert (as published), or one per layer"})
    out = ("out", {"metavar": "OUT", "help": "a new folder"})
    command("export", export, "write a model in Hugging Face's DeepSeek-V3 layout", folder, out, layout)
    theirs = ("hf_dir", {"metavar": "HF_DIR", "help": "config.json, weights, tokenizer.json"})
    command("import", import_, "read a model in Hugging Face's DeepSeek-V3 layout", theirs, out)
    parts = ("train", "decode", "tokenizer", "kernels")
    command("bench", bench, "speed, side by side with peers", ("what", {"nargs": "?", "choices": parts}), as_json)
    which = {"nargs": "?", "default": "v3", "metavar": "NAME", "help": "v3 (default), r1, or a recipe"}
    command("cost", cost, "GPU hours, dollars, FLOPs and cache bytes, every assumption shown", ("name", which))
    command(
        "grade",
        grade,
        "points and feedback for students' notebooks, without running them",
        ("files", {"nargs": "+", "metavar": "FILE", "help": "notebooks, .py files, or folders of kept answers"}),
        (
            "--csv",
            {
                "metavar": "F",
                "help": "a line per student and exercise; after an interruption, goes on from it; "
                "refused where another file, or a row that this run does not grade, would be lost",
            },
        ),
        ("--html", {"metavar": "DIR", "help": "a feedback page a student"}),
        ("--private", {"metavar": "DIR", "help": "more cases of your own, as in minids/course/cases"}),
        ("--chapter", {"metavar": "NN", "help": "only the exercises of this chapter; default: those it finds"}),
        ("--jobs", {"type": positive, "metavar": "N", "help": "answers at a time; default: the cores"}),
        ("--seed", {"type": natural, "metavar": "N", "help": "of the cases; default: a fresh one, which is printed"}),
    )
    command(
        "progress",
        progress,
        "which parts are yours, points, what is next, time spent",
        ("--html", {"metavar": "F", "help": "as a page"}),
    )
    command(
        "course",
        course,
        "the course in other forms",
        ("--nbgrader", {"metavar": "DIR", "required": True, "help": "write an nbgrader course there"}),
    )
    command("doctor", doctor, "what this machine can and cannot run")
    several = {"nargs": "+", "metavar": "RUN", "help": "a run's folder (runs/tiny); several are compared on one page"}
    page = {"metavar": "FILE.html", "help": "the page of several runs; default compare.html"}
    command(
        "report", report, "draw a run's report again, or a page that compares runs", ("runs", several), ("--out", page)
    )
    command(
        "dev",
        dev_,
        "the project's own tools; alone, it lists them",
        ("tool", {"nargs": "?", "choices": dev.TOOLS, "metavar": "NAME", "help": ", ".join(dev.TOOLS)}),
        ("arguments", {"nargs": argparse.REMAINDER, "metavar": "…", "help": "the tool's; --help lists them"}),
    )
    return top


def natural(text):
    """A whole number, 0 or more, as argparse wants it."""
    return _number(text, int, lambda n: n >= 0, "a whole number, 0 or more")


def positive(text):
    """A whole number, 1 or more."""
    return _number(text, int, lambda n: n > 0, "a whole number above 0")


def temperature(text):
    """A temperature: 0, or a number that the sampler takes."""
    from minids.model.sampling import LEAST

    return _number(text, float, lambda n: n == 0 or LEAST <= n <= 100, f"0 or a number from {LEAST:g} to 100")


def _number(text, kind, good, what):
    try:
        value = kind(text)
    except ValueError:
        value = None
    if value is None or not good(value):
        raise argparse.ArgumentTypeError(f"{text!r} is not {what}")
    return value


if __name__ == "__main__":
    sys.exit(main())
