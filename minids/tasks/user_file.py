"""Problems of yours as an environment: a file of questions and answers, and if you like a function that grades.

    user:problems.jsonl                      lines {"question": "2 tens and 3", "answer": "23"}
    user:problems.jsonl@check.py:verify      the same, graded by verify(question, answer, reply) (`tasks.verifier`)

Without a function an answer is right if it is the problem's own, blanks between words aside. A line may have a
"thought"; then pretraining and SFT can learn from the file too. A question that stands there twice with different
answers is refused, and so is an answer or a thought with a mark of the templates ("</answer>"): no reply could be read
as it. Other keys are passed over, but not one that looks like a key misspelt. The split is decided by a hash of the
question, so a file of n problems has about n/10 to test on: set eval.problems accordingly.
"""

import difflib
import json
from pathlib import Path
from random import Random

from minids.errors import MinidsError
from minids.tasks import arithmetic
from minids.tasks.environment import MAX_ANSWER, Environment, Item, Verdict
from minids.tasks.verifier import Verifier
from minids.text.chat import ANY_TAG

KEYS = ("question", "answer", "thought")
EXAMPLE = 'Give a file with lines like {"question": "2 tens and 3", "answer": "23"}.'


class User(Environment):
    """The problems of a file; `seconds` and `memory` are the limits of its function."""

    def __init__(self, name: str, **limits: float):
        path, source = parts(name)
        self.name, self.about = name, f"the problems of {Path(path).name}"
        problems = read(path, name)
        self.verifier = Verifier(source, **limits) if source is not None else None
        self.styles = arithmetic.STYLES if all(p.data is not None for p in problems) else ()
        self.splits = {split: [p for p in problems if p.split == split] for split in arithmetic.SPLITS}

    def sample(self, rng: Random, split: str, size: int | None = None) -> Item:
        if size is not None or not self.splits[split]:
            what = f"has no size {size!r}" if size is not None else f"has no problem in the split {split!r}; give more"
            raise MinidsError(f"environment {self.name!r} {what}.")
        return rng.choice(self.splits[split])

    def count(self, split: str) -> int:
        return len(self.splits[split])

    def score(self, problem: Item, answer_text: str) -> float:
        return self.judge(problem, answer_text).score

    def judge(self, problem: Item, answer_text: str, reply_text: str = "") -> Verdict:
        text = answer_text.strip()
        if not text or len(text) > MAX_ANSWER or len(reply_text) > 16 * MAX_ANSWER:
            return Verdict(0.0)
        said = self.canonical(problem, text)
        if self.verifier is None:
            return Verdict(float(said == self.canonical(problem, problem.answer)), said)
        score, failure = self.verifier(problem.question, problem.answer, text, reply_text)
        return Verdict(score, said, failure and f"verifier {self.verifier.source}: {failure}")

    def demonstrate(self, problem: Item, style: str, rng: Random | None = None) -> str:
        return super().demonstrate(problem, style, rng) if problem.data is None else problem.data

    def restore(self, question: str, answer: str, row: dict) -> Item:
        return Item(self.name, question, answer, _key(question))

    def close(self) -> None:
        if self.verifier is not None:
            self.verifier.close()


def parts(name: str) -> tuple[str, str | None]:
    """ "user:FILE@CHECK.py:FUNCTION" -> (FILE, "CHECK.py:FUNCTION", None without one). Either path may hold an @ of its
    own: FILE is the first part in front of an @ that is a file, or the whole."""
    whole = name.removeprefix("user:")
    cuts = [i for i, c in enumerate(whole) if c == "@"]
    if not cuts or Path(whole).is_file():
        return whole, None
    cut = next((i for i in cuts if Path(whole[:i]).is_file()), cuts[0])
    return whole[:cut], whole[cut + 1 :]


def _key(question):
    return "user " + " ".join(question.split())


def read(path: str | Path, family: str) -> list[Item]:
    """The problems of a file; errors name the line."""
    seen, out = {}, []
    for number, raw in arithmetic.lines_of(path, EXAMPLE):
        where = f"{path}, line {number}"
        item = _item(raw, family, where)
        before = seen.setdefault(item.key, (item, number))
        if before[0] is item:
            out.append(item)
        elif before[0].answer != item.answer:
            raise MinidsError(
                f"{where}: the question of line {before[1]} again, with another answer. Where several answers "
                "are right, write it once and grade it with a function: user:FILE.jsonl@check.py:verify."
            )
    return out


def _item(raw, family, where):
    try:
        line = json.loads(raw.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise MinidsError(f"{where}: no JSON in UTF-8 ({error}). {EXAMPLE}") from None
    line = line if isinstance(line, dict) else {}
    question, answer, thought = (line.get(k) for k in KEYS)
    _refuse_misspelt(line, where)
    if type(answer) is int and abs(answer) < 10**64:
        answer = str(answer)
    texts = [question, answer] + [thought] * (thought is not None)
    if not all(isinstance(t, str) and t.strip() for t in texts):
        raise MinidsError(f'{where}: needs a "question" and an "answer", both not empty. {EXAMPLE}')
    if len(answer.strip()) > MAX_ANSWER:
        raise MinidsError(f"{where}: the answer is longer than {MAX_ANSWER} characters.")
    for name, text in (("answer", answer), ("thought", thought or "")):
        if mark := ANY_TAG.search(text):
            raise MinidsError(
                f"{where}: the {name} has the mark {mark[0]!r}, which the template sets itself; no reply could be read "
                "as this. Take it out."
            )
    return Item(family, question.strip(), answer.strip(), _key(question), data=thought)


def _refuse_misspelt(line, where):
    """A key that is nearly one that the line lacks is an error; all others are passed over."""
    lacking = [k for k in KEYS if k not in line]
    for key in line if lacking else ():
        if key not in KEYS and (near := difflib.get_close_matches(key[:40].lower(), lacking, n=1, cutoff=0.8)):
            raise MinidsError(f"{where}: unknown key {key[:40]!r}. Did you mean {near[0]!r}?")
