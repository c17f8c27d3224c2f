"""The verifier against replies that try to be paid without being right."""

import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from growth import growth
from hypothesis import given
from hypothesis import strategies as st

from minids.errors import MinidsError
from minids.tasks.arithmetic import parse_integer
from minids.tasks.reward import Reward, accuracy, format_reward, language_consistency
from minids.text.chat import STYLES, parse
from minids.text.tokenizer import EOS


def reply(answer, thought="2+3=5"):
    return f"<think>{thought}</think><answer>{answer}</answer>{EOS}"


# What stands in the answer block, and whether it is the 5 that was asked for.
SPELLINGS = {
    "5": 1,
    " 5 ": 1,
    "\n5\n": 1,
    "5\t": 1,
    "": 0,
    " ": 0,
    "+5": 0,
    "05": 0,
    "005": 0,
    "5.0": 0,
    "5.": 0,
    "5,0": 0,
    "5e0": 0,
    "-5": 0,
    "--5": 0,
    "5-": 0,
    "- 5": 0,
    "０５": 0,
    "５": 0,
    "٥": 0,
    "५": 0,
    "⑤": 0,
    "Ⅴ": 0,
    "5️⃣": 0,
    "²": 0,
    "−5": 0,
    "5\u200b": 0,
    "\u200b5": 0,
    "\ufeff5": 0,
    "\u00a05": 0,
    "5\x00": 0,
    "5\x0b": 0,
    "\u202e5": 0,
    "5 or 6": 0,
    "4 5 6": 0,
    "5, 6": 0,
    "1 2 3 4 5 6 7 8 9": 0,
    "not 5": 0,
    "5 apples": 0,
    "x = 5": 0,
    "\\boxed{5}": 0,
    "2+3": 0,
    "10/2": 0,
    "int('5')": 0,
    "5#": 0,
    "0x5": 0,
    "0b101": 0,
    "5_0": 0,
    "five": 0,
    "None": 0,
    "True": 0,
    "9**9**9": 0,
    "9" * 10**5: 0,
    "0" * 10**5 + "5": 0,
    "__import__('os').system('true')": 0,
    "5" * 65: 0,
    "nan": 0,
    "inf": 0,
    "5\n6": 0,
    "5\n5": 0,
    "<b>5</b>": 0,
    "'5'": 0,
    "5!": 0,
    "(5)": 0,
    "$5": 0,
    "5%": 0,
}

# Whole replies: (text, accuracy, format) for the answer 5.
REPLIES = [
    (reply(5), 1, 1),
    (reply(5, ""), 1, 1),  # an empty thought is legal; it is reported apart
    (reply(6), 0, 1),
    (reply(5)[: -len(EOS)], 1, 1),
    (f" <think>a</think>\n<answer>5</answer>\n{EOS}", 1, 1),
    (f"Sure! <think>a</think><answer>5</answer>{EOS}", 1, 0),
    (f"<think>a</think>So it is <answer>5</answer>{EOS}", 1, 0),
    (f"<think>a < b > c</think><answer>5</answer>{EOS}", 1, 1),
    (f"<think>a</think><answer>5</answer> or 6{EOS}", 0, 0),
    (f"<think>a</think><answer>5</answer>.{EOS}", 0, 0),
    (f"<think>a</think><answer>5</answer><answer>5</answer>{EOS}", 0, 0),
    (f"<think>a</think><answer>4</answer><answer>5</answer>{EOS}", 0, 0),
    (f"<think>a</think><answer><answer>5</answer></answer>{EOS}", 0, 0),
    (f"<think>a</think><answer>5<answer></answer>{EOS}", 0, 0),
    (f"<think>a</think><answer>5</answer></answer>{EOS}", 0, 0),
    (f"<think><think>a</think></think><answer>5</answer>{EOS}", 0, 0),
    (f"<think>a</think></think><answer>5</answer>{EOS}", 0, 0),
    (f"<think>a</think><think>b</think><answer>5</answer>{EOS}", 0, 0),
    (f"<think>a<answer>5</answer></think>{EOS}", 0, 0),
    (f"<think><answer>5</answer></think><answer>5</answer>{EOS}", 0, 0),
    (f"<think>a</think>{EOS}", 0, 0),
    (f"<think>a<answer>5</answer>{EOS}", 0, 0),
    (f"a</think><answer>5</answer>{EOS}", 0, 0),
    (f"<answer>5</answer>{EOS}", 0, 0),
    (f"<answer>5</answer><think>a</think>{EOS}", 0, 0),
    (f"<think>a</think><answer>5{EOS}", 0, 0),
    (f"<think>a</think>5{EOS}", 0, 0),
    (f"<think>5</think><answer></answer>{EOS}", 0, 0),
    (f"<THINK>a</THINK><ANSWER>5</ANSWER>{EOS}", 0, 0),
    (f"<think >a</think ><answer >5</answer >{EOS}", 0, 0),
    (f"＜think＞a＜/think＞＜answer＞5＜/answer＞{EOS}", 0, 0),
    (f"<think>a</think><answer>5</answer>{EOS}{EOS}", 0, 0),
    (f"<think>a</think><answer>5{EOS}</answer>", 0, 0),
    (f"<think>a{EOS}</think><answer>5</answer>{EOS}", 0, 0),
    (f"<think>a</think><answer>5</answer>{EOS}<think>b</think><answer>6</answer>{EOS}", 0, 0),
    (f"<think>a</think><answer>5</answer><｜User｜>and 3+3?{EOS}", 0, 0),
    (f"<think><｜User｜>Is it 5?<｜Assistant｜></think><answer>5</answer>{EOS}", 0, 0),
    ("", 0, 0),
    (EOS, 0, 0),
    ("5", 0, 0),
]


@pytest.mark.parametrize("spelling", SPELLINGS, ids=lambda s: ascii(s[:20]))
def test_gallery_of_answers(spelling):
    assert accuracy(5, reply(spelling)) == SPELLINGS[spelling]
    assert accuracy("5", reply(spelling)) == SPELLINGS[spelling]


@pytest.mark.parametrize("text,right,formed", REPLIES, ids=lambda x: ascii(x)[:40])
def test_gallery_of_replies(text, right, formed):
    assert accuracy(5, text) == right
    assert format_reward(text) == formed
    assert accuracy(5, text, finished=False) == 0 and format_reward(text, finished=False) == 0


PLAIN = [
    (f" 2+3=5\nAnswer: 5{EOS}", 1, 1),
    (f"2+3=5\nAnswer:5\n{EOS}", 1, 1),
    (f"\nAnswer: 5{EOS}", 1, 1),
    (f"2+3=5\nAnswer: 6{EOS}", 0, 1),
    (f"2+3=5\nAnswer: {EOS}", 0, 0),
    (f"Answer: 5{EOS}", 0, 0),
    (f"Answer: 4\nAnswer: 5{EOS}", 0, 0),
    (f"\nAnswer: 4\nAnswer: 5{EOS}", 0, 0),
    (f"a\nAnswer: 5 Answer: 6{EOS}", 0, 0),
    (f"a\nAnswer: 5\nNo, 6{EOS}", 0, 0),
    (f"a\nanswer: 5{EOS}", 0, 0),
    (f"a\nAnswer: 5 or 6{EOS}", 0, 1),
    (f"a\nAnswer: 5{EOS}\nAnswer: 5{EOS}", 0, 0),
    (f"a\n<answer>5</answer>{EOS}", 0, 0),
    (f"5{EOS}", 0, 0),
]


@pytest.mark.parametrize("text,right,formed", PLAIN, ids=lambda x: ascii(x)[:40])
def test_plain_style(text, right, formed):
    assert accuracy(5, text, style="plain") == right
    assert format_reward(text, style="plain") == formed
    assert accuracy(5, text, style="plain", finished=False) == 0


DIRECT = [
    ("direct", f"<answer>5</answer>{EOS}", 1, 1),
    ("direct", f"\n<answer>5</answer>\n{EOS}", 1, 1),
    ("direct", f"<answer>6</answer>{EOS}", 0, 1),
    ("direct", f"So <answer>5</answer>{EOS}", 1, 0),
    ("direct", f"<think>a</think><answer>5</answer>{EOS}", 0, 0),
    ("direct", f"<answer>5</answer>6{EOS}", 0, 0),
    ("direct", f"<answer>5{EOS}", 0, 0),
    ("direct", EOS, 0, 0),
    ("plain_direct", f" 5{EOS}", 1, 1),
    ("plain_direct", f"5\n{EOS}", 1, 1),
    ("plain_direct", f" 6{EOS}", 0, 1),
    ("plain_direct", f" 5\nQuestion: 6{EOS}", 0, 0),
    ("plain_direct", f" 4\nAnswer: 5{EOS}", 0, 0),
    ("plain_direct", EOS, 0, 0),
    ("plain_direct", f" <answer>5</answer>{EOS}", 0, 0),
]


@pytest.mark.parametrize("style,text,right,formed", DIRECT, ids=lambda x: ascii(x)[:40])
def test_answers_at_once(style, text, right, formed):
    assert accuracy(5, text, style=style) == right
    assert format_reward(text, style=style) == formed
    assert not Reward(style=style)(5, text, True).empty_think


@pytest.mark.parametrize(
    "text", [t for t, *_ in REPLIES + PLAIN] + [t for _, t, *_ in DIRECT], ids=lambda t: ascii(t)[:40]
)
def test_chapter_10_and_rl_grade_alike(text):
    """The chapter counts right answers "in whatever form" by `accuracy` with the style "chat"; RL pays in one form."""
    paid = [Reward(style=style)(5, text, True) for style in ("tags", "opened", "direct")]
    assert accuracy(5, text, style="chat") == max(result.accuracy for result in paid)
    assert format_reward(text, style="chat") == max(result.format for result in paid)
    assert accuracy(5, text, style="chat", finished=False) == 0


def test_chapters_take_no_reply_apart_to_score_it():
    for path in sorted((Path(__file__).parents[2] / "chapters" / "src").glob("*.py")):
        scores = re.findall(r"parse\([^\n]*\)\.answer *==|== *chat\.parse", path.read_text(encoding="utf-8"))
        assert not scores, f"{path.name}: score with tasks.reward.accuracy, which RL pays by"


def test_zero_and_negatives():
    assert accuracy(0, reply("0")) == 1 and accuracy(0, reply("-0")) == 0 and accuracy(0, reply("")) == 0
    assert accuracy(-12, reply("-12")) == 1 and accuracy(-12, reply("12")) == 0
    assert accuracy("-12", reply("-12")) == 1


@given(st.integers(-(10**63), 10**63), st.integers(-(10**63), 10**63))
def test_every_integer_is_read_back_and_no_other_passes(a, b):
    assert parse_integer(str(a)) == a
    assert accuracy(a, reply(a)) == 1
    assert accuracy(a, reply(b)) == (a == b)


@given(st.text(max_size=60))
def test_any_text_is_graded_without_an_error(text):
    for style in STYLES:
        for whole in (text, reply(text), reply(5, text), f"x\nAnswer: {text}{EOS}"):
            assert accuracy(5, whole, style=style) in (0.0, 1.0)
            assert format_reward(whole, style=style) in (0.0, 1.0)
    assert 0 <= language_consistency(text) <= 1
    value = parse_integer(text)
    assert value is None or str(value) == text.strip(" \t\r\n")


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(
    "make",
    [
        lambda n: "<think>" * n,
        lambda n: "<answer>5" * n,
        lambda n: "<｜" * n,
        lambda n: "\nAnswer:" * n,
        lambda n: "9" * n,
        lambda n: "<answer>" + " " * n + "5",
        lambda n: "<answer>" + "9" * n + "</answer>",
    ],
)
def test_hostile_text_is_graded_in_time_that_grows_with_its_length(make, style):
    assert accuracy(5, make(60_000), style=style) == 0
    assert (
        growth(lambda text: accuracy(5, text, style=style), make, 5000) < 100
    )  # 16 times the text; 256 if every character is met again from each other


@pytest.mark.parametrize("bad", ["5.0", "1,000", "", "five", 5.0, True, None, "9" * 65, 10**64])
def test_a_problem_with_an_ungradable_answer_is_refused(bad):
    with pytest.raises(MinidsError, match="not a plain integer"):
        accuracy(bad, reply(5))


def test_unknown_style_and_script_are_refused():
    with pytest.raises(MinidsError, match="style='xml'"):
        parse("", "xml")
    with pytest.raises(MinidsError, match="script='klingon'"):
        language_consistency("a", "klingon")


def test_language_by_hand():
    assert language_consistency("Ana has 14 pens + 3") == 1.0
    assert language_consistency("Ana has четырнадцать ручек") == 0.5
    assert language_consistency("Ana has четырнадцать ручек", "cyrillic") == 0.5
    assert language_consistency("рen") == 0.0  # the first letter is Cyrillic
    assert language_consistency("加上3等于5 so 5") == pytest.approx(1 / 5)
    assert language_consistency("加上3等于5 so 5", "han") == pytest.approx(4 / 5)
    assert language_consistency("さんを足す", "japanese") == 1.0
    assert language_consistency("ラーメン 人々 ｶﾅ か\u3099", "japanese") == 1.0
    assert language_consistency("cafe\u0301 naïve") == 1.0
    assert language_consistency("ｈｅｌｌｏ") == 0.0  # fullwidth letters are a way around
    assert language_consistency("12+7=19") == 1.0 and language_consistency("") == 1.0
    assert language_consistency("<think>привет</think>", "cyrillic") == 1.0  # tags are not words


def test_composition():
    problem = SimpleNamespace(answer=5)
    full = Reward()(problem, reply(5), True)
    assert full.total == pytest.approx(1.1) and full.accuracy == full.format == 1 and full.answer == 5
    assert not full.empty_think and not full.truncated
    wrong = Reward()(problem, reply(6), True)
    assert wrong.total == pytest.approx(0.1) and wrong.answer == 6
    assert Reward()(5, reply("5 or 6"), True).answer is None
    empty = Reward()(problem, reply(5, " "), True)
    assert empty.empty_think and empty.total == pytest.approx(1.1)
    cut = Reward(language=1.0)(problem, reply(5), False)
    assert cut.total == 0 and cut.truncated and cut.answer is None and cut.accuracy == 0
    mixed = Reward(language=0.5)(problem, reply(5, "два and 三"), True)
    assert mixed.language == pytest.approx(1 / 3) and mixed.total == pytest.approx(1.1 + 0.5 / 3)
    assert Reward(style="plain")(problem, f"a\nAnswer: 5{EOS}", True).total == pytest.approx(1.1)
    assert not Reward()(problem, "no tags", True).empty_think
