"""Our verifier against reasoning-gym's scorers, and its dangerous scorers kept at the door."""

import inspect
import random
import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minids.errors import MinidsError
from minids.tasks import gym, registry
from minids.tasks.reward import accuracy
from minids.text.tokenizer import EOS

pytest.importorskip("reasoning_gym")
import gym_sets  # noqa: E402

DATASETS = {
    "chain_sum": dict(allow_negation=False),
    "chain_sum ": dict(allow_negation=True),
    "basic_arithmetic": dict(),
    "products": dict(max_terms=3),
    "products ": dict(allow_negation=True),
}


def ours(entry, text):
    return bool(accuracy(entry["answer"], f"<think>x</think><answer>{text}</answer>{EOS}"))


def spellings(answer):
    """Answers as a model may give them: right, nearly right, and attempts to be paid without knowing."""
    n = int(answer)
    return [
        answer,
        f" {answer} ",
        str(n + 1),
        str(-n),
        answer + "0",
        answer[::-1],
        "",
        "0",
        f"{answer} or {n + 1}",
        f"{n - 1} {n} {n + 1}",
        f"= {answer}",
        f"{answer}.",
        f"{answer}.0",
        f"+{answer}",
        f"0{answer}",
        f"{n:,}",
        f"{answer}e0",
        f"${answer}$",
        "1e999999999",
        "nan",
        "٣",
        "x" * 5000,
    ]


@pytest.mark.parametrize("name", DATASETS)
def test_verifiers_agree_on_1500_items(name):
    """300 items each of five settings, 22 answers each. Ours passes nothing that reasoning-gym refuses; of what it
    passes, ours refuses only other spellings of the same number."""
    family = name.strip()
    lenient = set()
    for entry in gym.create(family, size=300, seed=1000, **DATASETS[name]):
        assert ours(entry, entry["answer"]) and gym.grade(family, entry, entry["answer"])
        for text in spellings(entry["answer"]):
            mine, theirs = ours(entry, text), gym.grade(family, entry, text.strip())
            assert not mine or theirs, (entry["question"], text)
            if theirs and not mine:
                lenient.add(text.replace(entry["answer"], "N").strip())
                assert float(text.replace(",", "")) == int(entry["answer"])
    if family == "basic_arithmetic":
        assert not lenient
    else:
        assert {"N.", "N.0", "Ne0"} <= lenient


def test_partial_credit_is_no_pass():
    entry = gym.create("syllogism", size=1, seed=3)[0]
    scorer = sys.modules["reasoning_gym"].get_score_answer_fn("syllogism")
    assert 0 < scorer("Yes No", entry) < 1
    assert not gym.grade("syllogism", entry, "Yes No") and gym.grade("syllogism", entry, entry["answer"])


ENTRY = {"question": "", "answer": "3 * 8", "metadata": {"numbers": [3, 8], "target": 24}}


@pytest.mark.parametrize(
    "text,right",
    [
        ("3*8", True),
        ("8 * 3", True),
        ("(3)*(8)", True),
        ("3 * 8 ", True),
        ("-3*-8", True),
        ("24", False),
        ("3*8*1", False),
        ("3*8+0", False),
        ("38", False),
        ("3 8", False),
        ("", False),
        ("3*", False),
        ("9**9**9", False),
        ("9* *9**9", False),
        ("3**8", False),
        ("8//3", False),
        ("3 * 8 = 24", False),
        ("factorial(4)", False),
        ("sqrt(9)*8", False),
        ("Max(3,8)*3", False),
        ("3×8", False),
        ("３*８", False),
        ("__import__('os').system('false')", False),
        ("(lambda: 3*8)()", False),
        ("[3*8][0]", False),
        ("3/0*8", False),
        ("(" * 150 + "3*8" + ")" * 150, False),
        ("+".join(["9"] * 5000), False),
        ("3*8#", False),
        ("3*8\n", False),
        ("3*8; 1", False),
        ("3_0*8", False),
        ("0x3*8", False),
        ("3*8.0", False),
        ("3*8j", False),
    ],
)
def test_countdown_is_guarded(text, right):
    assert gym.grade("countdown", ENTRY, text) is right


def test_expression_games_pass_their_own_solutions():
    for name in ("countdown", "puzzle24"):
        for entry in gym.create(name, size=5, seed=11):
            assert gym.grade(name, entry, entry["answer"]), entry["answer"]
    entry = gym.create("puzzle24", size=1, seed=11)[0]
    assert not gym.grade("puzzle24", entry, "6*4*1*1")  # reasoning-gym takes any four numbers


def test_each_number_is_used_exactly_once():
    assert gym.solves("(1+5)*4*1", 24, [1, 1, 4, 5]) and gym.solves("3*8", 24, [8, 3])
    assert not gym.solves("8+8+8", 24, [3, 8]) and not gym.solves("3*8", 24, [3, 8, 1])
    assert not gym.solves("4*6*1*1", 24, [1, 4, 6]) and not gym.solves("49/2", 24, [49, 2])


def test_every_scorer_that_evaluates_is_known():
    """Reads the installed package: a scorer that calls eval or parse_expr must be on one of the two lists.
    number_sorting may go on: it evaluates the data set's own answer only."""
    found = set()
    for name, (cls, _) in sys.modules["reasoning_gym"].factory.DATASETS.items():
        if re.search(r"\b(eval|exec|parse_expr|sympify)\(", inspect.getsource(cls.score_answer)):
            found.add(name)
    assert found == {"number_sorting"} | gym.EVALUATING | gym.EXPRESSIONS


def test_refusals():
    for name in gym.REFUSED:
        with pytest.raises(MinidsError, match=f"'{name}' is not graded"):
            gym.grade(name, {}, "__import__('os').system('false')")
    with pytest.raises(MinidsError, match="no data set 'sums'"):
        gym.grade("sums", {}, "1")
    with pytest.raises(MinidsError, match="refuses this setting of 'chain_sum'"):
        gym.create("chain_sum", size=1, seed=1, min_term=2)
    entry = gym.create("prime_factorization", size=1, seed=1)[0]
    for text in (None, 5, "nonsense × x", "1e99999999"):
        assert gym.grade("prime_factorization", entry, text) is False


def test_a_missing_package_is_one_clear_message(monkeypatch):
    monkeypatch.setitem(sys.modules, "reasoning_gym", None)
    with pytest.raises(MinidsError, match="pip install reasoning-gym"):
        gym.create("chain_sum", size=1, seed=1)


def test_neighbouring_seeds_share_their_items():
    """The trap that the module names: why a held-out set is not made with the next seed."""
    train = {e["question"] for e in gym.create("chain_sum", size=200, seed=42)}
    test = {e["question"] for e in gym.create("chain_sum", size=200, seed=43)}
    assert len(train & test) > 190


@given(st.text(alphabet="0123456789+-*/() ", max_size=30))
def test_evaluate_equals_python_where_it_gives_a_value(text):
    value = gym.evaluate(text)
    if value is not None:
        plain = re.sub(r"\b0+(?=[0-9])", "", text.strip())
        assert float(value) == pytest.approx(eval(plain), rel=1e-9)  # noqa: S307  (only digits and signs here)


# Wrong-looking texts that are right: 1.2e3 to three figures; 8*(5*1-2) said from behind; a solved board stays solved.
RIGHT_TOO = {
    "gym:power_function": {"all but the last letter", "doubled end", "first half", "first letter", "1", "0", "1e9"},
    "gym:puzzle24": {"backward", "items backward"},
    "gym:sokoban": {"doubled end", "twice"},
    "gym:palindrome_generation": {"another's"},
    "gym:quantum_lock": {"backward", "items backward", "another's"},
    "gym:jugs": {"another's"},
}
SLOW = {"gym:sokoban", "gym:puzzle24", "gym:zebra_puzzles"}  # seconds a problem on busy cores


@pytest.mark.slow
@pytest.mark.parametrize("name", gym_sets.names())
def test_every_data_set_pays_right_answers_only(name):
    """All data sets of reasoning-gym, as they are trained on: built in seconds, in little memory."""
    if name.removeprefix("gym:") in gym.REFUSED:
        with pytest.raises(MinidsError, match="is not graded here"):
            gym_sets.measured(name)
        return
    row = gym_sets.measured(name, 3 if name in SLOW else 6)
    assert row["right"] == row["of"]
    assert not set(row["paid"]) - RIGHT_TOO.get(name, set()), row["paid"]
    assert row["build"] < 60 and row["MB"] < 500


@pytest.mark.parametrize(
    "text,right,equal",
    [
        ("16.9", "16.90°", True),
        ("16.91", "16.9", False),
        ("1,000", "1000", True),
        ("1/2", "0.5", True),
        ("0.50", "1/2", True),
        ("5.", "5", True),
        ("5_0", "50", False),
        ("1e2", "100", True),
        ("[1, 2]", "[1,2]", True),
        ("[1, 2]", "['1.0', '2.00']", True),
        ("[1]", "[1, 2]", False),
        ("[1, 2, 3]", "[1, 2]", False),
        ('{"a": 1, "b": 2}', '{"b": 2, "a": 1}', True),
        ("1 2\n3 4", "1 2\n3 4 ", True),
        ("1 2\n3", "1 2\n3 4", False),
        ("bob", "Bob", True),
        ("", "0", False),
        ("0", "", False),
        ("nan", "nan", True),
        ("NaN", "1", False),
        ("1/0", "1", False),
        ("-5 + 2i", "-5.0 + 2.0i", True),
        ("67 days, 01:04", "67 days,01:04", True),
        ("67", "67 days, 01:04", False),
    ],
)
def test_the_same_answer(text, right, equal):
    assert gym.same(text, right) is equal


def test_parts_in_any_order_and_figures_that_are_left_out():
    names = gym.UNORDERED["knights_knaves"]
    assert gym.same("Zoey is a fool, and Bob is a sage.", "Bob is a sage, and Zoey is a fool.", names)
    assert not gym.same("Bob is a sage, Zoey is a fool, Bob is a fool", "Bob is a sage, and Zoey is a fool.", names)
    assert gym.same("0.0, -0.04", "-0.04, 0.0", ",") and not gym.same("-0.04", "-0.04, 0.0", ",")
    assert gym.same("0.3125", "5/16", None, 1e-3) and gym.same("0.3126", "0.3125", None, 1e-3)
    assert not gym.same("0", "0.3125", None, 1e-3) and not gym.same("0.31", "0.3125", None, 1e-3)


@pytest.mark.parametrize("name", ["gsm_symbolic", "list_functions", "acre", "word_ladder"])
def test_sets_that_write_down_every_item_are_cut_short(name):
    env, rng = registry.get(f"gym:{name}"), random.Random(0)
    for split in ("train", "rl", "test"):
        p = env.sample(rng, split)
        assert p.split == split and env.restore(p.question, p.answer, env.row(p)).question == p.question
