"""Chapter 05: multi-token prediction. Independent answers: loops over positions, sums worked out by hand, and greedy
decoding that has no cache and knows nothing of guesses.

Tolerances are those of float32, which is right inside whatever comes in.
"""

import random

import torch

from minids.course.cases import case, changes, expect, gradients
from minids.model.config import ModelConfig
from minids.model.transformer import Transformer

# -- the state and the next embedding ----------------------------------------------------------------------------------


def _combined(hidden, after, hnorm, enorm, proj, eps):
    """The formula in float64."""
    hidden, after, hnorm, enorm, proj = (z.double() for z in (hidden, after, hnorm, enorm, proj))
    hidden = hidden / (hidden.pow(2).mean(-1, keepdim=True) + eps).sqrt() * hnorm
    after = after / (after.pow(2).mean(-1, keepdim=True) + eps).sqrt() * enorm
    half = hidden.shape[-1]
    return after @ proj[:, :half].T + hidden @ proj[:, half:].T


def _states(B, T, D, dtype=torch.float32):
    norms = torch.rand(D, dtype=dtype) + 0.5, torch.rand(D, dtype=dtype) + 0.5
    big = torch.randn(B, T, D, dtype=dtype) * 3, torch.randn(B, T, D, dtype=dtype) * 0.1
    return *big, *norms, torch.randn(D, 2 * D, dtype=dtype)


@case("mtp.combine")
def an_example_by_hand(combine):
    """Mean squares 12.5 and 50; the projection picks one number of each side."""
    hidden, after = torch.tensor([[[3.0, 4.0]]]), torch.tensor([[[6.0, 8.0]]])
    hnorm, enorm = torch.tensor([1.0, 10.0]), torch.tensor([2.0, 1.0])
    proj = torch.tensor([[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]])
    want = torch.tensor([[[2 * 6 / 50**0.5, 10 * 4 / 12.5**0.5]]])
    given = dict(hidden=hidden, next=after, hnorm=hnorm, enorm=enorm, eh_proj=proj)
    expect(combine(hidden, after, hnorm, enorm, proj, 0.0), want, **given)


@case("mtp.combine")
def the_embedding_fills_the_first_half(combine):
    """A projection whose first half is zero does not see the embeddings, one whose second half is zero not the
    states."""
    hidden, after, hnorm, enorm, proj = _states(2, 3, 4)
    for zeros, changed in ((slice(0, 4), "next"), (slice(4, 8), "hidden")):
        half = proj.clone()
        half[:, zeros] = 0
        other = torch.randn(2, 3, 4)
        first = combine(hidden, after, hnorm, enorm, half, 1e-6)
        second = combine(*((hidden, other) if changed == "next" else (other, after)), hnorm, enorm, half, 1e-6)
        same = isinstance(first, torch.Tensor) and first.shape == second.shape and torch.allclose(first, second)
        assert same, f"the half of eh_proj that belongs to `{changed}` is zero, yet the result depends on `{changed}`"


@case("mtp.combine")
def both_sides_come_to_the_same_size(combine):
    """A thousand times larger states or embeddings change nothing."""
    hidden, after, hnorm, enorm, proj = _states(1, 4, 6)
    want = combine(hidden, after, hnorm, enorm, proj, 0.0)
    expect(combine(hidden * 1000, after, hnorm, enorm, proj, 0.0), want, tol=1e-4, larger="hidden, 1000 times")
    expect(combine(hidden, after * 1000, hnorm, enorm, proj, 0.0), want, tol=1e-4, larger="next, 1000 times")


@case("mtp.combine")
def the_formula_position_by_position(combine):
    for B, T, D, dtype in ((2, 5, 8, torch.float64), (1, 1, 3, torch.float64), (3, 2, 6, torch.float32)):
        given = _states(B, T, D, dtype)
        want = _combined(*given, 1e-5).to(dtype)
        expect(combine(*given, 1e-5), want, tol=1e-4, hidden=given[0], next=given[1])


@case("mtp.combine")
def eps_keeps_small_states_small(combine):
    """States far below sqrt(eps) are hardly enlarged; zeros stay zeros."""
    for eps in (0.25, 1e-3):
        hidden, after, *others = _states(1, 3, 4)
        hidden, after = hidden * 1e-3, after * 1e-1
        hidden[:, 1], after[:, 2] = 0.0, 0.0
        want = _combined(hidden, after, *others, eps).float()
        expect(combine(hidden, after, *others, eps), want, tol=1e-4, hidden=hidden, next=after, eps=eps)


@case("mtp.combine")
def half_precision_is_squared_in_float32(combine):
    """The square of 300 is infinite in float16, and so would be the norm."""
    for dtype, size in ((torch.float16, 300.0), (torch.bfloat16, 3.0)):
        hidden, after, *others = (z.to(dtype) for z in _states(2, 3, 8))
        given = hidden.sign() * size + hidden, after.sign() * size + after, *others
        want = _combined(*given, 1e-6).to(dtype)
        expect(combine(*given, 1e-6), want, tol=0.1, hidden=given[0], next=given[1])


@case("mtp.combine")
def parts_of_a_longer_text_will_do(combine):
    """States and embeddings that are views: all positions but the last, all but the first."""
    hidden, after, *others = _states(2, 6, 4)
    hidden, after = hidden[:, :-1], after[:, 1:]
    want = _combined(hidden, after, *others, 1e-6).float()
    expect(combine(hidden, after, *others, 1e-6), want, tol=1e-4, hidden=hidden, next=after)


@case("mtp.combine")
def all_five_tensors_get_their_gradients(combine):
    hidden, after, *others = _states(2, 3, 4, torch.float64)
    hidden[0, 1], after[1, 2] = 0.0, 0.0  # where the norm's root has no slope without eps
    for eps in (1e-2, 1e-6):
        got, slopes = gradients(combine, hidden, after, *others, eps)
        want, right = gradients(_combined, hidden, after, *others, eps)
        expect(got, want, tol=1e-4, hidden=hidden, next=after, eps=eps)
        for name, one, two in zip(("hidden", "next", "hnorm", "enorm", "eh_proj"), slopes, right):
            expect(one, two, tol=1e-4 * max(1.0, two.abs().max().item()), gradient_of=name, eps=eps)


@case("mtp.combine", held_out=True)
def other_shapes_and_types(combine):
    for B, T, D, dtype in ((3, 1, 16, torch.float32), (1, 7, 2, torch.float64), (2, 4, 96, torch.float32)):
        given = _states(B, T, D, dtype)
        expect(combine(*given, 1e-6), _combined(*given, 1e-6).to(dtype), tol=1e-3)


# -- what a module is fed ----------------------------------------------------------------------------------------------


def _fed(ids, valid, k):
    """Position by position."""
    B, T = ids.shape
    after, fed = torch.zeros_like(ids), torch.zeros_like(valid)
    for b in range(B):
        for t in range(T):
            after[b, t] = ids[b, t + k + 1] if t + k + 1 < T else ids[b, T - 1]
            fed[b, t] = bool(valid[b, t + k + 1]) if t + k + 1 < T else False
    return after, fed


def _row(*values):
    return torch.tensor([values])


@case("mtp.inputs")
def module_0_is_fed_the_next_token(mtp_inputs):
    ids, valid = _row(5, 6, 7, 8), _row(True, True, True, True)
    expect(mtp_inputs(ids, valid, 0), (_row(6, 7, 8, 8), _row(True, True, True, False)), ids=ids, k=0)


@case("mtp.inputs")
def module_1_is_fed_the_one_after(mtp_inputs):
    ids, valid = _row(5, 6, 7, 8), _row(True, True, True, True)
    expect(mtp_inputs(ids, valid, 1), (_row(7, 8, 8, 8), _row(True, True, False, False)), ids=ids, k=1)


@case("mtp.inputs")
def padding_is_not_fed(mtp_inputs):
    ids, valid = torch.tensor([[5, 6, 7, 0, 0], [1, 2, 3, 4, 9]]), torch.tensor([[True] * 3 + [False] * 2, [True] * 5])
    want = torch.tensor([[6, 7, 0, 0, 0], [2, 3, 4, 9, 9]])
    fed = torch.tensor([[True, True, False, False, False], [True, True, True, True, False]])
    expect(mtp_inputs(ids, valid, 0), (want, fed), ids=ids, valid=valid, k=0)


@case("mtp.inputs")
def every_position_of_random_rows(mtp_inputs):
    for B, T, k in ((2, 7, 0), (3, 6, 1), (1, 5, 2)):
        ids = torch.randint(0, 50, (B, T))
        valid = torch.arange(T) < torch.randint(1, T + 1, (B, 1))
        expect(mtp_inputs(ids, valid, k), _fed(ids, valid, k), ids=ids, valid=valid, k=k)


@case("mtp.inputs")
def rows_shorter_than_the_step(mtp_inputs):
    ids, valid = torch.tensor([[4, 9], [7, 2]]), torch.ones(2, 2, dtype=torch.bool)
    for k in (1, 3):
        want = torch.tensor([[9, 9], [2, 2]]), torch.zeros(2, 2, dtype=torch.bool)
        expect(mtp_inputs(ids, valid, k), want, ids=ids, k=k)
    ids, valid = _row(5, 6, 7, 8), _row(True, True, True, True)
    for k in (3, 4, 5, 9):
        expect(mtp_inputs(ids, valid, k), (_row(8, 8, 8, 8), _row(False, False, False, False)), ids=ids, k=k)


@case("mtp.inputs")
def text_may_begin_behind_padding_or_have_holes(mtp_inputs):
    """A position that is padding itself may be fed a token that is text."""
    ids, valid = _row(0, 0, 7, 8, 9), _row(False, False, True, True, True)
    want = _row(0, 7, 8, 9, 9), _row(False, True, True, True, False)
    expect(mtp_inputs(ids, valid, 0), want, ids=ids, valid=valid, k=0)
    for B, T, k in ((3, 8, 0), (2, 7, 1), (2, 6, 2)):
        ids, valid = torch.randint(0, 50, (B, T)), torch.rand(B, T) < 0.6
        expect(mtp_inputs(ids, valid, k), _fed(ids, valid, k), ids=ids, valid=valid, k=k)


@case("mtp.inputs")
def one_token_has_no_next(mtp_inputs):
    for k in (0, 2):
        ids, valid = torch.tensor([[3], [4]]), torch.ones(2, 1, dtype=torch.bool)
        expect(mtp_inputs(ids, valid, k), (ids, torch.zeros_like(valid)), ids=ids, k=k)


@case("mtp.inputs", held_out=True)
def longer_rows_and_one_token(mtp_inputs):
    for B, T, k in ((1, 1, 0), (4, 33, 3), (2, 12, 5)):
        ids = torch.randint(0, 500, (B, T))
        valid = torch.arange(T) < torch.randint(1, T + 1, (B, 1))
        expect(mtp_inputs(ids, valid, k), _fed(ids, valid, k), ids=ids, k=k)


# -- targets and their weights -----------------------------------------------------------------------------------------


def _targets(ids, weight, doc_ids, ahead):
    """Position by position; -1 where nothing is predicted."""
    B, T = ids.shape
    target, counts = torch.full_like(ids, -1), torch.zeros_like(weight)
    for b in range(B):
        for t in range(T - ahead):
            if doc_ids is None or doc_ids[b, t] == doc_ids[b, t + ahead]:
                target[b, t], counts[b, t] = ids[b, t + ahead], weight[b, t + ahead]
    return target, counts


def _agree(got, ids, weight, doc_ids, ahead):
    """Weights everywhere, targets where they count; elsewhere a target is any id."""
    given = dict(ids=ids, weight=weight, doc_ids=doc_ids, ahead=ahead)
    target, counts = _targets(ids, weight, doc_ids, ahead)
    assert isinstance(got, tuple | list) and len(got) == 2, "two tensors were expected: targets and weights"
    expect(got[1], counts, tol=1e-6, **given)
    assert isinstance(got[0], torch.Tensor) and got[0].shape == ids.shape, "targets have the shape of ids"
    expect(torch.where(counts > 0, got[0], -1), torch.where(counts > 0, target, -1), **given)
    kind, least = got[0].dtype, int(got[0].min())
    assert kind == ids.dtype and least >= 0, f"targets are ids, {ids.dtype} from 0 on; they are {kind} from {least} on"


@case("mtp.targets")
def one_ahead_by_hand(targets_ahead):
    ids, weight = _row(3, 4, 5, 6), _row(0.0, 1.0, 0.5, 0.25)
    target, counts = targets_ahead(ids, weight, None, 1)
    expect(counts, _row(1.0, 0.5, 0.25, 0.0), weight=weight, ahead=1)
    expect(target[:, :3], _row(4, 5, 6), ids=ids, ahead=1)


@case("mtp.targets")
def two_ahead_by_hand(targets_ahead):
    ids, weight = _row(3, 4, 5, 6), _row(0.0, 1.0, 0.5, 0.25)
    target, counts = targets_ahead(ids, weight, None, 2)
    expect(counts, _row(0.5, 0.25, 0.0, 0.0), weight=weight, ahead=2)
    expect(target[:, :2], _row(5, 6), ids=ids, ahead=2)


@case("mtp.targets")
def no_target_in_the_next_document(targets_ahead):
    """Three tokens of one document, three of the next; the weights do not know about it."""
    ids, weight, doc_ids = _row(1, 2, 3, 4, 5, 6), torch.ones(1, 6), _row(1, 1, 1, 2, 2, 2)
    for ahead, want in ((1, (1, 1, 0, 1, 1, 0)), (2, (1, 0, 0, 1, 0, 0)), (3, (0, 0, 0, 0, 0, 0))):
        _, counts = targets_ahead(ids, weight, doc_ids, ahead)
        expect(counts, _row(*map(float, want)), doc_ids=doc_ids, ahead=ahead)


@case("mtp.targets")
def documents_may_have_any_numbers(targets_ahead):
    """Numbers that fall, that skip, and one that comes again: equal numbers are one document, whatever lies between."""
    ids, weight = _row(1, 2, 3, 4, 5, 6), torch.ones(1, 6)
    for doc_ids, ahead in ((_row(9, 9, 4, 4, 1, 1), 1), (_row(2, 2, 2, 7, 7, 5), 1), (_row(3, 3, 0, 0, -1, -1), 2)):
        _agree(targets_ahead(ids, weight, doc_ids, ahead), ids, weight, doc_ids, ahead)
    doc_ids = _row(1, 2, 1, 1, 2, 2)
    for ahead, want in ((1, (0, 0, 1, 0, 1, 0)), (2, (1, 0, 0, 0, 0, 0)), (3, (1, 1, 0, 0, 0, 0))):
        _, counts = targets_ahead(ids, weight, doc_ids, ahead)
        expect(counts, _row(*map(float, want)), doc_ids=doc_ids, ahead=ahead)


@case("mtp.targets")
def every_position_of_random_documents(targets_ahead):
    for B, T, ahead in ((2, 8, 1), (3, 9, 2), (1, 7, 3)):
        ids, weight = torch.randint(0, 50, (B, T)), torch.rand(B, T) + 0.1
        for doc_ids in (torch.randint(0, 3, (B, T)).sort(-1).values, torch.randint(0, 2, (B, T)), None):
            _agree(targets_ahead(ids, weight, doc_ids, ahead), ids, weight, doc_ids, ahead)


@case("mtp.targets")
def rows_shorter_than_ahead(targets_ahead):
    """Rows of 1 to 5 tokens, 1 to 6 ahead: the target's place may lie behind the row by more than the row is long."""
    for T in (1, 2, 3, 5):
        ids, weight = torch.randint(0, 50, (2, T)), torch.rand(2, T) + 0.1
        for ahead in (1, 2, 3, 4, 6):
            for doc_ids in (None, torch.ones(2, T, dtype=torch.long), torch.randint(0, 2, (2, T))):
                _agree(targets_ahead(ids, weight, doc_ids, ahead), ids, weight, doc_ids, ahead)


@case("mtp.targets")
def weights_keep_their_type_and_their_zeros(targets_ahead):
    doc_ids = torch.tensor([[1, 1, 1, 1, 2], [1, 1, 2, 2, 2]])
    for dtype in (torch.float64, torch.float32):
        ids, weight = torch.randint(0, 9, (2, 5)), torch.rand(2, 5, dtype=dtype)
        weight[:, 2] = 0.0
        for document in (doc_ids, None):
            _agree(targets_ahead(ids, weight, document, 1), ids, weight, document, 1)


@case("mtp.targets", held_out=True)
def longer_rows(targets_ahead):
    for B, T, ahead in ((4, 40, 1), (2, 30, 4), (3, 6, 4)):
        ids, weight = torch.randint(0, 50, (B, T)), torch.rand(B, T) + 0.1
        for doc_ids in (torch.randint(0, 6, (B, T)).sort(-1).values, torch.randint(0, 3, (B, T))):
            _agree(targets_ahead(ids, weight, doc_ids, ahead), ids, weight, doc_ids, ahead)


# -- accepted guesses --------------------------------------------------------------------------------------------------


def _accepted(guesses, right, stop_ids):
    out = []
    for i, token in enumerate(right):
        out.append(token)
        if i == len(guesses) or guesses[i] != token or token in stop_ids:
            return out


def _judge(accept, guesses, right, stop_ids, want):
    expect(accept(list(guesses), list(right), set(stop_ids)), want, guesses=guesses, right=right, stop_ids=stop_ids)


@case("speculative.accept")
def the_first_wrong_guess_is_replaced(accept):
    _judge(accept, [5, 6], [5, 9, 7], set(), [5, 9])
    _judge(accept, [4, 6, 7], [5, 6, 7, 8], set(), [5])


@case("speculative.accept")
def right_guesses_give_one_token_more(accept):
    _judge(accept, [5, 6], [5, 6, 7], set(), [5, 6, 7])
    _judge(accept, [3], [3, 4], {9}, [3, 4])


@case("speculative.accept")
def without_guesses_one_token_is_known(accept):
    _judge(accept, [], [8], set(), [8])


@case("speculative.accept")
def what_follows_a_wrong_guess_does_not_count(accept):
    _judge(accept, [5, 1, 7], [5, 6, 7, 8], set(), [5, 6])


@case("speculative.accept")
def nothing_is_confirmed_behind_a_stop_token(accept):
    _judge(accept, [5, 2, 7], [5, 2, 7, 8], {2}, [5, 2])
    _judge(accept, [2, 2], [2, 2, 2], {2}, [2])
    _judge(accept, [5, 6, 2], [5, 6, 2, 8], {2}, [5, 6, 2])


@case("speculative.accept")
def a_stop_token_that_was_only_guessed_stops_nothing(accept):
    _judge(accept, [2, 6], [5, 6, 7], {2}, [5])
    _judge(accept, [5, 2, 6], [5, 6, 6, 7], {2}, [5, 6])


@case("speculative.accept")
def a_stop_token_behind_a_wrong_guess_means_nothing(accept):
    _judge(accept, [4, 6, 7], [5, 2, 7, 8], {2}, [5])
    _judge(accept, [5, 4, 7, 1], [5, 6, 2, 2, 8], {2}, [5, 6])


@case("speculative.accept")
def the_token_behind_all_guesses_may_be_a_stop_token(accept):
    _judge(accept, [5, 6], [5, 6, 2], {2, 9}, [5, 6, 2])
    _judge(accept, [], [9], {2, 9}, [9])
    _judge(accept, [4], [9, 3], {2, 9}, [9])


@case("speculative.accept")
def there_may_be_several_stop_tokens(accept):
    for stop in (2, 4, 9):
        _judge(accept, [5, stop, 7], [5, stop, 7, 8], {2, 4, 9}, [5, stop])
        _judge(accept, [5, 6, 7], [5, stop, 7, 8], {2, 4, 9}, [5, stop])


@case("speculative.accept")
def ids_may_be_large_or_zero(accept):
    large = [100_000 + i for i in range(5)]
    again = [int(str(i)) for i in large]  # equal numbers, other objects
    _judge(accept, large[:4], again, {7}, large)
    _judge(accept, large[:4], again, {int("100002")}, large[:3])
    _judge(accept, [0, 0, 0], [0, 0, 1, 0], {3}, [0, 0, 1])
    _judge(accept, [1, 0, 1], [1, 0, 1, 1], {0}, [1, 0])


@case("speculative.accept")
def random_guesses(accept):
    for _ in range(40):
        count = random.randrange(5)
        guesses, right = [random.randrange(3) for _ in range(count)], [random.randrange(3) for _ in range(count + 1)]
        _judge(accept, guesses, right, {2}, _accepted(guesses, right, {2}))


@case("speculative.accept", held_out=True)
def many_more_guesses(accept):
    for _ in range(100):
        right = [random.randrange(6) for _ in range(random.randrange(1, 9))]
        guesses = [token if random.random() < 0.8 else random.randrange(6) for token in right[:-1]]
        _judge(accept, guesses, right, {0, 5}, _accepted(guesses, right, {0, 5}))


# -- the expected speed-up ---------------------------------------------------------------------------------------------


def _by_outcomes(rates, draft_cost, check_cost):
    """Each number of accepted guesses with its probability."""
    tokens, reached = 0.0, 1.0
    for accepted, rate in enumerate([*rates, 0.0]):
        tokens += reached * (1 - rate) * (accepted + 1)
        reached *= rate
    return tokens / (1 + len(rates) * draft_cost + len(rates) * check_cost)


def _speed(speedup, rates, draft_cost, check_cost, want):
    got = speedup(list(rates), draft_cost, check_cost)
    expect(got, want, tol=1e-6, rates=rates, draft_cost=draft_cost, check_cost=check_cost)


@case("speculative.speedup")
def no_guesses_change_nothing(speedup):
    _speed(speedup, [], 0.3, 0.1, 1.0)


@case("speculative.speedup")
def one_guess_that_costs_nothing(speedup):
    _speed(speedup, [0.9], 0.0, 0.0, 1.9)
    _speed(speedup, [0.85], 0.0, 0.0, 1.85)


@case("speculative.speedup")
def a_guess_needs_those_before_it(speedup):
    _speed(speedup, [0.8, 0.5], 0.0, 0.0, 1 + 0.8 + 0.4)
    _speed(speedup, [0.0, 1.0], 0.0, 0.0, 1.0)
    _speed(speedup, [1.0, 1.0, 1.0], 0.0, 0.0, 4.0)


@case("speculative.speedup")
def every_guess_costs(speedup):
    _speed(speedup, [0.8, 0.5], 0.25, 0.05, 2.2 / 1.6)
    _speed(speedup, [0.6], 0.5, 0.0, 1.6 / 1.5)
    _speed(speedup, [0.6], 0.0, 0.5, 1.6 / 1.5)


@case("speculative.speedup")
def useless_guesses_make_it_slower(speedup):
    _speed(speedup, [0.0], 0.5, 0.0, 1 / 1.5)


@case("speculative.speedup")
def theorem_3_8_of_speculative_decoding(speedup):
    for rate, count, cost in ((0.7, 4, 0.1), (0.5, 2, 0.3), (0.9, 5, 0.05)):
        want = (1 - rate ** (count + 1)) / ((1 - rate) * (count * cost + 1))
        _speed(speedup, [rate] * count, cost, 0.0, want)


@case("speculative.speedup")
def rates_in_any_order_with_both_costs(speedup):
    for rates in ([0.9, 0.6, 0.3], [0.2, 0.5, 1.0, 0.7], [0.0, 0.4], [1.0, 0.25]):
        _speed(speedup, rates, 0.12, 0.03, _by_outcomes(rates, 0.12, 0.03))


@case("speculative.speedup")
def costs_may_be_left_out(speedup):
    rates = [0.5, 0.5]
    expect(speedup(rates), 1.75, tol=1e-6, rates=rates)
    expect(speedup([0.5], 0.2), 1.25, tol=1e-6, rates=[0.5], draft_cost=0.2)
    expect(speedup(rates, check_cost=0.25), 1.75 / 1.5, tol=1e-6, rates=rates, check_cost=0.25)


@case("speculative.speedup", held_out=True)
def all_outcomes_with_their_probabilities(speedup):
    for _ in range(20):
        rates = [random.random() for _ in range(random.randrange(7))]
        costs = random.random(), random.random() / 4
        _speed(speedup, rates, *costs, _by_outcomes(rates, *costs))


# -- the loop: guesses and checks --------------------------------------------------------------------------------------


def _model(modules, seed=None, layers=2):
    """A small model with five tokens to choose from, so that random modules guess right now and then."""
    if seed is not None:
        torch.manual_seed(seed)
    config = ModelConfig(
        vocab_size=5,
        hidden_size=8,
        intermediate_size=12,
        num_hidden_layers=layers,
        first_k_dense_replace=9,
        moe_intermediate_size=4,
        n_routed_experts=2,
        num_experts_per_tok=1,
        n_group=1,
        topk_group=1,
        num_attention_heads=2,
        q_lora_rank=None,
        kv_lora_rank=6,
        qk_nope_head_dim=4,
        qk_rope_head_dim=4,
        v_head_dim=4,
        max_position_embeddings=64,
        initializer_range=0.5,
        num_nextn_predict_layers=modules,
        eos_token_id=None,
    )
    return Transformer(config).double().eval()


@torch.no_grad()
def _greedy(model, prompt, count):
    """Without cache or guesses: the whole text anew for each token."""
    ids = list(prompt)
    for _ in range(count):
        ids.append(int(model(torch.tensor([ids]))[0, -1].argmax()))
    return ids[len(prompt) :]


@torch.no_grad()
def _guesses(model, ids, count):
    """What the modules guess behind a text of ids: each from the whole text anew, with the guesses before it."""
    ids, last = list(ids), len(ids) - 1
    for k in range(count):
        text = torch.tensor([ids])
        states = model.mtp_hidden(model.hidden(text), text)[k]
        ids.append(int(model.lm_head(states[:, last - 1]).argmax()))
    return ids[last + 1 :]


def _rounds(model, prompt, text):
    """The counts that the modules earn on the way to this text of greedy decoding, from `_guesses` alone."""
    counts, written = {"drafted": 0, "accepted": 0, "forwards": 1}, 1
    while written < len(text):
        guesses = _guesses(model, [*prompt, *text[:written]], min(len(model.mtp), len(text) - written - 1))
        hits = 0
        while hits < len(guesses) and guesses[hits] == text[written + hits]:
            hits += 1
        counts["drafted"] += len(guesses)
        counts["accepted"] += hits
        counts["forwards"] += 1
        written += hits + 1
    return counts


def _until(text, stop_ids):
    """A text up to the first of these tokens, which is its last."""
    ends = [i for i, token in enumerate(text) if token in stop_ids]
    return text[: ends[0] + 1] if ends else text


def _writes(speculate, model, prompt, text, stop_ids=frozenset()):
    """The counts of a call that has room for this text of greedy decoding, and has to write it."""
    new, counts = speculate(model, type(prompt)(prompt), len(text), set(stop_ids))
    given = dict(prompt=prompt, room=len(text), modules=len(model.mtp), stop_ids=set(stop_ids))
    expect(new, _until(text, stop_ids), **given)
    return counts


def _writes_and_counts(speculate, model, prompt, text):
    counts = _writes(speculate, model, prompt, text)
    expect(counts, _rounds(model, prompt, text), prompt=prompt, room=len(text), modules=len(model.mtp))


changes("speculative.step", "model")  # which keeps its tables of angles


# Seeds are chosen so that texts change and guesses are now accepted, now refused, of two sometimes one.


def _write_all(speculate, modules, seeds, prompt, room):
    """Calls with every model before anything is compared: a mistake shows in more than one place."""
    models = [_model(modules, seed) for seed in seeds]
    written = [speculate(model, list(prompt), room, set())[0] for model in models]
    for model, new in zip(models, written):
        expect(new, _greedy(model, prompt, room), prompt=prompt, room=room, modules=modules)


@case("speculative.step")
def one_module_writes_what_greedy_writes(speculate):
    _write_all(speculate, 1, (4, 14), [1, 3], 10)


@case("speculative.step")
def two_modules_write_what_greedy_writes(speculate):
    _write_all(speculate, 2, (8, 12), [2, 0, 3], 9)


@case("speculative.step")
def forwards_and_guesses_are_counted(speculate):
    """Counted against guesses that are made from the whole text anew."""
    for modules, seed, prompt in ((1, 6, [1, 3]), (2, 2, [2, 0, 3])):
        model = _model(modules, seed)
        _writes_and_counts(speculate, model, prompt, _greedy(model, prompt, 8))


@case("speculative.step")
def it_writes_no_more_than_there_is_room_for(speculate):
    model = _model(2, 12)
    text = _greedy(model, [2, 0, 3], 4)
    for room in (1, 2, 3, 4):
        _writes_and_counts(speculate, model, [2, 0, 3], text[:room])


@case("speculative.step")
def it_ends_with_the_first_stop_token(speculate):
    """It may be the first new token, an accepted guess, the token behind the guesses, or in place of a refused one."""
    model = _model(1, 9)
    text = _greedy(model, [1, 3], 8)
    for stop_ids in (*({token} for token in sorted(set(text))), {0, 2}):
        _writes(speculate, model, [1, 3], text, stop_ids)


@case("speculative.step")
def without_modules_it_is_plain_greedy_decoding(speculate):
    model = _model(0, 9)
    counts = _writes(speculate, model, [3, 3], _greedy(model, [3, 3], 4))
    expect(counts, {"drafted": 0, "accepted": 0, "forwards": 4}, modules=0, room=4)


@case("speculative.step")
def a_tuple_is_a_prompt_too_and_one_layer_is_enough(speculate):
    model = _model(1, 6, layers=1)
    _writes(speculate, model, (1, 2, 3), _greedy(model, (1, 2, 3), 6))


@case("speculative.step")
def a_right_guess_behind_a_wrong_one_is_not_accepted(speculate):
    """Of two guesses the second may be what the model says there; if the first is not, it stands in another text."""
    for _ in range(5):
        model, prompt = _model(2), torch.randint(0, 5, (random.randrange(1, 6),)).tolist()
        _writes_and_counts(speculate, model, prompt, _greedy(model, prompt, 8))


@case("speculative.step", held_out=True)
def other_models_and_prompts(speculate):
    for modules in (1, 2):
        model = _model(modules)
        prompt = torch.randint(0, 5, (random.randrange(1, 6),)).tolist()
        _writes_and_counts(speculate, model, prompt, _greedy(model, prompt, 6))
