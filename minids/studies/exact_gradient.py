"""The exact gradient of the expected reward, where every answer can be written down, and what each loss makes of it.

    J(theta) = sum_o p(o) r(o)                 over all answers o of a small prefix tree
    update   = - E[ grad L ]                   over all groups of G answers, each with its probability

A tabular policy: a row of logits for every prefix. With a vocabulary of 3 (0 stops) and answers of at most 4 tokens
there are 15 prefixes and 31 answers, 961 groups of two. Nothing is sampled, so that what differs from grad J differs
because of the loss. `compare` gives the cosine between the two and the scale, <update, grad J> / |grad J|^2: a gradient
that is only shorter is a smaller learning rate, one that points elsewhere climbs another hill.

    minids dev exact                  the table: each setting of the loss, and mistakes
    minids dev exact --model FOLDER   and on a trained model, see `exact_model`

An answer's term in the loss is its advantage times something that depends on the answer and on the advantage's sign,
clipped or not. So the advantages of all groups, each weighted with its group's probability, can be added up for each
answer and sign, and one call of `grpo_loss` gives the expectation. That needs a denominator that is the same for every
group and no KL; for token_mean and the rest it is called for every group, as a training loop would.

Shapes: P prefixes, V tokens, L answers ("leaves"), T the longest of them, all in float64; theta_PV.

Left out: the variance of an update, except `noise`; several steps on a batch beyond the policies that `old` names.
"""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from minids.errors import MinidsError
from minids.model import sampling
from minids.rl import grpo
from minids.rl.grpo import LossConfig

SUM = LossConfig(aggregation="constant", constant=1, clip="none")  # the plain sum over tokens


@dataclass(frozen=True)
class Tree:
    """All answers over `vocab` tokens of which token 0 stops; an answer of `depth` tokens ends there anyway.

    prefixes   tuples of tokens; row p of theta belongs to prefixes[p]
    answers    tuples of tokens, L of them
    ids_LT     their tokens, padded;  mask_LT: which are tokens
    nodes_LT   the prefix that each token follows
    ends_L     position of the stop token, -1 in answers that were cut off
    """

    vocab: int
    depth: int
    prefixes: list
    answers: list
    ids_LT: torch.Tensor
    mask_LT: torch.Tensor
    nodes_LT: torch.Tensor
    ends_L: torch.Tensor


def tree(vocab: int = 3, depth: int = 4) -> Tree:
    """Every prefix and every answer. The answers are (vocab - 1)^depth and one more for each prefix. Raises
    MinidsError for a tree that is too large to be enumerated."""
    if vocab < 2 or depth < 1 or sum((vocab - 1) ** n for n in range(depth)) > 2000:
        raise MinidsError(f"exact: vocab={vocab}, depth={depth} is no tree that can be enumerated; try 3 and 4")
    words = range(1, vocab)
    prefixes = [p for n in range(depth) for p in itertools.product(words, repeat=n)]
    row = {p: i for i, p in enumerate(prefixes)}
    answers = [(*p, 0) for p in prefixes] + list(itertools.product(words, repeat=depth))
    inside = [[t < len(a) for t in range(depth)] for a in answers]
    return Tree(
        vocab,
        depth,
        prefixes,
        answers,
        ids_LT=torch.tensor([a + (0,) * (depth - len(a)) for a in answers]),
        mask_LT=torch.tensor(inside),
        nodes_LT=torch.tensor([[row[a[:t]] if t < len(a) else 0 for t in range(depth)] for a in answers]),
        ends_L=torch.tensor([len(a) - 1 if a[-1] == 0 else -1 for a in answers]),
    )


def draw(tree: Tree, seed: int, right: float = 0.3) -> tuple[Tensor, Tensor]:
    """A policy and rewards to try things on: (theta_PV, rewards_L), 1 for a `right` share of the answers and 0.1 more
    for half of them."""
    noise = torch.Generator().manual_seed(seed)
    theta = torch.randn(len(tree.prefixes), tree.vocab, generator=noise, dtype=torch.float64)
    L = len(tree.answers)
    rewards_L = (torch.rand(L, generator=noise) < right).double() + 0.1 * (torch.rand(L, generator=noise) < 0.5)
    return theta, rewards_L


def answer_probs(tree: Tree, theta: Tensor, **how: object) -> Tensor:
    """Probability of each answer [L] under a sampler with these settings, straight from softmax; 0 for what it cannot
    produce."""
    probs_LTV = sampling.warp_logits(theta[tree.nodes_LT], **how).softmax(-1)
    probs_LT = probs_LTV.gather(-1, tree.ids_LT[..., None])[..., 0]
    return torch.where(tree.mask_LT, probs_LT, 1.0).prod(1)


def exact_gradient(tree: Tree, theta: Tensor, rewards_L: Tensor, **how: object) -> Tensor:
    """grad J [P, V] of the policy that samples with these settings, by autograd through the sum over all answers."""
    theta = theta.detach().clone().requires_grad_()
    return torch.autograd.grad((answer_probs(tree, theta, **how) * rewards_L).sum(), theta)[0]


def expected_update(
    tree: Tree,
    theta: Tensor,
    rewards_L: Tensor,
    G: int,
    *,
    sampled: dict | None = None,
    scored: dict | None = None,
    mask_LT: Tensor | None = None,
    loss: dict | None = None,
    old: Tensor | None = None,
    sampler: Tensor | None = None,
    ref: Tensor | None = None,
    **adv_settings: object,
) -> Tensor:
    """Minus the expectation, over all groups of G possible answers, of the gradient of one group's loss: [P, V].

    sampled, scored   settings of sampling.warp_logits: of the sampler, and of the loss that scores its answers
    mask_LT           which tokens the loss sees; default the answers with their stop tokens
    loss              settings of grpo_loss that differ from the sum over tokens without a clip
    old               theta at the start of the batch, from which answers came; default theta itself (the first step)
    sampler           another policy's theta that the answers came from, if not the old one
    ref               theta of the reference, for the KL
    adv_settings      of grpo.advantages; scale is "none" unless said
    """
    sampled, scored = sampled or {}, scored or {}
    loss = grpo.loss_config(SUM, loss)
    adv_settings = {"scale": "none", **adv_settings}
    mask_LT = tree.mask_LT if mask_LT is None else mask_LT
    old = theta.detach() if old is None else old
    source = old if sampler is None else sampler
    prob_L = answer_probs(tree, source, **sampled).detach()
    theta = theta.detach().clone().requires_grad_()
    logp_LT = grpo.token_logps(theta[tree.nodes_LT], tree.ids_LT, **scored)
    given = {"old": grpo.token_logps(old[tree.nodes_LT], tree.ids_LT, **scored)}
    if loss.correction != "none" or loss.off_policy_threshold is not None:
        given["sampler"] = grpo.token_logps(source[tree.nodes_LT], tree.ids_LT, **sampled)
    if ref is not None:
        given["ref"] = grpo.token_logps(ref[tree.nodes_LT], tree.ids_LT, **scored)
    way = _in_one_call if adds_up(loss) else _group_by_group
    total = way(prob_L, rewards_L, G, logp_LT, given, mask_LT, loss, adv_settings)
    return -torch.autograd.grad(total, theta)[0]


def adds_up(loss: LossConfig) -> bool:
    """Whether the losses of groups are sums over their answers, with the same denominator for every group."""
    return loss.aggregation != "token_mean" and not loss.skip_zero_variance and loss.kl == "none"


def answer_weights(prob_L: Tensor, rewards_L: Tensor, G: int, **adv_settings: object) -> Tensor:
    """The advantages of all groups of G, each with its group's probability, added up for each answer: those above 0 and
    those below 0, [2, L]. Their sum times grad log p, over G, is the expected update of the plain sum over tokens."""
    possible = (prob_L > 0).nonzero().flatten()
    groups = torch.cartesian_prod(*[possible] * G).reshape(-1, G)
    adv_N, _ = grpo.advantages(rewards_L[groups].flatten(), G, **adv_settings)
    weight_N = adv_N * prob_L[groups].prod(1).repeat_interleave(G)
    parts = [torch.where(side, weight_N, 0.0) for side in (weight_N > 0, weight_N < 0)]
    return torch.stack([torch.zeros_like(prob_L).index_add(0, groups.flatten(), part) for part in parts])


def _rows(given, rows):
    return {f"{name}_logp_NT": values[rows].detach() for name, values in given.items()}


def _in_one_call(prob_L, rewards_L, G, logp_LT, given, mask_LT, loss, adv_settings):
    above_L, below_L = answer_weights(prob_L, rewards_L, G, **adv_settings)
    rows = (prob_L > 0).nonzero().flatten()
    adv_N, rows = torch.cat([above_L[rows], below_L[rows]]), torch.cat([rows, rows])
    return grpo.grpo_loss(
        logp_LT[rows], adv_N=adv_N, mask_NT=mask_LT[rows], normalizer=G, **_rows(given, rows), **loss.keywords()
    )[0]


def _group_by_group(prob_L, rewards_L, G, logp_LT, given, mask_LT, loss, adv_settings):
    """One call a group; groups with the same answers in another order are counted together."""
    possible, total, keywords = (prob_L > 0).nonzero().flatten().tolist(), 0.0, loss.keywords()
    for group in itertools.combinations_with_replacement(possible, G):
        rows = torch.tensor(group)
        adv_N, informative_N = grpo.advantages(rewards_L[rows], G, **adv_settings)
        value, _ = grpo.grpo_loss(
            logp_LT[rows],
            adv_N=adv_N,
            mask_NT=mask_LT[rows],
            informative_N=informative_N,
            **_rows(given, rows),
            **keywords,
        )
        total = total + _orders(group) * prob_L[rows].prod() * value
    return total


def _orders(group):
    """In how many orders the same answers can be drawn."""
    count = 1
    for n, answer in enumerate(group, 1):
        count = count * n // group[:n].count(answer)
    return count


def slopes(theta_PV, ids_LT, nodes_LT, mask_LT):
    """d log p(o) / d theta[p, v] of every answer o, by hand: [L, P, V].

    theta_PV   a row of logits for each prefix; the next token's probabilities are its softmax
    ids_LT     the tokens of each answer; nodes_LT the prefix that each token follows; mask_LT which of them are there

    For one token a after prefix p, d log softmax(theta[p])[a] / d theta[p, v] = 1[v = a] - softmax(theta[p])[v], and
    the other prefixes' logits have no part in it. The slopes of an answer's tokens, stop token included, add up.
    """
    L, V = len(ids_LT), theta_PV.shape[1]
    # one token at a time: 1 at the token that was drawn, minus the probabilities it was drawn from
    slopes_LTV = torch.nn.functional.one_hot(ids_LT, V).to(theta_PV.dtype) - theta_PV.softmax(-1)[nodes_LT]
    slopes_LTV = torch.where(mask_LT[..., None], slopes_LTV, 0.0)
    # each goes to the row of the prefix that it followed
    out_LPV = torch.zeros(L, *theta_PV.shape, dtype=theta_PV.dtype)
    return out_LPV.scatter_add_(1, nodes_LT[..., None].expand(-1, -1, V), slopes_LTV)


def noise(tree: Tree, theta: Tensor, rewards_L: Tensor, G: int, **adv_settings: object) -> float:
    """How much one group's gradient scatters: its standard deviation over the length of its mean (sum over tokens, no
    clip, first step). What a baseline is for; the expectation does not show it."""
    prob_L = answer_probs(tree, theta)
    slopes_LP = slopes(theta, tree.ids_LT, tree.nodes_LT, tree.mask_LT).flatten(1)
    groups = torch.cartesian_prod(*[torch.arange(len(prob_L))] * G).reshape(-1, G)
    adv_N, _ = grpo.advantages(rewards_L[groups].flatten(), G, **{"scale": "none", **adv_settings})
    update_NP = torch.einsum("ng,ngp->np", adv_N.view(-1, G), slopes_LP[groups]) / G
    weight_N1 = prob_L[groups].prod(1, keepdim=True)
    mean_P = (weight_N1 * update_NP).sum(0)
    return float(((weight_N1 * update_NP.square()).sum() - mean_P.square().sum()).sqrt() / mean_P.norm())


def compare(update: Tensor, exact: Tensor) -> tuple[float, float]:
    """(cosine, scale): the direction of an update against the exact gradient, and its length along it."""
    update, exact = update.flatten(), exact.flatten()
    along = float(update @ exact)
    return along / float(update.norm() * exact.norm()), along / float(exact @ exact)


# -- the table ---------------------------------------------------------------------------------------------------------

WARM, CUT = {"temperature": 0.6}, {"top_k": 2}
LATER = 0.5  # how far theta has moved when ratios have left 1, in standard deviations of its logits


def masks(tree: Tree) -> dict[str, Tensor]:
    """The mask as it should be, and two mistakes: the stop tokens left out, and all of it one place too early."""
    ends = torch.arange(tree.depth) == tree.ends_L[:, None]
    early = torch.cat([tree.mask_LT[:, 1:], torch.zeros(len(tree.answers), 1, dtype=torch.bool)], 1)
    return {"right": tree.mask_LT, "without stop": tree.mask_LT & ~ends, "shifted": early}


def settings(tree: Tree) -> list[tuple[str, str, dict, str]]:
    """The rows of the table: (section, name, keywords of expected_update, what is compared). G is 2 unless said;
    compared is "own" for grad J of the sampler's own, warped policy, "two" for two questions at once, "binary" for
    rewards of 0 and 1, "later" and "stale" after the policy has moved."""
    seen, plain = masks(tree), {"scale": "std", "eps": 0.0, "G": 3}
    answer = {"correction": "sequence_truncate", "correction_cap": 1e9}
    token = {"correction": "token_truncate", "correction_cap": 2.0}
    exact, bias, wrong, later = (
        "exact up to a factor",
        "chosen biases",
        "mistakes",
        "second step on a batch: the policy has moved",
    )
    return [
        (exact, "mean baseline, G = 2", {}, ""),
        (exact, "mean baseline, G = 3", {"G": 3}, ""),
        (exact, "leave one out", {"baseline": "loo"}, ""),
        (exact, "no baseline (advantage not centred)", {"baseline": "none"}, ""),
        (exact, "z-score, one question, rewards 0 and 1", plain, "binary"),
        (exact, "temperature 0.6, scored at 0.6", {"sampled": WARM, "scored": WARM}, "own"),
        (exact, "top-k 2, scored so", {"sampled": CUT, "scored": CUT}, "own"),
        (exact, "T = 0.6, scored at 1, weighted by answer", {"sampled": WARM, "baseline": "none", "loss": answer}, ""),
        (bias, "1/|o| (sequence mean)", {"loss": {"aggregation": "sequence_mean"}}, ""),
        (bias, "1/sum |o| (token mean)", {"loss": {"aggregation": "token_mean"}}, ""),
        (bias, "z-score, two questions", plain, "two"),
        (bias, "T = 0.6, scored at 1, weighted by token, cap 2", {"sampled": WARM, "loss": token}, ""),
        (wrong, "stop token masked", {"mask_LT": seen["without stop"]}, ""),
        (wrong, "mask shifted by one", {"mask_LT": seen["shifted"]}, ""),
        (wrong, "temperature forgotten (0.6)", {"sampled": WARM}, "own"),
        (wrong, "top-k 2, scored in full", {"sampled": CUT}, "own"),
        (later, "ratio of the token, no clip", {}, "later"),
        (later, "no ratio: old scored again each step", {}, "stale"),
        (later, "clip 0.2 (PPO)", {"loss": {"clip": "symmetric"}}, "later"),
        (later, "clip 0.2, 0.28 (DAPO)", {"loss": {"clip": "higher", "clip_high": 0.28}}, "later"),
        (later, "clip 10 (R1)", {"loss": {"clip": "symmetric", "clip_low": 10.0}}, "later"),
        (later, "weight at most 1.5 (CISPO)", {"loss": {"clip": "cispo", "clip_high": 0.5}}, "later"),
        (later, "1/|o|, no clip", {"loss": {"aggregation": "sequence_mean"}}, "later"),
        (
            later,
            "1/|o|, ratio of the answer's mean (GSPO)",
            {"loss": {"aggregation": "sequence_mean", "ratio": "sequence"}},
            "later",
        ),
        (later, "off-policy answers masked at 0.1 (V3.2)", {"loss": {"off_policy_threshold": 0.1}}, "later"),
    ]


def measure(tree: Tree, how: dict, compared: str, seed: int) -> tuple[Tensor, Tensor]:
    """(update, exact) of one row of `settings` for one drawn policy."""
    theta, rewards_L = draw(tree, seed)
    how = dict(how)
    G = how.pop("G", 2)
    if compared == "binary":
        rewards_L = (rewards_L > 0.5).double()
    if compared in ("later", "stale"):
        how["old"], theta = theta, theta + LATER * draw(tree, seed + 1000)[0]
    exact = exact_gradient(tree, theta, rewards_L, **(how.get("sampled", {}) if compared == "own" else {}))
    update = (_stale if compared == "stale" else expected_update)(tree, theta, rewards_L, G, **how)
    if compared == "two":
        easy, rewards2_L = draw(tree, seed + 500, right=0.9)
        update = torch.cat([update, expected_update(tree, easy, rewards2_L, G, **how)])
        exact = torch.cat([exact, exact_gradient(tree, easy, rewards2_L)])
    return update, exact


def _stale(tree, theta, rewards_L, G, old):
    """The classic mistake: answers of the old policy, with log-probabilities taken from the policy as it is now."""
    theta = theta.detach().clone().requires_grad_()
    logp_LT = grpo.token_logps(theta[tree.nodes_LT], tree.ids_LT)
    total = _in_one_call(
        answer_probs(tree, old), rewards_L, G, logp_LT, {"old": logp_LT}, tree.mask_LT, SUM, {"scale": "none"}
    )
    return -torch.autograd.grad(total, theta)[0]


def table(seeds: Iterable[int] = range(4), vocab: int = 3, depth: int = 4) -> list[dict]:
    """[{section, setting, cosine: [a seed each], scale: [...]}], in the order of `settings`."""
    small, rows = tree(vocab, depth), []
    for section, name, how, compared in settings(small):
        found = [compare(*measure(small, how, compared, seed)) for seed in seeds]
        cosines, scales = zip(*found)
        rows.append({"section": section, "setting": name, "cosine": list(cosines), "scale": list(scales)})
    return rows


def show(rows: list[dict]) -> str:
    """The rows as text: lowest and highest over the seeds."""
    lines, section = [], None
    for row in rows:
        if row["section"] != section:
            section = row["section"]
            lines += ["", f"{section:<52} {'cosine to grad J':<18}  scale"]
        cosine, scale = (f"{min(row[key]):.4f} to {max(row[key]):.4f}" for key in ("cosine", "scale"))
        lines.append(f"  {row['setting']:<50} {cosine}  {scale}")
    return "\n".join(lines[1:])


SMALL = tree()
