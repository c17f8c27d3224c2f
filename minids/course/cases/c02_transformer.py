"""Chapter 02: the parts of a transformer."""

import math

import torch
import torch.nn.functional as F

from minids.course.cases import case, changes, expect, gradients, raises
from minids.errors import MinidsError

INF = float("inf")


# -- RMSNorm -----------------------------------------------------------------------------------------------------------


def _rms_norm(x, weight, eps):
    return x / (x.square().sum(-1, keepdim=True) / x.shape[-1] + eps).sqrt() * weight


@case("layers.rms_norm")
def matches_a_vector_worked_by_hand(rms_norm):
    # mean square of (1, 7, 5, 5) is 25, its root 5
    x, weight = torch.tensor([1.0, 7.0, 5.0, 5.0]), torch.tensor([1.0, 2.0, 3.0, -1.0])
    expect(rms_norm(x, weight, 0.0), torch.tensor([0.2, 2.8, 3.0, -1.0]), x=x, weight=weight, eps=0.0)


@case("layers.rms_norm")
def every_vector_along_the_last_axis_is_scaled_by_itself(rms_norm):
    for shape in ((5,), (4, 7), (2, 3, 1), (2, 1, 3, 6), (2, 0, 4)):
        x, weight = torch.randn(shape) * 3, torch.rand(shape[-1]) + 0.5
        expect(rms_norm(x, weight, 1e-6), F.rms_norm(x, shape[-1:], weight, 1e-6), x=x, weight=weight)


@case("layers.rms_norm")
def a_part_of_a_larger_tensor_is_normalised_like_any_other(rms_norm):
    """As MLA does: the latent is cut out of a longer vector. What stands beside it, here NaN, has no part in it."""
    whole, weight = torch.randn(3, 4, 9), torch.rand(5) + 0.5
    whole[..., 5:] = math.nan
    whole[1, 2] = math.nan
    x = whole[..., :5]
    want = _rms_norm(x, weight, 1e-6)
    expect(rms_norm(x, weight, 1e-6), want, x=x, weight=weight)
    expect(rms_norm(x.transpose(0, 1), weight, 1e-6), want.transpose(0, 1), x="the same, transposed", weight=weight)


@case("layers.rms_norm")
def eps_stands_inside_the_root(rms_norm):
    x, weight = torch.tensor([[0.3, -0.3]]), torch.ones(2)  # mean square 0.09
    expect(rms_norm(x, weight, 0.16), torch.tensor([[0.6, -0.6]]), x=x, eps=0.16)


@case("layers.rms_norm")
def zeros_stay_zeros(rms_norm):
    expect(rms_norm(torch.zeros(2, 4), torch.ones(4), 1e-6), torch.zeros(2, 4), x=torch.zeros(2, 4), eps=1e-6)


@case("layers.rms_norm")
def half_precision_stays_half_precision_and_does_not_overflow(rms_norm):
    x, weight = torch.randn(3, 16).mul(2).add(400).half(), torch.ones(16).half()
    exact = x.double() / x.double().square().mean(-1, keepdim=True).sqrt()
    expect(rms_norm(x, weight, 1e-6), exact.half(), tol=4e-3, x=x)


@case("layers.rms_norm")
def the_result_has_the_dtype_of_x(rms_norm):
    for dtype in (torch.bfloat16, torch.float16, torch.float32, torch.float64):
        x, weight = (torch.randn(3, 8) * 3).to(dtype), (torch.rand(8) + 0.5).to(dtype)
        want = _rms_norm(x.double(), weight.double(), 1e-6).to(dtype)
        tol = 0.02 if dtype.itemsize == 2 else 1e-5
        expect(rms_norm(x, weight, 1e-6), want, tol, x=x, weight=weight)


@case("layers.rms_norm")
def gradients_are_those_of_the_formula(rms_norm):
    x, weight = torch.randn(3, 5).double(), torch.rand(5).double() + 0.5
    _, (of_x, of_weight) = gradients(rms_norm, x, weight, 0.01)
    _, (want_x, want_weight) = gradients(_rms_norm, x, weight, 0.01)
    expect(of_weight, want_weight, x=x, weight=weight, gradient="of the weight")
    expect(of_x, want_x, x=x, weight=weight, gradient="of x")


@case("layers.rms_norm")
def a_vector_of_zeros_has_a_gradient(rms_norm):
    x, weight = torch.zeros(2, 4), torch.tensor([1.0, 2.0, -1.0, 0.5])
    x[1] = torch.randn(4)
    _, (of_x, of_weight) = gradients(rms_norm, x, weight, 0.01)
    _, (want_x, want_weight) = gradients(_rms_norm, x, weight, 0.01)
    expect(of_x, want_x, 1e-4, x=x, weight=weight, eps=0.01, gradient="of x")
    expect(of_weight, want_weight, 1e-4, x=x, weight=weight, eps=0.01, gradient="of the weight")


@case("layers.rms_norm", held_out=True)
def large_and_small_numbers_are_scaled_alike(rms_norm):
    for size in (1e-2, 1.0, 1e4):
        x, weight = torch.randn(4, 9) * size, torch.randn(9)
        expect(rms_norm(x, weight, 1e-5), _rms_norm(x.double(), weight, 1e-5).float(), x=x, weight=weight, eps=1e-5)


@case("layers.rms_norm", held_out=True)
def bfloat16_is_as_exact_as_bfloat16_can_be(rms_norm):
    x, weight = (torch.randn(8, 256) * 30).bfloat16(), torch.ones(256).bfloat16()
    want = _rms_norm(x.double(), weight.double(), 1e-6).bfloat16()
    expect(rms_norm(x, weight, 1e-6), want, tol=0.016, x=x)


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


@case("layers.rope")
def quarter_and_half_turns_are_as_worked_by_hand(apply_rope):
    # pairs (1, 2) and (3, 4); a quarter turn makes (a, b) to (-b, a), a half turn to (-a, -b)
    x, cos, sin = torch.tensor([1.0, 2.0, 3.0, 4.0]), torch.tensor([0.0, -1.0]), torch.tensor([1.0, 0.0])
    want = torch.tensor([-2.0, -3.0, 1.0, -4.0])  # the firsts, then the seconds
    expect(apply_rope(x, cos, sin), want, x=x, cos=cos, sin=sin)


@case("layers.rope")
def neighbours_are_pairs_when_interleaved(apply_rope):
    x, (cos, sin) = torch.randn(2, 5, 6).double(), _angles(range(5), 3)
    expect(apply_rope(x, cos, sin, True), _turned(x, cos, sin), x=x, cos=cos, sin=sin)


@case("layers.rope")
def entries_half_a_vector_apart_are_pairs_when_not_interleaved(apply_rope):
    x, (cos, sin) = torch.randn(2, 5, 6).double(), _angles(range(5), 3)
    want = _turned(x, cos, sin, False)
    expect(apply_rope(x, cos, sin, False), want, x=x, cos=cos, sin=sin, interleave=False)
    expect(apply_rope(x, cos, sin, interleave=False), want, x=x, cos=cos, sin=sin, interleave=False)


@case("layers.rope")
def all_heads_turn_by_the_angle_of_their_position(apply_rope):
    x, (cos, sin) = torch.randn(2, 3, 4, 8), _angles([0, 1, 7], 4, torch.float32)  # [batch, time, heads, R]
    cos, sin = cos[:, None], sin[:, None]
    for interleave in (True, False):
        want = _turned(x, cos, sin, interleave)
        expect(apply_rope(x, cos, sin, interleave), want, x=x, cos=cos, sin=sin, interleave=interleave)


@case("layers.rope")
def one_vector_turns_to_many_positions(apply_rope):
    """Broadcasting goes both ways: angles to more vectors, and a vector to more angles."""
    cos, sin = _angles([0, 1, 7, 30], 3, torch.float32)
    for shape in ((6,), (1, 6), (2, 1, 6)):
        x = torch.randn(shape)
        for interleave in (True, False):
            want = _turned(x, cos, sin, interleave)
            expect(apply_rope(x, cos, sin, interleave), want, x=x, cos=cos, sin=sin, interleave=interleave)


@case("layers.rope")
def cos_and_sin_are_taken_as_they_are(apply_rope):
    """YaRN makes both longer; and a sine may be negative where the cosine is not."""
    x, (cos, sin) = torch.randn(5, 6), _angles([0, 2, 5, 40, 300], 3, torch.float32)
    for interleave in (True, False):
        want = _turned(x, 1.3 * cos, 1.3 * sin, interleave)
        expect(apply_rope(x, 1.3 * cos, 1.3 * sin, interleave), want, x=x, cos=1.3 * cos, sin=1.3 * sin)


@case("layers.rope")
def a_score_depends_on_the_distance_only(apply_rope):
    q, k, (cos, sin) = torch.randn(8).double(), torch.randn(8).double(), _angles([3, 0, 12, 9], 4)
    for interleave in (True, False):
        at = [apply_rope(z, cos[i], sin[i], interleave) for i, z in enumerate((q, k, q, k))]
        expect(float(at[0] @ at[1]), float(at[2] @ at[3]), tol=1e-4, positions="(3, 0) and (12, 9)")


@case("layers.rope")
def gradients_turn_back(apply_rope):
    x, (cos, sin) = torch.randn(3, 6).double(), _angles([1, 4, 20], 3)
    for interleave in (True, False):
        _, (of_x, *_) = gradients(apply_rope, x, cos, sin, interleave)
        _, (want, *_) = gradients(_turned, x, cos, sin, interleave)
        expect(of_x, want, x=x, cos=cos, sin=sin, interleave=interleave, gradient="of x")


@case("layers.rope")
def a_part_of_a_larger_tensor_turns_alike(apply_rope):
    """As MLA does: the part of a key that is turned is cut out of a longer vector."""
    whole, (cos, sin) = torch.randn(2, 3, 9), _angles([0, 1, 5], 2, torch.float32)
    x = whole[..., 5:]
    for interleave in (True, False):
        want = _turned(x.contiguous(), cos, sin, interleave)
        expect(apply_rope(x, cos, sin, interleave), want, x=x, interleave=interleave)


@case("layers.rope")
def a_single_pair_and_half_precision(apply_rope):
    x, (cos, sin) = torch.randn(4, 2).bfloat16(), (z.bfloat16() for z in _angles([0, 1, 2, 3], 1, torch.float32))
    exact = _turned(x.double(), cos.double(), sin.double())
    expect(apply_rope(x, cos, sin), exact.bfloat16(), tol=0.04, x=x)


@case("layers.rope", held_out=True)
def lengths_stay_and_position_zero_turns_nothing(apply_rope):
    x, (cos, sin) = torch.randn(4, 10).double(), _angles([0, 1, 10, 100], 5)
    turned = apply_rope(x, cos, sin)
    expect(turned.norm(dim=-1), x.norm(dim=-1), x=x)
    expect(turned[0], torch.cat([x[0, 0::2], x[0, 1::2]]), x=x[0])


@case("layers.rope", held_out=True)
def a_longer_text_with_other_angles(apply_rope):
    x, (cos, sin) = torch.randn(3, 2, 11, 12).transpose(1, 2), _angles(range(0, 110, 10), 6, torch.float32)
    for interleave in (False, True):
        want = _turned(x.contiguous(), cos[:, None], sin[:, None], interleave)
        expect(apply_rope(x, cos[:, None], sin[:, None], interleave), want, x=x, interleave=interleave)


# -- SwiGLU ------------------------------------------------------------------------------------------------------------


@case("layers.swiglu")
def matches_numbers_worked_by_hand(swiglu):
    # sigmoid(ln 3) = 3/4, sigmoid(-ln 3) = 1/4
    log3 = math.log(3)
    gate, up = torch.tensor([0.0, log3, -log3, log3]), torch.tensor([5.0, 2.0, 2.0, -1.0])
    want = torch.tensor([0.0, 1.5 * log3, -0.5 * log3, -0.75 * log3])
    expect(swiglu(gate, up), want, gate=gate, up=up)


@case("layers.swiglu")
def any_shape_goes_entry_by_entry(swiglu):
    for shape in ((7,), (3, 4), (2, 1, 5)):
        gate, up = torch.randn(shape).double() * 3, torch.randn(shape).double()
        entries = zip(gate.flatten().tolist(), up.flatten().tolist())
        want = torch.tensor([g / (1 + math.exp(-g)) * u for g, u in entries], dtype=torch.float64).view(shape)
        expect(swiglu(gate, up), want, gate=gate, up=up)


@case("layers.swiglu")
def far_from_zero_it_is_a_gate_that_is_open_or_shut(swiglu):
    gate, up = torch.tensor([-1e4, -200.0, 200.0, 1e4]), torch.tensor([3.0, 3.0, 3.0, 0.5])
    expect(swiglu(gate, up), torch.tensor([0.0, 0.0, 600.0, 5000.0]), gate=gate, up=up)


@case("layers.swiglu")
def gradients_reach_gate_and_up(swiglu):
    gate, up = torch.randn(3, 5).double(), torch.randn(3, 5).double()
    _, (of_gate, of_up) = gradients(swiglu, gate, up)
    _, (want_gate, want_up) = gradients(_swiglu, gate, up)
    expect(of_up, want_up, gate=gate, up=up, gradient="of up")
    expect(of_gate, want_gate, gate=gate, up=up, gradient="of the gate")


@case("layers.swiglu")
def gradients_stay_finite_far_from_zero(swiglu):
    """Where exp(-z) is infinite the gradient is still a number: 0."""
    gate, up = torch.tensor([-1e4, -200.0, -100.0, -50.0, 50.0, 100.0, 1e4]), torch.tensor([1.0, 2, 3, 1, 1, 2, 3])
    _, (of_gate, of_up) = gradients(swiglu, gate, up)
    weights = torch.linspace(-1, 1, 7)
    expect(of_gate, weights * (gate > 0) * up, tol=1e-4, gate=gate, up=up, gradient="of the gate")
    expect(of_up, weights * gate.clamp(min=0), tol=1e-4, gate=gate, up=up, gradient="of up")


@case("layers.swiglu")
def half_precision_stays_half_precision(swiglu):
    for dtype in (torch.bfloat16, torch.float16):
        gate, up = torch.randn(50).to(dtype), torch.randn(50).to(dtype)
        expect(swiglu(gate, up), _swiglu(gate.double(), up.double()).to(dtype), tol=0.03, gate=gate, up=up)


@case("layers.swiglu")
def parts_of_larger_tensors_and_empty_ones(swiglu):
    whole = torch.randn(4, 3, 10)
    gate, up = whole[..., :5].transpose(0, 1), whole[..., 5:].transpose(0, 1)
    expect(swiglu(gate, up), _swiglu(gate.double(), up.double()).float(), gate=gate, up=up)
    expect(swiglu(torch.zeros(0, 3), torch.zeros(0, 3)), torch.zeros(0, 3), gate="none", up="none")


@case("layers.swiglu", held_out=True)
def float16_far_from_zero(swiglu):
    gate, up = torch.tensor([-3e4, -30.0, 30.0, 3e4]).half(), torch.tensor([2.0, 2.0, 2.0, 1.0]).half()
    expect(swiglu(gate, up), torch.tensor([0.0, 0.0, 60.0, 3e4]).half(), tol=2e-3, gate=gate, up=up)


@case("layers.swiglu", held_out=True)
def gradients_of_a_batch(swiglu):
    gate, up = torch.randn(2, 4, 3) * 20, torch.randn(2, 4, 3)
    _, ours = gradients(swiglu, gate, up)
    _, want = gradients(_swiglu, gate.double(), up.double())
    for got, right, which in zip(ours, want, ("the gate", "up")):
        expect(got, right.float(), 2e-5, gate=gate, up=up, gradient=f"of {which}")


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


@case("attention.attend")
def equal_scores_give_the_mean_of_what_was_seen(attend):
    # all queries are 0, so all scores are
    v = torch.tensor([6.0, 2.0, 1.0]).view(1, 1, 3, 1)
    q, k = torch.zeros(1, 1, 3, 2), torch.ones(1, 1, 3, 2)
    expect(attend(q, k, v, 1.0), torch.tensor([6.0, 4.0, 3.0]).view(1, 1, 3, 1), q="zeros", v=v)


@case("attention.attend")
def without_a_mask_position_t_sees_0_to_t(attend):
    q, k, v = _qkv(2, 2, 4, 4, 3, 5)
    want = _slowly(q, k, v, 0.3, lambda b, t: range(t + 1))
    expect(attend(q, k, v, 0.3), want, q=q, k=k, v=v, scale=0.3)


@case("attention.attend")
def a_mask_says_who_may_be_seen(attend):
    q, k, v = _qkv(2, 2, 3, 6, 4, 4)
    mask = torch.rand(2, 1, 3, 6) < 0.5
    mask[..., 5] = True  # nobody sees nothing
    mask[:, :, 0, 4] = True
    mask[:, :, 2, 1] = False
    want = _slowly(q, k, v, 0.7, lambda b, t: mask[b, 0, t].nonzero()[:, 0].tolist())
    expect(attend(q, k, v, 0.7, mask), want, scale=0.7, mask=mask[:, 0].int(), q=q, k=k, v=v)


@case("attention.attend")
def one_mask_serves_the_whole_batch(attend):
    """Also a square one that shows what comes later, and one of a single query over a long past."""
    for T, S in ((4, 4), (1, 9), (3, 7), (1, 1)):
        q, k, v = _qkv(2, 2, T, S, 3, 5)
        mask = torch.ones(1, 1, T, S, dtype=torch.bool)
        mask[..., 1::3] = False
        want = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=0.4)
        expect(attend(q, k, v, 0.4, mask), want, mask=mask[0, 0].int(), q=q, k=k, v=v)


@case("attention.attend")
def padding_at_the_left_of_a_row_is_not_seen(attend):
    q, k, v = _qkv(2, 1, 4, 4, 3, 3)
    mask = torch.ones(2, 1, 4, 4, dtype=torch.bool).tril()
    mask[1, :, :, :2] = False
    mask[1, :, [0, 1], [0, 1]] = True
    want = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=1.1)
    expect(attend(q, k, v, 1.1, mask), want, mask=mask[:, 0].int())


@case("attention.attend")
def what_is_hidden_has_no_weight_however_low_the_rest_scores(attend):
    # all that is seen scores below -20,000; what is hidden scores 0
    q = torch.full((1, 1, 3, 2), 100.0)
    k = torch.tensor([[-100.0, -101.0], [-101.0, -100.0], [0.0, 0.0]]).view(1, 1, 3, 2)
    v = torch.tensor([1.0, 3.0, 50.0]).view(1, 1, 3, 1)
    mask = torch.tensor([True, True, False]).expand(1, 1, 3, 3)
    tol = 1e-2  # a score of 20,000 has an error of 1e-3 in float32
    expect(attend(q, k, v, 1.0, mask), torch.full((1, 1, 3, 1), 2.0), tol, q=q, k=k, v=v, mask=mask[0, 0].int())
    want = torch.tensor([1.0, 2.0, 50.0]).view(1, 1, 3, 1)
    expect(attend(q, k, v, 1.0), want, tol, q=q, k=k, v=v, mask=None)


@case("attention.attend")
def long_rows_of_equal_scores_are_averaged_in_half_precision_too(attend):
    """A sum that is kept in bfloat16 comes to a stop at 256: 256 + 1 is 256."""
    v = (torch.arange(1000) % 2).view(1, 1, 1000, 1)
    for dtype in (torch.bfloat16, torch.float16):
        q, k = torch.zeros(1, 1, 1, 2, dtype=dtype), torch.zeros(1, 1, 1000, 2, dtype=dtype)
        mask = torch.ones(1, 1, 1, 1000, dtype=torch.bool)
        got = attend(q, k, v.to(dtype), 1.0, mask)
        expect(got, torch.full((1, 1, 1, 1), 0.5, dtype=dtype), 2e-2, v="0, 1, 0, 1, … 1,000 of them", dtype=dtype)


@case("attention.attend")
def what_comes_later_changes_nothing_before_it(attend):
    q, k, v = _qkv(1, 2, 5, 5, 4, 4)
    before = attend(q, k, v, 0.5)
    k2, v2 = k.clone(), v.clone()
    k2[:, :, 3:] += 2
    v2[:, :, 3:] -= 5
    after = attend(q, k2, v2, 0.5)
    expect(after[:, :, :3], before[:, :, :3], tol=1e-6, changed="keys and values of positions 3 and 4")


@case("attention.attend")
def large_scores_do_not_overflow(attend):
    q = torch.tensor([[1000.0, 0.0], [0.0, 1000.0], [1000.0, 1000.0]], dtype=torch.float64).view(1, 1, 3, 2)
    k = torch.tensor([[1.0, 0.0], [2.0, -2.0], [0.0, 3.0]], dtype=torch.float64).view(1, 1, 3, 2)
    v = torch.tensor([1.0, 2.0, 4.0], dtype=torch.float64).view(1, 1, 3, 1)
    # scores of the last two queries: 0, -2000 and 1000, 0, 3000
    want = torch.tensor([1.0, 1.0, 4.0], dtype=torch.float64).view(1, 1, 3, 1)
    expect(attend(q, k, v, 1.0), want, q=q, k=k, v=v, scale=1.0)


@case("attention.attend")
def half_precision_comes_back_as_half_precision(attend):
    for dtype in (torch.bfloat16, torch.float16):
        q, k, v = (z.to(dtype) for z in _qkv(1, 2, 6, 6, 8, 4))
        want = F.scaled_dot_product_attention(q.double(), k.double(), v.double(), is_causal=True, scale=0.35)
        expect(attend(q, k, v, 0.35), want.to(dtype), tol=0.05, q=q, k=k, v=v)


@case("attention.attend")
def heads_may_lie_behind_time_in_memory(attend):
    q, k, v = (z.transpose(1, 2) for z in _qkv(2, 4, 3, 3, 4, 5))
    want = _slowly(q, k, v, 0.6, lambda b, t: range(t + 1))
    expect(attend(q, k, v, 0.6), want, q=q, k=k, v=v, memory="as of [B, T, H, E], transposed")


@case("attention.attend")
def gradients_reach_q_k_and_v(attend):
    q, k, v = _qkv(1, 2, 4, 4, 3, 2)
    _, ours = gradients(attend, q, k, v, 0.6)
    _, want = gradients(_fused, q, k, v, 0.6)
    for got, right, which in zip(ours, want, "qkv"):
        expect(got, right, q=q, k=k, v=v, gradient=f"of {which}")


@case("attention.attend")
def gradients_reach_what_a_mask_shows(attend):
    q, k, v = _qkv(2, 2, 3, 5, 3, 2)
    mask = torch.ones(2, 1, 3, 5, dtype=torch.bool).tril(2)
    mask[1, ..., 0] = False
    _, ours = gradients(attend, q, k, v, 0.6, mask)
    _, want = gradients(_masked, q, k, v, 0.6, mask)
    for got, right, which in zip(ours, want, "qkv"):
        expect(got, right, q=q, k=k, v=v, mask=mask[:, 0].int(), gradient=f"of {which}")


@case("attention.attend", held_out=True)
def one_new_token_over_a_long_past(attend):
    q, k, v = _qkv(3, 2, 1, 40, 6, 4)
    mask = torch.ones(1, 1, 1, 40, dtype=torch.bool)
    want = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=0.4)
    expect(attend(q, k, v, 0.4, mask), want, mask=mask)


@case("attention.attend", held_out=True)
def longer_texts_of_float32(attend):
    q, k, v = (z.float() for z in _qkv(2, 3, 17, 17, 8, 6))
    want = F.scaled_dot_product_attention(q.double(), k.double(), v.double(), is_causal=True, scale=0.5).float()
    expect(attend(q, k, v, 0.5), want, q=q, k=k, v=v, scale=0.5)


def _masked(q, k, v, scale, mask):
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=scale)


def _fused(q, k, v, scale):
    return F.scaled_dot_product_attention(q, k, v, is_causal=True, scale=scale)


# -- sampling ----------------------------------------------------------------------------------------------------------


def _kept(logits):
    return torch.isfinite(logits).nonzero().flatten().tolist()


def _four():
    """Logits of the probabilities 0.1, 0.5, 0.15, 0.25; a new tensor each time, as an answer might write into it."""
    return torch.tensor([0.1, 0.5, 0.15, 0.25]).log()


@case("sampling.filter")
def top_k_keeps_the_k_largest_as_they_are(filter_logits):
    logits = torch.tensor([1.0, 3.0, -2.0, 2.0])
    expect(filter_logits(logits, top_k=2), torch.tensor([-INF, 3.0, -INF, 2.0]), logits=logits, top_k=2)
    expect(filter_logits(logits, top_k=1), torch.tensor([-INF, 3.0, -INF, -INF]), logits=logits, top_k=1)


@case("sampling.filter")
def a_tie_with_the_kth_stays(filter_logits):
    logits = torch.tensor([0.5, 2.0, 2.0, -1.0, 2.0])
    expect(filter_logits(logits, top_k=2), torch.tensor([-INF, 2.0, 2.0, -INF, 2.0]), logits=logits, top_k=2)


@case("sampling.filter")
def top_p_keeps_the_fewest_that_reach_p(filter_logits):
    for top_p, want in ((0.4, [1]), (0.6, [1, 3]), (0.8, [1, 2, 3]), (0.99, [0, 1, 2, 3])):
        got = filter_logits(_four(), top_p=top_p)
        given = dict(probabilities=[0.1, 0.5, 0.15, 0.25], top_p=top_p)
        assert _kept(got) == want, f"tokens {want} should stay, {_kept(got)} did\n    given    {given}"
        expect(got[want], _four()[want], tol=1e-6, **given)


@case("sampling.filter")
def the_nucleus_is_taken_among_the_k_best(filter_logits):
    # the two best, renormalised, have 2/3 and 1/3
    got = _kept(filter_logits(_four(), top_k=2, top_p=0.6))
    assert got == [1], f"token 1 alone has 2/3 after top_k = 2, enough for top_p = 0.6; kept were {got}"


@case("sampling.filter")
def every_row_is_cut_by_itself(filter_logits):
    ranked = torch.tensor([0.4, 0.25, 0.15, 0.1, 0.06, 0.04]).log()
    rows = torch.stack([torch.randperm(6) for _ in range(6)]).view(2, 3, 6)  # rank of each token
    logits = ranked[rows] + torch.randn(2, 3, 1)  # what is added to a whole row changes nothing
    for top_k, top_p, keep in ((4, 1.0, 4), (0, 0.7, 3), (3, 0.7, 2), (0, 0.92, 5)):
        want = logits.masked_fill(rows >= keep, -INF)
        expect(filter_logits(logits, top_k, top_p), want, logits=logits, top_k=top_k, top_p=top_p)


@case("sampling.filter")
def off_means_off(filter_logits):
    """Also for tokens so improbable that a sum of probabilities rounds to 1 before it reaches them."""
    for logits in (torch.randn(2, 5), torch.tensor([[0.0, -30.0, -60.0, -200.0, 3.0]])):
        expect(filter_logits(logits), logits, logits=logits, top_k=0, top_p=1.0)
        for top_k in (5, 9):
            expect(filter_logits(logits, top_k=top_k), logits, logits=logits, top_k=top_k)
            expect(filter_logits(logits, top_k, 1), logits, logits=logits, top_k=top_k, top_p=1)


@case("sampling.filter")
def the_best_token_always_stays(filter_logits):
    for logits in (torch.randn(4, 50) * 0.01, torch.tensor([[0.0, 90.0, -90.0]]), torch.tensor([5.0])):
        best = logits.argmax(-1, keepdim=True)
        want = torch.full_like(logits, -INF).scatter(-1, best, logits.gather(-1, best))
        for top_p in (1e-3, 1e-8, 1e-20):
            expect(filter_logits(logits, top_p=top_p), want, logits=logits, top_p=top_p)


@case("sampling.filter")
def of_four_equal_tokens_no_more_stay_than_needed(filter_logits):
    """Which of them is left open."""
    for top_p, count in ((1e-8, 1), (0.2, 1), (0.3, 2), (0.6, 3), (0.9, 4)):
        got = filter_logits(torch.zeros(4), top_p=top_p)
        kept = _kept(got)
        assert len(kept) == count, (
            f"four tokens of probability 0.25 each, top_p = {top_p}: {count} of them should stay, {len(kept)} did"
        )
        expect(got[kept], torch.zeros(count), logits=torch.zeros(4), top_p=top_p)


@case("sampling.filter")
def what_ties_with_the_kth_is_in_the_sum_too(filter_logits):
    # three tokens are left after top_k = 2, of probabilities 0.576, 0.212 and 0.212: at 0.7 two of them are needed
    logits = torch.tensor([0.0, 1.0, -3.0, 0.0])
    got = filter_logits(logits, 2, 0.7)
    kept = _kept(got)
    assert len(kept) == 2 and 1 in kept, f"token 1 and one of 0 and 3 should stay, {kept} did (logits {logits})"
    expect(filter_logits(logits, 2, 0.9), torch.tensor([0.0, 1.0, -INF, 0.0]), logits=logits, top_k=2, top_p=0.9)


@case("sampling.filter")
def tokens_that_are_gone_already_stay_gone(filter_logits):
    logits = torch.tensor([[2.0, -INF, 1.0, 0.0], [-INF, -INF, -INF, 4.0]])
    for top_k, top_p, count in ((0, 1.0, 3), (2, 1.0, 2), (0, 0.8, 2), (0, 0.5, 1)):
        first = [n if i < count else -INF for i, n in enumerate((2.0, 1.0, 0.0))]
        want = torch.tensor([[first[0], -INF, *first[1:]], [-INF, -INF, -INF, 4.0]])
        expect(filter_logits(logits, top_k, top_p), want, logits=logits, top_k=top_k, top_p=top_p)


@case("sampling.filter")
def the_dtype_stays(filter_logits):
    for dtype in (torch.bfloat16, torch.float64):
        logits = torch.tensor([[1.0, 4.0, -2.0, 3.0]]).to(dtype)
        for top_k, top_p in ((2, 1.0), (0, 0.9)):
            want = torch.tensor([[-INF, 4.0, -INF, 3.0]]).to(dtype)
            expect(filter_logits(logits, top_k, top_p), want, logits=logits, top_k=top_k, top_p=top_p)


@case("sampling.filter")
def gradients_flow_through_what_is_kept(filter_logits):
    logits = torch.tensor([[0.0, 1.0, 2.0, 4.0], [3.0, 0.0, 1.0, -1.0]])
    weights = torch.linspace(-1, 1, 8).view(2, 4)
    two, all_four, one = [[0, 0, 1, 1], [1, 0, 1, 0]], [[1, 1, 1, 1], [1, 1, 1, 1]], [[0, 0, 0, 1], [1, 0, 0, 0]]
    for top_k, top_p, rows in ((2, 1.0, two), (0, 0.9, two), (0, 1.0, all_four), (3, 0.5, one)):
        _, (got,) = gradients(filter_logits, logits, top_k, top_p)
        kept = torch.tensor(rows)  # what reaches a logit of -inf is of no use: its probability has the slope 0
        given = dict(logits=logits, top_k=top_k, top_p=top_p, gradient="of the logits that are kept")
        expect(got * kept, weights * kept, **given)


@case("sampling.filter")
def impossible_settings_are_refused(filter_logits):
    for top_k, top_p in ((-1, 1.0), (-5, 0.5), (0, 0.0), (0, 1.5), (0, -0.2), (2, 0.0), (0, math.nan)):
        raises(
            MinidsError,
            filter_logits,
            torch.zeros(3),
            top_k,
            top_p,
            because=f"top_k = {top_k}, top_p = {top_p}, which `check_settings` refuses",
        )


@case("sampling.filter")
def a_large_vocabulary_agrees_with_a_slow_loop(filter_logits):
    _against_a_loop(filter_logits, ratio=0.8, tokens=40, settings=((0, 0.5), (0, 0.9), (7, 0.9), (3, 0.999)))


@case("sampling.filter", held_out=True)
def another_vocabulary_agrees_with_a_slow_loop(filter_logits):
    _against_a_loop(filter_logits, ratio=0.93, tokens=150, settings=((0, 0.33), (20, 0.77), (0, 0.97), (149, 1.0)))


@case("sampling.filter", held_out=True)
def other_impossible_settings_are_refused(filter_logits):
    for top_k, top_p in ((-3, 1.0), (0, 2), (0, -1.0), (4, 0)):
        raises(
            MinidsError,
            filter_logits,
            torch.zeros(2, 5),
            top_k,
            top_p,
            because=f"top_k = {top_k}, top_p = {top_p}, which `check_settings` refuses",
        )


def _against_a_loop(filter_logits, ratio, tokens, settings):
    """Tokens of falling probability, in three random orders; one after the other is kept until there is enough."""
    ranked = [n * math.log(ratio) for n in range(tokens)]
    orders = torch.stack([torch.randperm(tokens) for _ in range(3)])
    for top_k, top_p in settings:
        left = ranked[: top_k or tokens]
        whole, so_far, keep = sum(map(math.exp, left)), 0.0, 0
        while keep < len(left) and (top_p == 1.0 or so_far < top_p):
            so_far += math.exp(left[keep]) / whole
            keep += 1
        logits = torch.tensor(ranked)[orders]
        want = logits.masked_fill(orders >= keep, -INF)
        expect(filter_logits(logits, top_k, top_p), want, logits=logits, top_k=top_k, top_p=top_p)


# -- the cache ---------------------------------------------------------------------------------------------------------


changes("attention.cache", "data_BSC")


@case("attention.cache")
def new_columns_stand_behind_those_in_use(store):
    data, new = torch.randn(2, 6, 3), torch.randn(2, 2, 3)
    want = torch.cat([data[:, :2], new], dim=1)
    expect(store(data, 2, new), want, length=2, new=new)


@case("attention.cache")
def the_storage_itself_is_written(store):
    data, new = torch.randn(2, 6, 3), torch.randn(2, 2, 3)
    want = torch.cat([data[:, :1], new, data[:, 3:]], dim=1)
    store(data, 1, new)
    expect(data, want, length=1, new=new)


@case("attention.cache")
def token_by_token_gives_the_whole_text(store):
    text, data = torch.randn(3, 5, 2), torch.zeros(3, 5, 2)
    for t in range(5):
        expect(store(data, t, text[:, t : t + 1]), text[:, : t + 1], length=t)


@case("attention.cache")
def what_was_forgotten_is_written_over(store):
    data, new = torch.full((1, 6, 2), 7.0), torch.randn(1, 2, 2)  # full of old things, of which 3 columns count
    want = torch.cat([torch.full((1, 3, 2), 7.0), new], dim=1)
    expect(store(data, 3, new), want, length=3, new=new)


@case("attention.cache")
def what_comes_back_is_a_view_of_the_storage(store):
    data = torch.randn(2, 6, 3)
    got = store(data, 2, torch.randn(2, 2, 3))
    data.fill_(7.0)
    assert bool((got == 7.0).all()), (
        "what came back is a copy: it should follow the storage, which was filled with 7 after the call"
    )


@case("attention.cache")
def columns_that_are_not_in_use_are_left_alone(store):
    """Here NaN, before the call and after it."""
    data, new = torch.full((2, 7, 3), math.nan), torch.randn(2, 2, 3)
    data[:, :3] = old = torch.randn(2, 3, 3)
    expect(store(data, 3, new), torch.cat([old, new], dim=1), length=3, new=new)
    want = torch.cat([old, new, torch.full((2, 2, 3), math.nan)], dim=1)
    expect(data, want, length=3, new=new)


@case("attention.cache")
def storage_need_not_be_contiguous(store):
    """Some of the rows of a batch, some of the numbers of a column."""
    for cut in ((slice(None, None, 2), slice(None), slice(None)), (slice(None), slice(None), slice(1, 4))):
        whole, new = torch.zeros(4, 6, 5), torch.randn(4, 2, 5)[cut[0], :, cut[2]]
        got = store(whole[cut], 1, new)
        want = torch.zeros(4, 6, 5)
        want[cut][:, 1:3] = new
        expect(whole, want, length=1, data_BSC=f"a part of a tensor, strides {whole[cut].stride()}")
        expect(got, want[cut][:, :3], length=1)


@case("attention.cache")
def a_layer_of_a_larger_storage_is_written_in_place(store):
    whole = torch.zeros(3, 2, 5, 4)
    first, second = torch.randn(2, 2, 4), torch.randn(2, 1, 4)
    expect(store(whole[1], 0, first), first, layer=1, length=0)
    expect(store(whole[1], 2, second), torch.cat([first, second], dim=1), layer=1, length=2)
    want = torch.zeros(3, 2, 5, 4)
    want[1, :, :3] = torch.cat([first, second], dim=1)
    expect(whole, want, layer=1)


@case("attention.cache")
def a_full_cache_refuses_and_stays_as_it_was(store):
    data = torch.randn(2, 4, 3)
    before = data.clone()
    for length, count in ((4, 1), (2, 3), (0, 5), (3, 2)):
        raises(
            ValueError,
            store,
            data,
            length,
            torch.randn(2, count, 3),
            because=f"{length} of 4 columns are in use, and {count} more came",
        )
        assert torch.equal(data, before), "the storage was changed before the error was raised"


@case("attention.cache")
def the_last_column_can_be_used(store):
    for length, count in ((1, 3), (3, 1), (0, 4)):
        data, new = torch.randn(2, 4, 2), torch.randn(2, count, 2)
        want = torch.cat([data[:, :length], new], dim=1)
        expect(store(data, length, new), want, length=length, max_length=4, new=new)


@case("attention.cache")
def nothing_new_changes_nothing(store):
    for length in (0, 2, 4):
        data = torch.randn(2, 4, 3)
        want = data.clone()
        expect(store(data, length, torch.zeros(2, 0, 3)), want[:, :length], length=length, new="no columns")
        expect(data, want, length=length, new="no columns")


@case("attention.cache", held_out=True)
def a_whole_prompt_goes_into_an_empty_cache(store):
    data, new = torch.zeros(4, 9, 5), torch.randn(4, 7, 5)
    expect(store(data, 0, new), new.clone(), length=0)
    expect(data, torch.cat([new, torch.zeros(4, 2, 5)], dim=1), length=0)


@case("attention.cache", held_out=True)
def half_precision_stays_half_precision_in_the_cache(store):
    data, new = torch.zeros(1, 4, 2).bfloat16(), torch.randn(1, 2, 2).bfloat16()
    got = store(data, 1, new)
    expect(got, torch.cat([torch.zeros(1, 1, 2).bfloat16(), new], dim=1), tol=0.0, length=1)
    data.fill_(3.0)
    expect(got, torch.full((1, 3, 2), 3.0).bfloat16(), length=1, changed="the storage, to 3, after the call")
