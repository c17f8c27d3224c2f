"""reasoning-gym at the door: its items as our questions, its scorers as a second opinion.

reasoning-gym (https://github.com/open-thought/reasoning-gym, optional: `pip install reasoning-gym`) makes and
scores about a hundred kinds of problems. Its scorers give points for answers that are nearly right, and many of them
give all points for answers that are wrong: a prefix ("0" for 0.31, coin_flip), the right answer and a second one
(knights_knaves), any number within a tolerance (number_format), NaN. So here

    one right answer     an answer passes if their scorer gives exactly 1 *and* it is the item's own answer: the same
                         text, the same numbers, the same JSON, whatever the blanks and capitals (`same`)
    several              (`FORMS`: a path, a colouring, an expression) their scorer decides, and the whole text has the
                         form that the question asks for
    neither              is refused (`REFUSED`), with the reason: scorers that hand the answer to eval or sympy's
                         parse_expr, which is eval; items without a solution, so that nothing can show that the scorer
                         is right; items that take seconds to make

What our own verifier passes, reasoning-gym passes too (tests/tasks/test_gym.py). `python tests/tasks/gym_sets.py`
prints, for every data set, what building costs and what its scorer says to the right and to wrong answers.

Also: neighbouring seeds share almost all items (item i of seed s is item i-1 of seed s+1), so seeds must be
far apart, and a held-out set must be split by what is asked, not by seed. `tasks.gym_sets` does both.
"""

import ast
import json
import re
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from functools import cache

from minids.errors import MinidsError

# Scorers that hand the answer to eval or parse_expr, as of reasoning-gym 0.1.25.
EVALUATING = frozenset(
    {
        "binary_matrix",
        "intermediate_integration",
        "n_queens",
        "polynomial_multiplication",
        "simple_integration",
        "spiral_matrix",
        "string_insertion",
    }
)
EXPRESSIONS = frozenset({"countdown", "puzzle24"})  # evaluating too, but guarded below
REFUSED = {
    **dict.fromkeys(EVALUATING, "its scorer runs the model's text as code"),
    **dict.fromkeys(("boxnet", "rush_hour"), "its items hold no solution, so nothing shows that its scorer is right"),
    **dict.fromkeys(("futoshiki", "knight_swap"), "an item takes seconds to make"),
    "rubiks_cube": "its scorer writes a move out as often as the text says: R999999999 takes all memory",
    "game_of_life_halting": "its scorer takes any text that is not empty",
    "propositional_logic": "its scorer takes a premise said again for a conclusion",
    "composite": "its scorer calls any other's; grade an item by its own metadata['source_dataset']",
}
_JSON = r"[\[{].*[\]}]"
# Data sets with several right answers, and the form of one.
FORMS = {
    **dict.fromkeys(EXPRESSIONS, ".*"),  # `solves` looks closer
    **dict.fromkeys(("graph_color", "group_anagrams", "jugs", "palindrome_partitioning"), _JSON),
    "cryptarithm": r"[A-Z]=[0-9](, ?[A-Z]=[0-9])*",
    "kakurasu": r"[01 ]+(\n[01 ]+)*",
    "palindrome_generation": r"[a-z]+",
    "power_function": r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,2})?",  # to three significant figures
    "quantum_lock": r"[A-C]( ?→ ?[A-C])*",
    "shortest_path": r"infeasible|(up|down|left|right)( (up|down|left|right))*",
    "sokoban": r"[LRUD]+",
    "tower_of_hanoi": r"(Move disk [0-9]+ from Peg [0-9]+ to Peg [0-9]+(\n|$))+",
    "word_ladder": r"[A-Za-z]+(, ?[A-Za-z]+)*",
}
# One right answer whose parts may stand in any order, and what is between them.
UNORDERED = {"knights_knaves": r",|\band\b", "polynomial_equations": ",", "prime_factorization": "×"}
CLOSE = {"coin_flip": 1e-3}  # relative: as many figures as a person would write
MAX_LENGTH = 4096
# Decimal and Fraction turn "1e999999999" into a number of a billion digits.
_HUGE_EXPONENT = re.compile(r"[0-9.][eE][+-]?_?[0-9_]{3,}")


def _library():
    try:
        import reasoning_gym
    except ImportError as error:
        raise MinidsError(
            "gym: the package reasoning-gym is not installed; `pip install reasoning-gym` (it "
            "needs a C compiler), or grade with minids' own verifier (minids.tasks.reward)"
        ) from error
    return reasoning_gym


def create(dataset_name: str, *, size: int, seed: int, **config: object) -> Sequence[dict]:
    """A reasoning-gym data set by name: a sequence of entries {"question", "answer", "metadata"}. Raises MinidsError
    for settings that reasoning-gym refuses."""
    library = _library()
    known(dataset_name)
    try:
        return library.create_dataset(dataset_name, size=size, seed=seed, **config)
    except (TypeError, AssertionError) as error:
        raise MinidsError(f"gym: reasoning-gym refuses this setting of {dataset_name!r}: {error}") from error


def known(dataset_name: str) -> None:
    """Refuses a name that reasoning-gym does not have."""
    if dataset_name not in _library().factory.DATASETS:
        raise MinidsError(
            f"gym: reasoning-gym has no data set {dataset_name!r}; see reasoning_gym.factory.DATASETS for the names"
        )


def trusted(dataset_name: str) -> None:
    """Refuses a data set whose scorer cannot be given a model's text."""
    known(dataset_name)
    if dataset_name in REFUSED:
        raise MinidsError(f"gym: {dataset_name!r} is not graded here: {REFUSED[dataset_name]}. Choose another data set")


def grade(dataset_name: str, entry: dict, answer: str) -> bool:
    """True if reasoning-gym's own scorer gives this answer exactly 1.0, and it is the answer or has the form of one.

    The scorer is that of the data set's default settings, as reasoning-gym gives it by name. `answer` is the
    model's text. An answer that the guards do not let through is wrong, not an error; a data set whose scorer
    cannot be trusted with a model's text (`REFUSED`) is an error.
    """
    trusted(dataset_name)
    if not isinstance(answer, str) or len(answer) > MAX_LENGTH or _HUGE_EXPONENT.search(answer):
        return False
    metadata = entry["metadata"]
    if dataset_name in EXPRESSIONS and not solves(answer, metadata.get("target", 24), metadata["numbers"]):
        return False
    if dataset_name in FORMS:
        if not re.fullmatch(FORMS[dataset_name], answer.strip(), re.DOTALL):
            return False
    elif not same(answer, str(entry["answer"]), UNORDERED.get(dataset_name), CLOSE.get(dataset_name)):
        return False
    try:
        return dataset_name in CLOSE or float(_scorer(dataset_name)(answer, entry)) == 1.0
    except Exception:  # scorers raise all kinds of errors on text they did not expect: that is a wrong answer
        return False


def same(answer: str, right: str, unordered: str | None = None, close: float | None = None) -> bool:
    """True if two texts say the same: whatever the blanks and capitals, the quotes of a list, a number's last zeros.

    unordered   a pattern of what separates parts that may stand in any order
    close       for numbers (fractions too): the relative difference that is let through
    """
    if unordered:
        parts = [Counter(map(_plain, re.split(unordered, text.strip().rstrip(".")))) for text in (answer, right)]
        return parts[0] == parts[1]
    values = [_value(text) for text in (answer, right)]
    if None not in values:
        return abs(values[0] - values[1]) <= (close or 0) * abs(values[1])
    if close is None and _plain(answer) == _plain(right):
        return True
    try:
        return json.loads(answer) == json.loads(right)
    except (ValueError, RecursionError):
        return False


def _value(text):
    """The exact value of a text that is one number, or None."""
    text = text.strip()
    if not re.fullmatch(r"[+-]?[0-9][0-9,]*\.?[0-9]*([eE][+-]?[0-9]{1,2})?|[+-]?[0-9]+/[0-9]+", text):
        return None
    try:
        return Fraction(text.replace(",", "").rstrip("."))
    except (ValueError, ZeroDivisionError):
        return None


def _plain(text):
    text = re.sub(r"[\s'\"°]+", "", text).casefold()
    return re.sub(r"(?<![0-9.])([0-9]+)\.([0-9]*?)0*(?![0-9])", lambda n: f"{n[1]}.{n[2]}".rstrip("."), text)


@cache
def _scorer(dataset_name):
    return _library().get_score_answer_fn(dataset_name)


def solves(expression: str, target: int, numbers: Sequence[int]) -> bool:
    """True if an expression uses each given number once and has exactly the target value."""
    value = evaluate(expression)
    used = [int(n) for n in re.findall(r"[0-9]+", expression)]
    return value is not None and value == target and Counter(used) == Counter(numbers)


_OPERATORS = {
    ast.Add: Fraction.__add__,
    ast.Sub: Fraction.__sub__,
    ast.Mult: Fraction.__mul__,
    ast.Div: Fraction.__truediv__,
}


def evaluate(expression: str, *, max_length: int = 200) -> Fraction | None:
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
