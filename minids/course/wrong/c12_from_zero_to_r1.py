"""Chapter 12: mistakes with mixed thoughts, their reward, rejection sampling and distillation, and other right ways."""

import itertools
import math
import random
import re
import unicodedata

import torch
import torch.nn.functional as F

from minids.course.wrong import alternative, wrong
from minids.errors import MinidsError
from minids.tasks import reward
from minids.tasks.arithmetic import WORDS
from minids.tasks.reward import _ANY_TAG, _NO_SPACES, _script

# -- a thought with words ----------------------------------------------------------------------------------------------

SPOKEN = "r1.number_words"


def _between(thought):
    return " >" if " >" in thought else " "


@wrong(
    SPOKEN,
    mistake="one coin is thrown for the whole thought",
    ask="Can a thought of yours be mixed, or only all Latin or all Han?",
    refused_by="each_word_has_a_coin_of_its_own",
)
def one_coin_a_thought(thought, rng, mixed):
    between, word = _between(thought), WORDS[rng.random() < mixed]
    return f" {word}{between}".join(thought.split(between))


@wrong(
    SPOKEN,
    mistake="`mixed` were the share of Latin words",
    ask="Which word does mixed = 0 ask for?",
    refused_by="a_word_between_the_columns_of_an_addition",
)
def the_coin_turned_over(thought, rng, mixed):
    between = _between(thought)
    first, *rest = thought.split(between)
    return first + "".join(f" {WORDS[rng.random() >= mixed]}{between}{step}" for step in rest)


@wrong(
    SPOKEN,
    mistake="the words of a chain stand between its columns",
    ask="Where does a sum of a chain begin, and where only its next column?",
    refused_by="a_word_between_the_sums_of_a_chain",
)
def at_every_blank(thought, rng, mixed):
    first, *rest = thought.split(" ")
    return first + "".join(f" {WORDS[rng.random() < mixed]} {step}" for step in rest)


@wrong(
    SPOKEN,
    mistake='the ">" before a sum is lost',
    ask='What is left of " >" when a text has been split by it?',
    refused_by="a_word_between_the_sums_of_a_chain",
)
def loses_the_mark(thought, rng, mixed):
    first, *rest = thought.split(_between(thought))
    return first + "".join(f" {WORDS[rng.random() < mixed]} {step}" for step in rest)


@wrong(
    SPOKEN,
    mistake="the word takes the place of the blank",
    ask="How do you tell a step from the word before it?",
    refused_by="a_word_between_the_columns_of_an_addition",
)
def no_blank_after_the_word(thought, rng, mixed):
    between = _between(thought)
    first, *rest = thought.split(between)
    return first + "".join(f" {WORDS[rng.random() < mixed]}{between.strip()}{step}" for step in rest)


@wrong(
    SPOKEN,
    mistake="the thought ends with a word as well",
    ask="How many words stand between four steps?",
    refused_by="a_word_between_the_columns_of_an_addition",
)
def a_word_after_each_step(thought, rng, mixed):
    between = _between(thought)
    return between.join(f"{step} {WORDS[rng.random() < mixed]}" for step in thought.split(between))


@wrong(
    SPOKEN,
    mistake="only the first pause has a word",
    ask="What does the `count` of str.replace do?",
    refused_by="a_word_between_the_columns_of_an_addition",
)
def only_the_first_pause(thought, rng, mixed):
    between = _between(thought)
    return thought.replace(between, f" {WORDS[rng.random() < mixed]}{between}", 1)


@wrong(
    SPOKEN,
    mistake="the dice of the module `random` are thrown, not those that were given",
    ask="Which argument makes two calls give the same thought?",
    refused_by="each_word_has_a_coin_of_its_own",
)
def other_dice(thought, rng, mixed):
    between = _between(thought)
    first, *rest = thought.split(between)
    return first + "".join(f" {WORDS[random.random() < mixed]}{between}{step}" for step in rest)


@wrong(
    SPOKEN,
    mistake="a chain had two " + '" >"' + " or more, so that one of two sums is cut at its blanks",
    ask='How many sums has the shortest chain, and how many " >" are in it?',
    refused_by="a_chain_of_two_sums_is_a_chain",
)
def only_long_chains_are_chains(thought, rng, mixed):
    between = " >" if thought.count(" >") > 1 else " "
    first, *rest = thought.split(between)
    return first + "".join(f" {WORDS[rng.random() < mixed]}{between}{step}" for step in rest)


@wrong(
    SPOKEN,
    mistake="any white space parts two steps, and is lost",
    ask='What does split() do with a line end that split(" ") does not?',
    refused_by="the_text_is_not_changed_otherwise",
)
def split_at_white_space(thought, rng, mixed):
    first, *rest = thought.split(" >") if " >" in thought else thought.split() or [""]
    between = _between(thought)
    return first + "".join(f" {WORDS[rng.random() < mixed]}{between}{step}" for step in rest)


@wrong(
    SPOKEN,
    mistake="nothing is drawn where `mixed` leaves no choice",
    ask="In which state is rng afterwards, and what if somebody else draws from it next?",
    refused_by="one_number_is_drawn_for_each_word_whatever_mixed_is",
)
def no_draw_without_a_choice(thought, rng, mixed):
    between = _between(thought)
    first, *rest = thought.split(between)
    words = [WORDS[int(mixed)] if mixed in (0, 1) else WORDS[rng.random() < mixed] for _ in rest]
    return first + "".join(f" {word}{between}{step}" for word, step in zip(words, rest))


@alternative(SPOKEN)
def with_a_substitution(thought, rng, mixed):
    between = _between(thought)
    return re.sub(re.escape(between), lambda _: f" {WORDS[1] if rng.random() < mixed else WORDS[0]}{between}", thought)


@alternative(SPOKEN)
def piece_by_piece(thought, rng, mixed):
    latin, han = WORDS
    chain = " >" in thought
    out = []
    for step in thought.split(" >") if chain else thought.split(" "):
        if out:
            out += [" ", han if rng.random() < mixed else latin, " >" if chain else " "]
        out.append(step)
    return "".join(out)


# -- the share of words in one script ----------------------------------------------------------------------------------

LANGUAGE = "reward.language"


def _target(script):
    if script not in reward.SCRIPTS:
        raise MinidsError(f"reward: script={script!r} is not one of {', '.join(reward.SCRIPTS)}")
    return reward.SCRIPTS[script]


def _words(text, accents=True, alone=_NO_SPACES, tags=True, last=True):
    """Sets of the scripts of each word's letters."""
    words, run = [], set()
    for char in (_ANY_TAG.sub(" ", text) if tags else text) + (" " if last else ""):
        name = _script(char)
        if name == "COMBINING" and run and accents:
            continue
        if (not name or name in alone) and run:
            words.append(run)
            run = set()
        if name in alone:
            words.append({name})
        elif name:
            run.add(name)
    return words


def _share(words, target):
    return sum(all(name in target for name in word) for word in words) / len(words) if words else 1.0


@wrong(
    LANGUAGE,
    mistake="letters are counted, and not words",
    ask='What is the share in "so 再"? Two words, three letters.',
    refused_by="the_share_of_words_and_not_of_letters",
)
def counts_letters(text, script="latin"):
    target = _target(script)
    found = [name for name in map(_script, _ANY_TAG.sub(" ", text)) if name and name != "COMBINING"]
    return sum(name in target for name in found) / len(found) if found else 1.0


@wrong(
    LANGUAGE,
    mistake="whatever stands between two blanks is a word, numbers too",
    ask='Which script is "7+6=13" written in?',
    refused_by="numbers_and_signs_are_neutral",
)
def splits_at_blanks(text, script="latin"):
    target, words = _target(script), []
    for piece in _ANY_TAG.sub(" ", text).split():
        run = set()
        for char in piece:
            name = _script(char)
            if name in _NO_SPACES:
                words += [run, {name}] if run else [{name}]
                run = set()
            elif name != "COMBINING" or not run:
                run.add(name)
        words += [run] if run else []
    return _share(words, target)


@wrong(
    LANGUAGE,
    mistake="a run of Han characters is one word",
    ask="Where do the words of a text without blanks end?",
    refused_by="every_han_character_is_a_word",
)
def a_run_of_han_is_a_word(text, script="latin"):
    target, words, bare = _target(script), [], _ANY_TAG.sub(" ", text)
    for letters, run in itertools.groupby(bare, lambda c: (bool(_script(c)), _script(c) in _NO_SPACES)):
        if letters[0]:
            names = [_script(c) for c in run]
            words.append({n for i, n in enumerate(names) if n != "COMBINING" or i == 0})
    return _share(words, target)


@wrong(
    LANGUAGE,
    mistake="one letter of the script is enough for a word",
    ask="Which script is a Latin word with a Cyrillic letter in it?",
    refused_by="one_foreign_letter_makes_a_foreign_word",
)
def any_letter_will_do(text, script="latin"):
    target, words = _target(script), _words(text)
    return sum(any(name in target for name in word) for word in words) / len(words) if words else 1.0


@wrong(
    LANGUAGE,
    mistake="a text without words has consistency 0",
    ask="What is mixed in 7+6=13?",
    refused_by="where_there_is_no_word_nothing_is_mixed",
)
def no_words_no_reward(text, script="latin"):
    target, words = _target(script), _words(text)
    return _share(words, target) if words else 0.0


@wrong(
    LANGUAGE,
    mistake="the names of the marks are words",
    ask="Who wrote the word think: the model, or the template?",
    refused_by="marks_are_no_words",
)
def reads_the_marks(text, script="latin"):
    return _share(_words(text, tags=False), _target(script))


@wrong(
    LANGUAGE,
    mistake="an accent is a foreign letter",
    ask="To which script does a combining accent belong?",
    refused_by="an_accent_belongs_to_its_letter",
)
def accents_are_foreign(text, script="latin"):
    return _share(_words(text, accents=False), _target(script))


@wrong(
    LANGUAGE,
    mistake="a word at the very end is not counted",
    ask="What closes the last word of a text?",
    refused_by="the_last_word_counts",
)
def forgets_the_last_word(text, script="latin"):
    return _share(_words(text, last=False), _target(script))


@wrong(
    LANGUAGE,
    mistake="it is all or nothing: 1 where every word is of the script, else 0",
    ask="Which of two mixed thoughts should be paid more, if one is nearly pure?",
    refused_by="the_share_of_words_and_not_of_letters",
)
def all_or_nothing(text, script="latin"):
    return float(_share(_words(text), _target(script)) == 1.0)


@wrong(
    LANGUAGE,
    mistake="the share of foreign words is given",
    ask="Which number should a pure thought earn?",
    refused_by="the_share_of_words_and_not_of_letters",
)
def the_foreign_share(text, script="latin"):
    words = _words(text)
    return 1.0 - _share(words, _target(script)) if words else 1.0


@wrong(
    LANGUAGE,
    mistake="the target script is always Latin",
    ask="What is the second argument for?",
    refused_by="the_share_of_words_and_not_of_letters",
)
def always_latin(text, script="latin"):
    _target(script)
    return _share(_words(text), reward.SCRIPTS["latin"])


@alternative(LANGUAGE)
def with_a_separator(text, script="latin"):
    target, marked = _target(script), []
    for char in _ANY_TAG.sub(" ", text):
        name = _script(char)
        if name == "COMBINING" and marked and marked[-1] != " ":
            continue
        marked += [" ", name, " "] if name in _NO_SPACES else [f"{name},"] if name else [" "]
    words = "".join(marked).split()
    good = [word for word in words if set(word.strip(",").split(",")) <= set(target)]
    return len(good) / len(words) if words else 1.0


@alternative(LANGUAGE)
def with_groups(text, script="latin"):
    target, words = _target(script), []
    bare = [c for c in _ANY_TAG.sub(" ", unicodedata.normalize("NFC", text)) if _script(c) != "COMBINING"]
    for kind, run in itertools.groupby(bare, lambda c: 0 if not _script(c) else 2 if _script(c) in _NO_SPACES else 1):
        if kind == 1:
            words.append([_script(c) for c in run])
        elif kind == 2:
            words += [[_script(c)] for c in run]
    if not words:
        return 1.0
    return math.fsum(set(word).issubset(target) for word in words) / len(words)


# -- which answers become documents ------------------------------------------------------------------------------------

ACCEPT = "rejection.accept"


def _filter(results, answers, keep, good):
    seen, kept = set(), []
    for i, (r, ids) in enumerate(zip(results, answers)):
        if good(r) and tuple(ids) not in seen and len(kept) < keep:
            seen.add(tuple(ids))
            kept.append(i)
    return kept


def _good(r, language):
    return r.accuracy == 1 and r.format == 1 and not r.truncated and r.language >= language


@wrong(
    ACCEPT,
    mistake="the answer need not be right",
    ask="What would the next model learn from a wrong answer in good form?",
    refused_by="a_wrong_answer_is_thrown_away",
)
def wrong_answers_too(results, answers, *, keep, language=1.0):
    return _filter(results, answers, keep, lambda r: r.format == 1 and not r.truncated and r.language >= language)


@wrong(
    ACCEPT,
    mistake="the form is not looked at",
    ask="Which field says that nothing stands outside the blocks?",
    refused_by="an_answer_in_another_form_is_thrown_away",
)
def any_form(results, answers, *, keep, language=1.0):
    return _filter(results, answers, keep, lambda r: r.accuracy == 1 and not r.truncated and r.language >= language)


@wrong(
    ACCEPT,
    mistake="answers that were cut off are kept",
    ask="What would a model learn from documents without an end?",
    refused_by="an_answer_that_was_cut_off_is_thrown_away",
)
def cut_off_too(results, answers, *, keep, language=1.0):
    return _filter(results, answers, keep, lambda r: r.accuracy == 1 and r.format == 1 and r.language >= language)


@wrong(
    ACCEPT,
    mistake="mixed thoughts are kept",
    ask="Which argument says how much of a thought must be in the right script?",
    refused_by="a_mixed_thought_is_thrown_away",
)
def mixed_too(results, answers, *, keep, language=1.0):
    return _filter(results, answers, keep, lambda r: r.accuracy == 1 and r.format == 1 and not r.truncated)


@wrong(
    ACCEPT,
    mistake="more than the share `language` is asked for",
    ask="What is left if language = 1?",
    refused_by="a_share_that_is_just_enough_is_enough",
)
def more_than_the_share(results, answers, *, keep, language=1.0):
    return _filter(results, answers, keep, lambda r: _good(r, language) and (r.language > language or language == 1.0))


@wrong(
    ACCEPT,
    mistake="the share of the script is always asked to be 1",
    ask="What is the argument `language` for?",
    refused_by="a_share_that_is_just_enough_is_enough",
)
def only_pure_thoughts(results, answers, *, keep, language=1.0):
    return _filter(results, answers, keep, lambda r: _good(r, 1.0))


@wrong(
    ACCEPT,
    mistake="equal answers are all kept",
    ask="What does a model learn from the same document three times, compared with three others?",
    refused_by="of_equal_answers_the_first",
)
def copies_too(results, answers, *, keep, language=1.0):
    return [i for i, r in enumerate(results) if _good(r, language)][:keep]


@wrong(
    ACCEPT,
    mistake="copies are thrown out only after `keep` answers were chosen",
    ask="How many documents come out of four good answers, two of them equal, if keep = 2?",
    refused_by="an_answer_said_twice_takes_one_place",
)
def copies_take_places(results, answers, *, keep, language=1.0):
    chosen = [i for i, r in enumerate(results) if _good(r, language)][:keep]
    return [i for n, i in enumerate(chosen) if answers[i] not in [answers[j] for j in chosen[:n]]]


@wrong(
    ACCEPT,
    mistake="only the first `keep` answers are looked at",
    ask="What if the first answers are the bad ones?",
    refused_by="no_more_than_keep",
)
def looks_at_the_first_only(results, answers, *, keep, language=1.0):
    return _filter(results[:keep], answers[:keep], keep, lambda r: _good(r, language))


@wrong(
    ACCEPT,
    mistake="the shortest good answers are preferred",
    ask="In which order were the answers drawn, and in which do you give them back?",
    refused_by="good_answers_in_the_order_they_were_drawn",
)
def shortest_first(results, answers, *, keep, language=1.0):
    every = _filter(results, answers, len(answers), lambda r: _good(r, language))
    return sorted(every, key=lambda i: len(answers[i]))[:keep]


@wrong(
    ACCEPT,
    mistake="`keep` is no limit",
    ask="How many documents may one easy question give?",
    refused_by="no_more_than_keep",
)
def no_limit(results, answers, *, keep, language=1.0):
    return _filter(results, answers, len(answers), lambda r: _good(r, language))


@wrong(
    ACCEPT,
    mistake="an answer that was thrown away still stands in the way of its equals",
    ask="What of an answer that failed: is it kept? Then when is an answer seen?",
    refused_by="the_first_of_equal_answers_that_is_good",
)
def seen_before_it_is_good(results, answers, *, keep, language=1.0):
    seen, kept = set(), []
    for i, (r, ids) in enumerate(zip(results, answers)):
        if tuple(ids) not in seen and r.accuracy == r.format == 1 and not r.truncated and r.language >= language:
            kept.append(i)
        seen.add(tuple(ids))
    return kept[:keep]


@wrong(
    ACCEPT,
    mistake="any accuracy above 0 is right",
    ask="Partly right is paid by some verifiers. What does the docstring ask of accuracy and format?",
    refused_by="partly_right_is_not_right",
)
def partly_right_will_do(results, answers, *, keep, language=1.0):
    seen, kept = set(), []
    for i, (r, ids) in enumerate(zip(results, answers)):
        good = r.accuracy and r.format and not r.truncated and r.language >= language
        if good and tuple(ids) not in seen and len(kept) < keep:
            seen.add(tuple(ids))
            kept.append(i)
    return kept


@wrong(
    ACCEPT,
    mistake="ids were joined to a text without a sign between them",
    ask="Which text do [1, 23] and [12, 3] give?",
    refused_by="answers_are_equal_if_all_their_ids_are_in_this_order",
)
def joined_without_a_sign(results, answers, *, keep, language=1.0):
    seen, kept = set(), []
    for i, (r, ids) in enumerate(zip(results, answers)):
        text = "".join(map(str, ids))
        good = r.accuracy == r.format == 1 and not r.truncated and r.language >= language
        if good and text not in seen and len(kept) < keep:
            seen.add(text)
            kept.append(i)
    return kept


@alternative(ACCEPT)
def first_index_of_each(results, answers, *, keep, language=1.0):
    first = {}
    for i, (r, ids) in enumerate(zip(results, answers)):
        if _good(r, language):
            first.setdefault(str(list(ids)), i)
    return list(first.values())[:keep]


@alternative(ACCEPT)
def in_two_passes(results, answers, *, keep, language=1.0):
    good = [i for i in range(len(results)) if _good(results[i], language)]
    new = [i for n, i in enumerate(good) if all(list(answers[i]) != list(answers[j]) for j in good[:n])]
    return new[:keep]


# -- documents to expect from a question -------------------------------------------------------------------------------

EXPECTED = "rejection.expected"


def _chance(rate, samples, good):
    return math.comb(samples, good) * rate**good * (1 - rate) ** (samples - good)


@wrong(
    EXPECTED,
    mistake="the mean number of good answers is cut at `keep`, and not each number",
    ask="Of two answers, half good on average, how often is there none at all?",
    refused_by="two_answers_by_hand",
)
def cuts_the_mean(rate, samples, keep):
    return float(min(samples * rate, keep))


@wrong(
    EXPECTED,
    mistake="all good answers were kept",
    ask="What does a question give that is always solved, if keep = 1?",
    refused_by="two_answers_by_hand",
)
def without_a_limit(rate, samples, keep):
    return float(samples * rate)


@wrong(
    EXPECTED,
    mistake="at most one document is kept",
    ask="Three good answers, keep = 2: how many documents?",
    refused_by="three_answers_by_hand",
)
def at_most_one(rate, samples, keep):
    return 1.0 - (1 - rate) ** samples


@wrong(
    EXPECTED,
    mistake="there is one order only in which answers can be good and bad",
    ask="In how many orders can one of two answers be good?",
    refused_by="two_answers_by_hand",
)
def without_orders(rate, samples, keep):
    return sum(rate**good * (1 - rate) ** (samples - good) * min(good, keep) for good in range(samples + 1))


@wrong(
    EXPECTED,
    mistake="it cannot happen that all answers are good",
    ask="Where does range(samples) end?",
    refused_by="two_answers_by_hand",
)
def never_all_good(rate, samples, keep):
    return float(sum(_chance(rate, samples, good) * min(good, keep) for good in range(samples)))


@wrong(
    EXPECTED,
    mistake="a question with more than `keep` good answers gives nothing",
    ask="What becomes of a question that is solved every time?",
    refused_by="two_answers_by_hand",
)
def too_easy_gives_nothing(rate, samples, keep):
    return float(sum(_chance(rate, samples, good) * good for good in range(min(samples, keep) + 1)))


@wrong(
    EXPECTED,
    mistake="either `keep` documents come of a question or none",
    ask="What becomes of a single good answer, if keep = 2?",
    refused_by="three_answers_by_hand",
)
def all_or_none(rate, samples, keep):
    return float(sum(_chance(rate, samples, good) * keep for good in range(keep, samples + 1)))


@wrong(
    EXPECTED,
    mistake="`rate` is the share of bad answers",
    ask="How many documents does a question give that is never solved?",
    refused_by="two_answers_by_hand",
)
def bad_for_good(rate, samples, keep):
    return float(sum(_chance(1 - rate, samples, good) * min(good, keep) for good in range(samples + 1)))


@alternative(EXPECTED)
def by_tails(rate, samples, keep):
    """E[min(R, keep)] is the sum of P(R >= j) for j = 1 … keep."""
    return float(sum(sum(_chance(rate, samples, good) for good in range(j, samples + 1)) for j in range(1, keep + 1)))


@alternative(EXPECTED)
def by_the_formula_of_the_hint(rate, samples, keep):
    return sum(_chance(rate, samples, good) * min(good, keep) for good in range(samples + 1))


# -- the divergence of two distributions -------------------------------------------------------------------------------

KL = "distill.kl"


def _logs(student_NV, teacher_NV):
    return student_NV.log_softmax(-1), teacher_NV.detach().log_softmax(-1)


@wrong(
    KL,
    mistake="the divergence is taken the other way round: KL(student || teacher)",
    ask="Whose probabilities stand in front of the logarithms?",
    refused_by="one_position_by_hand",
)
def the_other_direction(student_NV, teacher_NV, weight_N):
    student, teacher = _logs(student_NV, teacher_NV)
    return (weight_N * (student.exp() * (student - teacher)).sum(-1)).sum()


@wrong(
    KL,
    mistake="the teacher's own entropy is not taken off",
    ask="What is left for a student that is exactly like its teacher?",
    refused_by="a_student_like_its_teacher_has_nothing_to_learn",
)
def cross_entropy(student_NV, teacher_NV, weight_N):
    student, teacher = _logs(student_NV, teacher_NV)
    return -(weight_N * (teacher.exp() * student).sum(-1)).sum()


@wrong(
    KL,
    mistake="the mean over positions is taken",
    ask="What should happen to the result if every position comes twice?",
    refused_by="a_sum_and_no_mean",
)
def mean_over_positions(student_NV, teacher_NV, weight_N):
    student, teacher = _logs(student_NV, teacher_NV)
    kl_N = (teacher.exp() * (teacher - student)).sum(-1)
    return (weight_N * kl_N).sum() / max(1, len(kl_N))


@wrong(
    KL,
    mistake="it is divided by the sum of the weights",
    ask="Who divides by the weights of the whole step, of which this batch may be a part?",
    refused_by="a_sum_and_no_mean",
)
def divided_by_the_weights(student_NV, teacher_NV, weight_N):
    student, teacher = _logs(student_NV, teacher_NV)
    return (weight_N * (teacher.exp() * (teacher - student)).sum(-1)).sum() / weight_N.sum().clamp(min=1e-9)


@wrong(
    KL,
    mistake="all positions count alike",
    ask="What is the third argument for?",
    refused_by="positions_count_by_their_weights",
)
def weights_forgotten(student_NV, teacher_NV, weight_N):
    student, teacher = _logs(student_NV, teacher_NV)
    return (teacher.exp() * (teacher - student)).sum()


@wrong(
    KL,
    mistake="the mean over the vocabulary is taken, and not the sum",
    ask="Is a divergence between distributions of 100 tokens smaller because there are 100?",
    refused_by="one_position_by_hand",
)
def mean_over_the_vocabulary(student_NV, teacher_NV, weight_N):
    student, teacher = _logs(student_NV, teacher_NV)
    return (weight_N * (teacher.exp() * (teacher - student)).mean(-1)).sum()


@wrong(
    KL,
    mistake="the gradient goes into the teacher too",
    ask="Which of the two models should move?",
    refused_by="the_teacher_does_not_learn",
)
def the_teacher_learns(student_NV, teacher_NV, weight_N):
    student, teacher = student_NV.log_softmax(-1), teacher_NV.log_softmax(-1)
    return (weight_N * (teacher.exp() * (teacher - student)).sum(-1)).sum()


@wrong(
    KL,
    mistake="logarithms are taken of probabilities that may have become 0",
    ask="What are softmax([0, 300]) and its logarithm in float32?",
    refused_by="logits_of_any_size",
)
def log_of_softmax(student_NV, teacher_NV, weight_N):
    student, teacher = student_NV.softmax(-1), teacher_NV.detach().softmax(-1)
    return (weight_N * (teacher * (teacher.log() - student.log())).sum(-1)).sum()


@wrong(
    KL,
    mistake="only the teacher's most likely token counts",
    ask="What does the student learn about the second most likely token?",
    refused_by="one_position_by_hand",
)
def only_the_first_choice(student_NV, teacher_NV, weight_N):
    student, teacher = _logs(student_NV, teacher_NV)
    best = teacher.argmax(-1, keepdim=True)
    return (weight_N * (teacher - student).gather(-1, best)[:, 0]).sum()


@alternative(KL)
def with_torchs_own(student_NV, teacher_NV, weight_N):
    student, teacher = _logs(student_NV, teacher_NV)
    return (F.kl_div(student, teacher, log_target=True, reduction="none") * weight_N[:, None]).sum()


@alternative(KL)
def cross_entropy_less_entropy(student_NV, teacher_NV, weight_N):
    p = teacher_NV.detach().softmax(-1)
    entropy_N = -torch.where(p > 0, p * p.clamp(min=1e-45).log(), 0.0).sum(-1)
    if not len(p):
        return (student_NV * 0).sum()
    return (weight_N * (F.cross_entropy(student_NV, p, reduction="none") - entropy_N)).sum()
