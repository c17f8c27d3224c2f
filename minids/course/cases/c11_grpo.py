"""Chapter 11: GRPO. Independent answers: probabilities written down, loops over answers and tokens, numbers worked out
by hand, autograd where the exercise is not to use it."""

import math
import random

import torch

from minids.course.cases import case, expect, gradients, raises
from minids.errors import MinidsError
from minids.rl.grpo import LossConfig

# -- slopes by hand ----------------------------------------------------------------------------------------------------

SLOPES = "grpo.slopes"


def _answers(P, V, L, T, dtype=torch.float64):
    """A policy and answers of random lengths; what stands behind an answer's end is any id and any prefix."""
    theta = torch.randn(P, V, dtype=dtype)
    ids, nodes = torch.randint(0, V, (L, T)), torch.randint(0, P, (L, T))
    mask = torch.arange(T) < torch.randint(1, T + 1, (L, 1))
    return theta, ids, nodes, mask


def _by_autograd(theta, ids, nodes, mask):
    out = []
    for row, prefixes, real in zip(ids.tolist(), nodes.tolist(), mask.tolist()):
        leaf = theta.detach().clone().requires_grad_()
        logp = sum(leaf[p].log_softmax(-1)[i] for i, p, there in zip(row, prefixes, real) if there)
        out.append(torch.autograd.grad(logp, leaf)[0])
    return torch.stack(out)


def _table(*rows, dtype=torch.float64):
    return torch.tensor(rows, dtype=dtype)


@case(SLOPES)
def one_token_by_hand(slopes):
    """Probabilities 1/4, 1/4, 1/2, and token 1 was drawn."""
    theta = _table([0.0, 0.0, math.log(2.0)])
    ids, nodes, mask = torch.tensor([[1]]), torch.tensor([[0]]), torch.tensor([[True]])
    expect(slopes(theta, ids, nodes, mask), _table([[-0.25, 0.75, -0.5]]), theta_PV=theta, ids_LT=ids)


@case(SLOPES)
def two_tokens_in_two_rows(slopes):
    """Both rows give each of two tokens 1/2; the answer takes token 1 after prefix 0 and token 0 after prefix 2."""
    theta = torch.zeros(3, 2, dtype=torch.float64)
    ids, nodes, mask = torch.tensor([[1, 0]]), torch.tensor([[0, 2]]), torch.tensor([[True, True]])
    want = _table([[-0.5, 0.5], [0.0, 0.0], [0.5, -0.5]])
    expect(slopes(theta, ids, nodes, mask), want, ids_LT=ids, nodes_LT=nodes)


@case(SLOPES)
def two_tokens_after_the_same_prefix_add_up(slopes):
    theta = _table([0.0, 0.0, math.log(2.0)])
    ids, nodes, mask = torch.tensor([[1, 2]]), torch.tensor([[0, 0]]), torch.tensor([[True, True]])
    expect(slopes(theta, ids, nodes, mask), _table([[-0.5, 0.5, 0.0]]), ids_LT=ids, nodes_LT=nodes)


@case(SLOPES)
def the_stop_token_is_a_token_like_any_other(slopes):
    """Token 0 stops. Two answers: 0 at once; and 1, then 0."""
    theta = torch.zeros(2, 2, dtype=torch.float64)
    ids, nodes = torch.tensor([[0, 0], [1, 0]]), torch.tensor([[0, 0], [0, 1]])
    mask = torch.tensor([[True, False], [True, True]])
    want = _table([[0.5, -0.5], [0.0, 0.0]], [[-0.5, 0.5], [0.5, -0.5]])
    expect(slopes(theta, ids, nodes, mask), want, ids_LT=ids, nodes_LT=nodes, mask_LT=mask)


@case(SLOPES)
def nothing_behind_the_end_counts(slopes):
    theta, ids, nodes, mask = _answers(4, 3, 5, 4)
    mask[0] = torch.tensor([True, False, False, False])
    other = torch.where(mask, ids, (ids + 1) % 3), torch.where(mask, nodes, (nodes + 1) % 4)
    expect(slopes(theta, *other, mask), slopes(theta, ids, nodes, mask), tol=1e-5, mask_LT=mask)
    expect(slopes(theta, ids, nodes, mask), _by_autograd(theta, ids, nodes, mask), tol=1e-5, mask_LT=mask)


@case(SLOPES)
def agrees_with_autograd(slopes):
    for P, V, L, T in ((5, 3, 4, 3), (1, 4, 2, 5), (6, 2, 1, 1)):
        given = _answers(P, V, L, T)
        expect(slopes(*given), _by_autograd(*given), tol=1e-5, theta_PV=given[0], ids_LT=given[1], nodes_LT=given[2])


@case(SLOPES)
def float32_stays_float32(slopes):
    given = _answers(4, 5, 6, 3, torch.float32)
    expect(slopes(*given), _by_autograd(*given), tol=1e-5)


@case(SLOPES)
def logits_of_any_size(slopes):
    """A softmax does not change when the same is added to all logits, however much."""
    for dtype, far in ((torch.float32, 200.0), (torch.float64, 1000.0)):
        theta, ids, nodes, mask = _answers(3, 4, 5, 3, dtype)
        for moved in (theta + far, theta - far, theta * torch.tensor([1.0, far, -far], dtype=dtype)[:, None]):
            given = moved, ids, nodes, mask
            expect(slopes(*given), _by_autograd(*given), tol=1e-4, theta_PV=moved, ids_LT=ids, nodes_LT=nodes)


@case(SLOPES)
def no_answer_s_slopes_are_another_s(slopes):
    """Two answers over the same prefixes, one of them twice; and one answer alone."""
    theta, ids, nodes, mask = _answers(3, 4, 3, 4)
    ids[2], nodes[2], mask[2] = ids[0], nodes[0], mask[0]
    got = slopes(theta, ids, nodes, mask)
    expect(got, _by_autograd(theta, ids, nodes, mask), ids_LT=ids, nodes_LT=nodes, mask_LT=mask)
    expect(slopes(theta, ids[1:2], nodes[1:2], mask[1:2]), got[1:2], answers="the second alone")


@case(SLOPES, held_out=True)
def it_is_zero_on_average(slopes):
    """Over what the policy would draw: sum over tokens of p(token) times its slopes."""
    theta = torch.randn(1, 6, dtype=torch.float64)
    ids, ones = torch.arange(6)[:, None], torch.ones(6, 1, dtype=torch.bool)
    got = slopes(theta, ids, torch.zeros_like(ids), ones)
    expect((theta.softmax(-1).view(6, 1, 1) * got).sum(0), torch.zeros(1, 6, dtype=torch.float64), tol=1e-5)


# -- advantages --------------------------------------------------------------------------------------------------------

ADVANTAGES = "grpo.advantages"


def _std(values, ddof):
    mean = sum(values) / len(values)
    return math.sqrt(sum((v - mean) ** 2 for v in values) / max(len(values) - ddof, 1))


def _advantages(rewards, G, baseline="mean", scale="std", ddof=1, eps=1e-4):
    """Answer by answer, in Python's floats."""
    adv, informative = [], []
    for start in range(0, len(rewards), G):
        group = rewards[start : start + G]
        differs = max(group) > min(group)
        for i, r in enumerate(group):
            others = group[:i] + group[i + 1 :]
            base = {"none": 0.0, "mean": sum(group) / G, "loo": sum(others) / max(len(others), 1)}[baseline]
            size = {"none": 1.0, "std": _std(group, ddof) + eps, "batch": _std(rewards, ddof) + eps}[scale]
            adv.append((r - base) / size if differs or baseline == "none" else 0.0)
            informative.append(differs)
    return torch.tensor(adv), torch.tensor(informative)


def _judge(advantages, rewards, G, tol=1e-4, **settings):
    given = torch.tensor(rewards)
    got = advantages(given, G, **settings)
    expect(got, _advantages(rewards, G, **settings), tol=tol, rewards_N=given, group_size=G, **settings)


@case(ADVANTAGES)
def one_right_answer_of_four(advantages):
    """Mean 1/4, and with N - 1 a standard deviation of 1/2."""
    rewards, informative = torch.tensor([1.0, 0.0, 0.0, 0.0]), torch.tensor([True] * 4)
    adv = torch.tensor([0.75, -0.25, -0.25, -0.25])
    expect(advantages(rewards, 4, scale="none"), (adv, informative), rewards_N=rewards, group_size=4, scale="none")
    expect(advantages(rewards, 4, eps=0.0), (2 * adv, informative), rewards_N=rewards, group_size=4, eps=0.0)


@case(ADVANTAGES)
def a_group_is_compared_with_itself_only(advantages):
    _judge(advantages, [1.0, 0.0, 5.0, 2.0, 9.0, 3.0], 2, scale="none")
    _judge(advantages, [1.0, 0.0, 5.0, 2.0, 9.0, 3.0], 3, scale="none")


@case(ADVANTAGES)
def leave_one_out_compares_with_the_others(advantages):
    rewards = [1.0, 0.0, 0.0, 0.0, 0.5, 0.25, 1.0, 0.0]
    _judge(advantages, rewards, 4, baseline="loo", scale="none")
    # whatever is taken off, it is the rewards whose deviation is taken
    for scale in ("std", "batch"):
        for ddof in (0, 1):
            _judge(advantages, rewards, 4, baseline="loo", scale=scale, ddof=ddof, eps=0.1)


@case(ADVANTAGES)
def the_standard_deviation_of_the_group(advantages):
    for ddof in (0, 1):
        _judge(advantages, [1.0, 0.0, 0.5, 0.25, 4.0, 1.0], 3, ddof=ddof, eps=0.5)
        _judge(advantages, [3000.0, 3000.5, 3001.0, 3000.5], 4, ddof=ddof, eps=0.1)  # far from 0, near each other


@case(ADVANTAGES)
def the_standard_deviation_of_all_rewards(advantages):
    """That of the rewards themselves: how far the groups lie apart counts too."""
    for ddof in (0, 1):
        _judge(advantages, [1.0, 0.0, 0.5, 3.0, 4.0, 5.0], 3, scale="batch", ddof=ddof, eps=0.25)


@case(ADVANTAGES)
def equal_rewards_give_exactly_zero(advantages):
    """Sevenths and tenths are rounded; what rounding leaves over must not be divided by something small."""
    for value, G in ((0.1, 7), (1 / 7, 3), (0.7, 6)):
        rewards = torch.tensor([value] * G + [1.0] + [0.0] * (G - 1))
        for baseline in ("mean", "loo"):
            adv, informative = advantages(rewards, G, baseline=baseline, eps=1e-9)
            given = dict(rewards_N=rewards, group_size=G, baseline=baseline, eps=1e-9)
            expect(adv[:G], torch.zeros(G), tol=0.0, **given)
            expect(informative, torch.tensor([False] * G + [True] * G), **given)


@case(ADVANTAGES)
def equal_rewards_give_zero_without_a_division_too(advantages):
    """In float64 the mean of three times 0.1 is not 0.1, in whatever order they are added up."""
    rewards = torch.tensor([0.1] * 3 + [1.0, 0.0, 0.0], dtype=torch.float64)
    adv, informative = advantages(rewards, 3, scale="none")
    expect(adv[:3], torch.zeros(3, dtype=torch.float64), tol=0.0, rewards_N=rewards, group_size=3, scale="none")
    expect(informative, torch.tensor([False] * 3 + [True] * 3), rewards_N=rewards, group_size=3, scale="none")


@case(ADVANTAGES)
def an_answer_of_mean_reward_is_still_in_an_informative_group(advantages):
    _judge(advantages, [0.0, 1.0, 2.0, 1.0, 1.0, 1.0], 3)


@case(ADVANTAGES)
def without_a_baseline_rewards_stay(advantages):
    """Also where all are equal: nothing is taken off that could make them zero."""
    _judge(advantages, [0.75, 0.75, 1.0, 0.0], 2, baseline="none", scale="none")


@case(ADVANTAGES)
def what_makes_no_groups_is_refused(advantages):
    raises(MinidsError, advantages, torch.zeros(5), 2, because="five rewards in groups of 2")
    raises(MinidsError, advantages, torch.zeros(2, 2), 2, because="rewards that are a table")
    raises(MinidsError, advantages, torch.zeros(4), 0, because="a group_size of 0")
    for bad in (math.nan, math.inf, -math.inf):
        raises(MinidsError, advantages, torch.tensor([0.0, bad]), 2, because=f"a reward that is {bad}")


@case(ADVANTAGES)
def unknown_settings_are_refused(advantages):
    rewards = torch.tensor([1.0, 0.0])
    for setting in (dict(baseline="median"), dict(scale="range"), dict(ddof=2), dict(baseline=None), dict(scale=None)):
        raises(MinidsError, advantages, rewards, 2, **setting, because=f"{setting}")
    raises(MinidsError, advantages, rewards, 1, baseline="loo", because="loo in groups of one, which have no others")


@case(ADVANTAGES)
def a_small_difference_is_a_difference(advantages):
    for rewards in ([0.5, 0.5001], [1.0, 1.0, 1.0, 1.000001], [0.0, 1e-7]):
        given = torch.tensor(rewards, dtype=torch.float64)
        G = len(rewards)
        adv, informative = advantages(given, G, scale="none")
        expect(informative, torch.tensor([True] * G), rewards_N=given)
        expect(adv * 1e7, (given - given.mean()) * 1e7, tol=1e-3, rewards_N=given, scale="none")


@case(ADVANTAGES)
def a_group_of_one_says_nothing(advantages):
    rewards = torch.tensor([0.7, 0.2])
    for scale in ("std", "none"):
        got = advantages(rewards, 1, scale=scale)
        expect(got, (torch.zeros(2), torch.tensor([False, False])), rewards_N=rewards, group_size=1, scale=scale)


@case(ADVANTAGES)
def whole_numbers_and_float64(advantages):
    adv = torch.tensor([0.5, -0.5])
    for given in (torch.tensor([1, 0]), torch.tensor([True, False]), torch.tensor([1, 0], dtype=torch.int8)):
        expect(advantages(given, 2, scale="none")[0], adv, rewards_N=given)
    given = torch.tensor([1.0, 0.0], dtype=torch.float64)
    expect(advantages(given, 2, scale="none")[0], adv.double(), rewards_N=given)
    _judge(advantages, [1.0, 0.0, 0.5, 0.25], 4)  # the defaults


@case(ADVANTAGES)
def without_a_baseline_rewards_may_still_be_scaled(advantages):
    for scale in ("std", "batch"):
        _judge(advantages, [0.75, 0.75, 1.0, 0.0], 2, baseline="none", scale=scale, eps=0.5)


@case(ADVANTAGES, held_out=True)
def random_groups(advantages):
    for G in (2, 5, 8):
        rewards = [random.choice([0.0, 0.1, 1.0, 1.1]) for _ in range(6 * G)]
        for baseline in ("mean", "loo", "none"):
            for scale in ("std", "batch", "none"):
                _judge(advantages, rewards, G, baseline=baseline, scale=scale, ddof=random.choice([0, 1]), eps=0.01)


# -- the clipped surrogate ---------------------------------------------------------------------------------------------

SURROGATE = "grpo.surrogate"
CLIPS = (
    ("none", 0.2, 0.2, None),
    ("symmetric", 0.2, 0.2, None),
    ("higher", 0.2, 0.4, None),
    ("dual", 0.2, 0.3, 2.0),
    ("cispo", 0.2, 0.5, None),
)


def _surrogate(ratio, adv, logp, clip, low, high, dual_delta):
    """Token by token, by cases: what the equations come to for each sign of the advantage."""
    out = []
    for w, a, lp in zip(ratio.flatten(), adv.flatten(), logp.flatten()):
        if clip == "cispo":
            value = min(float(w.detach()), 1 + high) * a * lp
        elif clip == "none":
            value = w * a
        elif a > 0:
            value = w * a if w < 1 + high else (1 + high) * a
        else:
            value = w * a if w > 1 - low else (1 - low) * a
            if clip == "dual" and w > dual_delta:
                value = dual_delta * a
        out.append(value + 0 * (w + lp))
    return torch.stack(out).view(ratio.shape)


def _row(*values):
    return torch.tensor([values], dtype=torch.float64)


def ratios():
    return _row(0.5, 0.9, 1.1, 1.5)


def up():
    return _row(1.0, 1.0, 1.0, 1.0)


def down():
    return -up()


@case(SURROGATE)
def without_a_clip_it_is_the_ratio_times_the_advantage(surrogate):
    for adv in (up(), 2 * down()):
        expect(surrogate(ratios(), adv, torch.zeros(1, 4), "none", 0.2, 0.2, None), ratios() * adv, ratio_NT=ratios())


@case(SURROGATE)
def a_good_answer_gains_up_to_the_upper_bound(surrogate):
    got = surrogate(ratios(), up(), torch.zeros(1, 4), "symmetric", 0.2, 0.2, None)
    expect(got, _row(0.5, 0.9, 1.1, 1.2), ratio_NT=ratios(), adv_NT=up())


@case(SURROGATE)
def a_bad_answer_gains_down_to_the_lower_bound(surrogate):
    got = surrogate(ratios(), down(), torch.zeros(1, 4), "symmetric", 0.2, 0.2, None)
    expect(got, _row(-0.8, -0.9, -1.1, -1.5), ratio_NT=ratios(), adv_NT=down())


@case(SURROGATE)
def a_token_on_the_wrong_side_is_pulled_back(surrogate):
    """Slopes: none beyond the bound in the direction of the advantage, all of it on the other side. A good answer that
    has become half as likely is still to become likelier."""
    zeros = torch.zeros(1, 4, dtype=torch.float64)
    weights = torch.linspace(-1, 1, 4, dtype=torch.float64)  # of `gradients`
    for adv, slope in ((up(), _row(1.0, 1.0, 1.0, 0.0)), (down(), _row(0.0, -1.0, -1.0, -1.0))):
        _, (got, *_) = gradients(surrogate, ratios(), adv, zeros, "symmetric", 0.2, 0.2, None)
        expect(got / weights, slope, ratio_NT=ratios(), adv_NT=adv, compared="slopes along the ratio")


@case(SURROGATE)
def the_two_bounds_may_differ(surrogate):
    zeros = torch.zeros(1, 4)
    expect(surrogate(ratios(), up(), zeros, "higher", 0.2, 0.4, None), _row(0.5, 0.9, 1.1, 1.4), adv_NT=up(), high=0.4)
    expect(surrogate(ratios(), down(), zeros, "higher", 0.3, 0.4, None), _row(-0.7, -0.9, -1.1, -1.5), low=0.3)


@case(SURROGATE)
def a_dual_clip_also_bounds_what_a_bad_answer_costs(surrogate):
    ratio, zeros = _row(0.5, 1.5, 2.5, 9.0), torch.zeros(1, 4)
    got = surrogate(ratio, down(), zeros, "dual", 0.2, 0.2, 3.0)
    expect(got, _row(-0.8, -1.5, -2.5, -3.0), ratio_NT=ratio, adv_NT=down(), dual_delta=3.0)
    expect(surrogate(ratio, up(), zeros, "dual", 0.2, 0.2, 3.0), _row(0.5, 1.2, 1.2, 1.2), ratio_NT=ratio, adv_NT=up())


@case(SURROGATE)
def cispo_weighs_the_log_probability(surrogate):
    logp = _row(-1.0, -2.0, -3.0, -4.0)
    for adv in (up(), down()):
        got = surrogate(ratios(), adv, logp, "cispo", 0.2, 0.3, None)
        expect(got, _row(0.5, 0.9, 1.1, 1.3) * adv * logp, ratio_NT=ratios(), adv_NT=adv, logp_NT=logp, high=0.3)


@case(SURROGATE)
def cispo_has_a_slope_for_every_token_and_none_through_the_ratio(surrogate):
    logp = _row(-1.0, -2.0, -3.0, -4.0)
    _, (ratio, _, along) = gradients(surrogate, ratios(), down(), logp, "cispo", 0.2, 0.3, None)
    expect(ratio, torch.zeros_like(ratios()), compared="slopes along the ratio", clip="cispo")
    want = _row(-0.5, -0.9, -1.1, -1.3) * torch.linspace(-1, 1, 4, dtype=torch.float64)
    expect(along, want, compared="slopes along logp", clip="cispo")


@case(SURROGATE)
def every_token_of_random_answers(surrogate):
    for settings in CLIPS:
        ratio, adv = torch.randn(3, 4, dtype=torch.float64).exp(), torch.randn(3, 4, dtype=torch.float64)
        logp = -torch.rand(3, 4, dtype=torch.float64)
        got, slopes = gradients(surrogate, ratio, adv, logp, *settings)
        want, right = gradients(_surrogate, ratio, adv, logp, *settings)
        expect(got, want, tol=1e-5, ratio_NT=ratio, adv_NT=adv, clip=settings[0])
        for name, one, two in zip(("ratio_NT", None, "logp_NT"), slopes, right):
            if name:  # no run has a slope along the advantages
                expect(one, two, tol=1e-5, gradient_of=name, clip=settings[0])


@case(SURROGATE)
def good_and_bad_tokens_in_one_batch(surrogate):
    """What holds for a token is asked of its own advantage: good ones outweigh the bad, or the other way round."""
    ratio, logp = torch.tensor([[0.4, 1.0, 2.5, 9.0], [9.0, 2.5, 1.0, 0.4]]), -torch.ones(2, 4)
    for sign in (1.0, -1.0):
        adv = sign * torch.tensor([[3.0, 3.0, 2.0, 3.0], [-1.0, -1.0, 1.0, -0.5]])
        for settings in CLIPS:
            want = _surrogate(ratio, adv, logp, *settings)
            expect(surrogate(ratio, adv, logp, *settings), want, ratio_NT=ratio, adv_NT=adv, clip=settings[0])


@case(SURROGATE)
def no_advantage_no_gain(surrogate):
    zeros = torch.zeros(1, 4, dtype=torch.float64)
    for settings in CLIPS:
        expect(surrogate(ratios(), zeros, up(), *settings) + 0.0, zeros, clip=settings[0])


@case(SURROGATE, held_out=True)
def float32_and_larger_tensors(surrogate):
    for settings in CLIPS:
        ratio, adv, logp = torch.randn(5, 9).exp(), torch.randn(5, 9), -torch.rand(5, 9)
        expect(surrogate(ratio, adv, logp, *settings), _surrogate(ratio, adv, logp, *settings), clip=settings[0])


# -- estimates of the KL divergence ------------------------------------------------------------------------------------

KL = "grpo.kl"


def _logs(n, dtype=torch.float64):
    return torch.randn(n, dtype=dtype).log_softmax(-1), torch.randn(n, dtype=dtype).log_softmax(-1)


@case(KL)
def twice_as_likely_by_hand(kl_estimate):
    """x = log 2."""
    logp, ref = torch.tensor([math.log(0.5)]), torch.tensor([math.log(0.25)])
    for kind, want in (("k1", 0.693147), ("k2", 0.240227), ("k3", 0.193147)):
        expect(kl_estimate(logp, ref, kind), torch.tensor([want]), logp=logp, ref_logp=ref, kind=kind)


@case(KL)
def half_as_likely_by_hand(kl_estimate):
    """x = -log 2: k1 is below zero, the others are not."""
    logp, ref = torch.tensor([math.log(0.25)]), torch.tensor([math.log(0.5)])
    for kind, want in (("k1", -0.693147), ("k2", 0.240227), ("k3", 0.306853)):
        expect(kl_estimate(logp, ref, kind), torch.tensor([want]), logp=logp, ref_logp=ref, kind=kind)


@case(KL)
def the_mean_over_tokens_of_the_policy_is_the_divergence(kl_estimate):
    """Every token with its probability: k1 and k3 give KL(pi || ref) itself."""
    logp, ref = _logs(7)
    exact = (logp.exp() * (logp - ref)).sum()
    for kind in ("k1", "k3"):
        expect((logp.exp() * kl_estimate(logp, ref, kind)).sum(), exact, tol=1e-5, kind=kind, logp=logp, ref_logp=ref)


@case(KL)
def two_equal_policies_are_not_apart(kl_estimate):
    logp, _ = _logs(5)
    for kind in ("k1", "k2", "k3"):
        expect(kl_estimate(logp, logp.clone(), kind), torch.zeros_like(logp), tol=1e-6, kind=kind)


@case(KL)
def slopes_along_the_policy(kl_estimate):
    """1, x and 1 - exp(-x)."""
    logp, ref = _logs(6)
    x, weights = logp - ref, torch.linspace(-1, 1, 6, dtype=torch.float64)
    for kind, slope in (("k1", torch.ones_like(x)), ("k2", x), ("k3", 1 - torch.exp(-x))):
        _, (got, _) = gradients(kl_estimate, logp, ref, kind)
        expect(got, slope * weights, tol=1e-5, kind=kind, compared="slopes along logp")


@case(KL)
def an_unknown_kind_is_refused(kl_estimate):
    for kind in ("k4", "none", "K1", "", "k"):
        raises(MinidsError, kl_estimate, torch.zeros(1), torch.zeros(1), kind, because=f"kind={kind!r}")


@case(KL)
def tokens_of_several_answers(kl_estimate):
    x = torch.randn(2, 5, dtype=torch.float64)
    ref = -torch.rand(2, 5, dtype=torch.float64)
    for kind, want in (("k1", x), ("k2", x * x / 2), ("k3", torch.exp(-x) + x - 1)):
        expect(kl_estimate(ref + x, ref, kind), want, kind=kind, logp="[2, 5]", ref_logp="[2, 5]")


@case(KL)
def far_apart_it_is_as_large_as_it_is(kl_estimate):
    for x in (-30.0, -12.0, 15.0, 40.0):
        given = torch.tensor([x], dtype=torch.float64), torch.zeros(1, dtype=torch.float64)
        for kind, want in (("k1", x), ("k2", x * x / 2), ("k3", math.exp(-x) + x - 1)):
            expect(kl_estimate(*given, kind), torch.tensor([want], dtype=torch.float64), kind=kind, x=x)


@case(KL)
def tokens_that_hardly_ever_come(kl_estimate):
    """Their probabilities are 0 as floats; x is not."""
    for dtype, low in ((torch.float32, -300.0), (torch.float64, -2000.0)):
        logp, ref = torch.tensor([low, low, low + 2], dtype=dtype), torch.tensor([low, low + 1, low], dtype=dtype)
        x = logp - ref
        for kind, want in (("k1", x), ("k2", x * x / 2), ("k3", torch.exp(-x) + x - 1)):
            expect(kl_estimate(logp, ref, kind), want, kind=kind, logp=logp, ref_logp=ref)


@case(KL)
def the_reference_may_be_a_number(kl_estimate):
    x = torch.randn(2, 5)
    for kind, want in (("k1", x), ("k2", x * x / 2), ("k3", torch.exp(-x) + x - 1)):
        expect(kl_estimate(x, 0.0, kind), want, tol=1e-5, kind=kind)


@case(KL, held_out=True)
def never_below_zero(kl_estimate):
    x = torch.randn(3, 50, dtype=torch.float64) * 3
    for kind in ("k2", "k3"):
        assert bool((kl_estimate(x, torch.zeros_like(x), kind) >= -1e-12).all()), f"{kind} is below zero somewhere"


# -- one integer, strictly ---------------------------------------------------------------------------------------------

INTEGER = "reward.integer"


def _reads(parse_integer, texts):
    for text, want in texts.items():
        got = parse_integer(text)
        assert not isinstance(got, bool) and type(got) is type(want), (
            f"{text!r}: {want!r} was expected, got {got!r} of type {type(got).__name__}"
        )
        expect(got, want, text=text)


@case(INTEGER)
def plain_integers(parse_integer):
    _reads(parse_integer, {"5": 5, "0": 0, "347": 347, "1000": 1000, "9020": 9020})


@case(INTEGER)
def numbers_below_zero(parse_integer):
    _reads(parse_integer, {"-5": -5, "-120": -120})


@case(INTEGER)
def blanks_around_it_do_not_matter(parse_integer):
    _reads(parse_integer, {" 19": 19, "19\n": 19, "\t-7 \r\n": -7})


@case(INTEGER)
def one_spelling_for_each_number(parse_integer):
    _reads(
        parse_integer,
        {
            "+5": None,
            "05": None,
            "00": None,
            "-0": None,
            "5.0": None,
            "1,000": None,
            "1_000": None,
            "1e3": None,
            "-05": None,
            "- 5": None,
        },
    )


@case(INTEGER)
def the_whole_text_is_the_number(parse_integer):
    _reads(parse_integer, {"5 apples": None, "about 5": None, "19 or 20": None, "12 19": None, "x=5": None, "5.": None})


@case(INTEGER)
def nothing_is_computed(parse_integer):
    _reads(parse_integer, {"12+7": None, "9*9": None, "(5)": None, "0x10": None, "--5": None})


@case(INTEGER)
def digits_of_other_scripts_are_not_read(parse_integer):
    _reads(parse_integer, {"٣": None, "１９": None, "5٣": None, "²": None, "1²": None})


@case(INTEGER)
def no_number_at_all(parse_integer):
    _reads(parse_integer, {"": None, " ": None, "-": None, "five": None, "None": None})


@case(INTEGER)
def at_most_64_digits(parse_integer):
    _reads(parse_integer, {"7" * 64: int("7" * 64), "-" + "7" * 64: -int("7" * 64), "7" * 65: None, "7" * 5000: None})


@case(INTEGER)
def other_blanks_are_no_blanks(parse_integer):
    """A no-break space, and the end of a page."""
    _reads(parse_integer, {"\u00a05": None, "5\u2003": None, "\f5": None})


@case(INTEGER, held_out=True)
def random_integers_and_their_neighbours(parse_integer):
    for _ in range(30):
        n = random.randint(-(10**9), 10**9)
        _reads(parse_integer, {f" {n}": n, f"{n}.0": None, f"{n}-": None, f"0{abs(n)}": None, f"{n}\n{n}": None})


@case(INTEGER, held_out=True)
def a_line_end_inside_is_not_an_end(parse_integer):
    _reads(parse_integer, {"5\n6": None, "5\n\n": 5, "\n5": 5, "5\nAnswer: 6": None})


# -- the loss ----------------------------------------------------------------------------------------------------------

LOSS = "grpo.loss"


def _batch(N, T, moved=0.3, dtype=torch.float64):
    """(logp, old, adv, mask): answers of random lengths; the policy has moved since they were drawn."""
    old = -torch.rand(N, T, dtype=dtype) * 3
    mask = torch.arange(T) < torch.randint(1, T + 1, (N, 1))
    mask[0], mask[1] = True, torch.arange(T) < 1  # one long and one short, whatever the dice say
    return old + moved * torch.randn(N, T, dtype=dtype), old, torch.randn(N, dtype=dtype), mask


def _by_hand(
    logp,
    old,
    adv,
    mask,
    aggregation="token_mean",
    constant=None,
    clip=True,
    low=0.2,
    high=0.2,
    kl=None,
    coef=0.0,
    ref=None,
    unbiased=False,
    sequence=False,
    normalizer=None,
    answers=None,
):
    """Answer by answer and token by token."""
    N, T = logp.shape
    total, tokens = 0.0, 0
    for n in range(N):
        places = [t for t in range(T) if mask[n, t]]
        if sequence and places:
            mean = sum(logp[n, t] - old[n, t].detach() for t in places) / len(places)
        for t in places:
            w = torch.exp(logp[n, t] - old[n, t].detach())
            s = torch.exp(mean) if sequence else w
            a = adv[n] if adv.dim() == 1 else adv[n, t]
            gain = s * a
            if clip and a > 0 and s > 1 + high:
                gain = (1 + high) * a
            if clip and a < 0 and s < 1 - low:
                gain = (1 - low) * a
            term = -gain
            if kl is not None:
                x = logp[n, t] - ref[n, t]
                k = {"k1": x, "k2": x * x / 2, "k3": torch.exp(-x) + x - 1}[kl]
                term = term + coef * (w * k if unbiased else k)
            total = total + term / (len(places) if aggregation == "sequence_mean" else 1)
        tokens += len(places)
    if normalizer is None:
        normalizer = tokens if aggregation == "token_mean" else (N if answers is None else answers)
    return total / (max(normalizer, 1) * (constant if aggregation == "constant" else 1)) + 0 * logp.sum()


def _same(grpo_loss, batch, settings, hand, shown=()):
    """Value and slopes along logp are those worked out by hand."""
    given = {"adv_N": batch[2], "mask_NT": batch[3].int(), **settings, **dict(shown)}
    (loss, _), (slope, old, *_) = gradients(grpo_loss, *batch, **settings)
    want, (right, *_) = gradients(lambda logp: _by_hand(logp, *batch[1:], **hand), batch[0])
    expect(loss, want, tol=1e-5, **given)
    expect(slope, right, tol=1e-5, compared="slopes along logp_NT", **given)
    expect(old, torch.zeros_like(old), compared="slopes along old_logp_NT: there are none", **given)


@case(LOSS)
def the_first_step_by_hand(grpo_loss):
    """Ratios are 1. Two answers of one and three tokens with advantages 1 and -1."""
    logp, adv = torch.tensor([[-1.0, 0.0, 0.0], [-2.0, -0.5, -1.0]]), torch.tensor([1.0, -1.0])
    mask = torch.tensor([[1, 0, 0], [1, 1, 1]])
    for settings, want in (
        ({"aggregation": "token_mean"}, 2 / 4),
        ({"aggregation": "sequence_mean"}, 0.0),
        ({"aggregation": "constant", "constant": 10}, 2 / 20),
    ):
        loss, _ = grpo_loss(logp, logp.clone(), adv, mask, **settings)
        expect(loss, torch.tensor(want), adv_N=adv, mask_NT=mask, **settings)


@case(LOSS)
def the_first_step_is_the_policy_gradient(grpo_loss):
    for settings in ({}, {"aggregation": "sequence_mean"}, {"aggregation": "constant", "constant": 8}):
        _same(grpo_loss, _batch(3, 5, moved=0.0), settings, settings)


@case(LOSS)
def a_later_step_has_ratios_and_a_clip(grpo_loss):
    for settings in ({}, {"aggregation": "sequence_mean"}, {"aggregation": "constant", "constant": 8}):
        _same(grpo_loss, _batch(4, 5), settings, settings)
    _same(grpo_loss, _batch(4, 5), {"clip": "none"}, {"clip": False})
    _same(grpo_loss, _batch(4, 5), {"clip": "higher", "clip_low": 0.1, "clip_high": 0.3}, {"low": 0.1, "high": 0.3})


@case(LOSS)
def padding_may_hold_anything(grpo_loss):
    logp, old, adv, mask = _batch(3, 4)
    want = grpo_loss(logp, old, adv, mask)[0]
    for filling in (math.nan, math.inf, 1e30):
        other = torch.where(mask, logp, filling), torch.where(mask, old, -filling)
        (loss, _), (slope, *_) = gradients(grpo_loss, *other, adv, mask)
        expect(loss, want, tol=1e-5, padding=filling, mask_NT=mask.int())
        there = torch.where(mask, 0.0, slope)
        expect(there, torch.zeros_like(slope), padding=filling, compared="slopes in the padding")


@case(LOSS)
def padding_of_the_reference_may_hold_anything_too(grpo_loss):
    for kind in ("k1", "k2", "k3"):
        for unbiased in (False, True) if kind != "k2" else (False,):
            logp, old, adv, mask = _batch(3, 4)
            ref = old - 0.5 * torch.rand(3, 4, dtype=torch.float64)
            how = dict(kl=kind, kl_coef=0.5, kl_unbiased=unbiased)
            want = _by_hand(logp, old, adv, mask, kl=kind, coef=0.5, ref=ref, unbiased=unbiased)
            for filling in (math.nan, math.inf):
                other = [torch.where(mask, x, f) for x, f in ((logp, filling), (old, -filling), (ref, filling))]
                (loss, _), (slope, *_) = gradients(grpo_loss, *other[:2], adv, mask, ref_logp_NT=other[2], **how)
                expect(loss, want, padding=filling, mask_NT=mask.int(), **how)
                assert slope.isfinite().all(), f"{filling} in the padding reached the slopes along logp_NT ({how})"


@case(LOSS)
def the_reference_pulls(grpo_loss):
    for kind in ("k1", "k2", "k3"):
        batch = _batch(3, 4)
        ref = batch[1] + 0.5 * torch.randn(3, 4, dtype=torch.float64)
        settings = {"kl": kind, "kl_coef": 0.5, "ref_logp_NT": ref, "aggregation": "sequence_mean"}
        hand = {"kl": kind, "coef": 0.5, "ref": ref, "aggregation": "sequence_mean"}
        _same(grpo_loss, batch, settings, hand)


@case(LOSS)
def an_unbiased_kl_is_weighed_with_the_ratio(grpo_loss):
    batch = _batch(3, 4)
    ref = batch[1] + 0.5 * torch.randn(3, 4, dtype=torch.float64)
    settings = {"kl": "k3", "kl_coef": 0.5, "ref_logp_NT": ref, "kl_unbiased": True}
    _same(grpo_loss, batch, settings, {"kl": "k3", "coef": 0.5, "ref": ref, "unbiased": True})
    whole = {"ratio": "sequence", "aggregation": "sequence_mean"}  # with the token's ratio all the same
    hand = {"sequence": True, "aggregation": "sequence_mean"}
    _same(grpo_loss, batch, settings | whole, {"kl": "k3", "coef": 0.5, "ref": ref, "unbiased": True} | hand)


@case(LOSS)
def parts_add_up_to_the_whole(grpo_loss):
    """Two micro-batches of one optimizer step, each told the whole step's denominator."""
    batch = _batch(4, 5)
    whole = grpo_loss(*batch)[0]
    tokens = float(batch[3].sum())
    halves = slice(0, 1), slice(1, 4)
    parts = [grpo_loss(*(x[half] for x in batch), normalizer=tokens)[0] for half in halves]
    expect(parts[0] + parts[1], whole, tol=1e-5, normalizer=tokens, tokens_of_the_parts=batch[3].sum(1))
    for how in (dict(aggregation="sequence_mean"), dict(aggregation="constant", constant=7)):
        whole = grpo_loss(*batch, **how)[0]
        parts = [grpo_loss(*(x[half] for x in batch), normalizer=4, **how)[0] for half in halves]
        expect(parts[0] + parts[1], whole, tol=1e-5, normalizer=4, answers_of_the_parts=(1, 3), **how)


@case(LOSS)
def what_does_not_fit_together_is_refused(grpo_loss):
    batch = _batch(2, 3)
    for settings in (
        dict(aggregation="sum"),
        dict(aggregation="constant"),
        dict(ratio="answer"),
        dict(clip="both"),
        dict(kl="k4", ref_logp_NT=batch[1]),
        dict(kl_coef=0.1),
        dict(clip="dual"),
        dict(clip="higher"),
        dict(kl="k2", kl_unbiased=True, ref_logp_NT=batch[1]),
        dict(correction="some"),
    ):
        shown = {k: v if not isinstance(v, torch.Tensor) else "given" for k, v in settings.items()}
        raises(MinidsError, grpo_loss, *batch, **settings, because=f"{shown}")


@case(LOSS)
def tensors_that_are_missing_or_of_no_use_are_refused(grpo_loss):
    batch = _batch(2, 3)
    other = batch[1] - 0.1
    for because, settings in (
        ("a KL needs a reference", dict(kl="k3", kl_coef=0.1)),
        ("a correction needs the sampler's log-probabilities", dict(correction="token_truncate")),
        ("nothing uses a sampler", dict(sampler_logp_NT=other)),
        ("a reference [2, 2] beside logp [2, 3]", dict(kl="k1", kl_coef=0.1, ref_logp_NT=other[:, :2])),
        ("a reference of one answer beside two", dict(kl="k1", kl_coef=0.1, ref_logp_NT=other[:1])),
    ):
        raises(MinidsError, grpo_loss, *batch, **settings, because=because)
    raises(MinidsError, grpo_loss, batch[0], batch[1][:1], *batch[2:], because="old_logp [1, 3] beside logp [2, 3]")
    raises(MinidsError, grpo_loss, *batch[:3], batch[3][:, :1], because="a mask [2, 1] beside logp [2, 3]")


@case(LOSS)
def keywords_change_the_config_that_is_given(grpo_loss):
    """An answer to the exercise of earlier versions has no `config`, and every run gives it keywords."""
    batch, config = _batch(3, 5), LossConfig(aggregation="sequence_mean", clip="higher", clip_high=0.4)
    try:
        grpo_loss(*batch, config=config)
    except Exception as error:
        if "unexpected keyword argument 'config'" in str(error):
            return
        raise
    _same(grpo_loss, batch, {"config": config}, {"aggregation": "sequence_mean", "high": 0.4})
    for changed, hand in (
        (dict(aggregation="token_mean"), dict(high=0.4)),
        (dict(clip_high=0.1), dict(high=0.1)),
        (dict(clip="none", clip_high=0.2), dict(clip=False)),
    ):
        hand = {"aggregation": "sequence_mean"} | hand | {k: v for k, v in changed.items() if k == "aggregation"}
        _same(grpo_loss, batch, {"config": config, **changed}, hand)
    raises(MinidsError, grpo_loss, *batch, config=config, clip="both", because="clip='both' beside a config")
    raises(MinidsError, grpo_loss, *batch, config=config, clips="none", because="there is no setting 'clips'")


@case(LOSS)
def masks_of_any_type(grpo_loss):
    logp, old, adv, mask = _batch(3, 4)
    want = grpo_loss(logp, old, adv, mask)[0]
    for dtype in (torch.int64, torch.float64, torch.float32, torch.uint8):
        expect(grpo_loss(logp, old, adv, mask.to(dtype))[0], want, tol=1e-5, mask_NT=dtype)


@case(LOSS)
def a_dual_clip_and_cispo(grpo_loss):
    logp, old, adv, mask = _batch(4, 5, moved=1.0)
    w = torch.where(mask, logp - old, 0.0).exp()
    a = adv[:, None].expand_as(w)
    dual = torch.minimum(w * a, w.clamp(0.8, 1.2) * a)
    dual = torch.where(a < 0, torch.maximum(dual, 2.0 * a), dual)
    for how, gain in (
        (dict(clip="dual", dual_delta=2.0), dual),
        (dict(clip="cispo", clip_high=0.2), w.clamp(max=1.2) * a * logp),
    ):
        want = -torch.where(mask, gain, 0.0).sum() / mask.sum()
        expect(grpo_loss(logp, old, adv, mask, **how)[0], want, tol=1e-5, ratios=w, adv_N=adv, **how)


@case(LOSS)
def left_out_groups_are_as_if_they_were_not_there(grpo_loss):
    for aggregation, constant in (("token_mean", None), ("sequence_mean", None), ("constant", 6)):
        logp, old, adv, mask = _batch(4, 4)
        ref, keep = old - 0.3, torch.tensor([True, True, False, False])
        how = {"aggregation": aggregation, "constant": constant, "kl": "k2", "kl_coef": 0.3}
        want, _ = grpo_loss(*(x[:2] for x in (logp, old, adv, mask)), ref_logp_NT=ref[:2], **how)
        got, _ = grpo_loss(logp, old, adv, mask, ref_logp_NT=ref, informative_N=keep, skip_zero_variance=True, **how)
        expect(got, want, tol=1e-5, informative_N=keep, skip_zero_variance=True, **how)


@case(LOSS)
def answers_cut_off_lose_their_tokens_and_still_count(grpo_loss):
    logp, old, adv, mask = _batch(3, 4)
    done = torch.tensor([True, True, False])
    for aggregation, constant in (("token_mean", None), ("sequence_mean", None), ("constant", 6)):
        how = {"aggregation": aggregation, "constant": constant}
        seen = mask & done[:, None]
        want = _by_hand(logp, old, adv, seen, answers=3, **how)
        got, _ = grpo_loss(logp, old, adv, mask, finished_N=done, mask_truncated=True, **how)
        expect(got, want, tol=1e-5, finished_N=done, mask_truncated=True, **how)


@case(LOSS)
def gspo_has_one_ratio_for_an_answer(grpo_loss):
    settings = {"ratio": "sequence", "aggregation": "sequence_mean"}
    _same(grpo_loss, _batch(3, 5), settings, {"sequence": True, "aggregation": "sequence_mean"})


@case(LOSS)
def it_reports_what_it_has_seen(grpo_loss):
    """Three tokens and no more: ratios 0.5, 1 and 2 where the advantage is 1; the clip acts on the last."""
    old = torch.full((1, 4), -1.0, dtype=torch.float64)
    logp = old + torch.tensor([[-math.log(2), 0.0, math.log(2), 5.0]])
    adv, mask = torch.ones(1, dtype=torch.float64), torch.tensor([[1, 1, 1, 0]])
    ref = logp - 1.0
    loss, told = grpo_loss(logp, old, adv, mask, kl="k1", kl_coef=0.1, ref_logp_NT=ref)
    assert isinstance(told, dict), f"metrics as a dict were expected, got {type(told).__name__}"
    want = {"tokens": 3.0, "sequences": 1.0, "clip_fraction": 1 / 3, "kl": 1.0, "policy_loss": -(0.5 + 1 + 1.2) / 3}
    expect({k: told.get(k) for k in want}, want, tol=1e-6, ratios=[0.5, 1.0, 2.0], adv_N=adv)
    expect(loss, torch.tensor(want["policy_loss"] + 0.1, dtype=torch.float64), tol=1e-6, kl_coef=0.1)


@case(LOSS)
def a_batch_without_tokens_costs_nothing(grpo_loss):
    logp, old, adv, mask = _batch(2, 3)
    gone = dict(informative_N=torch.tensor([False, False]), skip_zero_variance=True)
    for aggregation, constant in (("token_mean", None), ("sequence_mean", None), ("constant", 6)):
        how = dict(aggregation=aggregation, constant=constant)
        for mask_NT, more in ((torch.zeros_like(mask), {}), (mask, gone)):
            (loss, told), (slope, *_) = gradients(grpo_loss, logp, old, adv, mask_NT, **how, **more)
            got = loss, told["tokens"], slope
            expect(got, (torch.tensor(0.0, dtype=torch.float64), 0.0, torch.zeros_like(slope)), **how, mask_NT=mask_NT)


@case(LOSS)
def advantages_may_differ_within_an_answer(grpo_loss):
    logp, old, _, mask = _batch(3, 4)
    adv = torch.randn(3, 4, dtype=torch.float64)
    _same(grpo_loss, (logp, old, adv, mask), {"aggregation": "sequence_mean"}, {"aggregation": "sequence_mean"})


@case(LOSS)
def a_sampler_that_was_another_policy(grpo_loss):
    """Truncated importance sampling by token, and V3.2's mask."""
    logp, old, adv, mask = _batch(3, 4, moved=0.1)
    sampler = old + 0.4 * torch.randn(3, 4, dtype=torch.float64)
    weight = torch.where(mask, old - sampler, 0.0).exp().clamp(max=1.5)
    want = (
        sum(
            _by_hand(logp[n : n + 1, t : t + 1], old[n : n + 1, t : t + 1], adv[n : n + 1], mask[n : n + 1, t : t + 1])
            * weight[n, t]
            for n in range(3)
            for t in range(4)
            if mask[n, t]
        )
        / mask.sum()
    )
    how = {"correction": "token_truncate", "correction_cap": 1.5}
    expect(grpo_loss(logp, old, adv, mask, sampler_logp_NT=sampler, **how)[0], want, tol=1e-5, **how)
    adv = torch.tensor([-1.0, -1.0, 1.0], dtype=torch.float64)
    far = torch.stack([old[0] - 1.0, old[1], old[2] - 1.0])
    want = _by_hand(far, old, torch.where(torch.arange(3) == 0, 0.0, adv), mask)
    expect(grpo_loss(far, old, adv, mask, off_policy_threshold=0.5)[0], want, tol=1e-5, off_policy_threshold=0.5)
    # what leaves the policy term stays in the KL
    kl = dict(kl="k3", ref_logp_NT=old, kl_coef=0.7)
    alone = grpo_loss(far, old, adv, mask, **kl)[0] - grpo_loss(far, old, adv, mask)[0]
    expect(
        grpo_loss(far, old, adv, mask, off_policy_threshold=0.5, **kl)[0],
        want + alone,
        tol=1e-5,
        off_policy_threshold=0.5,
        kl_coef=0.7,
    )


@case(LOSS, held_out=True)
def float32_agrees_with_float64(grpo_loss):
    batch = _batch(6, 12)
    ref = batch[1] - 0.2
    how = {"clip": "higher", "clip_high": 0.28, "kl": "k3", "kl_coef": 0.04}
    want, _ = grpo_loss(*batch, ref_logp_NT=ref, **how)
    single = (batch[0].float(), batch[1].float(), batch[2].float(), batch[3])
    expect(grpo_loss(*single, ref_logp_NT=ref.float(), **how)[0], want.float(), tol=1e-4)
