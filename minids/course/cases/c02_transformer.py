"""Chapter 02: the parts of a transformer."""

import math

import torch
import torch.nn.functional as F

from minids.course.cases import case, changes, expect, gradients

INF = float("inf")


def raises(fn, *args):
    try:
        fn(*args)
    except NotImplementedError:
        raise
    except Exception:
        return True
    return False


# -- RMSNorm -----------------------------------------------------------------------------------------------------------


@case("model.layers.rms_norm")
def matches_a_vector_worked_by_hand(rms_norm):
    # mean square of (1, 7, 5, 5) is 25, its root 5
    x, weight = torch.tensor([1.0, 7.0, 5.0, 5.0]), torch.tensor([1.0, 2.0, 3.0, -1.0])
    expect(rms_norm(x, weight, 0.0), torch.tensor([0.2, 2.8, 3.0, -1.0]), x=x, weight=weight, eps=0.0)


@case("model.layers.rms_norm")
def every_vector_along_the_last_axis_is_scaled_by_itself(rms_norm):
    for shape in ((5,), (4, 7), (2, 3, 1), (2, 1, 3, 6)):
        x, weight = torch.randn(shape) * 3, torch.rand(shape[-1]) + 0.5
        expect(rms_norm(x, weight, 1e-6), F.rms_norm(x, shape[-1:], weight, 1e-6), x=x, weight=weight)


@case("model.layers.rms_norm")
def eps_stands_inside_the_root(rms_norm):
    x, weight = torch.tensor([[0.3, -0.3]]), torch.ones(2)  # mean square 0.09
    expect(rms_norm(x, weight, 0.16), torch.tensor([[0.6, -0.6]]), x=x, eps=0.16)


@case("model.layers.rms_norm")
def zeros_stay_zeros(rms_norm):
    expect(rms_norm(torch.zeros(2, 4), torch.ones(4), 1e-6), torch.zeros(2, 4), x=torch.zeros(2, 4), eps=1e-6)


@case("model.layers.rms_norm")
def half_precision_stays_half_precision_and_does_not_overflow(rms_norm):
    x, weight = torch.randn(3, 16).mul(2).add(400).half(), torch.ones(16).half()
    exact = x.double() / x.double().square().mean(-1, keepdim=True).sqrt()
    expect(rms_norm(x, weight, 1e-6), exact.half(), tol=4e-3, x=x)


@case("model.layers.rms_norm")
def gradients_are_those_of_the_formula(rms_norm):
    x, weight = torch.randn(3, 5).double(), torch.rand(5).double() + 0.5
    _, (of_x, of_weight) = gradients(rms_norm, x, weight, 0.01)
    _, (want_x, want_weight) = gradients(_rms_norm, x, weight, 0.01)
    expect(of_weight, want_weight, tol=1e-9, x=x, weight=weight)
    expect(of_x, want_x, tol=1e-9, x=x, weight=weight)


@case("model.layers.rms_norm")
def x_stays_as_it_was(rms_norm):
    x = torch.randn(2, 4)
    before = x.clone()
    rms_norm(x, torch.rand(4), 1e-6)
    assert torch.equal(x, before), "x was changed: somebody else still needs it (the residual stream)"


@case("model.layers.rms_norm", held_out=True)
def float64_is_computed_in_float64(rms_norm):
    x, weight = torch.randn(4, 9).double() * 100, torch.randn(9).double()
    expect(rms_norm(x, weight, 1e-5), _rms_norm(x, weight, 1e-5), tol=1e-12, x=x, weight=weight)


@case("model.layers.rms_norm", held_out=True)
def bfloat16_is_as_exact_as_bfloat16_can_be(rms_norm):
    x, weight = (torch.randn(8, 256) * 30).bfloat16(), torch.ones(256).bfloat16()
    got, exact = rms_norm(x, weight, 1e-6), _rms_norm(x.double(), weight.double(), 1e-6)
    assert got.dtype == torch.bfloat16, f"bfloat16 in, {got.dtype} out"
    error = float(((got.double() - exact).abs() / (exact.abs() + 0.1)).max())
    assert error < 0.012, f"the relative error is {error:.3f}, bfloat16 itself has 0.008: average in float32"


def _rms_norm(x, weight, eps):
    return x / (x.square().sum(-1, keepdim=True) / x.shape[-1] + eps).sqrt() * weight


# -- RoPE --------------------------------------------------------------------------------------------------------------


def _angles(positions, pairs, dtype=torch.float64):
    """cos, sin [len(positions), pairs], with a slower angle for each pair."""
    speed = 0.3 ** torch.arange(pairs, dtype=dtype)
    angles = torch.as_tensor(positions, dtype=dtype)[:, None] * speed
    return angles.cos(), angles.sin()


def _turned(x, cos, sin, interleave=True):
    """By complex numbers: the product of a + bi and cos + i sin."""
    pairs = x.unflatten(-1, (-1, 2)) if interleave else x.unflatten(-1, (2, -1)).transpose(-1, -2)
    turned = torch.complex(pairs[..., 0], pairs[..., 1]) * torch.complex(cos, sin)
    return torch.cat([turned.real, turned.imag], dim=-1)


@case("model.layers.apply_rope")
def quarter_and_half_turns_are_as_worked_by_hand(apply_rope):
    # pairs (1, 2) and (3, 4); a quarter turn makes (a, b) to (-b, a), a half turn to (-a, -b)
    x, cos, sin = torch.tensor([1.0, 2.0, 3.0, 4.0]), torch.tensor([0.0, -1.0]), torch.tensor([1.0, 0.0])
    want = torch.tensor([-2.0, -3.0, 1.0, -4.0])  # the firsts, then the seconds
    expect(apply_rope(x, cos, sin), want, x=x, cos=cos, sin=sin)


@case("model.layers.apply_rope")
def neighbours_are_pairs_when_interleaved(apply_rope):
    x, (cos, sin) = torch.randn(2, 5, 6).double(), _angles(range(5), 3)
    expect(apply_rope(x, cos, sin, True), _turned(x, cos, sin), tol=1e-10, x=x, cos=cos, sin=sin)


@case("model.layers.apply_rope")
def entries_half_a_vector_apart_are_pairs_when_not_interleaved(apply_rope):
    x, (cos, sin) = torch.randn(2, 5, 6).double(), _angles(range(5), 3)
    want = _turned(x, cos, sin, False)
    expect(apply_rope(x, cos, sin, False), want, tol=1e-10, x=x, cos=cos, sin=sin, interleave=False)


@case("model.layers.apply_rope")
def all_heads_turn_by_the_angle_of_their_position(apply_rope):
    x, (cos, sin) = torch.randn(2, 3, 4, 8), _angles([0, 1, 7], 4, torch.float32)  # [batch, time, heads, R]
    cos, sin = cos[:, None], sin[:, None]
    expect(apply_rope(x, cos, sin), _turned(x, cos, sin), x=x, cos=cos, sin=sin)


@case("model.layers.apply_rope")
def a_score_depends_on_the_distance_only(apply_rope):
    q, k, (cos, sin) = torch.randn(8).double(), torch.randn(8).double(), _angles([3, 0, 12, 9], 4)
    for interleave in (True, False):
        at = [apply_rope(z, cos[i], sin[i], interleave) for i, z in enumerate((q, k, q, k))]
        expect(float(at[0] @ at[1]), float(at[2] @ at[3]), tol=1e-9, positions="(3, 0) and (12, 9)")


@case("model.layers.apply_rope")
def gradients_turn_back(apply_rope):
    x, (cos, sin) = torch.randn(3, 6).double(), _angles([1, 4, 20], 3)
    _, (of_x, *_) = gradients(apply_rope, x, cos, sin)
    _, (want, *_) = gradients(_turned, x, cos, sin)
    expect(of_x, want, tol=1e-10, x=x, cos=cos, sin=sin)


@case("model.layers.apply_rope")
def no_argument_is_changed(apply_rope):
    given = [torch.randn(3, 4), *_angles([0, 1, 2], 2, torch.float32)]
    before = [z.clone() for z in given]
    apply_rope(*given)
    assert all(map(torch.equal, given, before)), "x, cos or sin was changed in place; make new tensors instead"


@case("model.layers.apply_rope", held_out=True)
def lengths_stay_and_position_zero_turns_nothing(apply_rope):
    x, (cos, sin) = torch.randn(4, 10).double(), _angles([0, 1, 10, 100], 5)
    turned = apply_rope(x, cos, sin)
    expect(turned.norm(dim=-1), x.norm(dim=-1), tol=1e-10, x=x)
    expect(turned[0], torch.cat([x[0, 0::2], x[0, 1::2]]), tol=1e-12, x=x[0])


@case("model.layers.apply_rope", held_out=True)
def a_single_pair_and_half_precision(apply_rope):
    x, (cos, sin) = torch.randn(4, 2).bfloat16(), (z.bfloat16() for z in _angles([0, 1, 2, 3], 1, torch.float32))
    exact = _turned(x.double(), cos.double(), sin.double())
    expect(apply_rope(x, cos, sin), exact.bfloat16(), tol=0.04, x=x)


# -- SwiGLU ------------------------------------------------------------------------------------------------------------


@case("model.layers.swiglu")
def matches_numbers_worked_by_hand(swiglu):
    # sigmoid(ln 3) = 3/4, sigmoid(-ln 3) = 1/4
    log3 = math.log(3)
    gate, up = torch.tensor([0.0, log3, -log3, log3]), torch.tensor([5.0, 2.0, 2.0, -1.0])
    want = torch.tensor([0.0, 1.5 * log3, -0.5 * log3, -0.75 * log3])
    expect(swiglu(gate, up), want, gate=gate, up=up)


@case("model.layers.swiglu")
def any_shape_goes_entry_by_entry(swiglu):
    for shape in ((7,), (3, 4), (2, 1, 5)):
        gate, up = torch.randn(shape).double() * 3, torch.randn(shape).double()
        entries = zip(gate.flatten().tolist(), up.flatten().tolist())
        want = torch.tensor([g / (1 + math.exp(-g)) * u for g, u in entries], dtype=torch.float64).view(shape)
        expect(swiglu(gate, up), want, tol=1e-9, gate=gate, up=up)


@case("model.layers.swiglu")
def far_from_zero_it_is_a_gate_that_is_open_or_shut(swiglu):
    gate, up = torch.tensor([-1e4, -200.0, 200.0, 1e4]), torch.tensor([3.0, 3.0, 3.0, 0.5])
    expect(swiglu(gate, up), torch.tensor([0.0, 0.0, 600.0, 5000.0]), gate=gate, up=up)


@case("model.layers.swiglu")
def gradients_reach_gate_and_up(swiglu):
    gate, up = torch.randn(3, 5).double(), torch.randn(3, 5).double()
    _, (of_gate, of_up) = gradients(swiglu, gate, up)
    _, (want_gate, want_up) = gradients(_swiglu, gate, up)
    expect(of_up, want_up, tol=1e-9, gate=gate, up=up)
    expect(of_gate, want_gate, tol=1e-9, gate=gate, up=up)


@case("model.layers.swiglu")
def neither_argument_is_changed(swiglu):
    gate, up = torch.randn(4), torch.randn(4)
    before = gate.clone(), up.clone()
    swiglu(gate, up)
    assert torch.equal(gate, before[0]) and torch.equal(up, before[1]), "gate or up was changed in place"


@case("model.layers.swiglu", held_out=True)
def half_precision_stays_half_precision(swiglu):
    gate, up = torch.randn(50).bfloat16(), torch.randn(50).bfloat16()
    expect(swiglu(gate, up), _swiglu(gate.double(), up.double()).bfloat16(), tol=0.03, gate=gate, up=up)


@case("model.layers.swiglu", held_out=True)
def gradients_stay_finite_far_from_zero(swiglu):
    gate = torch.tensor([-50.0, -20.0, 20.0, 50.0])
    _, (of_gate, _) = gradients(swiglu, gate, torch.ones(4))
    weights = torch.linspace(-1, 1, 4)
    expect(of_gate, torch.tensor([0.0, 0.0, float(weights[2]), float(weights[3])]), tol=1e-4, gate=gate)


def _swiglu(gate, up):
    return F.silu(gate) * up


# -- causal attention --------------------------------------------------------------------------------------------------


def _qkv(B, H, T, S, E, V):
    return [torch.randn(B, H, *shape).double() for shape in ((T, E), (S, E), (S, V))]


def _slowly(q, k, v, scale, seen):
    """Query by query; seen(b, t) are the positions that it may look at."""
    out = q.new_zeros(*q.shape[:3], v.shape[-1])
    for b in range(q.shape[0]):
        for h in range(q.shape[1]):
            for t in range(q.shape[2]):
                places = seen(b, t)
                scores = [float(q[b, h, t] @ k[b, h, s]) * scale for s in places]
                parts = [math.exp(score - max(scores)) for score in scores]
                out[b, h, t] = sum(p / sum(parts) * v[b, h, s] for p, s in zip(parts, places))
    return out


@case("model.attention.attend")
def equal_scores_give_the_mean_of_what_was_seen(attend):
    # all queries are 0, so all scores are
    v = torch.tensor([6.0, 2.0, 1.0]).view(1, 1, 3, 1)
    q, k = torch.zeros(1, 1, 3, 2), torch.ones(1, 1, 3, 2)
    expect(attend(q, k, v, 1.0), torch.tensor([6.0, 4.0, 3.0]).view(1, 1, 3, 1), q="zeros", v=v)


@case("model.attention.attend")
def without_a_mask_position_t_sees_0_to_t(attend):
    q, k, v = _qkv(2, 2, 4, 4, 3, 5)
    want = _slowly(q, k, v, 0.3, lambda b, t: range(t + 1))
    expect(attend(q, k, v, 0.3), want, tol=1e-9, q=q, k=k, v=v, scale=0.3)


@case("model.attention.attend")
def a_mask_says_who_may_be_seen(attend):
    q, k, v = _qkv(2, 2, 3, 6, 4, 4)
    mask = torch.rand(2, 1, 3, 6) < 0.5
    mask[..., 5] = True  # nobody sees nothing
    mask[:, :, 0, 4] = True
    mask[:, :, 2, 1] = False
    want = _slowly(q, k, v, 0.7, lambda b, t: mask[b, 0, t].nonzero()[:, 0].tolist())
    expect(attend(q, k, v, 0.7, mask), want, tol=1e-9, scale=0.7, mask=mask[:, 0].int(), q=q, k=k, v=v)


@case("model.attention.attend")
def what_comes_later_changes_nothing_before_it(attend):
    q, k, v = _qkv(1, 2, 5, 5, 4, 4)
    before = attend(q, k, v, 0.5)
    k2, v2 = k.clone(), v.clone()
    k2[:, :, 3:] += 2
    v2[:, :, 3:] -= 5
    after = attend(q, k2, v2, 0.5)
    expect(after[:, :, :3], before[:, :, :3], tol=1e-10, changed="keys and values of positions 3 and 4")


@case("model.attention.attend")
def large_scores_do_not_overflow(attend):
    q = torch.tensor([[1000.0, 0.0], [0.0, 1000.0], [1000.0, 1000.0]], dtype=torch.float64).view(1, 1, 3, 2)
    k = torch.tensor([[1.0, 0.0], [2.0, -2.0], [0.0, 3.0]], dtype=torch.float64).view(1, 1, 3, 2)
    v = torch.tensor([1.0, 2.0, 4.0], dtype=torch.float64).view(1, 1, 3, 1)
    # scores of the last two queries: 0, -2000 and 1000, 0, 3000
    want = torch.tensor([1.0, 1.0, 4.0], dtype=torch.float64).view(1, 1, 3, 1)
    expect(attend(q, k, v, 1.0), want, q=q, k=k, v=v, scale=1.0)


@case("model.attention.attend")
def bfloat16_comes_back_as_bfloat16(attend):
    q, k, v = (z.bfloat16() for z in _qkv(1, 2, 6, 6, 8, 4))
    want = F.scaled_dot_product_attention(q.double(), k.double(), v.double(), is_causal=True, scale=0.35)
    expect(attend(q, k, v, 0.35), want.bfloat16(), tol=0.05, q=q, k=k, v=v)


@case("model.attention.attend")
def gradients_reach_q_k_and_v(attend):
    q, k, v = _qkv(1, 2, 4, 4, 3, 2)
    _, ours = gradients(attend, q, k, v, 0.6)
    _, want = gradients(_fused, q, k, v, 0.6)
    for got, right in zip(ours, want):
        expect(got, right, tol=1e-9, q=q, k=k, v=v)


@case("model.attention.attend")
def its_arguments_stay_as_they_were(attend):
    q, k, v = _qkv(1, 1, 3, 3, 2, 2)
    mask = torch.ones(1, 1, 3, 3, dtype=torch.bool).tril()
    before = [z.clone() for z in (q, k, v, mask)]
    attend(q, k, v, 0.5, mask)
    assert all(map(torch.equal, (q, k, v, mask), before)), "q, k, v or the mask was changed in place"


@case("model.attention.attend", held_out=True)
def one_new_token_over_a_long_past(attend):
    q, k, v = _qkv(3, 2, 1, 40, 6, 4)
    mask = torch.ones(1, 1, 1, 40, dtype=torch.bool)
    want = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=0.4)
    expect(attend(q, k, v, 0.4, mask), want, tol=1e-9, mask=mask)


@case("model.attention.attend", held_out=True)
def padding_at_the_left_of_a_row_is_not_seen(attend):
    q, k, v = _qkv(2, 1, 4, 4, 3, 3)
    mask = torch.ones(2, 1, 4, 4, dtype=torch.bool).tril()
    mask[1, :, :, :2] = False
    mask[1, :, [0, 1], [0, 1]] = True
    want = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=1.1)
    expect(attend(q, k, v, 1.1, mask), want, tol=1e-9, mask=mask[:, 0].int())


def _fused(q, k, v, scale):
    return F.scaled_dot_product_attention(q, k, v, is_causal=True, scale=scale)


# -- sampling ----------------------------------------------------------------------------------------------------------


def _kept(logits):
    return torch.isfinite(logits).nonzero().flatten().tolist()


def _four():
    """Logits of the probabilities 0.1, 0.5, 0.15, 0.25; a new tensor each time, as an answer might write into it."""
    return torch.tensor([0.1, 0.5, 0.15, 0.25]).log()


@case("model.sampling.filter_logits")
def top_k_keeps_the_k_largest_as_they_are(filter_logits):
    logits = torch.tensor([1.0, 3.0, -2.0, 2.0])
    expect(filter_logits(logits, top_k=2), torch.tensor([-INF, 3.0, -INF, 2.0]), logits=logits, top_k=2)
    expect(filter_logits(logits, top_k=1), torch.tensor([-INF, 3.0, -INF, -INF]), logits=logits, top_k=1)


@case("model.sampling.filter_logits")
def a_tie_with_the_kth_stays(filter_logits):
    logits = torch.tensor([0.5, 2.0, 2.0, -1.0, 2.0])
    expect(filter_logits(logits, top_k=2), torch.tensor([-INF, 2.0, 2.0, -INF, 2.0]), logits=logits, top_k=2)


@case("model.sampling.filter_logits")
def top_p_keeps_the_fewest_that_reach_p(filter_logits):
    for top_p, want in ((0.4, [1]), (0.6, [1, 3]), (0.8, [1, 2, 3]), (0.99, [0, 1, 2, 3])):
        got = filter_logits(_four(), top_p=top_p)
        given = dict(probabilities=[0.1, 0.5, 0.15, 0.25], top_p=top_p)
        assert _kept(got) == want, f"tokens {want} should stay, {_kept(got)} did\n    given    {given}"
        expect(got[want], _four()[want], tol=1e-6, **given)


@case("model.sampling.filter_logits")
def the_nucleus_is_taken_among_the_k_best(filter_logits):
    # the two best, renormalised, have 2/3 and 1/3
    got = _kept(filter_logits(_four(), top_k=2, top_p=0.6))
    assert got == [1], f"token 1 alone has 2/3 after top_k = 2, enough for top_p = 0.6; kept were {got}"


@case("model.sampling.filter_logits")
def every_row_is_cut_by_itself(filter_logits):
    ranked = torch.tensor([0.4, 0.25, 0.15, 0.1, 0.06, 0.04]).log()
    rows = torch.stack([torch.randperm(6) for _ in range(6)]).view(2, 3, 6)  # rank of each token
    logits = ranked[rows] + torch.randn(2, 3, 1)  # what is added to a whole row changes nothing
    for top_k, top_p, keep in ((4, 1.0, 4), (0, 0.7, 3), (3, 0.7, 2), (0, 0.92, 5)):
        want = logits.masked_fill(rows >= keep, -INF)
        expect(filter_logits(logits, top_k, top_p), want, logits=logits, top_k=top_k, top_p=top_p)


@case("model.sampling.filter_logits")
def off_means_off(filter_logits):
    logits = torch.randn(2, 5)
    expect(filter_logits(logits), logits, logits=logits, top_k=0, top_p=1.0)
    expect(filter_logits(logits, top_k=9), logits, logits=logits, top_k=9)


@case("model.sampling.filter_logits")
def gradients_flow_through_what_is_kept(filter_logits):
    logits = torch.tensor([[0.0, 1.0, 2.0, 4.0]])
    _, (got,) = gradients(filter_logits, logits, 2, 1.0)
    expect(got, torch.linspace(-1, 1, 4)[None] * torch.tensor([0.0, 0.0, 1.0, 1.0]), logits=logits, top_k=2)


@case("model.sampling.filter_logits")
def the_logits_given_stay_as_they_were(filter_logits):
    logits = torch.randn(3, 6)
    before = logits.clone()
    filter_logits(logits, 3, 0.8)
    assert torch.equal(logits, before), "the logits that came in were changed; the caller still needs them"


@case("model.sampling.filter_logits")
def impossible_settings_are_refused(filter_logits):
    for top_k, top_p in ((-1, 1.0), (0, 0.0), (0, 1.5)):
        refused = raises(filter_logits, torch.zeros(3), top_k, top_p)
        assert refused, f"top_k = {top_k}, top_p = {top_p} went through; `check_settings` refuses such settings"


@case("model.sampling.filter_logits", held_out=True)
def the_best_token_always_stays(filter_logits):
    logits = torch.randn(4, 50) * 0.01
    best = logits.argmax(-1, keepdim=True)
    want = torch.full_like(logits, -INF).scatter(-1, best, logits.gather(-1, best))
    expect(filter_logits(logits, top_p=1e-6), want, top_p=1e-6)


@case("model.sampling.filter_logits", held_out=True)
def a_large_vocabulary_agrees_with_a_slow_loop(filter_logits):
    ranked = (0.8 ** torch.arange(40.0)).log()
    share = ranked.softmax(-1).cumsum(-1)
    order = torch.randperm(40)
    for top_p in (0.5, 0.9):
        keep = int((share < top_p).sum()) + 1
        want = ranked.masked_fill(torch.arange(40) >= keep, -INF)
        expect(filter_logits(ranked[order], 0, top_p), want[order], top_p=top_p)


# -- the cache ---------------------------------------------------------------------------------------------------------


changes("model.cache.store", "data_BSC")


@case("model.cache.store")
def new_columns_stand_behind_those_in_use(store):
    data, new = torch.randn(2, 6, 3), torch.randn(2, 2, 3)
    want = torch.cat([data[:, :2], new], dim=1)
    expect(store(data, 2, new), want, length=2, new=new)


@case("model.cache.store")
def the_storage_itself_is_written(store):
    data, new = torch.randn(2, 6, 3), torch.randn(2, 2, 3)
    want = torch.cat([data[:, :1], new, data[:, 3:]], dim=1)
    store(data, 1, new)
    expect(data, want, length=1, new=new)


@case("model.cache.store")
def token_by_token_gives_the_whole_text(store):
    text, data = torch.randn(3, 5, 2), torch.zeros(3, 5, 2)
    for t in range(5):
        expect(store(data, t, text[:, t : t + 1]), text[:, : t + 1], length=t)


@case("model.cache.store")
def what_was_forgotten_is_written_over(store):
    data, new = torch.full((1, 6, 2), 7.0), torch.randn(1, 2, 2)  # full of old things, of which 3 columns count
    want = torch.cat([torch.full((1, 3, 2), 7.0), new], dim=1)
    expect(store(data, 3, new), want, length=3, new=new)


@case("model.cache.store")
def a_full_cache_refuses_and_stays_as_it_was(store):
    data = torch.randn(2, 4, 3)
    before = data.clone()
    for length, count in ((4, 1), (2, 3), (0, 5)):
        if not raises(store, data, length, torch.randn(2, count, 3)):
            raise AssertionError(f"{length} columns of 4 were in use, {count} more came, and no error was raised")
        assert torch.equal(data, before), "the storage was changed before the error was raised"


@case("model.cache.store")
def the_last_column_can_be_used(store):
    data, new = torch.randn(1, 4, 2), torch.randn(1, 3, 2)
    want = torch.cat([data[:, :1], new], dim=1)
    expect(store(data, 1, new), want, length=1, max_length=4, new=new)


@case("model.cache.store", held_out=True)
def a_whole_prompt_goes_into_an_empty_cache(store):
    data, new = torch.zeros(4, 9, 5), torch.randn(4, 7, 5)
    before = new.clone()
    expect(store(data, 0, new), before, length=0)
    expect(data, torch.cat([before, torch.zeros(4, 2, 5)], dim=1), length=0)
    assert torch.equal(new, before), "the new columns were changed"


@case("model.cache.store", held_out=True)
def half_precision_stays_half_precision_in_the_cache(store):
    data, new = torch.zeros(1, 4, 2).bfloat16(), torch.randn(1, 2, 2).bfloat16()
    expect(store(data, 0, new), new.clone(), tol=0.0, length=0)
