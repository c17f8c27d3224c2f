"""reasoning-gym at the door: its items as our questions, its scorers as a second opinion.

reasoning-gym (https://github.com/open-thought/reasoning-gym, optional: `pip install reasoning-gym`) makes and
scores about a hundred kinds of problems. Four of its habits are kept out here:

    partial credit   Many scorers pay for an answer that merely contains the right one. Only a score of
                     exactly 1 is a pass.
    evaluation       Some scorers hand the answer to eval, or to sympy's parse_expr, which is eval: countdown
                     works out 9**9**9 and runs code. The answer is either checked first against a small
                     grammar (countdown, puzzle24: whole numbers, + - * / and parentheses, each given number
                     once, the exact value), or the data set is refused.
    tolerance        number_sorting lets each number be off by 1, and takes a list of NaN for any, as
                     |NaN - x| > 1 is false; complex_arithmetic takes "NaN" for every number, as min(1, NaN)
                     is 1. Here sorted lists must be exact, and no answer is NaN.
    numbers as text  "1e5", "+5" and "5.00" pass some of its scorers; ours takes one spelling. What our
                     verifier passes, reasoning-gym passes too: tests/reason/test_gym.py compares both.

Also: neighbouring seeds share almost all items (item i of seed s is item i-1 of seed s+1), so seeds must be
far apart, and a held-out set must be split by what is asked, not by seed. `reason.gym_tasks` does both.
"""

import ast
import json
import re
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from minids.errors import MinidsError
from minids.reason.reward import parse_integer

# Scorers that hand the answer to eval or parse_expr, as of reasoning-gym 0.1.25.
EVALUATING = frozenset({
    "binary_matrix", "intermediate_integration", "n_queens", "polynomial_multiplication", "simple_integration",
    "spiral_matrix", "string_insertion"})
EXPRESSIONS = frozenset({"countdown", "puzzle24"})  # evaluating too, but guarded below
REFUSED = {
    **dict.fromkeys(EVALUATING, "its scorer runs the model's text as code"),
    "rubiks_cube": "its scorer writes a move out as often as the text says: R999999999 takes all memory",
    "game_of_life_halting": "its scorer takes any text that is not empty",
    "composite": "its scorer calls any other's; grade an item by its own metadata['source_dataset']",
}
MAX_LENGTH = 4096
# Comparisons with NaN are false, and some scorers ask whether an answer is too far away.
_NO_NUMBER = re.compile(r"(?<![a-z])(nan|inf|infinity)(?![a-z])", re.IGNORECASE)
# Decimal and Fraction turn "1e999999999" into a number of a billion digits.
_HUGE_EXPONENT = re.compile(r"[0-9.][eE][+-]?_?[0-9_]{3,}")


def _library():
    try:
        import reasoning_gym
    except ImportError as error:
        raise MinidsError("gym: the package reasoning-gym is not installed; `pip install reasoning-gym`, or "
                          "grade with minids' own verifier (minids.reason.reward)") from error
    return reasoning_gym


def create(dataset_name, *, size, seed, **config):
    """A reasoning-gym data set by name: a sequence of entries {"question", "answer", "metadata"}."""
    library = _library()
    known(dataset_name)
    try:
        return library.create_dataset(dataset_name, size=size, seed=seed, **config)
    except (TypeError, AssertionError) as error:
        raise MinidsError(f"gym: reasoning-gym refuses this setting of {dataset_name!r}: {error}") from error


def known(dataset_name):
    """Refuses a name that reasoning-gym does not have."""
    if dataset_name not in _library().factory.DATASETS:
        raise MinidsError(f"gym: reasoning-gym has no data set {dataset_name!r}; see "
                          "reasoning_gym.factory.DATASETS for the names")


def trusted(dataset_name):
    """Refuses a data set whose scorer cannot be given a model's text."""
    known(dataset_name)
    if dataset_name in REFUSED:
        raise MinidsError(f"gym: {dataset_name!r} is not graded here: {REFUSED[dataset_name]}. "
                          "Choose another data set")


def grade(dataset_name, entry, answer):
    """True if reasoning-gym's own scorer gives this answer exactly 1.0.

    The scorer is that of the data set's default settings, as reasoning-gym gives it by name. `answer` is the
    model's text. An answer that the guards do not let through is wrong, not an error; a data set whose scorer
    cannot be trusted with a model's text (`REFUSED`) is an error.
    """
    trusted(dataset_name)
    if not isinstance(answer, str) or len(answer) > MAX_LENGTH or _HUGE_EXPONENT.search(answer):
        return False
    if _NO_NUMBER.search(answer) and not _NO_NUMBER.search(str(entry["answer"])):
        return False
    metadata = entry["metadata"]
    if dataset_name in EXPRESSIONS and not solves(answer, metadata.get("target", 24), metadata["numbers"]):
        return False
    if dataset_name == "number_sorting" and not _sorted_exactly(answer, metadata["sorted_numbers"]):
        return False
    try:
        return float(_scorer(dataset_name)(answer, entry)) == 1.0
    except Exception:  # scorers raise all kinds of errors on text they did not expect: that is a wrong answer
        return False


def _sorted_exactly(answer, numbers):
    """number_sorting's scorer lets each number be off by 1, and every list of NaN pass."""
    try:
        said = json.loads(answer.replace("'", '"'))
        return isinstance(said, list) and [float(n) for n in said] == [float(n) for n in numbers]
    except (ValueError, TypeError, RecursionError):
        return False


@cache
def _scorer(dataset_name):
    return _library().get_score_answer_fn(dataset_name)


def solves(expression, target, numbers):
    """True if an expression uses each given number once and has exactly the target value."""
    value = evaluate(expression)
    used = [int(n) for n in re.findall(r"[0-9]+", expression)]
    return value is not None and value == target and Counter(used) == Counter(numbers)


_OPERATORS = {ast.Add: Fraction.__add__, ast.Sub: Fraction.__sub__, ast.Mult: Fraction.__mul__,
              ast.Div: Fraction.__truediv__}


def evaluate(expression, *, max_length=200):
    """The exact value of whole numbers, + - * / and parentheses, as a Fraction; None for anything else.

    The text is parsed, never run: letters, powers, floor division, underscores and other digits are refused
    before parsing, and the tree is walked. At most 200 characters and 12 digits a number bound the work.
    """
    if len(expression) > max_length or not re.fullmatch(r"[0-9+\-*/() ]+", expression):
        return None
    if re.search(r"\*\s*\*|/\s*/|[0-9]{13}|[0-9] +[0-9]", expression):
        return None
    try:
        # Python refuses "07"; a person may write it.
        tree = ast.parse(re.sub(r"\b0+(?=[0-9])", "", expression.strip()), mode="eval")
        return _walk(tree.body)
    except (SyntaxError, ZeroDivisionError, RecursionError, MemoryError, ValueError):
        return None


def _walk(node):
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return Fraction(node.value)
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        return _OPERATORS[type(node.op)](_walk(node.left), _walk(node.right))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        value = _walk(node.operand)
        return -value if isinstance(node.op, ast.USub) else value
    raise ValueError("not arithmetic")


@dataclass(frozen=True)
class GymProblem:
    """A reasoning-gym item in our words. `answer` as in `reason.tasks`: text of a whole number."""

    family: str
    question: str
    answer: str
    terms: tuple | None  # signed terms where the item is a chain of sums: what `reason.tasks` splits by


def question_from_entry(entry):
    """A chain_sum, basic_arithmetic or products item as a question typed like ours ("12+7-5"), or None.

    None for what our questions cannot say: a division (reasoning-gym means floor division), an answer that is
    not the exact value of the expression, other data sets.
    """
    metadata = entry.get("metadata", {})
    family = metadata.get("source_dataset")
    if family not in ("chain_sum", "basic_arithmetic", "products") or "/" in metadata["expression"]:
        return None
    question = metadata["expression"].replace(" ", "")
    value, answer = evaluate(question), parse_integer(entry["answer"])
    if value is None or answer is None or value != answer:
        return None
    terms = None
    if re.fullmatch(r"-?[0-9]+([+-][0-9]+)*", question):
        terms = tuple(int(term) for term in re.findall(r"[+-]?[0-9]+", question))
    return GymProblem(family, question, str(answer), terms)
