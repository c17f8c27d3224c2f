"""Speculative decoding with the MTP modules (arXiv 2412.19437 §5.4.3): guess a few tokens, check them in one forward.

After the confirmed tokens t_0 … t_n, whose main states h_0 … h_n-1 are known, module k (from 0) computes

    s^k_i = Module_k(s^k-1_i, Emb(t_i+k+1)),    s^-1 = h,    i = 0 … n-1

and argmax Head(s^k_n-1) is the guess for t_n+k+1; where t_i+k+1 is not known yet, the guess of module k-1 stands in.
One forward of the main model over [t_n, guesses] then says what each token should have been. Guesses are accepted up
to the first wrong one, whose right value that forward gives too: between 1 and K+1 tokens a forward, and always the
ones that plain greedy decoding writes. (Two logits that differ in the last bit may change places when several
positions are computed at once.)

Every module has rows of its own in the cache. Those of the main model are cut back to what was accepted; module k keeps
the n-k columns that no guess went into. It starts again one column behind module k-1, and `behind` holds the state of
module k-1 that it needs there.

Shapes: B = 1, T positions, D hidden. Left out: batches (rows would accept differently many) and sampling.
"""

import torch

from minids.model.generate import check_prompts, stops
from minids.model.transformer import ForwardContext


def mtp_step(model, k, hidden_BTD, next_BT, cache):
    """Module k at the positions after those its cache holds: states below [B, T, D], tokens [B, T] -> [B, T, D]."""
    start = cache.lengths[model.config.num_hidden_layers + k]
    context = ForwardContext(model, next_BT, cache=cache, start=start)
    return model.mtp[k](hidden_BTD, model.embed_tokens(next_BT), context)


class Drafter:
    """The MTP modules' side: holds what they still have to be fed, and guesses the next tokens."""

    def __init__(self, model, cache):
        self.model, self.cache = model, cache
        self.behind = [None] * len(model.mtp)  # confirmed states of module k that module k+1 has not seen

    def draft(self, ids, hidden_BTD, count):
        """ids t_0 … t_n, main states of positions below n that module 0 has not seen -> guesses for t_n+1 …"""
        n, first = len(ids) - 1, self.model.config.num_hidden_layers
        ids, device = list(ids), hidden_BTD.device
        for k in range(count):
            start = self.cache.lengths[first + k]
            fed_BT = torch.tensor([ids[start + k + 1 :]], device=device)
            state_BTD = mtp_step(self.model, k, hidden_BTD, fed_BT, self.cache)
            ids.append(int(self.model.lm_head(state_BTD[:, -1]).argmax()))
            # confirmed columns of this module and of the next one
            mine, above = max(n - k, 0), max(n - k - 1, 0)
            self.cache.truncate(mine, layer=first + k)
            past = self.behind[k]
            self.behind[k] = state_BTD[:, above - start : mine - start]
            hidden_BTD = state_BTD if past is None else torch.cat([past, state_BTD], dim=1)
        return ids[n + 1 :]


def accept(guesses, right, stop_ids):
    """The tokens that one forward of the main model confirms: a list of 1 to K + 1 ids, the next ones of the text.

    guesses   K ids; guesses[i] stands for what right[i] turned out to be
    right     K + 1 ids, what greedy decoding writes at these places: right[i] was computed behind guesses[:i], and is
              worth something only if those are right
    stop_ids  a set of ids that end the text; nothing is confirmed behind one
    """
    # guesses count up to the first wrong one
    count = 0
    while count < len(guesses) and guesses[count] == right[count] and right[count] not in stop_ids:
        count += 1
    # one token more is known than was guessed
    return right[: count + 1]


def expected_speedup(rates, draft_cost=0.0, check_cost=0.0):
    """How many times faster than plain greedy decoding, with K = len(rates) guesses a round.

        tokens a round = 1 + r_1 + r_1 r_2 + ... + r_1 ... r_K      costs = 1 + K (draft_cost + check_cost)

    rates       r_k in [0, 1]: how often guess k is right where all guesses before it were
    draft_cost  time to make one guess, in forwards of the main model over one token
    check_cost  time that one more token adds to a forward of the main model, in the same unit

    With equal rates and check_cost 0 it is Theorem 3.8 of arXiv 2211.17192. No guesses: 1.0.
    """
    # guess k is of use if it and all before it are right
    tokens, all_right = 1.0, 1.0
    for rate in rates:
        all_right *= rate
        tokens += all_right
    return tokens / (1 + len(rates) * (draft_cost + check_cost))


@torch.no_grad()
def speculate(model, prompt_ids, room, stop_ids):
    """Drafts and checks until `room` tokens are written or one of `stop_ids` is -> (new ids, counts).

    new ids     a list: the tokens of plain greedy decoding, without the prompt, the stop token last if one came
    prompt_ids  a list or tuple of at least one id      room   tokens that may be written, at least 1
    stop_ids    a set of ids
    counts      {"drafted", "accepted", "forwards"}; forwards of the main model, the prompt's too

    Guesses in a cache: a forward over [t_n, guesses] leaves a row for each of them, right or wrong.
    """
    cache = model.new_cache(1, len(prompt_ids) + room)
    drafter, counts = Drafter(model, cache), {"drafted": 0, "accepted": 0, "forwards": 1}
    hidden_BTD = model.hidden(torch.tensor([list(prompt_ids)], device=cache.data.device), cache=cache)
    new = [int(model.lm_head(hidden_BTD[:, -1]).argmax())]
    while len(new) < room and new[-1] not in stop_ids:
        ids = [*prompt_ids, *new]
        # a guess more than there is room for would be wasted
        guesses = drafter.draft(ids, hidden_BTD, min(len(model.mtp), room - len(new) - 1))
        # one forward says what should stand after t_n and after each guess
        hidden_BTD = model.hidden(torch.tensor([[ids[-1], *guesses]], device=cache.data.device), cache=cache)
        confirmed = accept(guesses, model.lm_head(hidden_BTD)[0].argmax(-1).tolist(), stop_ids)
        new += confirmed
        # the newest token has no state and no row in the cache yet
        hidden_BTD = hidden_BTD[:, : len(confirmed)]
        for layer in range(model.config.num_hidden_layers):
            cache.truncate(len(ids) + len(confirmed) - 1, layer=layer)
        counts["drafted"] += len(guesses)
        counts["accepted"] += len(confirmed) - 1
        counts["forwards"] += 1
    return new, counts


def speculative_greedy(model, prompt_ids, max_new_tokens, stop_ids=None):
    """Greedy continuation of one prompt, up to K+1 tokens a forward with K MTP modules.

    Returns (new ids, the stop token last if one came; {"drafted", "accepted", "forwards"}). `forwards` counts those of
    the main model, the prompt's too; plain greedy needs one per token. Raises MinidsError as `generate` does.
    """
    check_prompts(model, [prompt_ids], max_new_tokens)
    stop_ids = stops(model, stop_ids)
    room = min(max_new_tokens, model.config.max_position_embeddings - len(prompt_ids))
    was_training = model.training
    model.eval()
    try:
        return speculate(model, prompt_ids, room, stop_ids)
    finally:
        model.train(was_training)
