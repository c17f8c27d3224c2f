"""Environments: one face for all kinds of problems; sets that are apart; answers judged as a whole."""

import random
import sys

import pytest

from minids import MinidsError
from minids.eval import evaluate
from minids.rl import rollout
from minids.rl.config import RLConfig
from minids.tasks import arithmetic, documents, registry
from minids.tasks.reward import Reward
from minids.text.tokenizer import EOS

pytest.importorskip("reasoning_gym")
from minids.tasks import gym, gym_sets  # noqa: E402

SHORT = [f"gym:{name}" for name in gym_sets.SHORT]
RAW = ["gym:leg_counting", "gym:syllogism", "gym:lcm", "gym:letter_counting"]
EVERY = [*arithmetic.FAMILIES, *SHORT, *RAW, "countdown"]


def reply(answer, thought="x"):
    return f"<think>{thought}</think><answer>{answer}</answer>{EOS}"


# -- the families that were there before ------------------------------------------------------------------------------


@pytest.mark.parametrize("family", arithmetic.FAMILIES)
def test_our_own_families_draw_what_they_always_drew(family):
    env, one, two = registry.get(family), random.Random(5), random.Random(5)
    for split in arithmetic.SPLITS * 20:
        p = env.sample(one, split)
        assert p == arithmetic.sample(family, two, split)
        assert env.worked(p, "careful", one) == (arithmetic.thought(p, "careful", two), p.answer)
    assert env.facts(one) == arithmetic.facts(two) and one.getstate() == two.getstate()


def test_the_documents_of_tiny_are_the_same_bits():
    """Pinned from the version before there were environments."""
    import hashlib

    parts = list(
        documents.pretraining_parts(
            ["add", "chain", "word"], 300, mix={"careful": 0.8, "hasty": 0.2}, fact_share=0.1, seed=3
        )
    )
    config = RLConfig(steps=1, lr=1.0)
    asked = [p.question for step in range(5) for p in rollout.questions(config, arithmetic.FAMILIES, step)[0]]
    tested = [p.question for p in registry.problem_set(arithmetic.FAMILIES, "test", 40, 0)]
    assert hashlib.sha256(repr((parts, asked, tested)).encode()).hexdigest()[:16] == "11e6c2b1233286b9"


# -- every environment -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EVERY)
def test_problems_lie_in_their_split_and_are_graded(name):
    env, rng = registry.get(name), random.Random(1)
    for split in arithmetic.SPLITS:
        for p in [env.sample(rng, split) for _ in range(15)]:
            assert p.family == name and p.split == split == arithmetic.split_of(p.key)
            assert env.score(p, p.answer) == 1.0 and isinstance(env.score(p, p.answer), float)
            for wrong in (p.answer + "1", p.answer + " or 1", "", "9**9**9", "nan", "x" * 3000):
                assert env.score(p, wrong) == 0.0, (p, wrong)
            full = Reward(format=0.0)(p, reply(p.answer), True)
            assert full.total == full.accuracy == 1.0 and full.answer is not None
            assert Reward(format=0.0)(p, reply(p.answer), False).total == 0.0


@pytest.mark.parametrize("name", EVERY)
def test_the_sets_of_training_and_of_the_test_share_no_operands(name):
    rng = random.Random(2)
    keys = {s: {registry.sample(name, rng, s).key for _ in range(60)} for s in arithmetic.SPLITS}
    questions = {s: {registry.sample(name, rng, s).question for _ in range(60)} for s in arithmetic.SPLITS}
    for a, b in (("train", "rl"), ("train", "test"), ("rl", "test")):
        assert not keys[a] & keys[b] and not questions[a] & questions[b]


@pytest.mark.parametrize("name", ["gym:gcd", "gym:lcm"])
def test_seeds_of_the_splits_are_disjoint_and_that_alone_would_not_do(name):
    env, rng = registry.get(name), random.Random(3)
    seeds = {s: {env.sample(rng, s).data["index"] for _ in range(50)} for s in arithmetic.SPLITS}
    assert [{i % 3 for i in seeds[s]} for s in arithmetic.SPLITS] == [{0}, {1}, {2}]
    size = next(iter(env.sizes), None)
    drawn = [env.item(size, 3 * rng.randrange(gym_sets.DRAWS)) for _ in range(60)]  # seeds of "train" alone
    assert {p.split for p in drawn} == set(arithmetic.SPLITS)  # what the hash keeps out


def test_training_draws_only_what_it_may():
    families = ["gym:gcd", "add", "countdown", "gym:number_sorting"]
    trained = {p.key for p in documents._problems(families, random.Random(0), 200)}
    explored = {p.key for s in range(5) for p in rollout.questions(RLConfig(steps=1, lr=1.0), families, s)[0]}
    tested = {p.key for p in registry.problem_set(families, "test", 30, 0)}
    assert len(tested) == 120 and not trained & explored and not trained & tested and not explored & tested


def test_a_gym_problem_of_the_test_set_stops_training(monkeypatch):
    leak = registry.sample("gym:gcd", random.Random(0), "test")
    monkeypatch.setattr(gym_sets.Gym, "sample", lambda *a, **k: leak)
    with pytest.raises(MinidsError, match="belongs to the split 'test'"):
        list(documents.pretraining_parts(["gym:gcd"], 3, mix={"hasty": 1.0}, fact_share=0.0, seed=0))
    with pytest.raises(MinidsError, match="belongs to the split 'test'"):
        rollout.questions(RLConfig(steps=1, lr=1.0), ["gym:gcd"], 0)


def test_more_problems_than_there_are():
    with pytest.raises(MinidsError, match="only .* of 5000 different 'gym:count_bits' problems .*eval.problems"):
        registry.problem_set(["gym:count_bits"], "test", 5000, 0)


@pytest.mark.parametrize(
    "name,say",
    [
        ("poetry", "gym:NAME"),
        ("gym:", "gym:NAME"),
        ("gym:sums", "no data set 'sums'"),
        ("user:", "user:FILE"),
        (5, "no text"),
        ("gym:n_queens", "not graded here"),
        ("gym:composite", "not graded here"),
        ("user:missing.jsonl", "no such file"),
    ],
)
def test_names_that_are_none(name, say):
    with pytest.raises(MinidsError, match=say):
        registry.get(name)


def test_without_reasoning_gym_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "reasoning_gym", None)
    registry._make.cache_clear()
    with pytest.raises(MinidsError, match="pip install reasoning-gym"):
        registry.get("gym:gcd")
    assert registry.get("add").name == "add" and registry.named("gym:gcd")


def test_what_has_no_thoughts_says_so():
    p = registry.sample("gym:lcm", random.Random(0), "train")
    with pytest.raises(MinidsError, match="'gym:lcm' has no thoughts to learn from"):
        registry.worked(p, "careful")
    assert registry.worked(p, "none") == (None, p.answer)
    with pytest.raises(MinidsError, match="size 9 is not one of"):
        registry.sample("gym:gcd", random.Random(0), "train", 9)


# -- answers -----------------------------------------------------------------------------------------------------------


def problem(name, **change):
    rng = random.Random(4)
    for _ in range(500):
        p = registry.sample(name, rng, "test")
        if all(getattr(p, k) == v for k, v in change.items()):
            return p
    raise AssertionError("no such problem")


def test_answers_that_are_no_integers_are_judged_as_a_whole():
    p = problem("gym:number_sorting", size=3)
    a, b, c = p.answer.split()
    for text, right in {
        p.answer: 1,
        f" {p.answer} ": 1,
        f"\n{p.answer}\n": 1,
        f"{a} {b}": 0,
        f"{c} {b} {a}": 0,
        f"{a}, {b}, {c}": 0,
        f"{a}  {b} {c}": 0,
        f"[{a}, {b}, {c}]": 0,
        f"{a}.0 {b} {c}": 0,
        f"{p.answer} or {p.answer}": 0,
        "": 0,
        "NaN NaN NaN": 0,
        f"{a} {b} {int(c) + 1}": 0,
        f"sorted: {p.answer}": 0,
        f"{p.answer}.": 0,
        "9**9**9": 0,
        "__import__('os').getpid()": 0,
        "１ ２ ３": 0,
        p.answer * 10**5: 0,
    }.items():
        assert Reward()(p, reply(text), True).accuracy == right, text[:60]


@pytest.mark.parametrize(
    "whole",
    [
        "",
        EOS,
        "{a}",
        "<answer>{a}</answer>",
        "<think>x</think><answer>{a}",
        "<think>x</think><answer>{a}</answer> or 5",
        "<think>x</think><answer><answer>{a}</answer></answer>",
        "<think><think>x</think></think><answer>{a}</answer>",
        "<think>x</think><answer>{a}</answer><answer>{a}</answer>",
        "<think><answer>{a}</answer></think>",
        "<think>x</think><answer>1</answer><answer>{a}</answer>",
        "<think>{a}</think><answer></answer>",
        "<think>x</think><answer>{a}</answer><｜User｜>",
    ],
)
@pytest.mark.parametrize("name", ["gym:spell_backward", "gym:gcd", "countdown", "add"])
def test_nested_doubled_and_open_tags_earn_nothing(name, whole):
    p = problem(name)
    assert Reward(format=0.0)(p, whole.format(a=p.answer), True).total == 0.0


@pytest.mark.parametrize(
    "name,text",
    [
        ("gym:spell_backward", "a"),
        ("gym:number_sorting", "1 "),
        ("countdown", "("),
        ("gym:syllogism", "5 "),
        ("add", "9**"),
    ],
)
def test_a_megabyte_of_answer_is_wrong_and_no_scorer_sees_it(name, text):
    p = problem(name)
    megabyte = text * (2**20 // len(text))
    result = Reward(format=0.0)(p, reply(megabyte), True)
    assert result.total == 0.0 and result.answer is None


def test_one_number_has_one_spelling_though_their_scorer_takes_more():
    p = problem("gym:chain_sum")
    for lenient in (p.answer + ".0", "+" + p.answer):
        assert gym.grade("chain_sum", p.data["entry"], lenient)
    for text in (p.answer + ".0", "+" + p.answer, "0" + p.answer, p.answer + "."):
        assert registry.get(p.family).score(p, text) == 0.0


COMPLEX = {"question": "", "answer": "-5.0 + 20.0i", "metadata": {"result": (-5, 20)}}


@pytest.mark.slow
def test_no_scorer_takes_what_is_not_a_number_for_an_answer():
    """Every data set that is graded, with texts that compare equal to nothing or to everything."""
    library = sys.modules["reasoning_gym"]
    slow = {"countdown", "puzzle24", "sokoban", "polynomial_equations", "rush_hour", "arc_agi", "rearc", "codeio"}
    assert library.get_score_answer_fn("complex_arithmetic")("NaN", COMPLEX) == 1.0  # why there is a guard
    assert gym.grade("complex_arithmetic", COMPLEX, COMPLEX["answer"])
    for name in set(library.factory.DATASETS) - set(gym.REFUSED) - slow:
        entry = gym.create(name, size=1, seed=5)[0]
        for text in ("NaN", "nan", "inf", "[NaN, NaN, NaN]", "['nan', 'nan', 'nan', 'nan']", "[]", "{}", "1 or 2"):
            assert text == entry["answer"] or not gym.grade(name, entry, text), (name, text)


def test_sorting_is_exact_though_their_scorer_allows_one_more_or_less():
    entry = gym.create("number_sorting", size=1, seed=8, max_decimals=0)[0]
    right = entry["answer"]
    off = right.replace(".0", ".5", 1)
    scorer = sys.modules["reasoning_gym"].get_score_answer_fn("number_sorting")
    nans = str(["nan"] * len(entry["metadata"]["sorted_numbers"]))
    assert scorer(off, entry) == 1.0 and gym.grade("number_sorting", entry, right)
    assert not gym.grade("number_sorting", entry, off) and not gym.grade("number_sorting", entry, nans)


def test_majority_votes_count_spellings_and_right_ones_add_up():
    p = problem("countdown", size=3)
    numbers, target = p.data
    said = [p.answer, f" {p.answer} ", "1+1", "1 + 1", ""]
    results = [Reward()(p, reply(text), True) for text in said]
    assert [r.accuracy for r in results] == [1, 1, 0, 0, 0]
    assert results[0].answer == results[1].answer and results[2].answer == results[3].answer == "1+1"
    assert results[4].answer is None
    assert evaluate._majority(results, 1) == pytest.approx(2 / 5)  # a draw of one: as pass@1
    a, b = "(" + p.answer + ")", p.answer
    two = [Reward()(p, reply(text), True) for text in (a, b, "1+1")]
    assert [r.accuracy for r in two] == [1, 1, 0] and two[0].answer != two[1].answer
    assert evaluate._majority(two, 3) == pytest.approx(2 / 3)  # three answers tie, two of them are right
    sums = problem("add")
    three = [Reward()(sums, reply(text), True) for text in (sums.answer, "1", sums.answer)]
    assert evaluate._majority(three, 3) == 1.0 and three[0].answer == int(sums.answer)


# -- thoughts ----------------------------------------------------------------------------------------------------------


def equations_hold(text):
    """Every a op b … = c in a thought is true; chains like 84-30=54-6=48 link by link."""
    import re

    found = 0
    for left, value in re.findall(r"(?=(?<![0-9+*%-])([0-9]+(?:[-+*%][0-9]+)+)=([0-9]+))", text):
        total = None
        for sign, n in re.findall(r"([-+*%]?)([0-9]+)", left):
            n = int(n)
            total = n if total is None else {"+": total + n, "-": total - n, "*": total * n, "%": n and total % n}[sign]
        assert total == int(value), (left, value, text)
        found += 1
    return found


@pytest.mark.parametrize("name", SHORT)
def test_thoughts_are_true_and_end_at_the_answer(name):
    env, rng = registry.get(name), random.Random(6)
    seen = longer = 0
    for _ in range(200):
        p = env.sample(rng, "train")
        for style in env.styles:
            text = env.demonstrate(p, style, rng)
            seen += equations_hold(text)
            last = text.replace(">", " ").replace("=", " ").replace(",", " ").split()
            wanted = p.answer.split()
            if name == "gym:spell_backward" and style == "careful":  # s1>s u2>us n3>nus
                letters, words = last[::2], last[1::2]
                assert "".join(w[0] for w in letters)[::-1] == p.answer
                assert all(after == letter[0] + before for letter, before, after in zip(letters, ["", *words], words))
            assert last[-len(wanted) :] == wanted, (p, style, text)
        longer += len(env.demonstrate(p, "careful", rng)) > len(env.demonstrate(p, "hasty", rng))
        assert "\n" not in p.question and len(p.question) < 40
    assert longer > 160
    assert seen > 500 or name in ("gym:number_sorting", "gym:spell_backward", "gym:count_bits", "gym:base_conversion")


def test_halvings_sortings_and_places_say_what_is_true():
    rng = random.Random(7)
    for _ in range(200):
        p = registry.sample("gym:count_bits", rng, "train")
        ones, words = 0, registry.worked(p, "careful")[0].split()
        for pair, count in zip(words[::2], words[1::2]):
            n, half = map(int, pair.split(">"))
            ones += n % 2
            assert half == n // 2 and int(count) == ones
        p = registry.sample("gym:number_sorting", rng, "train")
        down, numbers = p.data["terms"]
        for i, line in enumerate(registry.worked(p, "careful")[0].split(", "), 1):
            assert list(map(int, line.split())) == sorted(numbers[:i], reverse=down)
        p = registry.sample("gym:base_conversion", rng, "train")
        n, base = p.data["terms"]
        assert int(p.answer, base) == n
        assert gym.grade("base_conversion", p.data["entry"], p.answer)


@pytest.mark.parametrize("name", ["gym:products", "gym:chain_sum", "gym:gcd"])
def test_lines_of_facts_are_true(name):
    rng, env = random.Random(8), registry.get(name)
    assert sum(equations_hold(env.facts(rng)) for _ in range(50)) >= 300
    assert registry.get("gym:spell_backward").facts(rng) is None


def test_their_prompts_and_ours_ask_the_same():
    """The re-rendered question has the numbers of reasoning-gym's own, in order, and their answer."""
    import re

    for name in ("gym:chain_sum", "gym:products", "gym:gcd", "gym:count_bits"):
        for _ in range(30):
            p = registry.sample(name, random.Random(_), "rl")
            theirs = p.data["entry"]
            assert re.findall("[0-9]+", p.question) == re.findall("[0-9]+", theirs["question"].split("number")[-1])[:9]
            assert p.answer == theirs["answer"]


@pytest.mark.parametrize("family", ["add", "chain", "word"])
def test_splits_share_nothing(family):
    registry.assert_disjoint([family], 200, 0)


def test_a_family_that_would_be_tested_on_its_training_problems_is_refused(monkeypatch):
    """The same problems for every split, each claiming to be of the right one."""
    env = registry.get("add")
    pool = arithmetic.problem_set(["add"], "test", 150, 0)

    class Claims(type(pool[0])):
        split = None

    def leak(rng, split, size=None):
        p = Claims(*(getattr(rng.choice(pool), name) for name in ("family", "question", "terms", "size")))
        object.__setattr__(p, "split", split)
        return p

    monkeypatch.setattr(env, "sample", leak)
    with pytest.raises(MinidsError, match="does not start"):
        registry.assert_disjoint(["add"], 100, 0)
