"""Chapter 08, pretraining: packing, schedule, clipping, AdamW, Muon, scaling law."""

import math
import random

import numpy as np
import torch

from minids.course.cases import case, expect, raises
from minids.errors import MinidsError

# -- pretraining.pack ----------------------------------------------------------------------------------------------


def _parts(lengths):
    """Parts of these lengths, told apart by their ids."""
    return [([i] * n, [0.0] + [1.0] * (n - 1)) for i, n in enumerate(lengths)]


def _sizes(rows):
    """[[6, 2], [5, 3]]: the lengths in each row, rows and lengths in falling order, so that ties do not show."""
    return sorted((sorted((len(ids) for ids, _ in row), reverse=True) for row in rows), reverse=True)


def _fills(lengths, length):
    """How full the rows are after best fit, longest first, by looking through all rows; ties cannot change it."""
    room = []
    for n in sorted(lengths, reverse=True):
        fitting = [k for k, free in enumerate(room) if free >= n]
        if fitting:
            room[min(fitting, key=lambda k: room[k])] -= n
        else:
            room.append(length - n)
    return sorted(length - free for free in room)


@case("pretraining.pack")
def four_parts_fill_two_rows_of_eight(best_fit):
    rows = best_fit(_parts([2, 3, 5, 6]), 8)
    expect(_sizes(rows), [[6, 2], [5, 3]], lengths=[2, 3, 5, 6], length=8)


@case("pretraining.pack")
def every_part_arrives_whole_and_once(best_fit):
    parts = _parts([random.randint(1, 30) for _ in range(60)])
    rows = best_fit(parts, 40)
    for row in rows:
        for part in row:
            assert isinstance(part, tuple | list) and len(part) == 2, f"a part is (ids, weights); a row holds {part!r}"
    got = sorted((list(ids), list(weights)) for row in rows for ids, weights in row)
    expect(got, sorted((ids, weights) for ids, weights in parts))


@case("pretraining.pack")
def no_row_holds_more_than_its_length(best_fit):
    lengths = [random.randint(1, 40) for _ in range(60)]
    fills = [sum(len(ids) for ids, _ in row) for row in best_fit(_parts(lengths), 40)]
    assert fills and min(fills) > 0, "a row without a part came back"
    assert max(fills) <= 40, f"a row of 40 places holds {max(fills)} ids"


@case("pretraining.pack")
def the_tightest_row_that_has_room_is_taken(best_fit):
    lengths = [12, 9, 8, 7, 6, 5, 3, 2, 2]
    rows = best_fit(_parts(lengths), 20)
    expect(sorted(sum(r) for r in _sizes(rows)), _fills(lengths, 20), lengths=lengths, length=20)
    for _ in range(4):
        lengths = [random.randint(1, 60) for _ in range(80)]
        fills = sorted(sum(r) for r in _sizes(best_fit(_parts(lengths), 64)))
        expect(fills, _fills(lengths, 64), lengths=lengths, length=64)


@case("pretraining.pack")
def a_part_may_fill_a_row_to_the_last_place(best_fit):
    expect(_sizes(best_fit(_parts([8, 4, 8, 4]), 8)), [[8], [8], [4, 4]], lengths=[8, 4, 8, 4], length=8)


@case("pretraining.pack")
def equal_parts_are_as_many_parts(best_fit):
    """Three that are alike in every way, and one that only weighs otherwise."""
    part = [7, 7, 7], [0.0, 1.0, 1.0]
    given = [(list(part[0]), list(part[1])) for _ in range(3)] + [([7, 7, 7], [0.0, 0.5, 0.5])]
    rows = best_fit(given, 7)
    got = sorted((list(ids), list(weights)) for row in rows for ids, weights in row)
    expect(got, sorted((list(a), list(b)) for a, b in given), parts="[7, 7, 7] four times, length=7")
    expect(_sizes(rows), [[3, 3], [3, 3]], parts="[7, 7, 7] four times", length=7)


@case("pretraining.pack")
def longest_first_and_not_as_they_come(best_fit):
    for lengths in ([1, 2, 3, 4, 5, 6, 7], [1, 6, 1, 6, 1, 6], [3, 3, 4, 4]):
        fills = sorted(sum(r) for r in _sizes(best_fit(_parts(lengths), 7)))
        expect(fills, _fills(lengths, 7), lengths=lengths, length=7)


@case("pretraining.pack")
def no_parts_make_no_rows(best_fit):
    expect(best_fit([], 8), [], parts=[])
    expect(_sizes(best_fit(_parts([1]), 1)), [[1]], lengths=[1], length=1)


@case("pretraining.pack")
def parts_may_come_in_a_tuple(best_fit):
    rows = best_fit(tuple(_parts([2, 5, 1, 4, 3])), 6)
    expect(_sizes(rows), [[5, 1], [4, 2], [3]], lengths=(2, 5, 1, 4, 3), length=6)


@case("pretraining.pack", held_out=True)
def many_parts_leave_almost_no_room(best_fit):
    lengths = [random.randint(10, 200) for _ in range(800)]
    fills = sorted(sum(r) for r in _sizes(best_fit(_parts(lengths), 512)))
    expect(fills, _fills(lengths, 512))


# -- pretraining.schedule -------------------------------------------------------------------------------------------

STEPS = 14800  # one update a billion tokens


@case("pretraining.schedule")
def the_first_ten_trillion_tokens_have_the_peak_rate(deepseek_v3):
    for step in (10, 500, 5000, 9990):
        expect(deepseek_v3(step, STEPS, 10), 1.0, step=step, steps=STEPS, warmup=10)


@case("pretraining.schedule")
def the_warm_up_is_a_straight_line(deepseek_v3):
    for step in (0, 3, 6):
        expect(deepseek_v3(step, STEPS, 8), (step + 1) / 8, step=step, steps=STEPS, warmup=8)


@case("pretraining.schedule")
def then_half_a_cosine_falls_to_a_tenth(deepseek_v3):
    middle = 10_000 + 4300 // 2
    expect(deepseek_v3(middle, STEPS, 10), 0.55, step=middle, steps=STEPS, warmup=10)
    quarter = 0.1 + 0.9 * (1 + math.sqrt(0.5)) / 2
    expect(deepseek_v3(11_075, STEPS, 10), quarter, step=11_075, steps=STEPS, warmup=10)
    expect(deepseek_v3(14_290, STEPS, 10), 0.1, tol=1e-3, step=14_290, steps=STEPS, warmup=10)


@case("pretraining.schedule")
def the_last_500_billion_tokens_have_two_flat_rates(deepseek_v3):
    for step in (14_310, 14_500, 14_625):
        expect(deepseek_v3(step, STEPS, 10), 2.2e-5 / 2.2e-4, step=step, steps=STEPS, warmup=10)
    for step in (14_640, 14_799):
        expect(deepseek_v3(step, STEPS, 10), 7.3e-6 / 2.2e-4, step=step, steps=STEPS, warmup=10)


@case("pretraining.schedule")
def warm_up_counts_as_part_of_the_run(deepseek_v3):
    expect(deepseek_v3(125, 148, 50), 0.1 + 0.45 * (1 + math.cos(math.pi * 2.5 / 4.3)), step=125, steps=148, warmup=50)
    expect(deepseek_v3(145, 148, 50), 0.1, step=145, steps=148, warmup=50)


@case("pretraining.schedule")
def without_warm_up_the_first_update_is_at_the_peak(deepseek_v3):
    expect(deepseek_v3(0, 100), 1.0, step=0, steps=100)


@case("pretraining.schedule")
def each_phase_begins_with_its_first_update(deepseek_v3):
    """14,800 updates of a billion tokens: before update 10,000 the first 10T have been seen, and so on."""
    for step, want in ((9_999, 1.0), (10_000, 1.0), (14_300, 0.1), (14_632, 0.1), (14_633, 7.3 / 220)):
        expect(deepseek_v3(step, STEPS, 10), want, tol=1e-4, step=step, steps=STEPS, warmup=10)


@case("pretraining.schedule")
def a_warm_up_may_be_longer_than_the_plateau(deepseek_v3):
    for step in (0, 80, 99):
        expect(deepseek_v3(step, 100, 100), (step + 1) / 100, step=step, steps=100, warmup=100)
    expect(deepseek_v3(99, 100, 99), 7.3 / 220, tol=1e-4, step=99, steps=100, warmup=99)


@case("pretraining.schedule")
def short_runs_have_the_same_shape(deepseek_v3):
    for step in range(37):  # 0.4T tokens an update
        seen = 14.8 * step / 37
        fall = 0.1 + 0.45 * (1 + math.cos(math.pi * (seen - 10) / 4.3))
        want = 1.0 if seen < 10 else fall if seen < 14.3 else 0.1
        expect(deepseek_v3(step, 37), want, tol=1e-4, step=step, steps=37)


@case("pretraining.schedule", held_out=True)
def every_length_of_run_has_the_same_shape(deepseek_v3):
    steps = random.choice([1480, 7400, 29600])
    for seen, want in [(3.0, 1.0), (10.43, 0.1 + 0.45 * (1 + math.cos(math.pi * 0.1))), (14.4, 0.1), (14.7, 7.3 / 220)]:
        step = seen / 14.8 * steps
        low, high = (deepseek_v3(int(step) + k, steps, 3) for k in (0, 1))
        assert low + 1e-9 >= want >= high - 1e-9 or abs(low - want) < 1e-6, f"{seen}T tokens: {low}, expected {want}"


# -- pretraining.clip ---------------------------------------------------------------------------------------


@case("pretraining.clip")
def a_large_gradient_is_brought_to_the_limit(clip_factor):
    expect(clip_factor(5.0, 1.0), 0.2, norm=5.0, limit=1.0)
    expect(clip_factor(8.0, 2.0), 0.25, norm=8.0, limit=2.0)


@case("pretraining.clip")
def a_gradient_within_the_limit_stays_as_it_is(clip_factor):
    expect(clip_factor(0.25, 1.0), 1.0, norm=0.25, limit=1.0)
    expect(clip_factor(2.9, 3.0), 1.0, norm=2.9, limit=3.0)


@case("pretraining.clip")
def a_limit_of_zero_means_no_limit(clip_factor):
    expect(clip_factor(50.0, 0.0), 1.0, norm=50.0, limit=0.0)
    expect(clip_factor(0.0, 0), 1.0, norm=0.0, limit=0)


@case("pretraining.clip")
def a_gradient_of_zeros_is_no_error(clip_factor):
    expect(clip_factor(0.0, 1.0), 1.0, norm=0.0, limit=1.0)


@case("pretraining.clip")
def agrees_with_torch(clip_factor):
    tensors = [torch.randn(3, 4) * 3, torch.randn(7), torch.randn(2, 2, 2)]
    parameters = [torch.nn.Parameter(torch.zeros_like(t)) for t in tensors]
    for p, t in zip(parameters, tensors):
        p.grad = t.clone()
    norm = float(torch.nn.utils.clip_grad_norm_(parameters, 1.5))
    factor = clip_factor(norm, 1.5)
    expect(factor, (parameters[0].grad / tensors[0]).mean().item(), norm=norm, limit=1.5)


@case("pretraining.clip")
def limits_below_one_and_above(clip_factor):
    for norm, limit in ((2.0, 0.5), (0.5, 0.1), (0.3, 0.4), (10.0, 7.5), (7.4, 7.5), (1e-3, 1e-4)):
        factor = clip_factor(norm, limit)
        expect(factor * norm, min(norm, limit), tol=2e-3 * limit, norm=norm, limit=limit)
        assert factor <= 1.0, f"norm={norm}, limit={limit}: a factor of {factor} makes gradients larger"


@case("pretraining.clip")
def an_endless_norm_leaves_nothing(clip_factor):
    expect(clip_factor(math.inf, 1.0), 0.0, norm=math.inf, limit=1.0)
    expect(clip_factor(1e30, 4.0) * 1e30, 4.0, norm=1e30, limit=4.0)


@case("pretraining.clip", held_out=True)
def huge_norms_leave_a_step_of_the_size_of_the_limit(clip_factor):
    for limit in (0.25, 4.0, 100.0):
        norm = 10 ** random.uniform(5, 30)
        expect(clip_factor(norm, limit) * norm, limit, norm=norm, limit=limit)


# -- pretraining.adamw ------------------------------------------------------------------------------------------


def _state(*shape, dtype=torch.float64):
    return (
        torch.randn(shape, dtype=dtype),
        torch.randn(shape, dtype=dtype),
        torch.randn(shape, dtype=dtype),
        torch.rand(shape, dtype=dtype) + 0.1,
    )


def _adamw_by_elements(w, g, m, v, step, lr, b1, b2, eps, decay):
    """One element after the other, in plain Python."""
    out = []
    for x, gi, mi, vi in zip(*(t.flatten().tolist() for t in (w, g, m, v))):
        mi, vi = mi + (1 - b1) * (gi - mi), vi + (1 - b2) * (gi * gi - vi)
        move = (mi / (1 - b1**step)) / (math.sqrt(vi / (1 - b2**step)) + eps)
        out.append((x - lr * decay * x - lr * move, mi, vi))
    return [torch.tensor(column, dtype=w.dtype).view(w.shape) for column in zip(*out)]


@case("pretraining.adamw")
def the_first_update_by_hand(adamw_update):
    w, g, zero = (torch.tensor([x], dtype=torch.float64) for x in (3.0, 2.0, 0.0))
    # m = 0.2 and v = 0.2 stand for 2 and 4, so the step is one lr; decay takes 0.1 * 0.5 * 3 more
    want = [torch.tensor([x], dtype=torch.float64) for x in (3 - 0.15 - 0.1, 0.2, 0.2)]
    got = adamw_update(w, g, zero, zero.clone(), 1, 0.1, 0.9, 0.95, 1e-8, 0.5)
    expect(got, want, tol=1e-6, w=3.0, g=2.0, m=0.0, v=0.0, step=1, lr=0.1, weight_decay=0.5)


@case("pretraining.adamw")
def five_updates_equal_torch(adamw_update):
    p = torch.nn.Parameter(torch.randn(3, 4, dtype=torch.float64))
    w, m, v = p.detach().clone(), torch.zeros(3, 4, dtype=torch.float64), torch.zeros(3, 4, dtype=torch.float64)
    peer = torch.optim.AdamW([p], lr=0.05, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.3)
    for step in range(1, 6):
        p.grad = torch.randn(3, 4, dtype=torch.float64)
        peer.step()
        w, m, v = adamw_update(w, p.grad.clone(), m, v, step, 0.05, 0.9, 0.95, 1e-8, 0.3)
        expect(w, p.detach(), tol=1e-5, step=step)


@case("pretraining.adamw")
def the_running_means_come_back_as_they_are(adamw_update):
    w, g, m, v = _state(4)
    _, new_m, new_v = adamw_update(w, g, m, v, 3, 0.1, 0.9, 0.95, 1e-8, 0.1)
    expect(new_m, 0.9 * m + 0.1 * g, tol=1e-5, m=m, g=g, step=3)
    expect(new_v, 0.95 * v + 0.05 * g**2, tol=1e-5, v=v, g=g, step=3)


@case("pretraining.adamw")
def without_a_gradient_only_the_decay_is_left(adamw_update):
    w, zero = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64), torch.zeros(3, dtype=torch.float64)
    got = adamw_update(w, zero, zero.clone(), zero.clone(), 1, 0.1, 0.9, 0.95, 1e-8, 0.5)
    expect(got, [0.95 * w, zero, zero], tol=1e-5, w=w, g=zero, lr=0.1, weight_decay=0.5)


@case("pretraining.adamw")
def eps_is_added_to_the_root(adamw_update):
    w, g, zero = (torch.tensor([x], dtype=torch.float64) for x in (1.0, 1e-4, 0.0))
    got = adamw_update(w, g, zero, zero.clone(), 1, 0.1, 0.9, 0.95, 1e-4, 0.0)[0]
    expect(got, torch.tensor([0.95], dtype=torch.float64), tol=1e-6, g=1e-4, eps=1e-4, lr=0.1)


@case("pretraining.adamw")
def the_defaults_are_those_of_v3(adamw_update):
    """beta1 0.9, beta2 0.95, eps 1e-8, weight_decay 0.1."""
    given = _state(3)
    want = _adamw_by_elements(*given, 2, 0.1, 0.9, 0.95, 1e-8, 0.1)
    expect(adamw_update(*given, 2, 0.1), want, tol=1e-5, step=2, lr=0.1)


@case("pretraining.adamw")
def every_setting_is_the_given_one(adamw_update):
    """Each of them in turn, after three updates, when every power of a beta counts."""
    given = _state(4)
    usual = dict(lr=0.1, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1)
    for name, value in (("lr", 0.02), ("beta1", 0.6), ("beta2", 0.8), ("eps", 0.3), ("weight_decay", 0.7)):
        settings = usual | {name: value}
        want = _adamw_by_elements(*given, 3, *settings.values())
        expect(adamw_update(*given, 3, **settings), want, tol=1e-5, step=3, **settings)


@case("pretraining.adamw")
def tiny_and_large_gradients_move_alike(adamw_update):
    """Whatever the scale of a gradient, the first update is one lr; also in float32, whose squares may be tiny."""
    for scale in (1e-6, 1e-3, 1.0, 1e3):
        g, zero = torch.tensor([scale, -scale]), torch.zeros(2)
        got = adamw_update(zero.clone(), g, zero.clone(), zero.clone(), 1, 0.1, 0.9, 0.95, 1e-12, 0.0)[0]
        expect(got, torch.tensor([-0.1, 0.1]), tol=1e-4, g=g, lr=0.1, eps=1e-12, weight_decay=0.0)


@case("pretraining.adamw")
def the_types_and_shapes_stay(adamw_update):
    for shape, dtype in (((), torch.float32), ((5,), torch.float32), ((2, 1, 3), torch.float64)):
        given = _state(*shape, dtype=dtype)
        want = [x.to(dtype) for x in _adamw_by_elements(*(t.double() for t in given), 4, 1e-2, 0.9, 0.95, 1e-8, 0.1)]
        expect(adamw_update(*given, 4, 1e-2), want, tol=1e-4, shape=shape, dtype=dtype)


@case("pretraining.adamw", held_out=True)
def other_settings_and_shapes(adamw_update):
    for shape, step, settings in [((), 1, (0.3, 0.8, 0.99, 1e-6, 0.2)), ((2, 1, 3), 7, (1e-2, 0.5, 0.9, 1e-3, 0.0))]:
        given = _state(*shape)
        got = adamw_update(*given, step, *settings)
        expect(got, _adamw_by_elements(*given, step, *settings), tol=1e-5)


# -- pretraining.muon -----------------------------------------------------------------------------------------


def _by_svd(x, steps):
    """The polynomial on the singular values themselves, one matrix, in float64."""
    x = x.double()
    u, s, vt = torch.linalg.svd(x / x.square().sum().sqrt(), full_matrices=False)
    for _ in range(steps):
        s = 3.4445 * s - 4.7750 * s**3 + 2.0315 * s**5
    return u @ torch.diag(s) @ vt


@case("pretraining.muon")
def five_steps_act_on_the_singular_values_alone(orthogonalise):
    for shape in ((6, 6), (4, 10)):
        x = torch.randn(3, *shape, dtype=torch.float64)
        expect(orthogonalise(x), torch.stack([_by_svd(m, 5) for m in x]), tol=1e-4, shape=tuple(x.shape))


@case("pretraining.muon")
def one_step_by_hand(orthogonalise):
    # the norm is 5, so the singular values become 0.8 and 0.6; one step makes them 0.977 and 1.193
    x = torch.tensor([[[4.0, 0.0], [0.0, 3.0]]], dtype=torch.float64)
    want = [3.4445 * s - 4.7750 * s**3 + 2.0315 * s**5 for s in (0.8, 0.6)]
    expect(orthogonalise(x, 1), torch.diag(torch.tensor(want, dtype=torch.float64))[None], tol=1e-5, x=x, steps=1)


@case("pretraining.muon")
def without_steps_the_norm_becomes_one(orthogonalise):
    x = torch.tensor([[[4.0, 0.0], [0.0, 3.0]]], dtype=torch.float64)
    expect(orthogonalise(x, 0), x / 5, tol=1e-6, x=x, steps=0)


@case("pretraining.muon")
def each_matrix_of_the_batch_has_its_own_norm(orthogonalise):
    x = torch.randn(3, 4, 6, dtype=torch.float64) * torch.tensor([1e-3, 1.0, 1e3], dtype=torch.float64)[:, None, None]
    alone = torch.stack([_by_svd(m, 5) for m in x])
    expect(orthogonalise(x), alone, tol=1e-4, sizes="1e-3, 1 and 1e3")


@case("pretraining.muon")
def tall_matrices_work_too(orthogonalise):
    x = torch.randn(2, 9, 4, dtype=torch.float64)
    expect(orthogonalise(x), torch.stack([_by_svd(m, 5) for m in x]), tol=1e-4, shape=tuple(x.shape))


@case("pretraining.muon")
def zeros_stay_zeros(orthogonalise):
    x = torch.zeros(2, 3, 4)
    expect(orthogonalise(x), torch.zeros(2, 3, 4), x=x)


@case("pretraining.muon")
def zeros_beside_others_and_below_eps(orthogonalise):
    """A matrix of zeros among others; and one whose norm is below `eps`, which is divided by eps."""
    x = torch.randn(3, 3, 5)
    x[1] = 0.0
    expect(orthogonalise(x), torch.stack([_by_svd(m, 5) if m.any() else m.double() for m in x]).float(), tol=1e-3, x=x)
    tiny = torch.diag(torch.tensor([3e-9, 4e-9], dtype=torch.float64))[None]
    expect(orthogonalise(tiny, 0), tiny / 1e-7, tol=1e-6, x=tiny, steps=0)
    expect(orthogonalise(tiny, 0, 1e-3), tiny / 1e-3, tol=1e-9, x=tiny, steps=0, eps=1e-3)


@case("pretraining.muon")
def float32_stays_float32_and_steps_are_counted(orthogonalise):
    x = torch.randn(2, 8, 20)
    for steps in (1, 2, 4):
        want = torch.stack([_by_svd(m, steps) for m in x]).float()
        expect(orthogonalise(x, steps), want, tol=1e-3, shape=tuple(x.shape), steps=steps)


@case("pretraining.muon")
def vectors_and_views_are_matrices_too(orthogonalise):
    for x in (torch.randn(2, 1, 7), torch.randn(2, 7, 1), torch.randn(3, 6, 4).mT, torch.randn(1, 5, 5)):
        want = torch.stack([_by_svd(m, 5) for m in x]).float()
        expect(orthogonalise(x), want, tol=1e-3, shape=tuple(x.shape))


@case("pretraining.muon", held_out=True)
def random_matrices_end_near_one(orthogonalise):
    x = torch.randn(3, 32, 80)
    result = orthogonalise(x)
    assert result.dtype == torch.float32, f"float32 went in, {result.dtype} came out"
    s = torch.linalg.svdvals(result)
    assert 0.6 < s.min() and s.max() < 1.3, f"singular values from {s.min():.2f} to {s.max():.2f}, expected 0.7 to 1.2"


# -- pretraining.scaling_law -------------------------------------------------------------------------------------------

SIZES = (1e4, 1e4, 1e4, 4e4, 4e4, 4e4, 2e5, 2e5, 2e5, 1e6, 1e6, 1e6)
TOKENS = (1e5, 4e5, 2e6) * 4


def _law(e, a, alpha, b, beta):
    return {"E": e, "A": a, "alpha": alpha, "B": b, "beta": beta}


def _losses(e, a, alpha, b, beta, noise=0.0):
    return [e + a * n**-alpha + b * d**-beta + noise * random.gauss(0, 1) for n, d in zip(SIZES, TOKENS)]


def _pairs(losses, exponents, sizes=SIZES, tokens=TOKENS):
    """(squared error, alpha, beta, (E, A, B)) of each pair of exponents, by numpy."""
    n, d, y = np.array(sizes, float), np.array(tokens, float), np.array(losses, float)
    for alpha in exponents:
        for beta in exponents:
            columns = np.stack([np.ones_like(n), n**-alpha, d**-beta], 1)
            scale = np.linalg.norm(columns, axis=0)
            solution = np.linalg.lstsq(columns / scale, y, rcond=None)[0] / scale
            yield float(((columns @ solution - y) ** 2).sum()), alpha, beta, solution


def _error(law, losses):
    return sum(
        (law["E"] + law["A"] * n ** -law["alpha"] + law["B"] * d ** -law["beta"] - y) ** 2
        for n, d, y in zip(SIZES, TOKENS, losses)
    )


@case("pretraining.scaling_law")
def a_law_without_noise_is_found_again(fit):
    losses = _losses(1.7, 60.0, 0.5, 40.0, 0.3)
    expect(fit(list(SIZES), list(TOKENS), losses), _law(1.7, 60.0, 0.5, 40.0, 0.3), tol=1e-4, losses=losses)


@case("pretraining.scaling_law")
def alpha_belongs_to_the_size_and_beta_to_the_tokens(fit):
    losses = _losses(0.5, 8.0, 0.2, 900.0, 0.7)
    expect(fit(list(SIZES), list(TOKENS), losses), _law(0.5, 8.0, 0.2, 900.0, 0.7), tol=1e-4, losses=losses)


@case("pretraining.scaling_law")
def with_one_pair_of_exponents_it_is_least_squares(fit):
    losses = _losses(1.5, 60.0, 0.5, 300.0, 0.5, noise=0.01)
    _, _, _, solution = next(_pairs(losses, [0.5]))
    e, a, b = solution.tolist()
    law = fit(list(SIZES), list(TOKENS), losses, (0.5,))
    expect(law, _law(e, a, 0.5, b, 0.5), tol=1e-4, losses=losses, exponents=(0.5,))


@case("pretraining.scaling_law")
def only_the_given_exponents_are_tried(fit):
    losses = _losses(1.0, 30.0, 0.4, 30.0, 0.3)
    law = fit(list(SIZES), list(TOKENS), losses, (0.3, 0.8))
    _, alpha, beta, _ = min((p for p in _pairs(losses, (0.3, 0.8)) if p[3].min() >= 0), key=lambda p: p[0])
    expect([law["alpha"], law["beta"]], [alpha, beta], exponents=(0.3, 0.8))


@case("pretraining.scaling_law")
def a_law_has_no_negative_terms(fit):
    # falls with D like 5 / D^0.1: with 0.05 as exponent a negative E fits better than any law
    losses = _losses(0.0, 30.0, 0.5, 5.0, 0.1)
    every = list(_pairs(losses, (0.05, 0.5)))
    assert min(every, key=lambda p: p[0])[3].min() < 0
    error, alpha, beta, solution = min((p for p in every if p[3].min() >= 0), key=lambda p: p[0])
    e, a, b = solution.tolist()
    got = fit(list(SIZES), list(TOKENS), losses, (0.05, 0.5))
    expect(got, _law(e, a, alpha, b, beta), tol=1e-4, exponents=(0.05, 0.5))


@case("pretraining.scaling_law")
def losses_that_rise_with_size_have_no_law(fit):
    losses = [3 - y for y in _losses(0.0, 30.0, 0.5, 30.0, 0.3)]
    raises(MinidsError, fit, list(SIZES), list(TOKENS), losses, because="larger and longer runs are worse here")


@case("pretraining.scaling_law")
def each_term_has_to_fall(fit):
    """Losses that rise with the size alone, or with the tokens alone."""
    for sign in ((-1, 1), (1, -1)):
        losses = [5 + sign[0] * 30 * n**-0.5 + sign[1] * 30 * d**-0.3 for n, d in zip(SIZES, TOKENS)]
        raises(MinidsError, fit, list(SIZES), list(TOKENS), losses, because="they rise along one of the two axes")


@case("pretraining.scaling_law")
def five_floats_come_back_whatever_went_in(fit):
    losses = _losses(1.0, 60.0, 0.5, 40.0, 0.3)
    whole = [int(n) for n in SIZES], [int(d) for d in TOKENS], losses
    tensors = [torch.tensor(x, dtype=torch.float64) for x in whole]
    for given in (whole, tensors):
        law = fit(*given)
        expect(law, _law(1.0, 60.0, 0.5, 40.0, 0.3), tol=1e-3, given=type(given[0]).__name__)
        assert all(type(x) is float for x in law.values()), f"the five values of a law are floats, got {law}"


@case("pretraining.scaling_law")
def noisy_losses_have_the_least_squared_error(fit):
    losses = _losses(1.2, 80.0, 0.55, 100.0, 0.4, noise=0.02)
    best = min((p for p in _pairs(losses, [k / 20 for k in range(1, 31)]) if p[3].min() >= 0), key=lambda p: p[0])
    law = fit(list(SIZES), list(TOKENS), losses)
    got = _error(law, losses)
    assert got <= best[0] * (1 + 1e-6), f"squared error {got:.3g} where {best[0]:.3g} is possible, with {law}"


@case("pretraining.scaling_law")
def the_best_of_all_pairs_and_not_of_those_on_a_path(fit):
    """Here one exponent alone helps no more at several pairs, and one of them is the best."""
    exponents = (0.1, 0.3, 0.5, 0.8, 1.2)
    for losses in (
        [9.55, 7.17, 4.99, 8.64, 5.89, 4.08, 8.21, 5.34, 3.55, 7.84, 5.06, 3.19],
        [13.81, 9.5, 6.93, 13.04, 9.21, 6.77, 11.91, 8.97, 6.03, 11.37, 8.45, 5.73],
        [13.07, 10.28, 8.49, 12.24, 9.85, 7.73, 11.31, 9.42, 6.88, 10.53, 8.44, 6.59],
    ):
        _, alpha, beta, _ = min((p for p in _pairs(losses, exponents) if p[3].min() >= 0), key=lambda p: p[0])
        law = fit(list(SIZES), list(TOKENS), losses, exponents)
        expect([law["alpha"], law["beta"]], [alpha, beta], losses=losses, exponents=exponents)


@case("pretraining.scaling_law")
def arrays_are_losses_too_and_stay_as_they_are(fit):
    losses = _losses(1.0, 60.0, 0.5, 40.0, 0.3)
    given = [np.array(x, dtype=np.float64) for x in (SIZES, TOKENS, losses)]
    expect(fit(*given, (0.3, 0.5, 0.9)), _law(1.0, 60.0, 0.5, 40.0, 0.3), tol=1e-3, exponents=(0.3, 0.5, 0.9))


@case("pretraining.scaling_law", held_out=True)
def another_law_is_found_again(fit):
    law = _law(random.uniform(0.5, 2), random.uniform(20, 90), 0.35, random.uniform(20, 90), 0.45)
    losses = _losses(law["E"], law["A"], law["alpha"], law["B"], law["beta"])
    expect(fit(list(SIZES), list(TOKENS), losses), law, tol=1e-3, losses=losses)
