"""Chapter 12: thoughts in two scripts, the reward for one, rejection sampling, distillation from logits."""

import itertools
import math
import random
from fractions import Fraction

import torch
import torch.nn.functional as F

from minids.course.cases import case, expect, gradients, raises
from minids.errors import MinidsError
from minids.tasks.reward import RewardResult

# -- a thought with words ----------------------------------------------------------------------------------------------

SPOKEN = "r1.number_words"
ADDITION = "7+6=13 4+9+1=14 3+8+1=12 0+5+1=6"
CHAIN = "12+7: 2+7=9 1+0=1 >19-5: 9-5=4 1-0=1 >14"


def _said(steps, between, mixed, seed):
    """The steps with a coin of the same dice thrown for each word."""
    dice, text = random.Random(seed), steps[0]
    for step in steps[1:]:
        text += (" 再" if dice.random() < mixed else " then") + between + step
    return text


def _spoken(spoken, steps, between, mixed, seed):
    thought = between.join(steps)
    got = spoken(thought, random.Random(seed), mixed)
    expect(got, _said(steps, between, mixed, seed), thought=thought, mixed=mixed)


@case(SPOKEN)
def a_word_between_the_columns_of_an_addition(spoken):
    got = spoken(ADDITION, random.Random(0), 0.0)
    expect(got, "7+6=13 then 4+9+1=14 then 3+8+1=12 then 0+5+1=6", thought=ADDITION, mixed=0.0)


@case(SPOKEN)
def a_word_between_the_sums_of_a_chain(spoken):
    got = spoken(CHAIN, random.Random(0), 0.0)
    expect(got, "12+7: 2+7=9 1+0=1 then >19-5: 9-5=4 1-0=1 then >14", thought=CHAIN, mixed=0.0)


@case(SPOKEN)
def all_words_are_chinese_if_mixed_is_1(spoken):
    for steps, between in ((ADDITION.split(), " "), (CHAIN.split(" >"), " >")):
        _spoken(spoken, steps, between, 1.0, 0)


@case(SPOKEN)
def each_word_has_a_coin_of_its_own(spoken):
    steps = [f"{i}+1={i + 1}" for i in range(12)]
    for seed, mixed in ((3, 0.5), (4, 0.5), (5, 0.2)):
        _spoken(spoken, steps, " ", mixed, seed)


@case(SPOKEN)
def one_step_needs_no_word(spoken):
    for thought in ("347+5896=6243", ""):
        expect(spoken(thought, random.Random(0), 1.0), thought, thought=thought, mixed=1.0)


@case(SPOKEN)
def a_chain_of_two_sums_is_a_chain(spoken):
    thought = "12+7: 2+7=9 1+0=1 >19"
    expect(spoken(thought, random.Random(0), 0.0), "12+7: 2+7=9 1+0=1 then >19", thought=thought, mixed=0.0)


@case(SPOKEN)
def a_sign_without_a_blank_before_it_is_part_of_a_step(spoken):
    for thought, want in (("3>2 4>1", "3>2 then 4>1"), (">1+2=3 7+6=13", ">1+2=3 then 7+6=13")):
        expect(spoken(thought, random.Random(0), 0.0), want, thought=thought, mixed=0.0)


@case(SPOKEN)
def the_text_is_not_changed_otherwise(spoken):
    for steps, between in ((["a\n1+1=2", "2\t3=5", "4"], " "), (["12+7:  2+7=9", "19-5:\n9-5=4 ", "14"], " >")):
        _spoken(spoken, steps, between, 0.0, 0)


@case(SPOKEN)
def one_number_is_drawn_for_each_word_whatever_mixed_is(spoken):
    for thought, words in ((ADDITION, 3), (CHAIN, 2), ("7+6=13", 0)):
        for mixed in (0.0, 0.5, 1.0):
            rng, dice = random.Random(7), random.Random(7)
            spoken(thought, rng, mixed)
            drawn = [dice.random() for _ in range(words + 1)][-1]
            assert rng.random() == drawn, f"{words} numbers have to be drawn for {thought!r} with mixed={mixed}"


@case(SPOKEN)
def only_below_mixed_it_is_the_other_word(spoken):
    """mixed is the very number that is drawn first, and one a little larger."""
    first = random.Random(3).random()
    for mixed, word in ((first, "then"), (math.nextafter(first, 1.0), "再")):
        got = spoken("1+1=2 2+2=4", random.Random(3), mixed)
        expect(got, f"1+1=2 {word} 2+2=4", mixed=mixed, rng=f"draws {first}")


@case(SPOKEN, held_out=True)
def stories_and_other_chains(spoken):
    for _ in range(20):
        a, b, c = (random.randrange(1, 90) for _ in range(3))
        steps = [f"{a}+{b}+{c}; {a}+{b}: {a % 10}+{b % 10}={a % 10 + b % 10} 1+1=2", f"{a + b}+{c}: 1+2=3", "77"]
        _spoken(spoken, steps, " >", random.choice((0.1, 0.5, 0.9)), random.randrange(10**6))


@case(SPOKEN, held_out=True)
def additions_of_any_length(spoken):
    for count in (1, 2, 5, 30):
        steps = [f"{random.randrange(10)}+{random.randrange(10)}=9" for _ in range(count)]
        _spoken(spoken, steps, " ", random.random(), random.randrange(10**6))


# -- the share of words in one script ----------------------------------------------------------------------------------

LANGUAGE = "reward.language"


def _share(consistency, text, want, *script):
    expect(consistency(text, *script), float(want), tol=1e-6, text=text, script=script[0] if script else "latin")


@case(LANGUAGE)
def the_share_of_words_and_not_of_letters(consistency):
    _share(consistency, "so 再 then 再 again", 3 / 5)
    _share(consistency, "Ana has четырнадцать ручек", 1 / 2)
    _share(consistency, "Ana has четырнадцать ручек и", 3 / 5, "cyrillic")


@case(LANGUAGE)
def numbers_and_signs_are_neutral(consistency):
    _share(consistency, "7+6=13 then 4+9+1=14 再 3+8+1=12 then 0+5+1=6", 2 / 3)
    _share(consistency, "12+7: 2+7=9 then >19", 1.0)


@case(LANGUAGE)
def where_there_is_no_word_nothing_is_mixed(consistency):
    for text in ("", "  ", "7+6=13 4+9+1=14"):
        _share(consistency, text, 1.0)


@case(LANGUAGE)
def every_han_character_is_a_word(consistency):
    _share(consistency, "加上3等于5 so 5", 1 / 5)
    _share(consistency, "加上3等于5 so 5", 4 / 5, "han")


@case(LANGUAGE)
def one_foreign_letter_makes_a_foreign_word(consistency):
    _share(consistency, "\u0440en then", 1 / 2)  # the first letter is Cyrillic
    _share(consistency, "the\u0438", 0.0)


@case(LANGUAGE)
def a_word_of_two_scripts_belongs_to_neither(consistency):
    _share(consistency, "а then \u0440en", 1 / 3, "cyrillic")


@case(LANGUAGE)
def a_character_without_spaces_ends_the_word_before_it(consistency):
    _share(consistency, "then再then", 2 / 3)
    _share(consistency, "再then", 1 / 2)


@case(LANGUAGE)
def the_last_word_counts(consistency):
    _share(consistency, "再 then", 1 / 2)
    _share(consistency, "then и", 1 / 2)
    _share(consistency, "и", 0.0)


@case(LANGUAGE)
def marks_are_no_words(consistency):
    _share(consistency, "<think>再</think>", 0.0)
    _share(consistency, "<think>so и</think><answer>再</answer><｜end▁of▁sentence｜>", 1 / 3)
    _share(consistency, "then</think>и", 1 / 2)  # a mark ends the word before it
    _share(consistency, "then</think>so<answer>и", 2 / 3)


@case(LANGUAGE)
def an_accent_belongs_to_its_letter(consistency):
    _share(consistency, "cafe\u0301 再", 1 / 2)
    _share(consistency, "e\u0301te\u0301 再 na\u00efve", 2 / 3)


@case(LANGUAGE)
def a_language_may_have_several_scripts(consistency):
    _share(consistency, "再びペン so", 4 / 5, "japanese")
    _share(consistency, "ラーメン", 1.0, "japanese")
    _share(consistency, "ペン then", 0.0, "han")


@case(LANGUAGE)
def signs_and_digits_end_a_word(consistency):
    _share(consistency, "so+и", 1 / 2)
    _share(consistency, "so1и", 1 / 2)
    _share(consistency, "then,so;и", 2 / 3)
    _share(consistency, "и\nso\tthen", 2 / 3)


@case(LANGUAGE)
def a_float_comes_back(consistency):
    for text in ("", "then", "и"):
        got = consistency(text)
        assert type(got) is float, f"{text!r}: a float is expected, got {got!r}"


@case(LANGUAGE)
def an_unknown_script_is_refused(consistency):
    for script in ("klingon", "", "Latin"):
        raises(MinidsError, consistency, "then", script, because=f"script={script!r} is not in SCRIPTS")
    raises(MinidsError, consistency, "", "klingon", because="an unknown script, though there is no word")


@case(LANGUAGE, held_out=True)
def random_sentences(consistency):
    own, others = ("then", "so", "carry", "Ergebnis", "été"), ("再", "потом", "έπειτα", "then\u0431", "אז")
    for _ in range(40):
        words = [random.choice(own if random.random() < 0.6 else others) for _ in range(random.randrange(1, 12))]
        text = "".join(random.choice((" ", " 3+4=7 ", ", ", "\n")) + word for word in words)
        text += random.choice(("", ".", " 7"))
        _share(consistency, text, sum(w in own for w in words) / len(words))


@case(LANGUAGE, held_out=True)
def other_target_scripts(consistency):
    _share(consistency, "έπειτα then", 1 / 2, "greek")
    _share(consistency, "אז then so", 1 / 3, "hebrew")
    _share(consistency, "然后 then потом", 2 / 4, "han")


# -- which answers become documents ------------------------------------------------------------------------------------

ACCEPT = "rejection.accept"


def _result(**change):
    good = dict(total=1.1, accuracy=1.0, format=1.0, language=1.0, empty_think=False, truncated=False, answer=1)
    return RewardResult(**{**good, **change})


def _kept(accept, results, answers, want, keep, **language):
    got = accept(list(results), [list(a) for a in answers], keep=keep, **language)
    faults = [[k for k, v in vars(_result()).items() if vars(r)[k] != v] for r in results]
    expect(got, want, faults=faults, answers=answers, keep=keep, **language)


def _fault(accept, **change):
    _kept(accept, [_result(), _result(**change), _result()], [[5], [6], [7]], [0, 2], 3)


@case(ACCEPT)
def good_answers_in_the_order_they_were_drawn(accept):
    _kept(accept, [_result()] * 3, [[5, 6, 7], [8], [9, 9]], [0, 1, 2], 5)


@case(ACCEPT)
def a_wrong_answer_is_thrown_away(accept):
    _fault(accept, accuracy=0.0)


@case(ACCEPT)
def an_answer_in_another_form_is_thrown_away(accept):
    _fault(accept, format=0.0)


@case(ACCEPT)
def an_answer_that_was_cut_off_is_thrown_away(accept):
    _fault(accept, truncated=True)


@case(ACCEPT)
def a_mixed_thought_is_thrown_away(accept):
    _fault(accept, language=0.75)


@case(ACCEPT)
def a_share_that_is_just_enough_is_enough(accept):
    mixed = [_result(language=share) for share in (0.25, 0.5, 0.75)]
    _kept(accept, mixed, [[1], [2], [3]], [1, 2], 3, language=0.5)
    _kept(accept, mixed, [[1], [2], [3]], [0, 1, 2], 3, language=0.0)


@case(ACCEPT)
def no_more_than_keep(accept):
    _kept(accept, [_result()] * 4, [[1, 1, 1], [2, 2], [3], [4]], [0, 1], 2)
    _kept(accept, [_result(accuracy=0.0), _result(format=0.0), _result(), _result()], [[1], [2], [3], [4]], [2], 1)


@case(ACCEPT)
def of_equal_answers_the_first(accept):
    _kept(accept, [_result()] * 4, [[4, 2], [7], [4, 2], [7]], [0, 1], 4)


@case(ACCEPT)
def the_first_of_equal_answers_that_is_good(accept):
    """An answer that failed counts as if it had not been drawn: its equal, graded otherwise, may come later."""
    for fault in (dict(accuracy=0.0), dict(format=0.0), dict(truncated=True), dict(language=0.5)):
        _kept(accept, [_result(**fault), _result(), _result()], [[4, 2], [4, 2], [4, 2]], [1], 4)


@case(ACCEPT)
def answers_are_equal_if_all_their_ids_are_in_this_order(accept):
    answers = [[1, 23], [12, 3], [3, 12], [12, 3, 0], [12], [], [12, 3]]
    _kept(accept, [_result()] * 7, answers, [0, 1, 2, 3, 4, 5], 9)


@case(ACCEPT)
def partly_right_is_not_right(accept):
    for fault in (dict(accuracy=0.5), dict(accuracy=0.99), dict(format=0.5), dict(language=0.99), dict(accuracy=-1.0)):
        _fault(accept, **fault)


@case(ACCEPT)
def nothing_else_plays_a_part(accept):
    for change in (dict(total=-3.0), dict(total=0.0), dict(empty_think=True), dict(answer=None), dict(answer=0)):
        _kept(accept, [_result(**change)], [[5]], [0], 3)


@case(ACCEPT)
def a_keep_of_zero_keeps_nothing(accept):
    _kept(accept, [_result()] * 2, [[1], [2]], [], 0)


@case(ACCEPT)
def an_answer_said_twice_takes_one_place(accept):
    _kept(accept, [_result()] * 4, [[1], [1], [2], [3]], [0, 2], 2)


@case(ACCEPT)
def nothing_may_be_left(accept):
    _kept(accept, [_result(accuracy=0.0)] * 3, [[1], [2], [3]], [], 2)
    _kept(accept, [], [], [], 2)


@case(ACCEPT, held_out=True)
def any_answers(accept):
    for _ in range(40):
        n, keep, least = random.randrange(9), random.randrange(1, 5), random.choice((0.0, 0.5, 1.0))
        results = [
            _result(
                accuracy=float(random.random() < 0.7),
                format=float(random.random() < 0.8),
                language=random.choice((0.25, 0.5, 1.0)),
                truncated=random.random() < 0.1,
            )
            for _ in range(n)
        ]
        answers = [[i % 4, 3] for i in range(n)]
        good = [
            i for i, r in enumerate(results) if r.accuracy == r.format == 1 and not r.truncated and r.language >= least
        ]
        want = [i for i in good if answers[i] not in [answers[j] for j in good if j < i]][:keep]
        _kept(accept, results, answers, want, keep, language=least)


# -- documents to expect from a question -------------------------------------------------------------------------------

EXPECTED = "rejection.expected"


def _documents(expected_kept, rate, samples, keep, want):
    expect(expected_kept(rate, samples, keep), float(want), tol=1e-6, rate=rate, samples=samples, keep=keep)


@case(EXPECTED)
def two_answers_by_hand(expected_kept):
    _documents(expected_kept, 0.5, 2, 1, 0.75)  # none with 1/4
    _documents(expected_kept, 0.2, 2, 1, 0.36)


@case(EXPECTED)
def three_answers_by_hand(expected_kept):
    _documents(expected_kept, 0.5, 3, 2, 1.375)  # (3 * 1 + 3 * 2 + 1 * 2) / 8


@case(EXPECTED)
def all_good_answers_are_kept_where_there_is_room(expected_kept):
    _documents(expected_kept, 0.3, 8, 8, 2.4)
    _documents(expected_kept, 0.3, 4, 9, 1.2)


@case(EXPECTED)
def one_document_at_most_is_pass_at_k(expected_kept):
    for rate in (0.05, 0.5, 0.9):
        _documents(expected_kept, rate, 6, 1, 1 - (1 - rate) ** 6)


@case(EXPECTED)
def certain_and_hopeless_questions(expected_kept):
    _documents(expected_kept, 1.0, 8, 3, 3.0)
    _documents(expected_kept, 1.0, 2, 3, 2.0)
    _documents(expected_kept, 0.0, 8, 3, 0.0)
    for keep in (4, 9):  # room for many more than are drawn
        _documents(expected_kept, 1.0, 2, keep, 2.0)
        _documents(expected_kept, 0.0, 2, keep, 0.0)


@case(EXPECTED)
def it_need_not_be_likely(expected_kept):
    for rate in (1e-9, 1e-3):
        _documents(expected_kept, rate, 16, 4, 16 * rate)  # two good ones hardly ever come
        _documents(expected_kept, rate, 1, 1, rate)


@case(EXPECTED)
def dozens_of_answers_and_few_documents(expected_kept):
    for rate, samples, keep in ((0.1, 64, 4), (0.5, 64, 16), (0.02, 256, 8)):
        p, want = Fraction(rate), Fraction(keep)
        for good in range(keep):
            want -= (keep - good) * math.comb(samples, good) * p**good * (1 - p) ** (samples - good)
        _documents(expected_kept, rate, samples, keep, want)


@case(EXPECTED)
def no_answers_or_no_room_give_nothing(expected_kept):
    _documents(expected_kept, 0.5, 0, 3, 0.0)
    _documents(expected_kept, 0.5, 4, 0, 0.0)


@case(EXPECTED, held_out=True)
def all_outcomes_counted(expected_kept):
    for samples, keep in ((1, 1), (4, 2), (6, 4), (7, 3)):
        rate = random.uniform(0.05, 0.95)
        want = sum(
            math.prod(rate if good else 1 - rate for good in outcome) * min(sum(outcome), keep)
            for outcome in itertools.product((0, 1), repeat=samples)
        )
        _documents(expected_kept, rate, samples, keep, want)


@case(EXPECTED, held_out=True)
def more_room_never_gives_less(expected_kept):
    got = [expected_kept(0.4, 10, keep) for keep in range(1, 11)]
    assert all(a <= b + 1e-9 for a, b in zip(got, got[1:])), f"keep = 1 … 10 should give more and more, got {got}"
    _documents(expected_kept, 0.4, 10, 10, 4.0)


# -- the divergence of two distributions -------------------------------------------------------------------------------

KL = "distill.kl"


def _logits(*shape, dtype=torch.float32):
    return 2 * torch.randn(*shape, dtype=dtype)


def _kl(student, teacher, weight):
    """torch's own, in float64."""
    student, teacher = student.double().log_softmax(-1), teacher.double().log_softmax(-1)
    return (F.kl_div(student, teacher, log_target=True, reduction="none").sum(-1) * weight.double()).sum()


@case(KL)
def one_position_by_hand(kl_sum):
    """Teacher 1/2, 1/2; student 1/4, 3/4: 1/2 log 2 + 1/2 log 2/3."""
    teacher, student = torch.zeros(1, 2), torch.tensor([[1.0, 3.0]]).log()
    want = torch.tensor(0.5 * math.log(2) + 0.5 * math.log(2 / 3))
    expect(kl_sum(student, teacher, torch.ones(1)), want, student=student, teacher=teacher)


@case(KL)
def the_teachers_distribution_has_the_weight(kl_sum):
    """What the teacher never says costs nothing, however often the student says it at other places."""
    teacher, student = torch.tensor([[0.9, 0.1]]).log(), torch.tensor([[0.5, 0.5]]).log()
    want = torch.tensor(0.9 * math.log(0.9 / 0.5) + 0.1 * math.log(0.1 / 0.5))
    expect(kl_sum(student, teacher, torch.ones(1)), want, student=student, teacher=teacher)


@case(KL)
def a_student_like_its_teacher_has_nothing_to_learn(kl_sum):
    logits = _logits(3, 5)
    expect(kl_sum(logits + 7.0, logits, torch.ones(3)), torch.tensor(0.0), tol=1e-5, student="teacher + 7")


@case(KL)
def positions_count_by_their_weights(kl_sum):
    student, teacher = _logits(3, 4), _logits(3, 4)
    for weight in ([1.0, 0.0, 0.0], [0.0, 0.5, 2.0], [1.0, 1.0, 1.0]):
        weight = torch.tensor(weight)
        expect(kl_sum(student, teacher, weight), _kl(student, teacher, weight).float(), weight=weight)


@case(KL)
def a_sum_and_no_mean(kl_sum):
    student, teacher, weight = _logits(2, 6), _logits(2, 6), torch.tensor([0.5, 1.5])
    once = kl_sum(student, teacher, weight)
    expect(once, _kl(student, teacher, weight).float())
    twice = kl_sum(student.repeat(2, 1), teacher.repeat(2, 1), weight.repeat(2))
    expect(twice, 2 * once, positions="all of them twice")


@case(KL)
def the_gradient_is_the_difference_of_probabilities(kl_sum):
    student, teacher, weight = _logits(4, 5), _logits(4, 5), torch.tensor([1.0, 0.0, 0.5, 2.0])
    _, (got, *_) = gradients(kl_sum, student, teacher, weight)
    want = -weight[:, None] * (student.softmax(-1) - teacher.softmax(-1))  # `gradients` weighs a scalar by -1
    expect(got, want, student=student, teacher=teacher, weight=weight)


@case(KL)
def the_teacher_does_not_learn(kl_sum):
    _, (_, got, *_) = gradients(kl_sum, _logits(3, 4), _logits(3, 4), torch.ones(3))
    expect(got, torch.zeros(3, 4), gradient_of="teacher_NV")


@case(KL)
def logits_of_any_size(kl_sum):
    student, teacher = torch.tensor([[0.0, 300.0, -300.0]]), torch.tensor([[200.0, 0.0, -200.0]])
    expect(kl_sum(student, teacher, torch.ones(1)), torch.tensor(300.0), student=student, teacher=teacher)


@case(KL)
def two_that_are_sure_of_different_tokens(kl_sum):
    """Probabilities round to 0 or 1 here, log-probabilities do not."""
    student, teacher = torch.tensor([[80.0, 0.0, -60.0]]), torch.tensor([[0.0, 90.0, -200.0]])
    student.requires_grad_()
    loss = kl_sum(student, teacher, torch.tensor([0.5]))
    expect(loss, torch.tensor(40.0), student=student, teacher=teacher)
    _, (got, *_) = gradients(kl_sum, student.detach(), teacher, torch.tensor([0.5]))
    expect(got, -0.5 * torch.tensor([[1.0, -1.0, 0.0]]), gradient_of="student_NV")


@case(KL)
def in_double_precision(kl_sum):
    student, teacher = _logits(7, 11, dtype=torch.float64), _logits(7, 11, dtype=torch.float64)
    weight = torch.rand(7, dtype=torch.float64)
    expect(kl_sum(student, teacher, weight), _kl(student, teacher, weight), tol=1e-5)


@case(KL, held_out=True)
def parts_of_larger_tensors(kl_sum):
    student, teacher, weight = _logits(9, 6).t(), _logits(12, 9)[::2], torch.rand(12)[::2]
    expect(kl_sum(student, teacher, weight), _kl(student, teacher, weight).float())


@case(KL)
def one_token_and_no_position(kl_sum):
    expect(kl_sum(_logits(3, 1), _logits(3, 1), torch.ones(3)), torch.tensor(0.0))
    expect(kl_sum(_logits(0, 4), _logits(0, 4), torch.ones(0)), torch.tensor(0.0))
