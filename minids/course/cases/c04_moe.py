"""Cases of chapter 04: routing, the experts themselves, their balance, and how tokens are sorted by expert.

The order of a token's K experts is free, so routes are compared as tables: gate of each expert, 0 where not chosen.
Scores are a shuffled grid with a little noise, so that no two are so close that rounding decides between them.
Tolerances are those of float32, which is right inside whatever comes in.
"""

import torch

from minids.course.cases import case, expect, gradients

# -- the router --------------------------------------------------------------------------------------------------------


def distinct(n, experts, low=0.02, high=0.98, dtype=torch.float64):
    """[n, experts] random numbers whose rows hold no two values close to each other. float64, so that sums of groups
    are apart too."""
    step = (high - low) / experts
    grid = low + step * (torch.arange(experts, dtype=torch.float64) + 0.25 + 0.5 * torch.rand(n, experts).double())
    order = torch.rand(n, experts).argsort(-1)
    return grid.gather(1, order).to(dtype)


def as_table(indices, gates, experts):
    """The gate of each expert of each token [N, E], 0 where it was not chosen. Refuses what is no routing at all."""
    assert indices.dtype == torch.int64, f"indices are int64, these are {indices.dtype}"
    expect(tuple(gates.shape), tuple(indices.shape))
    ordered = indices.sort(-1).values
    assert (ordered.diff(dim=-1) > 0).all(), "a token chose the same expert twice"
    return torch.zeros(len(indices), experts, dtype=gates.dtype).scatter(1, indices, gates.detach())


def by_sorting(scores, bias, n_group, topk_group, top_k, norm, scaling):
    """The same table from plain Python lists, one token at a time."""
    table = torch.zeros(scores.shape, dtype=torch.float64)
    size = scores.shape[1] // n_group
    for n, row in enumerate(scores.tolist()):
        biased = [s + b for s, b in zip(row, bias.tolist())]
        groups = [range(g * size, (g + 1) * size) for g in range(n_group)]
        strength = [sum(sorted((biased[e] for e in group), reverse=True)[:2]) if size > 1 else 0 for group in groups]
        best = sorted(range(n_group), key=lambda g: -strength[g])[:topk_group]
        chosen = sorted((e for g in best for e in groups[g]), key=lambda e: -biased[e])[:top_k]
        total = sum(row[e] for e in chosen) if norm else 1.0
        for e in chosen:
            table[n, e] = row[e] / total * scaling
    return table.to(scores.dtype)


def route_as(route, scores, bias, *how):
    want = by_sorting(scores, bias, *how)
    indices, gates = route(scores.clone(), bias.clone(), *how)
    expect(tuple(indices.shape), (len(scores), how[2]))
    table = as_table(indices, gates, scores.shape[1])
    expect(table > 0, want > 0, scores=scores, bias=bias)
    expect(table, want, tol=1e-5, scores=scores, bias=bias)


@case("moe.route")
def the_best_k_by_score_and_their_gates(route):
    scores = torch.tensor([[0.9, 0.1, 0.6, 0.3], [0.2, 0.8, 0.4, 0.6]])
    indices, gates = route(scores, torch.zeros(4), 1, 1, 2, False, 1.0)
    want = torch.tensor([[0.9, 0.0, 0.6, 0.0], [0.0, 0.8, 0.0, 0.6]])
    expect(as_table(indices, gates, 4), want, scores=scores)


@case("moe.route")
def normed_gates_add_up_to_the_scaling(route):
    route_as(route, distinct(5, 8), torch.zeros(8), 1, 1, 3, True, 2.5)


@case("moe.route")
def the_bias_decides_who_works_but_not_what_it_counts(route):
    scores, bias = torch.tensor([[0.9, 0.1, 0.6, 0.3]]), torch.tensor([-0.7, 0.6, 0.0, 0.0])
    indices, gates = route(scores, bias, 1, 1, 2, False, 1.0)
    expect(as_table(indices, gates, 4), torch.tensor([[0.0, 0.1, 0.6, 0.0]]), scores=scores, bias=bias)


@case("moe.route")
def a_bias_of_minus_ten_for_all_changes_nothing(route):
    scores, bias = distinct(6, 8), torch.full((8,), -10.0).double()
    route_as(route, scores, bias, 1, 1, 2, True, 1.0)
    route_as(route, scores, bias, 4, 2, 3, False, 1.0)


@case("moe.route")
def of_experts_that_tie_exactly_k_work(route):
    scores = torch.tensor([[0.5, 0.5, 0.5, 0.5], [0.75, 0.25, 0.25, 0.25]])
    for k in (1, 2, 3):
        indices, gates = route(scores.clone(), torch.zeros(4), 1, 1, k, False, 1.0)
        given = dict(scores=scores, top_k=k, experts=indices)
        expect(tuple(indices.shape), (2, k), **given)
        expect([len(set(row)) for row in indices.tolist()], [k, k], **given)
        assert 0 in indices[1], "expert 0 has the highest score of row 1, and does not work"
        expect(gates, scores.gather(1, indices), **given)


@case("moe.route")
def only_the_best_groups_take_part(route):
    bias = distinct(1, 12, -0.4, 0.4)[0]
    route_as(route, distinct(10, 12, 0.1, 0.9), bias * 0.01, 4, 2, 3, True, 2.5)
    route_as(route, distinct(10, 12, 0.1, 0.9), torch.zeros(12).double(), 3, 1, 2, False, 1.0)


@case("moe.route")
def the_bias_takes_part_in_the_choice_of_groups(route):
    scores = torch.tensor([[0.9, 0.8, 0.5, 0.4]])
    route_as(route, scores, torch.tensor([-0.5, -0.5, 0.0, 0.0]), 2, 1, 2, True, 1.0)


@case("moe.route")
def the_gradient_goes_through_gates_alone(route):
    scores, bias = torch.tensor([[0.5, 0.2, 0.8], [0.6, 0.3, 0.1]]).double(), torch.tensor([0.0, 0.9, 0.0]).double()
    # one expert a token, gates not normed: d gate / d score = scaling, times the fixed weights -1 and 1
    (_, gates), (grad_scores, grad_bias) = gradients(route, scores, bias, 1, 1, 1, False, 2.0)
    expect(gates, torch.tensor([[0.4], [0.6]]).double(), scores=scores, bias=bias)
    expect(grad_scores, torch.tensor([[0.0, -2.0, 0.0], [0.0, 2.0, 0.0]]).double(), scores=scores, bias=bias)
    expect(grad_bias, torch.zeros(3).double())


def counted(indices, norm, scaling):
    """What those experts count, as a function of the scores."""

    def gates(scores):
        chosen = scores.gather(1, indices)
        return chosen / (chosen.sum(-1, keepdim=True) if norm else 1.0) * scaling

    return gates


def slopes_as(route, scores, bias, *how):
    """The gradients of whatever order of experts comes back."""
    (indices, gates), (grad_scores, grad_bias) = gradients(route, scores, bias, *how)
    as_table(indices, gates, scores.shape[1])
    want_gates, (want,) = gradients(counted(indices, *how[3:]), scores)
    expect(gates, want_gates, tol=1e-5, scores=scores, norm=how[3])
    expect(grad_scores, want, tol=1e-4, gradient_of="scores", norm=how[3])
    expect(grad_bias, torch.zeros_like(bias), tol=1e-6, gradient_of="bias")


@case("moe.route")
def normed_gates_have_the_gradient_of_a_share(route):
    """A larger score makes the expert's own gate larger and those of the others smaller."""
    slopes_as(route, distinct(5, 6), torch.tensor([0.3, 0.0, 0.0, -0.2, 0.0, 0.1]).double(), 1, 1, 3, True, 2.5)


@case("moe.route")
def gradients_with_groups_and_a_bias(route):
    bias = distinct(1, 12, -0.4, 0.4)[0] * 0.01
    for norm in (True, False):
        slopes_as(route, distinct(7, 12, 0.1, 0.9), bias, 4, 2, 3, norm, 2.5)


@case("moe.route")
def as_many_experts_as_there_are_and_one_alone(route):
    route_as(route, distinct(4, 5), torch.zeros(5).double(), 1, 1, 5, True, 2.0)
    route_as(route, distinct(6, 12, 0.1, 0.9), torch.zeros(12).double(), 4, 2, 6, True, 1.0)  # all of two groups
    route_as(route, distinct(3, 6), torch.zeros(6).double(), 3, 2, 1, True, 2.5)


@case("moe.route")
def gates_have_the_dtype_of_the_scores(route):
    for dtype in (torch.float32, torch.float64):
        route_as(route, distinct(4, 6, dtype=dtype), torch.zeros(6, dtype=torch.float32), 1, 1, 2, True, 2.5)


@case("moe.route")
def tiny_scores_are_normed_too_and_scores_of_zero_make_no_nan(route):
    bias = torch.tensor([0.4, 0.3, 0.2, 0.1])
    scores = torch.tensor([[1e-12, 3e-12, 5e-12, 7e-12], [0.0, 0.0, 0.0, 0.0]])
    indices, gates = route(scores, bias, 1, 1, 2, True, 2.0)
    want = torch.tensor([[0.5, 1.5, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
    expect(as_table(indices, gates, 4), want, scores=scores, bias=bias, norm=True, scaling=2.0)


@case("moe.route", held_out=True)
def a_large_random_router(route):
    route_as(route, distinct(64, 32), distinct(1, 32, -0.001, 0.001)[0], 8, 4, 6, True, 2.5)
    slopes_as(route, distinct(9, 16), distinct(1, 16, -0.001, 0.001)[0], 4, 3, 5, True, 1.5)


# -- group limits ------------------------------------------------------------------------------------------------------


def limited(mask_groups, choice, n_group, topk_group):
    """Checks a result: best groups as they were, the others below everything."""
    N, E = choice.shape
    size = E // n_group
    got = mask_groups(choice.clone(), n_group, topk_group)
    expect(tuple(got.shape), (N, E))
    assert got.dtype == choice.dtype, f"scores are {choice.dtype}, so the result should be, but it is {got.dtype}"
    keep = torch.zeros(N, E, dtype=torch.bool)
    for n, row in enumerate(choice.tolist()):
        strength = [sum(sorted(row[g * size : (g + 1) * size])[-2:]) for g in range(n_group)]
        for g in sorted(range(n_group), key=lambda g: -strength[g])[:topk_group]:
            keep[n, g * size : (g + 1) * size] = True
    expect(torch.where(keep, got, 0), torch.where(keep, choice, 0), choice=choice)
    # whoever looks for more experts than the best groups hold finds those first
    order = got.argsort(-1, descending=True)[:, : topk_group * size]
    expect(order.sort(-1).values, keep.nonzero()[:, 1].view(N, -1), choice=choice)
    assert (got[~keep] < -1e30).all(), "a score that is shut out is not below every score that may come"


@case("moe.groups")
def the_best_two_groups_of_three(mask_groups):
    choice = torch.tensor([[0.9, 0.1, 0.4, 0.3, 0.6, 0.7]])
    got = mask_groups(choice.clone(), 3, 2)
    expect(tuple(got.shape), (1, 6))
    expect(got[:, [0, 1, 4, 5]], choice[:, [0, 1, 4, 5]], choice=choice)
    assert (got[:, 2:4] < 0.1).all(), "experts 2 and 3 are of the weakest group, but their scores could still win"


@case("moe.groups")
def a_group_counts_by_its_two_best(mask_groups):
    choice = torch.tensor([[0.9, 0.1, 0.2, 0.6, 0.7, 0.0, 0.5, 0.4, 0.45]])  # two best: 1.1, 1.3, 0.95
    limited(mask_groups, choice, 3, 1)


@case("moe.groups")
def negative_scores_too(mask_groups):
    limited(mask_groups, distinct(6, 8, -5.0, -3.0), 4, 2)
    limited(mask_groups, distinct(6, 8, -0.9, 0.9), 4, 1)


@case("moe.groups")
def all_groups_means_no_limit(mask_groups):
    choice = distinct(3, 8, -1.0, 1.0)
    expect(mask_groups(choice.clone(), 4, 4), choice, choice=choice)
    expect(mask_groups(choice.clone(), 1, 1), choice, choice=choice)


def as_many_groups(mask_groups, choice, n_group, topk_group):
    """Where groups tie any of them may stay, but no more than topk_group, and each whole."""
    got, given = mask_groups(choice.clone(), n_group, topk_group), dict(choice=choice, topk_group=topk_group)
    expect(tuple(got.shape), tuple(choice.shape), **given)
    stays = (got > -1e30).unflatten(1, (n_group, -1))
    expect(stays.all(-1).sum(-1), torch.full((len(choice),), topk_group), groups_that_stay=stays.all(-1), **given)
    expect(stays.any(-1), stays.all(-1), groups_that_stay_in_part=stays, **given)
    expect(torch.where(stays.flatten(1), got, 0), torch.where(stays.flatten(1), choice, 0), **given)
    return stays.all(-1)


@case("moe.groups")
def of_groups_that_tie_no_more_than_the_best_stay(mask_groups):
    choice = torch.tensor([[0.5, 0.2, 0.1, 0.1, 0.5, 0.2, 0.2, 0.1, 0.5, 0.5, 0.1, 0.2]])  # four alike
    as_many_groups(mask_groups, choice, 4, 2)
    as_many_groups(mask_groups, torch.zeros(2, 8), 4, 1)
    choice = torch.tensor([[0.5, 0.2, 0.1, 0.9, 0.8, 0.2, 0.2, 0.1, 0.5, 0.5, 0.1, 0.2]])  # the second is the best
    stays = as_many_groups(mask_groups, choice, 4, 2)
    expect(stays[:, 1], torch.tensor([True]), choice=choice, the_best_group=1)


@case("moe.groups")
def two_best_that_are_equal_count_both(mask_groups):
    choice = torch.tensor([[0.75, 0.75, 0.125, 0.875, 0.5, 0.125], [0.25, 0.5, 0.5, 0.625, 0.125, 0.25]])
    limited(mask_groups, choice, 2, 1)


@case("moe.groups")
def in_other_types_and_for_a_single_token(mask_groups):
    limited(mask_groups, distinct(5, 12, -2.0, 2.0, dtype=torch.float32), 3, 2)
    limited(mask_groups, torch.tensor([[1.5, 0.25, -0.5, 0.5, 3.0, -2.0]], dtype=torch.bfloat16), 3, 2)
    limited(mask_groups, distinct(1, 20, -20.0, -10.0), 4, 3)


@case("moe.groups", held_out=True)
def other_sizes(mask_groups):
    limited(mask_groups, distinct(20, 24, -1.5, 1.5), 8, 4)
    limited(mask_groups, distinct(20, 24, 0.0, 1.0), 2, 1)
    as_many_groups(mask_groups, torch.full((3, 12), -1.5), 3, 2)


# -- the experts -------------------------------------------------------------------------------------------------------


def layer(n=6, k=2, experts=5, width=3, hidden=4, avoid=(), dtype=torch.float64):
    """x, indices, gates and weights of a small layer; nobody chooses the experts in `avoid`."""
    scores = torch.rand(n, experts)
    scores[:, list(avoid)] = -1
    indices = scores.topk(k, dim=-1).indices
    x, gates = torch.randn(n, hidden, dtype=dtype), torch.rand(n, k, dtype=dtype) + 0.2
    return (
        x,
        indices,
        gates,
        torch.randn(experts, 2 * width, hidden, dtype=dtype),
        torch.randn(experts, hidden, width, dtype=dtype),
    )


def token_by_token(x, indices, gates, w_gate_up, w_down):
    """One token and one expert at a time."""
    rows = []
    for n in range(len(x)):
        y = torch.zeros_like(x[n])
        for k, e in enumerate(indices[n].tolist()):
            gate, up = (w_gate_up[e] @ x[n]).tensor_split(2)
            y = y + gates[n, k] * (w_down[e] @ (gate * torch.sigmoid(gate) * up))
        rows.append(y)
    return torch.stack(rows)


def as_one_by_one(experts_loop, args, tol=1e-4):
    want = token_by_token(*[a.double() if a.is_floating_point() else a for a in args]).to(args[0].dtype)
    size = max(1.0, want.abs().max().item())
    expect(experts_loop(*args), want, tol=tol * size, indices=args[1], gates=args[2])


def slopes_of_all(experts_loop, args):
    y, found = gradients(experts_loop, *args)
    want_y, want = gradients(token_by_token, *args)
    expect(y, want_y, tol=1e-4 * max(1.0, want_y.abs().max().item()), indices=args[1])
    for name, a, b in zip(("x", "gates", "w_gate_up", "w_down"), found, want):
        expect(a, b, tol=1e-4 * max(1.0, b.abs().max().item()), gradient_of=name, indices=args[1])


@case("moe.experts")
def one_expert_worked_by_hand(experts_loop):
    x, indices, gates = torch.tensor([[1.0, 2.0]]), torch.tensor([[1]]), torch.tensor([[0.5]])
    w_gate_up, w_down = torch.zeros(2, 2, 2), torch.zeros(2, 2, 1)
    w_gate_up[1] = torch.tensor([[2.0, 0.0], [0.0, 3.0]])  # gate = 2, up = 6
    w_down[1] = torch.tensor([[1.0], [-1.0]])
    y = 0.5 * 2 * 0.880797078 * 6  # sigmoid(2) = 0.8808
    expect(experts_loop(x, indices, gates, w_gate_up, w_down), torch.tensor([[y, -y]]), x=x, gates=gates)


@case("moe.experts")
def equals_one_token_at_a_time(experts_loop):
    as_one_by_one(experts_loop, layer())
    as_one_by_one(experts_loop, layer(n=9, k=3, experts=4, width=5, hidden=2))


@case("moe.experts")
def experts_that_nobody_chose(experts_loop):
    as_one_by_one(experts_loop, layer(experts=6, avoid=(0, 3, 5)))


@case("moe.experts")
def all_tokens_may_choose_the_same_experts(experts_loop):
    as_one_by_one(experts_loop, layer(n=20, k=1, experts=4, avoid=(0, 1, 3), width=7, hidden=3))
    as_one_by_one(experts_loop, layer(n=14, k=2, experts=8, avoid=(0, 1, 3, 4, 6, 7)))


@case("moe.experts")
def one_token_and_all_experts(experts_loop):
    as_one_by_one(experts_loop, layer(n=1, k=1, experts=5))
    as_one_by_one(experts_loop, layer(n=4, k=4, experts=4))


@case("moe.experts")
def gradients_of_x_gates_and_weights(experts_loop):
    slopes_of_all(experts_loop, layer(n=5, experts=4, avoid=(1,)))


@case("moe.experts")
def large_inputs_leave_the_gradients_finite(experts_loop):
    x, *others = layer(n=4, experts=3)
    slopes_of_all(experts_loop, (x * 1000, *others))


@case("moe.experts")
def float32_and_half_precision_stay_what_they_are(experts_loop):
    as_one_by_one(experts_loop, layer(dtype=torch.float32))
    as_one_by_one(experts_loop, layer(dtype=torch.bfloat16), tol=0.05)


@case("moe.experts", held_out=True)
def other_layers(experts_loop):
    as_one_by_one(experts_loop, layer(n=30, k=4, experts=9, width=6, hidden=5, avoid=(2,)))
    slopes_of_all(experts_loop, layer(n=7, k=3, experts=6, width=2, hidden=3, avoid=(0, 5)))


# -- sorting -----------------------------------------------------------------------------------------------------------


def sorted_rightly(permute_tokens, indices, experts, multiple):
    """What the docstring promises, whatever the order within a slice."""
    sizes, token_M, row_NK = permute_tokens(indices, experts, multiple)
    N, K = indices.shape
    count = [sum(row.count(e) for row in indices.tolist()) for e in range(experts)]
    assert isinstance(sizes, list) and all(type(s) is int for s in sizes), "sizes is a list of Python ints"
    expect(sizes, [-(-c // multiple) * multiple for c in count], indices=indices, multiple=multiple)
    for name, value, shape in (("token_M", token_M, (sum(sizes),)), ("row_NK", row_NK, (N, K))):
        assert isinstance(value, torch.Tensor) and value.dtype == torch.int64, f"{name} is an int64 tensor"
        assert tuple(value.shape) == shape, f"{name} has shape {tuple(value.shape)}, expected {shape}"
    places = row_NK.flatten().tolist()
    assert all(0 <= p < sum(sizes) for p in places), "a choice has a row that does not exist"
    assert len(set(places)) == len(places), f"two choices share a row: {row_NK.tolist()}"
    begin = [sum(sizes[:e]) for e in range(experts)]
    for n, (row, where) in enumerate(zip(indices.tolist(), row_NK.tolist())):
        for e, p in zip(row, where):
            assert begin[e] <= p < begin[e] + count[e], (
                f"token {n} chose expert {e}, whose {count[e]} choices are rows {begin[e]} to {begin[e] + count[e] - 1}"
                f" (rows that fill up come after them), but the choice stands in row {p}"
            )
            assert token_M[p] == n, f"row {p} belongs to token {n}, but token_M says {int(token_M[p])}"
    fill = sorted(set(range(sum(sizes))) - set(places))
    expect(token_M[fill], torch.zeros(len(fill), dtype=torch.int64), indices=indices, multiple=multiple)


def choices(n, k, experts, avoid=()):
    scores = torch.rand(n, experts)
    scores[:, list(avoid)] = -1
    return scores.topk(k, dim=-1).indices


@case("moe.permute")
def the_example_of_the_docstring(permute_tokens):
    sorted_rightly(permute_tokens, torch.tensor([[0, 2], [2, 0], [2, 3]]), 4, 2)


@case("moe.permute")
def without_rounding_up(permute_tokens):
    sorted_rightly(permute_tokens, choices(7, 2, 4), 4, 1)


@case("moe.permute")
def slices_are_multiples(permute_tokens):
    sorted_rightly(permute_tokens, choices(11, 3, 5), 5, 4)
    sorted_rightly(permute_tokens, choices(16, 4, 4), 4, 8)  # 16 choices an expert: nothing to fill up


@case("moe.permute")
def experts_without_tokens_have_no_rows(permute_tokens):
    sorted_rightly(permute_tokens, choices(6, 2, 7, avoid=(0, 3, 6)), 7, 4)


@case("moe.permute")
def one_choice_a_token(permute_tokens):
    sorted_rightly(permute_tokens, choices(9, 1, 3), 3, 1)
    sorted_rightly(permute_tokens, torch.tensor([[4]]), 5, 64)


@case("moe.permute")
def multiples_that_are_no_powers_of_two(permute_tokens):
    sorted_rightly(permute_tokens, choices(10, 3, 6, avoid=(2,)), 6, 3)
    sorted_rightly(permute_tokens, choices(13, 2, 4), 4, 5)


@case("moe.permute")
def all_choices_on_one_expert(permute_tokens):
    sorted_rightly(permute_tokens, torch.full((7, 1), 2), 4, 4)
    sorted_rightly(permute_tokens, torch.tensor([[3, 1]] * 5), 5, 2)


@case("moe.permute")
def no_tokens_at_all(permute_tokens):
    sorted_rightly(permute_tokens, torch.zeros(0, 2, dtype=torch.int64), 3, 4)


@case("moe.permute", held_out=True)
def a_large_table(permute_tokens):
    sorted_rightly(permute_tokens, choices(120, 4, 16), 16, 64)
    sorted_rightly(permute_tokens, choices(120, 4, 16, avoid=(15,)), 16, 1)


# -- balance -----------------------------------------------------------------------------------------------------------


@case("moe.bias")
def too_little_work_goes_up_and_too_much_goes_down(bias_step):
    bias, count = torch.zeros(4), torch.tensor([10.0, 0.0, 4.0, 2.0], dtype=torch.float64)  # mean 4
    want = torch.tensor([-0.001, 0.001, 0.0, 0.001])
    expect(bias_step(bias, count, 0.001), want, tol=1e-8, bias=bias, count=count)


@case("moe.bias")
def the_step_is_gamma_however_far_off(bias_step):
    bias, count = torch.tensor([0.3, -0.2, 0.1]), torch.tensor([1000.0, 1.0, 2.0], dtype=torch.float64)
    want = torch.tensor([0.25, -0.15, 0.15])
    expect(bias_step(bias, count, 0.05), want, tol=1e-6, bias=bias, count=count)


@case("moe.bias")
def compared_with_the_mean_load(bias_step):
    count = torch.tensor([1.0, 2.0, 3.0, 4.0, 50.0], dtype=torch.float64)  # median 3, mean 12
    want = torch.tensor([0.1, 0.1, 0.1, 0.1, -0.1])
    expect(bias_step(torch.zeros(5), count, 0.1), want, tol=1e-7, count=count)


@case("moe.bias")
def the_mean_need_not_be_a_whole_number(bias_step):
    count = torch.tensor([2.0, 3.0, 2.0, 3.0], dtype=torch.float64)  # mean 2.5
    expect(bias_step(torch.zeros(4), count, 0.1), torch.tensor([0.1, -0.1, 0.1, -0.1]), tol=1e-7, count=count)
    count = torch.tensor([0.0, 1.0, 1.0], dtype=torch.float64)  # mean 2/3
    expect(bias_step(torch.zeros(3), count, 0.1), torch.tensor([0.1, -0.1, -0.1]), tol=1e-7, count=count)


@case("moe.bias")
def experts_without_tokens_count_in_the_mean(bias_step):
    count = torch.tensor([0.0, 0.0, 0.0, 6.0, 14.0], dtype=torch.float64)  # mean 4; of those with tokens 10
    want = torch.tensor([0.1, 0.1, 0.1, -0.1, -0.1])
    expect(bias_step(torch.zeros(5), count, 0.1), want, tol=1e-7, count=count)


@case("moe.bias")
def even_loads_leave_it_alone(bias_step):
    for experts, load in ((6, 7.0), (49, 3.0), (3, 0.0)):
        bias, count = torch.randn(experts), torch.full((experts,), load, dtype=torch.float64)
        expect(bias_step(bias, count, 0.1), bias, tol=1e-7, bias=bias, count=count)


@case("moe.bias")
def large_loads_are_compared_to_the_last_token(bias_step):
    """Float64 counts tokens exactly beyond 2^24, where float32 has every second number only."""
    load = float(2**25)
    count = torch.tensor([load, load + 1, load + 2, load + 1], dtype=torch.float64)
    want = torch.tensor([0.1, 0.0, -0.1, 0.0])
    expect(bias_step(torch.zeros(4), count, 0.1), want, tol=1e-7, count_minus_2_to_the_25=count - load)


@case("moe.bias")
def a_new_tensor_in_the_dtype_of_the_bias(bias_step):
    bias, count = torch.tensor([5.0, 0.0, -1.0]), torch.tensor([3.0, 0.0, 0.0], dtype=torch.float64)
    expect(bias_step(bias, count, 0.5), torch.tensor([4.5, 0.5, -0.5]), bias=bias, count=count)


@case("moe.bias", held_out=True)
def many_experts(bias_step):
    bias, count = torch.randn(256), torch.randint(0, 9, (256,)).double() * 16
    mean = sum(count.tolist()) / 256
    step = [0.01 if c < mean else -0.01 if c > mean else 0.0 for c in count.tolist()]
    expect(bias_step(bias, count, 0.01), bias + torch.tensor(step), tol=1e-6)


def loss_by_hand(scores, indices, rows, n_rows):
    """Eq. 17 to 20, one text and one expert at a time; float64 tensors, so that it has gradients too."""
    losses = []
    for r in range(n_rows):
        members = [n for n, row in enumerate(rows.tolist()) if row == r]
        T, E, K = len(members), scores.shape[1], indices.shape[1]
        if not T:
            continue
        total = 0.0
        for i in range(E):
            f = E / (K * T) * sum(indices[n].tolist().count(i) for n in members)
            p = sum(scores[n, i] / scores[n].sum() for n in members) / T
            total = total + f * p
        losses.append(total)
    return sum(losses) / len(losses)


def some_texts(n=12, experts=6, k=2, n_rows=3):
    """Rows 0 .. n_rows-1 of unequal length, and some padding."""
    rows = torch.cat([torch.arange(n_rows), torch.tensor([0, 0, -1]), torch.randint(-1, n_rows, (n - n_rows,))])
    scores = torch.rand(len(rows), experts, dtype=torch.float64) * 0.9 + 0.05
    return scores, (scores + torch.rand(experts)).topk(k, dim=-1).indices, rows, n_rows


@case("moe.balance_loss")
def is_one_when_all_is_even(balance_loss):
    indices, rows = torch.tensor([[0, 1], [2, 3], [1, 2], [3, 0]]), torch.zeros(4, dtype=torch.int64)
    expect(balance_loss(torch.full((4, 4), 0.3), indices, rows, 1), torch.tensor(1.0), indices=indices)


@case("moe.balance_loss")
def all_tokens_on_two_of_four(balance_loss):
    scores, indices = torch.tensor([[0.9, 0.9, 0.1, 0.1]] * 4), torch.tensor([[0, 1]] * 4)
    # f = 2, 2, 0, 0 and P = 0.45, 0.45, 0.05, 0.05
    rows = torch.zeros(4, dtype=torch.int64)
    expect(balance_loss(scores, indices, rows, 1), torch.tensor(1.8), scores=scores, indices=indices)


@case("moe.balance_loss")
def the_mean_over_texts_not_over_tokens(balance_loss):
    scores = torch.tensor([[0.8, 0.2], [0.5, 0.5], [0.5, 0.5], [0.5, 0.5]])
    indices, rows = torch.tensor([[0], [0], [1], [1]]), torch.tensor([0, 1, 1, 1])
    # text 0: f = 2, 0 and P = 0.8, 0.2: 1.6. Text 1: P is even, so the loss is 1.
    expect(balance_loss(scores, indices, rows, 2), torch.tensor(1.3), scores=scores, indices=indices, rows=rows)


def as_in_the_paper(balance_loss, scores, indices, rows, n_rows):
    want = loss_by_hand(scores.double(), indices, rows, n_rows).to(scores.dtype)
    expect(balance_loss(scores, indices, rows, n_rows), want, tol=1e-5, indices=indices, rows=rows, n_rows=n_rows)


@case("moe.balance_loss")
def equals_the_sums_of_the_paper(balance_loss):
    as_in_the_paper(balance_loss, *some_texts())
    as_in_the_paper(balance_loss, *some_texts(n=9, experts=5, k=3, n_rows=2))
    as_in_the_paper(balance_loss, *some_texts(n=8, experts=3, k=1, n_rows=4))


@case("moe.balance_loss")
def the_gradient_of_the_scores(balance_loss):
    for args in (some_texts(n=9, experts=4), some_texts(n=7, experts=5, k=3, n_rows=2)):
        loss, (grad,) = gradients(balance_loss, *args)
        want_loss, (want,) = gradients(loss_by_hand, *args)
        expect(loss, want_loss, tol=1e-5, indices=args[1], rows=args[2])
        expect(grad, want, tol=1e-5, gradient_of="scores", indices=args[1], rows=args[2])


@case("moe.balance_loss")
def a_text_of_padding_takes_no_part(balance_loss):
    scores, indices, rows, _ = some_texts()
    as_in_the_paper(balance_loss, scores, indices, rows, 5)  # nothing of texts 3 and 4
    as_in_the_paper(balance_loss, scores, indices, torch.where(rows == 1, -1, rows), 3)  # nor of the one between


@case("moe.balance_loss")
def the_gradient_where_a_text_is_all_padding(balance_loss):
    scores, indices, rows, _ = some_texts(n=8, experts=4)
    rows = torch.where(rows == 1, -1, rows)
    _, (grad,) = gradients(balance_loss, scores, indices, rows, 4)
    _, (want,) = gradients(loss_by_hand, scores, indices, rows, 4)
    expect(grad, want, tol=1e-5, gradient_of="scores", rows=rows, n_rows=4)


@case("moe.balance_loss")
def nothing_but_padding_is_zero(balance_loss):
    scores, indices, rows, _ = some_texts()
    got = balance_loss(scores, indices, torch.full_like(rows, -1), 2)
    expect(float(got), 0.0, tol=1e-12, rows="all -1", n_rows=2)


@case("moe.balance_loss")
def in_float32_the_loss_is_float32(balance_loss):
    scores, *others = some_texts(20, 8, 3, 4)
    as_in_the_paper(balance_loss, scores.float(), *others)


@case("moe.balance_loss", held_out=True)
def a_larger_batch(balance_loss):
    scores, *others = some_texts(60, 10, 4, 5)
    as_in_the_paper(balance_loss, scores, *others)
    as_in_the_paper(balance_loss, scores.float(), *others)
