"""Chapter 08: plausible mistakes, and other right ways to write it."""

import itertools
import math

import numpy as np
import torch

from minids.course.wrong import alternative, wrong
from minids.errors import MinidsError
from minids.train.optim import NEWTON_SCHULZ, V3_TOKENS
from minids.train.scaling import EXPONENTS

# -- pretraining.pack ----------------------------------------------------------------------------------------------


def _place(parts, length, choose):
    """Each part in turn into the row that choose(free places of rows with room) names."""
    rows, room = [], []
    for part in parts:
        need = len(part[0])
        fitting = [k for k, free in enumerate(room) if free >= need]
        if fitting:
            k = choose(fitting, room)
        else:
            rows.append([])
            room.append(length)
            k = len(rows) - 1
        rows[k].append(part)
        room[k] -= need
    return rows


def _falling(parts):
    return sorted(parts, key=lambda p: -len(p[0]))


def _tightest(fitting, room):
    return min(fitting, key=room.__getitem__)


@wrong(
    "pretraining.pack",
    mistake="parts were placed in the order in which they came",
    ask="Which parts are easy to place late: long ones or short ones?",
    refused_by="four_parts_fill_two_rows_of_eight",
)
def in_the_given_order(parts, length):
    return _place(parts, length, _tightest)


@wrong(
    "pretraining.pack",
    mistake="the shortest part were placed first",
    ask="What is left for the longest parts when all the short ones have taken their places?",
    refused_by="four_parts_fill_two_rows_of_eight",
)
def shortest_first(parts, length):
    return _place(sorted(parts, key=lambda p: len(p[0])), length, _tightest)


@wrong(
    "pretraining.pack",
    mistake="a part went into the first row that has room",
    ask="Of two rows with room for a part, which one would be of more use later if it stayed as it is?",
    refused_by="the_tightest_row_that_has_room_is_taken",
)
def first_fit(parts, length):
    return _place(_falling(parts), length, lambda fitting, room: fitting[0])


@wrong(
    "pretraining.pack",
    mistake="a part went into the row with the most room",
    ask="Which end of the sorted list of free places did you search from?",
    refused_by="the_tightest_row_that_has_room_is_taken",
)
def worst_fit(parts, length):
    return _place(_falling(parts), length, lambda fitting, room: max(fitting, key=room.__getitem__))


@wrong(
    "pretraining.pack",
    mistake="only the row opened last could still be filled",
    ask="What happens to the free places of a row once you have opened the next?",
    refused_by="the_tightest_row_that_has_room_is_taken",
)
def next_fit(parts, length):
    rows, free = [], 0
    for part in _falling(parts):
        if len(part[0]) > free:
            rows.append([])
            free = length
        rows[-1].append(part)
        free -= len(part[0])
    return rows


@wrong(
    "pretraining.pack",
    mistake="a part never filled a row to its last place",
    ask="May a part of 4 ids go into a row that has exactly 4 free places?",
    refused_by="a_part_may_fill_a_row_to_the_last_place",
)
def never_quite_full(parts, length):
    rows, room = [], []
    for part in _falling(parts):
        need = len(part[0])
        fitting = [k for k, free in enumerate(room) if free > need]
        k = min(fitting, key=room.__getitem__) if fitting else len(rows)
        if k == len(rows):
            rows.append([])
            room.append(length)
        rows[k].append(part)
        room[k] -= need
    return rows


@wrong(
    "pretraining.pack",
    mistake="the caller's list were sorted in place",
    ask="What is the difference between parts.sort() and sorted(parts)?",
    refused_by="every_part_arrives_whole_and_once",
)
def sorts_the_callers_list(parts, length):
    parts.sort(key=lambda p: -len(p[0]))
    return _place(parts, length, _tightest)


@wrong(
    "pretraining.pack",
    mistake="a part could be placed although it is longer than the room that is left",
    ask="Do you look for a row whose room is at least the part's length, or at most?",
    refused_by="no_row_holds_more_than_its_length",
)
def overfills(parts, length):
    rows, room = [], []
    for part in _falling(parts):
        open_rows = [k for k, free in enumerate(room) if free > 0]
        k = min(open_rows, key=room.__getitem__) if open_rows else len(rows)
        if k == len(rows):
            rows.append([])
            room.append(length)
        rows[k].append(part)
        room[k] -= len(part[0])
    return rows


@wrong(
    "pretraining.pack",
    mistake="the rows held ids alone, without their weights",
    ask="What does a row consist of: ids, or parts, which are pairs?",
    refused_by="every_part_arrives_whole_and_once",
)
def drops_the_weights(parts, length):
    return [[ids for ids, _ in row] for row in _place(_falling(parts), length, _tightest)]


@alternative("pretraining.pack")
def by_looking_through_all_rows(parts, length):
    return _place(sorted(parts, key=lambda p: len(p[0]), reverse=True), length, _tightest)


@alternative("pretraining.pack")
def with_a_list_of_rows_for_every_room(parts, length):
    rows, having = [], [[] for _ in range(length + 1)]
    for k in sorted(range(len(parts)), key=lambda k: (-len(parts[k][0]), -k)):
        need = len(parts[k][0])
        free = next((f for f in range(need, length + 1) if having[f]), None)
        if free is None:
            row, free = [], length
            rows.append(row)
        else:
            row = having[free].pop()
        row.append(parts[k])
        having[free - need].append(row)
    return rows


# -- pretraining.schedule -------------------------------------------------------------------------------------------


def _v3(step, steps, warmup, *, fall=None, middle=0.1, last=7.3e-6 / 2.2e-4, first=1, end=14.3e12, seen=None):
    """The schedule with one thing to change."""
    if step < warmup:
        return min(1.0, (step + first) / warmup)
    tokens = V3_TOKENS * step / steps if seen is None else seen
    fall = fall or (lambda x: 0.1 + 0.45 * (1 + math.cos(math.pi * x)))
    if tokens < 10e12:
        return 1.0
    if tokens < end:
        return fall((tokens - 10e12) / (end - 10e12))
    return middle if tokens < V3_TOKENS - 167e9 else last


@wrong(
    "pretraining.schedule",
    mistake="the learning rate itself came back, not a factor",
    ask="What does the loop multiply the result with?",
    refused_by="the_first_ten_trillion_tokens_have_the_peak_rate",
)
def returns_the_rate(step, steps, warmup=0):
    return 2.2e-4 * _v3(step, steps, warmup)


@wrong(
    "pretraining.schedule",
    mistake="the rate fell along a straight line",
    ask="What is the value a quarter of the way down: 0.775, or more?",
    refused_by="then_half_a_cosine_falls_to_a_tenth",
)
def falls_straight(step, steps, warmup=0):
    return _v3(step, steps, warmup, fall=lambda x: 1 - 0.9 * x)


@wrong(
    "pretraining.schedule",
    mistake="the cosine fell to zero, not to a tenth",
    ask="Which two values do 2.2e-4 and 2.2e-5 become as factors of the peak?",
    refused_by="then_half_a_cosine_falls_to_a_tenth",
)
def falls_to_zero(step, steps, warmup=0):
    return _v3(step, steps, warmup, fall=lambda x: 0.5 * (1 + math.cos(math.pi * x)))


@wrong(
    "pretraining.schedule",
    mistake="the cosine took a quarter of a period",
    ask="From which angle to which does a cosine go from 1 to -1?",
    refused_by="then_half_a_cosine_falls_to_a_tenth",
)
def quarter_cosine(step, steps, warmup=0):
    return _v3(step, steps, warmup, fall=lambda x: 0.1 + 0.9 * math.cos(math.pi / 2 * x))


@wrong(
    "pretraining.schedule",
    mistake="the cosine lasted until the end of the run",
    ask="Over how many tokens does the cosine run, and what do the last 500 billion get?",
    refused_by="the_last_500_billion_tokens_have_two_flat_rates",
)
def no_flat_end(step, steps, warmup=0):
    return _v3(step, steps, warmup, end=V3_TOKENS)


@wrong(
    "pretraining.schedule",
    mistake="the rate stayed at a tenth to the end",
    ask="The paper gives two rates after the cosine. What is the second, as a factor of the peak?",
    refused_by="the_last_500_billion_tokens_have_two_flat_rates",
)
def one_flat_end(step, steps, warmup=0):
    return _v3(step, steps, warmup, last=0.1)


@wrong(
    "pretraining.schedule",
    mistake="the first update had a rate of zero",
    ask="Updates are numbered from 0. What is the point of an update that moves nothing?",
    refused_by="the_warm_up_is_a_straight_line",
)
def starts_at_zero(step, steps, warmup=0):
    return _v3(step, steps, warmup, first=0)


@wrong(
    "pretraining.schedule",
    mistake="there were no warm-up",
    ask="What is the factor of update 0 when `warmup` is 8?",
    refused_by="the_warm_up_is_a_straight_line",
)
def no_warm_up(step, steps, warmup=0):
    return _v3(step, steps, 0)


@wrong(
    "pretraining.schedule",
    mistake="tokens were counted from the end of the warm-up",
    ask="Do the tokens of the warm-up belong to the 14.8T or not?",
    refused_by="warm_up_counts_as_part_of_the_run",
)
def counts_after_the_warm_up(step, steps, warmup=0):
    return _v3(step, steps, warmup, seen=V3_TOKENS * (step - warmup) / (steps - warmup))


@alternative("pretraining.schedule")
def with_a_table_of_phases(step, steps, warmup=0):
    if step < warmup:
        return (step + 1) / warmup
    t = 14.8 * step / steps
    for end, start_rate, end_rate, length in [
        (10, 1, 1, 10),
        (14.3, 1, 0.1, 4.3),
        (14.633, 0.1, 0.1, 0.333),
        (math.inf, 7.3 / 220, 7.3 / 220, 0.167),
    ]:
        if t < end:
            done = (t - (end - length)) / length if start_rate != end_rate else 0.0
            return end_rate + (start_rate - end_rate) * math.cos(math.pi / 2 * done) ** 2


@alternative("pretraining.schedule")
def with_shares_of_the_run(step, steps, warmup=0):
    share = step / steps
    x = min(1.0, max(0.0, (share - 10 / 14.8) / (4.3 / 14.8)))
    factor = 0.55 + 0.45 * math.cos(math.pi * x)
    if share >= (14.8 - 0.167) / 14.8:
        factor = 7.3e-6 / 2.2e-4
    return (step + 1) / warmup if step < warmup else factor


# -- pretraining.clip ---------------------------------------------------------------------------------------


@wrong(
    "pretraining.clip",
    mistake="small gradients were enlarged to the limit",
    ask="What should happen to a gradient that is smaller than the limit?",
    refused_by="a_gradient_within_the_limit_stays_as_it_is",
)
def always_to_the_limit(norm, limit):
    return limit / (norm + 1e-6) if limit else 1.0


@wrong(
    "pretraining.clip",
    mistake="the larger of the two factors were taken",
    ask="Is the factor of a gradient that is too large above 1 or below?",
    refused_by="a_large_gradient_is_brought_to_the_limit",
)
def takes_the_larger(norm, limit):
    return max(1.0, limit / (norm + 1e-6)) if limit else 1.0


@wrong(
    "pretraining.clip",
    mistake="a limit of 0 removed the gradient",
    ask="What does the docstring say a limit of 0 means?",
    refused_by="a_limit_of_zero_means_no_limit",
)
def zero_stops_everything(norm, limit):
    return min(1.0, limit / (norm + 1e-6))


@wrong(
    "pretraining.clip",
    mistake="a norm of 0 were divided by",
    ask="What is 1.0 / 0.0 in Python?",
    refused_by="a_gradient_of_zeros_is_no_error",
)
def divides_by_zero(norm, limit):
    return min(1.0, limit / norm) if limit else 1.0


@wrong(
    "pretraining.clip",
    mistake="the norm came back in place of the factor",
    ask="The loop multiplies the gradients with the result. What is their norm after that?",
    refused_by="a_large_gradient_is_brought_to_the_limit",
)
def returns_the_new_norm(norm, limit):
    return min(norm, limit) if limit else norm


@wrong(
    "pretraining.clip",
    mistake="the norm had been squared",
    ask="Is `norm` the sum of squares or its root?",
    refused_by="a_large_gradient_is_brought_to_the_limit",
)
def squares_the_norm(norm, limit):
    return min(1.0, limit / (norm * norm + 1e-6)) if limit else 1.0


@wrong(
    "pretraining.clip",
    mistake="a gradient above the limit were thrown away",
    ask="Clipping keeps the direction of a large gradient. Which factor gives it the length of the limit?",
    refused_by="a_large_gradient_is_brought_to_the_limit",
)
def skips_the_step(norm, limit):
    return 1.0 if not limit or norm <= limit else 0.0


@wrong(
    "pretraining.clip",
    mistake="the limit were always 1",
    ask="What norm should a gradient of norm 8 have when the limit is 2?",
    refused_by="a_large_gradient_is_brought_to_the_limit",
)
def always_one(norm, limit):
    return min(1.0, 1.0 / (norm + 1e-6)) if limit else 1.0


@alternative("pretraining.clip")
def with_a_comparison(norm, limit):
    if limit == 0 or norm <= limit:
        return 1.0
    return limit / norm


@alternative("pretraining.clip")
def with_a_larger_divisor(norm, limit):
    return limit / max(norm, limit) if limit > 0 else 1.0


# -- pretraining.adamw ------------------------------------------------------------------------------------------


def _adamw(w, g, m, v, step, lr, beta1, beta2, eps, weight_decay, move=None, decay=None):
    """AdamW with one thing to change."""
    m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g * g
    m_hat, v_hat = m / (1 - beta1**step), v / (1 - beta2**step)
    move = m_hat / (v_hat.sqrt() + eps) if move is None else move(m, v, m_hat, v_hat)
    return w * (1 - lr * weight_decay if decay is None else decay) - lr * move, m, v


@wrong(
    "pretraining.adamw",
    mistake="the means were used as they are, without the correction for their start",
    ask="After one update from zero, what share of g is in m, and what share of g squared in v?",
    refused_by="the_first_update_by_hand",
)
def no_correction(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    return _adamw(w, g, m, v, step, lr, beta1, beta2, eps, weight_decay, lambda m, v, mh, vh: m / (v.sqrt() + eps))


@wrong(
    "pretraining.adamw",
    mistake="the decay were part of the gradient, as in Adam with an L2 penalty",
    ask="What does the W in AdamW say: does the decay go through m and v?",
    refused_by="without_a_gradient_only_the_decay_is_left",
)
def decay_in_the_gradient(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    return _adamw(w, g + weight_decay * w, m, v, step, lr, beta1, beta2, eps, 0.0)


@wrong(
    "pretraining.adamw",
    mistake="eps stood under the root",
    ask="When v is 0, what is the divisor: eps or the root of eps?",
    refused_by="eps_is_added_to_the_root",
)
def eps_under_the_root(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    return _adamw(w, g, m, v, step, lr, beta1, beta2, eps, weight_decay, lambda m, v, mh, vh: mh / (vh + eps).sqrt())


@wrong(
    "pretraining.adamw",
    mistake="the step were divided by v, not by its root",
    ask="In which units is v, if the gradient is in grams?",
    refused_by="the_first_update_by_hand",
)
def no_root(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    return _adamw(w, g, m, v, step, lr, beta1, beta2, eps, weight_decay, lambda m, v, mh, vh: mh / (vh + eps))


@wrong(
    "pretraining.adamw",
    mistake="beta1 and beta2 were exchanged",
    ask="Which of the two means has the longer memory?",
    refused_by="the_running_means_come_back_as_they_are",
)
def betas_exchanged(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    return _adamw(w, g, m, v, step, lr, beta2, beta1, eps, weight_decay)


@wrong(
    "pretraining.adamw",
    mistake="the corrected means came back as the new state",
    ask="The next update corrects again. What would it then correct?",
    refused_by="the_running_means_come_back_as_they_are",
)
def returns_the_corrected(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    w, m, v = _adamw(w, g, m, v, step, lr, beta1, beta2, eps, weight_decay)
    return w, m / (1 - beta1**step), v / (1 - beta2**step)


@wrong(
    "pretraining.adamw",
    mistake="the given tensors had been changed in place",
    ask="Which of your operations end in an underscore, or are written with += or *=?",
    refused_by="the_first_update_by_hand",
)
def in_place(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    m.mul_(beta1).add_(g, alpha=1 - beta1)
    v.mul_(beta2).add_(g * g, alpha=1 - beta2)
    m_hat, v_hat = m / (1 - beta1**step), v / (1 - beta2**step)
    w.mul_(1 - lr * weight_decay).sub_(lr * m_hat / (v_hat.sqrt() + eps))
    return w, m, v


@wrong(
    "pretraining.adamw",
    mistake="updates were counted from 0",
    ask="What is 1 - beta^step in the first update, where step is 1?",
    refused_by="the_first_update_by_hand",
)
def counts_from_zero(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    def move(m, v, m_hat, v_hat):
        return m / (1 - beta1 ** (step + 1)) / ((v / (1 - beta2 ** (step + 1))).sqrt() + eps)

    return _adamw(w, g, m, v, step, lr, beta1, beta2, eps, weight_decay, move)


@wrong(
    "pretraining.adamw",
    mistake="the decay did not depend on the learning rate",
    ask="By how much does a weight of 1 shrink in an update with lr = 0.1 and weight_decay = 0.5?",
    refused_by="without_a_gradient_only_the_decay_is_left",
)
def decay_without_lr(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    return _adamw(w, g, m, v, step, lr, beta1, beta2, eps, weight_decay, decay=1 - weight_decay)


@wrong(
    "pretraining.adamw",
    mistake="the gradient were used directly, not its running mean",
    ask="What is m for, if it does not stand above the fraction line?",
    refused_by="five_updates_equal_torch",
)
def without_momentum(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    return _adamw(w, g, m, v, step, lr, beta1, beta2, eps, weight_decay, lambda m, v, mh, vh: g / (vh.sqrt() + eps))


@wrong(
    "pretraining.adamw",
    mistake="the means were corrected for the usual betas whatever is given",
    ask="With beta2 = 0.8, what share of v has been filled after three updates?",
    refused_by="every_setting_is_the_given_one",
)
def corrected_for_the_usual(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    def move(m, v, m_hat, v_hat):
        return m / (1 - 0.9**step) / ((v / (1 - 0.95**step)).sqrt() + eps)

    return _adamw(w, g, m, v, step, lr, beta1, beta2, eps, weight_decay, move)


@alternative("pretraining.adamw")
def with_torchs_operations(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    m, v = torch.lerp(m, g, 1 - beta1), (v * beta2).addcmul(g, g, value=1 - beta2)
    divisor = v.sqrt() / math.sqrt(1 - beta2**step) + eps
    return (w * (1 - lr * weight_decay)).addcdiv(m, divisor, value=-lr / (1 - beta1**step)), m, v


@alternative("pretraining.adamw")
def with_the_correction_in_the_rate(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    new = [t.clone() for t in (w, m, v)]
    new[1] += (1 - beta1) * (g - m)
    new[2] += (1 - beta2) * (g.square() - v)
    root = math.sqrt(1 - beta2**step)
    new[0] -= lr * weight_decay * w
    new[0] -= lr * root / (1 - beta1**step) * new[1] / (new[2].sqrt() + eps * root)
    return tuple(new)


# -- pretraining.muon -----------------------------------------------------------------------------------------


def _unit(x, eps=1e-7):
    return x / torch.linalg.vector_norm(x, dim=(1, 2), keepdim=True).clamp(min=eps)


def _steps(x, steps, coefficients=NEWTON_SCHULZ):
    a, b, c = coefficients
    for _ in range(steps):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x


@wrong(
    "pretraining.muon",
    mistake="the matrices had not been divided by their norm",
    ask="What does the polynomial do to a singular value of 3?",
    refused_by="without_steps_the_norm_becomes_one",
)
def no_norm(x_NRC, steps=5, eps=1e-7):
    return _steps(x_NRC, steps)


@wrong(
    "pretraining.muon",
    mistake="all matrices of the batch had been divided by one common norm",
    ask="Over which dimensions does the norm run, if each matrix has its own?",
    refused_by="each_matrix_of_the_batch_has_its_own_norm",
)
def one_norm_for_all(x_NRC, steps=5, eps=1e-7):
    return _steps(x_NRC / x_NRC.norm().clamp(min=eps), steps)


@wrong(
    "pretraining.muon",
    mistake="each row had been divided by its own norm",
    ask="The singular values belong to the whole matrix. What do you change when you scale its rows differently?",
    refused_by="five_steps_act_on_the_singular_values_alone",
)
def norm_of_each_row(x_NRC, steps=5, eps=1e-7):
    return _steps(x_NRC / x_NRC.norm(dim=2, keepdim=True).clamp(min=eps), steps)


@wrong(
    "pretraining.muon",
    mistake="the matrices had been divided by their largest singular value",
    ask="Which norm does the docstring name, and how large is it for a diagonal of 4 and 3?",
    refused_by="one_step_by_hand",
)
def spectral_norm(x_NRC, steps=5, eps=1e-7):
    return _steps(x_NRC / torch.linalg.matrix_norm(x_NRC, ord=2, keepdim=True).clamp(min=eps), steps)


@wrong(
    "pretraining.muon",
    mistake="the term with the fifth power were missing",
    ask="Which product of Gram matrices and x raises a singular value to the fifth power?",
    refused_by="one_step_by_hand",
)
def only_the_cube(x_NRC, steps=5, eps=1e-7):
    a, b, _ = NEWTON_SCHULZ
    return _steps(_unit(x_NRC), steps, (a, b, 0.0))


@wrong(
    "pretraining.muon",
    mistake="the exact U V^T came back",
    ask="What should two diagonal values of 4 and 3 be after one step?",
    refused_by="one_step_by_hand",
)
def by_svd(x_NRC, steps=5, eps=1e-7):
    u, _, vt = torch.linalg.svd(x_NRC, full_matrices=False)
    return u @ vt


@wrong(
    "pretraining.muon",
    mistake="`steps` were always 5",
    ask="What does the loop run over?",
    refused_by="one_step_by_hand",
)
def always_five(x_NRC, steps=5, eps=1e-7):
    return _steps(_unit(x_NRC), 5)


@wrong(
    "pretraining.muon",
    mistake="a matrix of zeros were divided by its norm",
    ask="What is 0 / 0, and how does `eps` prevent it?",
    refused_by="zeros_stay_zeros",
)
def without_eps(x_NRC, steps=5, eps=1e-7):
    return _steps(x_NRC / torch.linalg.vector_norm(x_NRC, dim=(1, 2), keepdim=True), steps)


@wrong(
    "pretraining.muon",
    mistake="the Gram matrix of the first step served all steps",
    ask="After one step the singular values are others. Whose cubes does the second step need?",
    refused_by="five_steps_act_on_the_singular_values_alone",
)
def gram_of_the_start(x_NRC, steps=5, eps=1e-7):
    a, b, c = NEWTON_SCHULZ
    x = _unit(x_NRC)
    gram = x @ x.mT
    for _ in range(steps):
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x


@alternative("pretraining.muon")
def from_the_right(x_NRC, steps=5, eps=1e-7):
    a, b, c = NEWTON_SCHULZ
    x = x_NRC / x_NRC.square().sum((1, 2), keepdim=True).sqrt().clamp(min=eps)
    for _ in range(steps):
        gram = x.transpose(1, 2) @ x
        x = a * x + b * (x @ gram) + c * (x @ gram @ gram)
    return x


@alternative("pretraining.muon")
def matrix_by_matrix(x_NRC, steps=5, eps=1e-7):
    a, b, c = NEWTON_SCHULZ
    out = []
    for x in x_NRC:
        x = x / max(float(x.norm()), eps)
        for _ in range(steps):
            cube = x @ x.T @ x
            x = a * x + b * cube + c * (x @ x.T @ cube)
        out.append(x)
    return torch.stack(out)


# -- pretraining.scaling_law -------------------------------------------------------------------------------------------


def _solutions(sizes, tokens, losses, exponents):
    """(squared error, errors, alpha, beta, (E, A, B)) of each pair."""
    n, d, y = (np.asarray(x, float) for x in (sizes, tokens, losses))
    for alpha, beta in itertools.product(exponents, exponents):
        columns = np.stack([np.ones_like(n), n**-alpha, d**-beta], 1)
        scale = columns.max(0)
        solution = np.linalg.lstsq(columns / scale, y, rcond=None)[0] / scale
        errors = columns @ solution - y
        yield float(errors @ errors), errors, alpha, beta, solution


def _best(found, key=None):
    found = [f for f in found if f[4].min() >= 0]
    if not found:
        raise MinidsError("no law fits")
    return min(found, key=key or (lambda f: f[0]))


def _named(alpha, beta, solution):
    e, a, b = (float(x) for x in solution)
    return {"E": e, "A": a, "alpha": float(alpha), "B": b, "beta": float(beta)}


@wrong(
    "pretraining.scaling_law",
    mistake="negative terms were allowed",
    ask="What would a negative A say about larger models?",
    refused_by="a_law_has_no_negative_terms",
)
def allows_negative_terms(sizes, tokens, losses, exponents=EXPONENTS):
    return _named(*min(_solutions(sizes, tokens, losses, exponents), key=lambda f: f[0])[2:])


@wrong(
    "pretraining.scaling_law",
    mistake="negative terms were set to zero after the fit",
    ask="After you change E, are A and B still those of the least squares?",
    refused_by="a_law_has_no_negative_terms",
)
def cuts_negative_terms(sizes, tokens, losses, exponents=EXPONENTS):
    _, _, alpha, beta, solution = min(_solutions(sizes, tokens, losses, exponents), key=lambda f: f[0])
    return _named(alpha, beta, np.maximum(solution, 0))


@wrong(
    "pretraining.scaling_law",
    mistake="size and tokens were exchanged",
    ask="Which exponent, alpha or beta, stands over N?",
    refused_by="alpha_belongs_to_the_size_and_beta_to_the_tokens",
)
def exchanges_size_and_tokens(sizes, tokens, losses, exponents=EXPONENTS):
    return _named(*_best(_solutions(tokens, sizes, losses, exponents))[2:])


@wrong(
    "pretraining.scaling_law",
    mistake="alpha and beta were the same",
    ask="How many pairs can be made of 30 exponents?",
    refused_by="a_law_without_noise_is_found_again",
)
def one_exponent(sizes, tokens, losses, exponents=EXPONENTS):
    return _named(*_best(f for f in _solutions(sizes, tokens, losses, exponents) if f[2] == f[3])[2:])


@wrong(
    "pretraining.scaling_law",
    mistake="E were zero",
    ask="What loss does the law give to an endless run of an endless model? Which column stands for that?",
    refused_by="a_law_without_noise_is_found_again",
)
def without_e(sizes, tokens, losses, exponents=EXPONENTS):
    n, d, y = (np.asarray(x, float) for x in (sizes, tokens, losses))
    found = []
    for alpha, beta in itertools.product(exponents, exponents):
        columns = np.stack([n**-alpha, d**-beta], 1)
        a, b = np.linalg.lstsq(columns, y, rcond=None)[0]
        error = ((columns @ [a, b] - y) ** 2).sum()
        if min(a, b) >= 0:
            found.append((error, alpha, beta, (0.0, a, b)))
    if not found:
        raise MinidsError("no law fits")
    return _named(*min(found, key=lambda f: f[0])[1:])


@wrong(
    "pretraining.scaling_law",
    mistake="the argument `exponents` were not used",
    ask="Which exponents may come back when (0.3, 0.8) are given?",
    refused_by="only_the_given_exponents_are_tried",
)
def own_exponents(sizes, tokens, losses, exponents=EXPONENTS):
    return _named(*_best(_solutions(sizes, tokens, losses, EXPONENTS))[2:])


@wrong(
    "pretraining.scaling_law",
    mistake="the first pair of exponents that gives a law were taken",
    ask="How do you compare one pair with the best so far?",
    refused_by="a_law_without_noise_is_found_again",
)
def first_law(sizes, tokens, losses, exponents=EXPONENTS):
    return _named(*_best(_solutions(sizes, tokens, losses, exponents), key=lambda f: 0)[2:])


@wrong(
    "pretraining.scaling_law",
    mistake="A and B were exchanged",
    ask="In which order are your columns, and in which the values of the solution?",
    refused_by="a_law_without_noise_is_found_again",
)
def exchanges_a_and_b(sizes, tokens, losses, exponents=EXPONENTS):
    law = _named(*_best(_solutions(sizes, tokens, losses, exponents))[2:])
    return law | {"A": law["B"], "B": law["A"]}


@wrong(
    "pretraining.scaling_law",
    mistake="losses that rise had a law too",
    ask="What does the docstring want when no pair of exponents is left?",
    refused_by="losses_that_rise_with_size_have_no_law",
)
def never_raises(sizes, tokens, losses, exponents=EXPONENTS):
    try:
        return _named(*_best(_solutions(sizes, tokens, losses, exponents))[2:])
    except MinidsError:
        return _named(exponents[0], exponents[0], (0.0, 0.0, 0.0))


@wrong(
    "pretraining.scaling_law",
    mistake="one exponent could be chosen after the other",
    ask="Where changing alpha alone helps no more, nor beta alone: is there no better pair?",
    refused_by="the_best_of_all_pairs_and_not_of_those_on_a_path",
)
def one_exponent_at_a_time(sizes, tokens, losses, exponents=EXPONENTS):
    found = {(f[2], f[3]): f for f in _solutions(sizes, tokens, losses, exponents) if f[4].min() >= 0}
    if not found:
        raise MinidsError("no law fits")
    at = next(iter(found))
    for _ in range(len(found)):
        for i in (0, 1):
            at = min((pair for pair in found if pair[1 - i] == at[1 - i]), key=lambda pair: found[pair][0])
    return _named(*found[at][2:])


@alternative("pretraining.scaling_law")
def with_two_loops(sizes, tokens, losses, exponents=EXPONENTS):
    return _named(*_best(_solutions(sizes, tokens, losses, exponents))[2:])


@alternative("pretraining.scaling_law")
def with_normal_equations(sizes, tokens, losses, exponents=EXPONENTS):
    n, d, y = (torch.as_tensor(x).double() for x in (sizes, tokens, losses))
    best = (math.inf,)
    for alpha, beta in itertools.product(exponents, exponents):
        u, w = n**-alpha, d**-beta
        # centred, the constant drops out; two equations for A and B remain
        uc, wc, yc = u - u.mean(), w - w.mean(), y - y.mean()
        m = torch.stack([torch.stack([uc @ uc, uc @ wc]), torch.stack([uc @ wc, wc @ wc])])
        if torch.linalg.det(m) == 0:
            continue
        scale = m.diagonal().sqrt()
        a, b = torch.linalg.solve(m / scale / scale[:, None], torch.stack([uc @ yc, wc @ yc]) / scale) / scale
        e = y.mean() - a * u.mean() - b * w.mean()
        error = float((e + a * u + b * w - y).square().sum())
        if min(e, a, b) >= 0 and error < best[0]:
            best = (error, alpha, beta, (e, a, b))
    if len(best) == 1:
        raise MinidsError("no law fits")
    return _named(*best[1:])
