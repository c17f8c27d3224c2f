"""A user's function as the judge: whatever it does, the run goes on or stops with one message."""

import json
import os
import random
import time
import warnings

import pytest
import torch
from tiny_rl import config, fresh

from minids import MinidsError
from minids.eval import evaluate
from minids.rl import rollout, trainer
from minids.tasks import arithmetic, documents, registry
from minids.tasks import verifier as verifiers
from minids.tasks.reward import Reward
from minids.text.tokenizer import EOS
from minids.train import metrics

CHECK = """
import math, os, sys, time

calls = 0

def exact(question, answer, reply):
    return reply == answer

def fussy(question, answer, reply):
    return float(reply == answer and question.startswith("say"))

def raises(question, answer, reply):
    raise ValueError("no idea\\nat all")

def hangs(question, answer, reply):
    while True:
        try:
            time.sleep(60)
        except BaseException:
            pass

def busy(question, answer, reply):
    return eval("9**9**9") > 0

def prints(question, answer, reply):
    print("right!" * 100000)
    os.write(1, b"x" * 100000)
    sys.stderr.write("hello")
    return reply == answer

def nan(question, answer, reply):
    return math.nan

def huge(question, answer, reply):
    return 10**9

def huger(question, answer, reply):
    return 10**400

def nothing(question, answer, reply):
    pass

def text(question, answer, reply):
    return "1.0"

def below(question, answer, reply):
    return -1

def half(question, answer, reply):
    return 0.5

def leaves(question, answer, reply):
    sys.exit(0)

def ends(question, answer, reply):
    os._exit(3)

def greedy(question, answer, reply):
    return len(bytearray(10**11)) > 0

def evil(question, answer, reply):
    class Odd:
        def __repr__(self):
            raise RuntimeError
    return Odd()

def moody(question, answer, reply):
    global calls
    calls += 1
    if reply == "die":
        os._exit(1)
    return calls == int(answer)

def trl(completions, answer, **columns):
    assert columns["prompts"] == columns["question"]
    return [float(f"<answer>{a}</answer>" in c and "<think>" in c) for c, a in zip(completions, answer)]

def trl_two(completions, **columns):
    return [1.0, 1.0]

def numpy_one(question, answer, reply):
    import numpy
    return numpy.float32(1)

later = lambda question, answer, reply: 1.0
"""


@pytest.fixture
def check(tmp_path):
    (tmp_path / "check.py").write_text(CHECK, encoding="utf-8")
    made = []

    def make(name, **limits):
        made.append(verifiers.Verifier(f"{tmp_path / 'check.py'}:{name}", **{"seconds": 0.5, **limits}))
        return made[-1]

    yield make
    for verifier in made:
        verifier.close()


def test_right_and_wrong(check):
    verify = check("exact")
    assert verify("q", "5", "5") == (1.0, "") and verify("q", "5", "6") == (0.0, "")
    assert check("fussy")("say 5", "5", "5") == (1.0, "") and check("fussy")("5", "5", "5") == (0.0, "")
    assert verify("\ud800", "5", "\ud800\x00☃") == (0.0, "")
    assert check("numpy_one", seconds=20)("q", "5", "6") == (1.0, "")


@pytest.mark.slow
@pytest.mark.parametrize(
    "name,why",
    [
        ("raises", "raised ValueError: no idea at all"),
        ("hangs", "more than 0.5 seconds"),
        ("busy", "more than 0.5 seconds"),
        ("nan", "returned nan"),
        ("huge", "returned 1000000000.0, which is not from 0 to 1"),
        ("huger", "returned 1000"),
        ("nothing", "returned None"),
        ("text", "returned '1.0'"),
        ("below", "not from 0 to 1"),
        ("leaves", "raised SystemExit"),
        ("ends", "exit code 3"),
        ("greedy", "MemoryError"),
        ("evil", "returned a Odd"),
        ("trl_two", r"returned \[1.0, 1.0\]"),
    ],
)
def test_what_is_no_verdict_is_a_failure_with_a_reason(check, name, why):
    import re

    score, failure = check(name)("q", "5", "5")
    assert score == 0.0 and re.search(why, failure), failure


def test_partial_credit_is_not_paid_and_no_failure(check):
    assert check("half")("q", "5", "5") == (0.0, "")


def test_printing_disturbs_nothing(check, capfd):
    verify = check("prints")
    assert [verify("q", "5", said)[0] for said in ("5", "6", "5")] == [1.0, 0.0, 1.0]
    assert capfd.readouterr() == ("", "")


def test_one_child_serves_many_calls_and_a_dead_one_is_replaced(check):
    verify = check("moody")
    assert verify("q", "1", "x") == verify("q", "2", "x") == (1.0, "")
    first = verify.process.pid
    assert verify("q", "3", "die")[1] == "its process ended (exit code 1)"
    assert verify("q", "1", "x") == (1.0, "") and verify.process.pid != first
    began = time.monotonic()
    for n in range(2, 300):
        assert verify("q", str(n), "x") == (1.0, "")
    assert time.monotonic() - began < 10


@pytest.mark.slow
def test_a_killed_child_leaves_nothing(check):
    verify = check("hangs")
    verify.process is None and verify("q", "5", "5")
    assert verify.process is None  # it hung, so it was ended
    verify = check("exact")
    verify("q", "5", "5")
    pid = verify.process.pid
    verify.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.slow
def test_a_function_that_always_hangs_stops_the_run_before_it_costs_hours(check, monkeypatch):
    monkeypatch.setattr(verifiers, "PATIENCE", 3)
    verify = check("hangs", seconds=0.1)
    assert [verify("q", "5", "5")[0] for _ in range(2)] == [0.0, 0.0]
    with pytest.raises(MinidsError, match="3 times in a row.*resume=True"):
        verify("q", "5", "5")


def test_trl_style_functions_see_the_whole_completion(check):
    verify = check("trl")
    assert verify("q", "5", "5", "<think>x</think><answer>5</answer>") == (1.0, "")
    assert verify("q", "5", "5", "<answer>5</answer>") == (0.0, "")


@pytest.mark.parametrize(
    "source,why",
    [
        ("check.py", "write it as file.py:function"),
        ("missing.py:verify", "not readable"),
        ("check.py:nope", "defines no function"),
        ("check.py:later", "defines no function"),
        ("bad.py:verify", "is not Python"),
        ("check.txt:exact", "file.py:function"),
        (":verify", "file.py:function"),
        ("check.py:", "file.py:function"),
    ],
)
def test_functions_that_are_not_there(tmp_path, monkeypatch, source, why):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "check.py").write_text(CHECK, encoding="utf-8")
    (tmp_path / "bad.py").write_text("def verify(:", encoding="utf-8")
    with pytest.raises(MinidsError, match=why):
        verifiers.Verifier(source)


@pytest.mark.parametrize(
    "body,why",
    [
        ("import nothing_like_this", "cannot be imported: ModuleNotFoundError"),
        ("import os; os._exit(4)", "exit code 4"),
        ("raise SystemExit", "SystemExit"),
        ("while True: pass", "not imported within"),
    ],
)
def test_a_file_that_can_not_be_imported_is_one_message(tmp_path, monkeypatch, body, why):
    monkeypatch.setattr(verifiers, "START_SECONDS", 1.0 if "while" in body else 60.0)
    (tmp_path / "check.py").write_text(f"{body}\ndef verify(question, answer, reply): return 1", encoding="utf-8")
    with pytest.raises(MinidsError, match=why):
        verifiers.Verifier(f"{tmp_path / 'check.py'}:verify")("q", "5", "5")


# -- problems from a file ----------------------------------------------------------------------------------------------


@pytest.fixture
def problems(tmp_path):
    """problems(function or None) -> the environment's name, with 200 sums as words."""
    (tmp_path / "check.py").write_text(CHECK, encoding="utf-8")
    pairs = [(a, b) for a in range(20) for b in range(10)]
    lines = [{"question": f"say {a} and {b}", "answer": a + b, "thought": f"{a}+{b}"} for a, b in pairs]
    (tmp_path / "sums.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n\n", encoding="utf-8")
    names = []

    def name(function=None):
        names.append(f"user:{tmp_path / 'sums.jsonl'}" + (f"@{tmp_path / 'check.py'}:{function}" if function else ""))
        return names[-1]

    yield name
    for n in names:
        registry.get(n).close()


def test_a_file_of_problems_is_an_environment(problems):
    env, rng = registry.get(problems()), random.Random(0)
    for split in arithmetic.SPLITS:
        p = env.sample(rng, split)
        assert p.split == split and env.score(p, p.answer) == 1.0 and env.score(p, p.answer + "0") == 0.0
        assert registry.worked(p, "careful") == (p.question.replace("say ", "").replace(" and ", "+"), p.answer)
    with pytest.raises(MinidsError, match="no size 3"):
        env.sample(rng, "rl", 3)
    graded = registry.get(problems("exact"))
    p = graded.sample(rng, "rl")
    assert Reward()(p, f"<think>a</think><answer>{p.answer}</answer>{EOS}", True).accuracy == 1
    assert graded.score(p, "x" * 5000) == 0.0 and graded.verifier.slow == 0
    assert len({q.question for q in registry.problem_set([graded.name], "test", 10, 0)}) == 10


@pytest.mark.parametrize(
    "text,why",
    [
        (
            '{"question": "a", "answer": "1"}\n{"question": " a ", "answer": "2"}',
            "line 2: the question of line 1 again",
        ),
        ('{"question": "a"}', "line 1: needs"),
        ('{"question": "a", "answer": true}', "line 1: needs"),
        ("[1]", "line 1: needs"),
        ("{", "line 1: no JSON"),
        ("", "holds no problem"),
        ('{"question": "", "answer": "1"}', "line 1: needs"),
        (json.dumps({"question": "a", "answer": "x" * 5000}), "line 1: the answer is longer"),
        (json.dumps({"question": "a" * 70000, "answer": "x"}), "line 1: longer than"),
        ("\udcff", "line 1: no JSON"),
    ],
)
def test_files_that_can_not_be_used(tmp_path, text, why):
    path = tmp_path / "bad.jsonl"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(MinidsError, match=why):
        registry.get(f"user:{path}")


def test_the_same_question_twice_with_one_answer_counts_once(tmp_path):
    (tmp_path / "twice.jsonl").write_text(
        '{"question": "a", "answer": "1"}\n{"question": "a", "answer": 1}\n', encoding="utf-8"
    )
    env = registry.get(f"user:{tmp_path / 'twice.jsonl'}")
    assert sum(map(len, env.splits.values())) == 1 and env.styles == ()
    empty = next(s for s in arithmetic.SPLITS if not env.splits[s])
    with pytest.raises(MinidsError, match="no problem in the split"):
        env.sample(random.Random(0), empty)


# -- in a run ----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_run_goes_on_over_a_verifier_that_fails_now_and_then(start, problems, tmp_path, monkeypatch):
    tokenizer, model = fresh(start)
    name = problems("exact")
    asked, honest = [], registry.get(name).verifier

    def moody(question, answer, reply, whole):
        asked.append(reply)
        return honest(question, answer, reply, whole) if len(asked) % 3 else (0.0, "it raised ValueError")

    monkeypatch.setattr(registry.get(name), "verifier", moody)
    moody.source = honest.source
    trainer.train_rl(model, tokenizer, [name, "add"], config(steps=3), out_dir=tmp_path, quiet=True)
    lines = metrics.read(tmp_path / "metrics.jsonl")
    assert len(lines) == 3 and asked and 0 < sum(row.get("failed", 0) for row in lines) < 3
    assert all(torch.isfinite(p).all() for p in model.parameters())


@pytest.mark.slow
def test_a_run_stops_where_nothing_can_be_graded(start, problems, tmp_path):
    tokenizer, model = fresh(start)
    name = problems("raises")
    with pytest.raises(MinidsError, match=r"could not be graded: verifier .*check.py:raises: it raised ValueError"):
        run_on(model, tokenizer, name, tmp_path)
    assert not (tmp_path / "metrics.jsonl").exists() or not metrics.read(tmp_path / "metrics.jsonl")
    assert not list(tmp_path.glob("step*"))


def run_on(model, tokenizer, name, out, resume=False, stop=None, **change):
    """GRPO on answers that all have the form: what the model says is replaced, for a small one seldom has it."""
    honest, form = rollout.Reward.__call__, f"<think>x</think><answer>7</answer>{EOS}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rollout.Reward, "__call__", lambda self, problem, text, done: honest(self, problem, form, True))
        trainer.train_rl(model, tokenizer, [name], config(**change), out_dir=out, quiet=True, resume=resume, stop=stop)


@pytest.mark.slow
def test_equal_rewards_for_a_whole_run_warn_and_change_nothing(start, tmp_path):
    tokenizer, model = fresh(start)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    how = {"steps": 12, "save_every": 5, "prompts_per_step": 2, "num_generations": 2}
    with pytest.warns(UserWarning, match="in 10 iterations in a row all rewards of each group were equal"):
        run_on(model, tokenizer, "add", tmp_path / "a", **how)
    lines = metrics.read(tmp_path / "a" / "metrics.jsonl")
    assert len(lines) == 12 and all("nothing was learned" in row["warning"] for row in lines)
    assert all(v == v for row in lines for v in row.values())  # no NaN
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())
    # resumable: eight iterations, and then four more in another process's place
    _, again = fresh(start)

    class Soon:
        count = 0

        @property
        def requested(self):
            self.count += 1
            return self.count > 8

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run_on(again, tokenizer, "add", tmp_path / "b", stop=Soon(), **how)
        assert len(metrics.read(tmp_path / "b" / "metrics.jsonl")) < len(lines)
        run_on(again, tokenizer, "add", tmp_path / "b", resume=True, **how)
    drop = ("seconds", "sampling_share", "scoring_share", "update_share")
    rows = metrics.read(tmp_path / "b" / "metrics.jsonl")
    assert [{k: v for k, v in r.items() if k not in drop} for r in rows] == [
        {k: v for k, v in r.items() if k not in drop} for r in lines
    ]


def test_evaluation_and_documents_take_users_problems(start, problems):
    tokenizer, model = fresh(start)
    name = problems("exact")
    few = evaluate.EvalConfig(problems=5, samples=2, sampled_problems=2, max_new_tokens=20)
    rows, examples = evaluate.evaluate(model, tokenizer, [name], few, stage="s")
    assert [r["family"] for r in rows] == [name, "all"] and rows[0]["n"] == 5 and len(examples) == 5
    parts = list(documents.pretraining_parts([name], 5, mix={"hasty": 1.0}, fact_share=0.5, seed=0))
    assert all(thought and answer for _, thought, answer in parts)


VALUES = {  # what a function returns -> what it means; None: a failure
    "True": 1.0,
    "False": 0.0,
    "1": 1.0,
    "1.0": 1.0,
    "0.5": 0.0,
    "np.True_": 1.0,
    "np.isclose(6 * 7, 42.0)": 1.0,
    "np.isclose(1, 2)": 0.0,
    "np.float64(1)": 1.0,
    "np.float32(0.25)": 0.0,
    "np.int8(1)": 1.0,
    "np.array(1.0)": 1.0,
    "np.array([True])": 1.0,
    "torch.tensor(True)": 1.0,
    "torch.tensor([False])": 0.0,
    "torch.tensor(1)": 1.0,
    "torch.tensor(1.0, dtype=torch.bfloat16)": 1.0,
    "Decimal(1)": 1.0,
    "Decimal('0.3')": 0.0,
    "Fraction(2, 2)": 1.0,
    "math.nan": None,
    "np.nan": None,
    "2.0": None,
    "-1": None,
    "'1'": None,
    "None": None,
    "'True'": None,
    "1j": None,
    "Decimal('NaN')": None,
    "Decimal('sNaN')": None,
    "Fraction(10**400)": None,
    "10**400": None,
    "math.inf": None,
    "np.array([1.0, 1.0])": None,
    "np.array([])": None,
    "torch.ones(2)": None,
    "torch.tensor(math.nan)": None,
    "[True]": None,
    "{}": None,
    "np.str_('1')": None,
    "torch.tensor(1j)": None,
}


def test_what_a_function_may_return(tmp_path):
    """Truth values and numbers of numpy, torch and Python's own modules count as what they mean."""
    (tmp_path / "v.py").write_text(
        "import math\nfrom decimal import Decimal\nfrom fractions import Fraction\nimport numpy as np\nimport torch\n"
        "def one(question, answer, reply):\n    return eval(question)\n"
        "def many(completions, question, **columns):\n    return [eval(q) for q in question]\n"
        "def array(completions, question, **columns):\n    return np.array([eval(q) for q in question])\n",
        encoding="utf-8",
    )
    for name in ("one", "many", "array"):
        verify = verifiers.Verifier(f"{tmp_path / 'v.py'}:{name}", seconds=30)
        for text, meant in VALUES.items():
            if name == "array" and ("torch" in text or meant is None or "Decimal" in text or "Fraction" in text):
                continue
            score, why = verify(text, "42", "42", "42")
            if meant is None:
                assert score == 0 and why.startswith("it returned "), (name, text, why)
            else:
                assert (score, why) == (meant, ""), (name, text, why)
        verify.close()
