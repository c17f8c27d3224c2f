"""Chapter 05: multi-token prediction. Independent answers: loops over positions, sums worked out by hand, and greedy
decoding that has no cache and knows nothing of guesses."""

import functools
import math
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


@case("model.transformer.mtp_combine")
def an_example_by_hand(combine):
    """Mean squares 12.5 and 50; the projection picks one number of each side."""
    hidden, after = torch.tensor([[[3.0, 4.0]]]), torch.tensor([[[6.0, 8.0]]])
    hnorm, enorm = torch.tensor([1.0, 10.0]), torch.tensor([2.0, 1.0])
    proj = torch.tensor([[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]])
    want = torch.tensor([[[2 * 6 / 50**0.5, 10 * 4 / 12.5**0.5]]])
    given = dict(hidden=hidden, next=after, hnorm=hnorm, enorm=enorm, eh_proj=proj)
    expect(combine(hidden, after, hnorm, enorm, proj, 0.0), want, **given)


@case("model.transformer.mtp_combine")
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


@case("model.transformer.mtp_combine")
def both_sides_come_to_the_same_size(combine):
    """A thousand times larger states or embeddings change nothing."""
    hidden, after, hnorm, enorm, proj = _states(1, 4, 6)
    want = combine(hidden, after, hnorm, enorm, proj, 0.0)
    expect(combine(hidden * 1000, after, hnorm, enorm, proj, 0.0), want, tol=1e-4, larger="hidden, 1000 times")
    expect(combine(hidden, after * 1000, hnorm, enorm, proj, 0.0), want, tol=1e-4, larger="next, 1000 times")


@case("model.transformer.mtp_combine")
def the_formula_in_float64(combine):
    for B, T, D in ((2, 5, 8), (1, 1, 3)):
        given = _states(B, T, D, torch.float64)
        expect(combine(*given, 1e-5), _combined(*given, 1e-5), tol=1e-9, hidden=given[0], next=given[1])


@case("model.transformer.mtp_combine")
def eps_keeps_small_states_small(combine):
    """States far below sqrt(eps) are hardly enlarged."""
    given = _states(1, 2, 4)
    given = given[0] * 1e-3, given[1] * 1e-3, *given[2:]
    expect(combine(*given, 0.25), _combined(*given, 0.25).float(), tol=1e-5, hidden=given[0], eps=0.25)


@case("model.transformer.mtp_combine")
def all_five_tensors_get_their_gradients(combine):
    given = _states(2, 3, 4, torch.float64)
    got, slopes = gradients(combine, *given, 1e-6)
    want, right = gradients(_combined, *given, 1e-6)
    expect(got, want, tol=1e-9)
    for name, one, two in zip(("hidden", "next", "hnorm", "enorm", "eh_proj"), slopes, right):
        expect(one, two, tol=1e-8, gradient_of=name)


@case("model.transformer.mtp_combine", held_out=True)
def other_shapes_and_types(combine):
    for B, T, D, dtype in ((3, 1, 16, torch.float32), (1, 7, 2, torch.float64), (2, 4, 96, torch.float32)):
        given = _states(B, T, D, dtype)
        expect(combine(*given, 1e-6), _combined(*given, 1e-6).to(dtype), tol=1e-4)


@case("model.transformer.mtp_combine", held_out=True)
def inputs_stay_as_they_are(combine):
    given = _states(2, 3, 4)
    before = [z.clone() for z in given]
    combine(*given, 1e-6)
    for one, two in zip(given, before):
        expect(one, two, tol=0.0)


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


@case("model.transformer.mtp_inputs")
def module_0_is_fed_the_next_token(mtp_inputs):
    ids, valid = _row(5, 6, 7, 8), _row(True, True, True, True)
    expect(mtp_inputs(ids, valid, 0), (_row(6, 7, 8, 8), _row(True, True, True, False)), ids=ids, k=0)


@case("model.transformer.mtp_inputs")
def module_1_is_fed_the_one_after(mtp_inputs):
    ids, valid = _row(5, 6, 7, 8), _row(True, True, True, True)
    expect(mtp_inputs(ids, valid, 1), (_row(7, 8, 8, 8), _row(True, True, False, False)), ids=ids, k=1)


@case("model.transformer.mtp_inputs")
def padding_is_not_fed(mtp_inputs):
    ids, valid = torch.tensor([[5, 6, 7, 0, 0], [1, 2, 3, 4, 9]]), torch.tensor([[True] * 3 + [False] * 2, [True] * 5])
    want = torch.tensor([[6, 7, 0, 0, 0], [2, 3, 4, 9, 9]])
    fed = torch.tensor([[True, True, False, False, False], [True, True, True, True, False]])
    expect(mtp_inputs(ids, valid, 0), (want, fed), ids=ids, valid=valid, k=0)


@case("model.transformer.mtp_inputs")
def every_position_of_random_rows(mtp_inputs):
    for B, T, k in ((2, 7, 0), (3, 6, 1), (1, 5, 2)):
        ids = torch.randint(0, 50, (B, T))
        valid = torch.arange(T) < torch.randint(1, T + 1, (B, 1))
        expect(mtp_inputs(ids, valid, k), _fed(ids, valid, k), ids=ids, valid=valid, k=k)


@case("model.transformer.mtp_inputs")
def rows_shorter_than_the_step(mtp_inputs):
    ids, valid = torch.tensor([[4, 9], [7, 2]]), torch.ones(2, 2, dtype=torch.bool)
    for k in (1, 3):
        want = torch.tensor([[9, 9], [2, 2]]), torch.zeros(2, 2, dtype=torch.bool)
        expect(mtp_inputs(ids, valid, k), want, ids=ids, k=k)


@case("model.transformer.mtp_inputs", held_out=True)
def longer_rows_and_one_token(mtp_inputs):
    for B, T, k in ((1, 1, 0), (4, 33, 3), (2, 12, 5)):
        ids = torch.randint(0, 500, (B, T))
        valid = torch.arange(T) < torch.randint(1, T + 1, (B, 1))
        expect(mtp_inputs(ids, valid, k), _fed(ids, valid, k), ids=ids, k=k)


@case("model.transformer.mtp_inputs", held_out=True)
def ids_and_valid_stay_as_they_are(mtp_inputs):
    ids, valid = torch.randint(0, 50, (2, 6)), torch.ones(2, 6, dtype=torch.bool)
    before = ids.clone(), valid.clone()
    mtp_inputs(ids, valid, 1)
    expect((ids, valid), before)


# -- targets and their weights -----------------------------------------------------------------------------------------


def _targets(ids, weight, segments, ahead):
    """Position by position; -1 where nothing is predicted."""
    B, T = ids.shape
    target, counts = torch.full_like(ids, -1), torch.zeros_like(weight)
    for b in range(B):
        for t in range(T - ahead):
            if segments is None or segments[b, t] == segments[b, t + ahead]:
                target[b, t], counts[b, t] = ids[b, t + ahead], weight[b, t + ahead]
    return target, counts


def _agree(got, ids, weight, segments, ahead):
    """Weights everywhere, targets where they count; elsewhere a target is any id."""
    given = dict(ids=ids, weight=weight, segments=segments, ahead=ahead)
    target, counts = _targets(ids, weight, segments, ahead)
    assert isinstance(got, tuple | list) and len(got) == 2, "two tensors were expected: targets and weights"
    expect(got[1], counts, tol=1e-6, **given)
    assert isinstance(got[0], torch.Tensor) and got[0].shape == ids.shape, "targets have the shape of ids"
    expect(torch.where(counts > 0, got[0], -1), torch.where(counts > 0, target, -1), **given)
    assert not got[0].is_floating_point() and int(got[0].min()) >= 0, "targets are ids: integers from 0 on"


@case("train.loss.targets_ahead")
def one_ahead_by_hand(targets_ahead):
    ids, weight = _row(3, 4, 5, 6), _row(0.0, 1.0, 0.5, 0.25)
    target, counts = targets_ahead(ids, weight, None, 1)
    expect(counts, _row(1.0, 0.5, 0.25, 0.0), weight=weight, ahead=1)
    expect(target[:, :3], _row(4, 5, 6), ids=ids, ahead=1)


@case("train.loss.targets_ahead")
def two_ahead_by_hand(targets_ahead):
    ids, weight = _row(3, 4, 5, 6), _row(0.0, 1.0, 0.5, 0.25)
    target, counts = targets_ahead(ids, weight, None, 2)
    expect(counts, _row(0.5, 0.25, 0.0, 0.0), weight=weight, ahead=2)
    expect(target[:, :2], _row(5, 6), ids=ids, ahead=2)


@case("train.loss.targets_ahead")
def no_target_in_the_next_document(targets_ahead):
    """Three tokens of one document, three of the next; the weights do not know about it."""
    ids, weight, segments = _row(1, 2, 3, 4, 5, 6), torch.ones(1, 6), _row(1, 1, 1, 2, 2, 2)
    for ahead, want in ((1, (1, 1, 0, 1, 1, 0)), (2, (1, 0, 0, 1, 0, 0)), (3, (0, 0, 0, 0, 0, 0))):
        _, counts = targets_ahead(ids, weight, segments, ahead)
        expect(counts, _row(*map(float, want)), segments=segments, ahead=ahead)


@case("train.loss.targets_ahead")
def every_position_of_random_documents(targets_ahead):
    for B, T, ahead in ((2, 8, 1), (3, 9, 2), (1, 7, 3)):
        ids, weight = torch.randint(0, 50, (B, T)), torch.rand(B, T) + 0.1
        segments = torch.randint(0, 3, (B, T)).sort(-1).values
        _agree(targets_ahead(ids, weight, segments, ahead), ids, weight, segments, ahead)
        _agree(targets_ahead(ids, weight, None, ahead), ids, weight, None, ahead)


@case("train.loss.targets_ahead")
def rows_shorter_than_ahead(targets_ahead):
    ids, weight, segments = torch.tensor([[4, 9], [7, 2]]), torch.ones(2, 2), torch.ones(2, 2, dtype=torch.long)
    for ahead in (2, 5):
        for document in (None, segments):
            _agree(targets_ahead(ids, weight, document, ahead), ids, weight, document, ahead)


@case("train.loss.targets_ahead", held_out=True)
def weights_keep_their_type(targets_ahead):
    ids, weight = torch.randint(0, 9, (2, 5)), torch.rand(2, 5, dtype=torch.float64) + 0.1
    segments = torch.tensor([[1, 1, 1, 1, 2], [1, 1, 2, 2, 2]])
    _agree(targets_ahead(ids, weight, segments, 2), ids, weight, segments, 2)


@case("train.loss.targets_ahead", held_out=True)
def ids_and_weights_stay_as_they_are(targets_ahead):
    given = torch.randint(0, 50, (2, 6)), torch.rand(2, 6), torch.tensor([[1, 1, 2, 2, 2, 2], [1, 1, 1, 1, 1, 2]])
    before = [z.clone() for z in given]
    targets_ahead(*given, 2)
    for one, two in zip(given, before):
        expect(one, two, tol=0.0)


@case("train.loss.targets_ahead", held_out=True)
def longer_rows(targets_ahead):
    for B, T, ahead in ((4, 40, 1), (2, 30, 4), (1, 1, 1)):
        ids, weight = torch.randint(0, 50, (B, T)), torch.rand(B, T) + 0.1
        segments = torch.randint(0, 6, (B, T)).sort(-1).values
        _agree(targets_ahead(ids, weight, segments, ahead), ids, weight, segments, ahead)


# -- accepted guesses --------------------------------------------------------------------------------------------------


def _accepted(guesses, right, stop_ids):
    out = []
    for i, token in enumerate(right):
        out.append(token)
        if i == len(guesses) or guesses[i] != token or token in stop_ids:
            return out


def _judge(accept, guesses, right, stop_ids, want):
    expect(accept(list(guesses), list(right), set(stop_ids)), want, guesses=guesses, right=right, stop_ids=stop_ids)


@case("model.speculative.accept")
def the_first_wrong_guess_is_replaced(accept):
    _judge(accept, [5, 6], [5, 9, 7], set(), [5, 9])
    _judge(accept, [4, 6, 7], [5, 6, 7, 8], set(), [5])


@case("model.speculative.accept")
def right_guesses_give_one_token_more(accept):
    _judge(accept, [5, 6], [5, 6, 7], set(), [5, 6, 7])
    _judge(accept, [3], [3, 4], {9}, [3, 4])


@case("model.speculative.accept")
def without_guesses_one_token_is_known(accept):
    _judge(accept, [], [8], set(), [8])


@case("model.speculative.accept")
def what_follows_a_wrong_guess_does_not_count(accept):
    _judge(accept, [5, 1, 7], [5, 6, 7, 8], set(), [5, 6])


@case("model.speculative.accept")
def nothing_is_confirmed_behind_a_stop_token(accept):
    _judge(accept, [5, 2, 7], [5, 2, 7, 8], {2}, [5, 2])
    _judge(accept, [2, 2], [2, 2, 2], {2}, [2])
    _judge(accept, [5, 6, 2], [5, 6, 2, 8], {2}, [5, 6, 2])


@case("model.speculative.accept")
def a_stop_token_that_was_only_guessed_stops_nothing(accept):
    _judge(accept, [2, 6], [5, 6, 7], {2}, [5])
    _judge(accept, [5, 2, 6], [5, 6, 6, 7], {2}, [5, 6])


@case("model.speculative.accept")
def random_guesses(accept):
    for _ in range(40):
        count = random.randrange(5)
        guesses, right = [random.randrange(3) for _ in range(count)], [random.randrange(3) for _ in range(count + 1)]
        _judge(accept, guesses, right, {2}, _accepted(guesses, right, {2}))


@case("model.speculative.accept", held_out=True)
def lists_stay_as_they_are(accept):
    guesses, right = [5, 6, 7], [5, 6, 8, 9]
    accept(guesses, right, {1})
    expect((guesses, right), ([5, 6, 7], [5, 6, 8, 9]))


@case("model.speculative.accept", held_out=True)
def many_more_guesses(accept):
    for _ in range(150):
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


@case("model.speculative.expected_speedup")
def no_guesses_change_nothing(speedup):
    _speed(speedup, [], 0.3, 0.1, 1.0)


@case("model.speculative.expected_speedup")
def one_guess_that_costs_nothing(speedup):
    _speed(speedup, [0.9], 0.0, 0.0, 1.9)
    _speed(speedup, [0.85], 0.0, 0.0, 1.85)


@case("model.speculative.expected_speedup")
def a_guess_needs_those_before_it(speedup):
    _speed(speedup, [0.8, 0.5], 0.0, 0.0, 1 + 0.8 + 0.4)
    _speed(speedup, [0.0, 1.0], 0.0, 0.0, 1.0)
    _speed(speedup, [1.0, 1.0, 1.0], 0.0, 0.0, 4.0)


@case("model.speculative.expected_speedup")
def every_guess_costs(speedup):
    _speed(speedup, [0.8, 0.5], 0.25, 0.05, 2.2 / 1.6)
    _speed(speedup, [0.6], 0.5, 0.0, 1.6 / 1.5)
    _speed(speedup, [0.6], 0.0, 0.5, 1.6 / 1.5)


@case("model.speculative.expected_speedup")
def useless_guesses_make_it_slower(speedup):
    _speed(speedup, [0.0], 0.5, 0.0, 1 / 1.5)


@case("model.speculative.expected_speedup")
def theorem_3_8_of_speculative_decoding(speedup):
    for rate, count, cost in ((0.7, 4, 0.1), (0.5, 2, 0.3), (0.9, 5, 0.05)):
        want = (1 - rate ** (count + 1)) / ((1 - rate) * (count * cost + 1))
        _speed(speedup, [rate] * count, cost, 0.0, want)


@case("model.speculative.expected_speedup", held_out=True)
def all_outcomes_with_their_probabilities(speedup):
    for _ in range(20):
        rates = [random.random() for _ in range(random.randrange(5))]
        costs = random.random(), random.random() / 4
        _speed(speedup, rates, *costs, _by_outcomes(rates, *costs))


@case("model.speculative.expected_speedup", held_out=True)
def costs_may_be_left_out(speedup):
    rates = [0.5, 0.5]
    expect(speedup(rates), 1.75, tol=1e-6, rates=rates)
    expect(rates, [0.5, 0.5])
    assert math.isfinite(speedup([0.5], 0.2)), "draft_cost alone may be given"


# -- the loop: guesses and checks --------------------------------------------------------------------------------------


def _model(modules, seed=None):
    """A small layer with five tokens to choose from, so that random modules guess right now and then."""
    if seed is not None:
        torch.manual_seed(seed)
    config = ModelConfig(
        vocab_size=5, hidden_size=8, intermediate_size=12, num_hidden_layers=1, first_k_dense_replace=9,
        moe_intermediate_size=4, n_routed_experts=2, num_experts_per_tok=1, n_group=1, topk_group=1,
        num_attention_heads=2, q_lora_rank=None, kv_lora_rank=6, qk_nope_head_dim=4, qk_rope_head_dim=4, v_head_dim=4,
        max_position_embeddings=64, initializer_range=0.5, num_nextn_predict_layers=modules, eos_token_id=None,
    )  # fmt: skip
    return Transformer(config).double().eval()


@torch.no_grad()
def _greedy(model, prompt, count):
    """Without cache or guesses: the whole text anew for each token."""
    ids = list(prompt)
    for _ in range(count):
        ids.append(int(model(torch.tensor([ids]))[0, -1].argmax()))
    return ids[len(prompt) :]


@functools.cache
def _known(modules, seed, prompt, count):
    """What greedy decoding writes with a model of the visible cases; many wrong versions are compared with it."""
    return _greedy(_model(modules, seed), prompt, count)


@torch.no_grad()
def _guess(model, ids):
    """What one module guesses behind a text of ids: the token after the next, from the whole text anew."""
    hidden = model.hidden(torch.tensor([ids]))
    return int(model.lm_head(model.mtp_hidden(hidden, torch.tensor([ids]))[0])[0, len(ids) - 2].argmax())


def _rounds(model, prompt, room):
    """The counts that one module earns, from `_greedy` and `_guess` alone."""
    text = _greedy(model, prompt, room)
    counts, written = {"drafted": 0, "accepted": 0, "forwards": 1}, 1
    while written < room:
        drafted = int(room - written > 1)
        hit = drafted and _guess(model, [*prompt, *text[:written]]) == text[written]
        counts["drafted"] += drafted
        counts["accepted"] += int(hit)
        counts["forwards"] += 1
        written += 1 + int(hit)
    return counts


def _same_text(speculate, modules, seed, prompt, room, stop_ids=frozenset()):
    want = _known(modules, seed, tuple(prompt), room)
    ends = [i for i, token in enumerate(want) if token in stop_ids]
    want = want[: ends[0] + 1] if ends else want
    new, counts = speculate(_model(modules, seed), list(prompt), room, set(stop_ids))
    expect(new, want, prompt=prompt, room=room, modules=modules, stop_ids=set(stop_ids))
    return counts


changes("model.speculative.speculate", "model")  # which keeps its tables of angles


@case("model.speculative.speculate")
def one_module_writes_what_greedy_writes(speculate):
    for seed in (4, 12):
        _same_text(speculate, 1, seed, [1, 3], 10)


@case("model.speculative.speculate")
def two_modules_write_what_greedy_writes(speculate):
    for seed in (6, 9):
        _same_text(speculate, 2, seed, [0, 4, 2], 10)


@case("model.speculative.speculate")
def forwards_and_guesses_are_counted(speculate):
    """Counted against guesses that are made from the whole text anew."""
    model = _model(1, 3)
    want = _rounds(model, [2, 0, 3], 8)
    expect(speculate(model, [2, 0, 3], 8, set())[1], want, prompt=[2, 0, 3], room=8)


@case("model.speculative.speculate")
def it_writes_no_more_than_there_is_room_for(speculate):
    for room in (1, 2, 3, 4):
        _same_text(speculate, 2, 6, [1], room)


@case("model.speculative.speculate")
def it_ends_with_the_first_stop_token(speculate):
    for stop in sorted(set(_known(1, 3, (4, 1), 8))):
        _same_text(speculate, 1, 3, [4, 1], 8, {stop})


@case("model.speculative.speculate")
def without_modules_it_is_plain_greedy_decoding(speculate):
    counts = _same_text(speculate, 0, 9, [3, 3], 4)
    expect(counts, {"drafted": 0, "accepted": 0, "forwards": 4}, modules=0, room=4)


@case("model.speculative.speculate", held_out=True)
def other_models_and_prompts(speculate):
    for modules in (1, 2, 3):
        model = _model(modules)
        prompt = torch.randint(0, 5, (random.randrange(1, 6),)).tolist()
        new, counts = speculate(model, list(prompt), 8, set())
        expect(new, _greedy(model, prompt, 8), prompt=prompt, modules=modules)
        assert counts["forwards"] + counts["accepted"] == 8, "every forward gives one token and those accepted"


@case("model.speculative.speculate", held_out=True)
def the_prompt_stays_as_it_is(speculate):
    prompt = [1, 2, 3]
    speculate(_model(1), prompt, 4, set())
    expect(prompt, [1, 2, 3])
