"""Chapter 05: mistakes of multi-token prediction and speculative decoding, and other right ways."""

import itertools

import torch
import torch.nn.functional as F

from minids.course.wrong import alternative, wrong
from minids.model.layers import rms_norm
from minids.model.speculative import Drafter, accept

# -- the state and the next embedding ----------------------------------------------------------------------------------

COMBINE = "mtp.combine"


@wrong(
    COMBINE,
    mistake="the state fills the first half of the projection's input, as the paper's formula is written",
    ask="Which half of eh_proj belongs to the embedding in the released weights?",
    refused_by="the_embedding_fills_the_first_half",
)
def hidden_first(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    both = torch.cat([rms_norm(hidden_BTD, hnorm_D, eps), rms_norm(next_BTD, enorm_D, eps)], -1)
    return F.linear(both, eh_proj_DX)


@wrong(
    COMBINE,
    mistake="the two norms have changed places",
    ask="Which of the two weights, hnorm and enorm, belongs to the hidden state?",
    refused_by="an_example_by_hand",
)
def norms_swapped(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    both = torch.cat([rms_norm(next_BTD, hnorm_D, eps), rms_norm(hidden_BTD, enorm_D, eps)], -1)
    return F.linear(both, eh_proj_DX)


@wrong(
    COMBINE,
    mistake="one norm is taken over both vectors together",
    ask="If the state is a thousand times larger than the embedding, what is left of the embedding after your norm?",
    refused_by="both_sides_come_to_the_same_size",
)
def one_norm_for_both(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    both = torch.cat([next_BTD, hidden_BTD], -1)
    return F.linear(rms_norm(both, torch.cat([enorm_D, hnorm_D]), eps), eh_proj_DX)


@wrong(
    COMBINE,
    mistake="the hidden state is not normalised",
    ask="The state comes out of a norm already, but of the main model's: what does hnorm do here?",
    refused_by="both_sides_come_to_the_same_size",
)
def state_not_normalised(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    return F.linear(torch.cat([rms_norm(next_BTD, enorm_D, eps), hidden_BTD * hnorm_D], -1), eh_proj_DX)


@wrong(
    COMBINE,
    mistake="the embedding is not normalised",
    ask="How large is a row of the embedding table, and how large a hidden state?",
    refused_by="both_sides_come_to_the_same_size",
)
def embedding_not_normalised(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    return F.linear(torch.cat([next_BTD * enorm_D, rms_norm(hidden_BTD, hnorm_D, eps)], -1), eh_proj_DX)


@wrong(
    COMBINE,
    mistake="the two vectors are added before they are projected",
    ask="eh_proj has 2D columns: which of them does your sum use?",
    refused_by="the_formula_position_by_position",
)
def added(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    both = rms_norm(next_BTD, enorm_D, eps) + rms_norm(hidden_BTD, hnorm_D, eps)
    return F.linear(both, eh_proj_DX[:, : both.shape[-1]])


@wrong(
    COMBINE,
    mistake="eps is left out of the norms",
    ask="What does the norm make of a state that is almost zero?",
    refused_by="eps_keeps_small_states_small",
)
def without_eps(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    both = torch.cat([rms_norm(next_BTD, enorm_D, 0.0), rms_norm(hidden_BTD, hnorm_D, 0.0)], -1)
    return F.linear(both, eh_proj_DX)


@wrong(
    COMBINE,
    mistake="no gradient goes back into the hidden state",
    ask="Where shall the main model learn from, if the MTP loss ends at its last state?",
    refused_by="all_five_tensors_get_their_gradients",
)
def state_detached(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    both = torch.cat([rms_norm(next_BTD, enorm_D, eps), rms_norm(hidden_BTD.detach(), hnorm_D, eps)], -1)
    return F.linear(both, eh_proj_DX)


@wrong(
    COMBINE,
    mistake="half precision is squared as it is: in float16 the square of 300 is infinite",
    ask="What is the largest number of float16, and how large is the square of a state?",
    refused_by="half_precision_is_squared_in_float32",
)
def squared_in_half_precision(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    pairs = (next_BTD, enorm_D), (hidden_BTD, hnorm_D)
    both = torch.cat([z * torch.rsqrt((z * z).mean(-1, keepdim=True) + eps) * w for z, w in pairs], -1)
    return F.linear(both, eh_proj_DX)


@wrong(
    COMBINE,
    mistake="eps is 1e-6, whatever the argument says",
    ask="Which argument does your result not depend on?",
    refused_by="eps_keeps_small_states_small",
)
def eps_of_its_own(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    both = torch.cat([rms_norm(next_BTD, enorm_D, 1e-6), rms_norm(hidden_BTD, hnorm_D, 1e-6)], -1)
    return F.linear(both, eh_proj_DX)


@alternative(COMBINE)
def two_products(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    D = hidden_BTD.shape[-1]
    from_next = rms_norm(next_BTD, enorm_D, eps) @ eh_proj_DX[:, :D].T
    return from_next + rms_norm(hidden_BTD, hnorm_D, eps) @ eh_proj_DX[:, D:].T


@alternative(COMBINE)
def with_torch_norm_and_einsum(hidden_BTD, next_BTD, hnorm_D, enorm_D, eh_proj_DX, eps):
    D = (hidden_BTD.shape[-1],)
    pair = F.rms_norm(next_BTD, D, enorm_D, eps), F.rms_norm(hidden_BTD, D, hnorm_D, eps)
    return torch.einsum("btx,dx->btd", torch.cat(pair, -1), eh_proj_DX)


# -- what a module is fed ----------------------------------------------------------------------------------------------

INPUTS = "mtp.inputs"


def _shifted(z_BT, step):
    """Column t takes column t + step; the last column repeats."""
    T = z_BT.shape[1]
    return z_BT[:, (torch.arange(T) + step).clamp(0, T - 1)]


def _inside(T, step):
    return torch.arange(T) + step < T


@wrong(
    INPUTS,
    mistake="module k is fed the token k further, module 0 the one that the main model has just read",
    ask="The state at t has seen ids[t] already. What is new to it?",
    refused_by="module_0_is_fed_the_next_token",
)
def one_step_too_few(ids_BT, valid_BT, k):
    return _shifted(ids_BT, k), _shifted(valid_BT, k) & _inside(ids_BT.shape[1], k)


@wrong(
    INPUTS,
    mistake="module k is fed the token that it is to predict, k + 2 further",
    ask="What is left to predict, if the answer is among the inputs?",
    refused_by="module_0_is_fed_the_next_token",
)
def fed_its_target(ids_BT, valid_BT, k):
    return _shifted(ids_BT, k + 2), _shifted(valid_BT, k + 2) & _inside(ids_BT.shape[1], k + 2)


@wrong(
    INPUTS,
    mistake="the row is a ring: its end is fed its beginning",
    ask="What does torch.roll put into the last columns?",
    refused_by="module_0_is_fed_the_next_token",
)
def rolled(ids_BT, valid_BT, k):
    return ids_BT.roll(-k - 1, 1), valid_BT.roll(-k - 1, 1) & _inside(ids_BT.shape[1], k + 1)


@wrong(
    INPUTS,
    mistake="the last positions count as fed, although they only repeat the last id",
    ask="How many positions of a row have a token k + 1 further?",
    refused_by="module_0_is_fed_the_next_token",
)
def the_edge_counts_as_fed(ids_BT, valid_BT, k):
    return _shifted(ids_BT, k + 1), _shifted(valid_BT, k + 1)


@wrong(
    INPUTS,
    mistake="a position counts as fed if it is text itself, whatever follows it",
    ask="The last token of a text is followed by padding. Is it fed a token?",
    refused_by="padding_is_not_fed",
)
def valid_not_shifted(ids_BT, valid_BT, k):
    return _shifted(ids_BT, k + 1), valid_BT & _inside(ids_BT.shape[1], k + 1)


@wrong(
    INPUTS,
    mistake="padding is fed as if it were text",
    ask="Which of the arguments says where the text ends?",
    refused_by="padding_is_not_fed",
)
def padding_forgotten(ids_BT, valid_BT, k):
    return _shifted(ids_BT, k + 1), _inside(ids_BT.shape[1], k + 1).expand_as(valid_BT)


@wrong(
    INPUTS,
    mistake="every module is fed the next token, whatever its number",
    ask="Module 1 stands on the state of module 0, which was fed ids[t+1]. What has it not seen yet?",
    refused_by="module_1_is_fed_the_one_after",
)
def always_the_next(ids_BT, valid_BT, k):
    return _shifted(ids_BT, 1), _shifted(valid_BT, 1) & _inside(ids_BT.shape[1], 1)


@wrong(
    INPUTS,
    mistake="the places without a token hold the id 0",
    ask="What does the docstring say the last positions repeat?",
    refused_by="module_0_is_fed_the_next_token",
)
def zeros_at_the_edge(ids_BT, valid_BT, k):
    inside_T = _inside(ids_BT.shape[1], k + 1)
    return _shifted(ids_BT, k + 1) * inside_T, _shifted(valid_BT, k + 1) & inside_T


@wrong(
    INPUTS,
    mistake="k + 1 columns are appended even to a row that is shorter",
    ask="How many columns do you return for a row of 2 tokens and k = 3?",
    refused_by="rows_shorter_than_the_step",
)
def longer_than_the_row(ids_BT, valid_BT, k):
    next_BT = torch.cat([ids_BT[:, k + 1 :], ids_BT[:, -1:].expand(-1, k + 1)], 1)
    return next_BT, F.pad(valid_BT[:, k + 1 :], (0, k + 1))


@wrong(
    INPUTS,
    mistake="a position counts as fed only if it is text itself, too",
    ask="Position t is padding on the left, t + 1 is text. Is there a token to feed, and is it text?",
    refused_by="text_may_begin_behind_padding_or_have_holes",
)
def both_have_to_be_text(ids_BT, valid_BT, k):
    return _shifted(ids_BT, k + 1), valid_BT & _shifted(valid_BT, k + 1) & _inside(ids_BT.shape[1], k + 1)


@wrong(
    INPUTS,
    mistake="one position too many counts as fed",
    ask="A row has columns 0 to T - 1. Is T among them?",
    refused_by="module_0_is_fed_the_next_token",
)
def up_to_the_end(ids_BT, valid_BT, k):
    T = ids_BT.shape[1]
    return _shifted(ids_BT, k + 1), _shifted(valid_BT, k + 1) & (torch.arange(T) + k + 1 <= T)


@alternative(INPUTS)
def with_cat(ids_BT, valid_BT, k):
    T, step = ids_BT.shape[1], min(k + 1, ids_BT.shape[1])
    next_BT = torch.cat([ids_BT, ids_BT[:, -1:].expand(-1, step)], 1)[:, -T:]
    return next_BT, F.pad(valid_BT[:, step:], (0, step))


@alternative(INPUTS)
def step_by_step(ids_BT, valid_BT, k):
    nothing_B1 = torch.zeros_like(valid_BT[:, :1])
    for _ in range(k + 1):
        ids_BT = torch.cat([ids_BT[:, 1:], ids_BT[:, -1:]], 1)
        valid_BT = torch.cat([valid_BT[:, 1:], nothing_B1], 1)
    return ids_BT, valid_BT


# -- targets and their weights -----------------------------------------------------------------------------------------

TARGETS = "mtp.targets"


def _moved(z_BT, step):
    """Column t takes column t + step, zeros behind the end."""
    return F.pad(z_BT[:, step:], (0, min(step, z_BT.shape[1])))


def _same(doc_ids_BT, step):
    """Whether column t and column t + step are of one document."""
    T = doc_ids_BT.shape[1]
    return F.pad(doc_ids_BT[:, step:] == doc_ids_BT[:, : max(0, T - step)], (0, min(step, T)))


def _within(z_BT, doc_ids_BT, step):
    return z_BT if doc_ids_BT is None else z_BT * _same(doc_ids_BT, step)


@wrong(
    TARGETS,
    mistake="the weight of the position counts, not that of the token which is predicted",
    ask="weight[t] says how much predicting ids[t] counts. Which weight belongs to ids[t + ahead]?",
    refused_by="one_ahead_by_hand",
)
def weight_not_moved(ids_BT, weight_BT, doc_ids_BT, ahead):
    there_BT = _moved(torch.ones_like(weight_BT), ahead)
    return _moved(ids_BT, ahead), _within(weight_BT * there_BT, doc_ids_BT, ahead)


@wrong(
    TARGETS,
    mistake="documents do not end: a prediction reaches into the next one",
    ask="What could the state of the first document know of the second one's tokens?",
    refused_by="no_target_in_the_next_document",
)
def segments_forgotten(ids_BT, weight_BT, doc_ids_BT, ahead):
    return _moved(ids_BT, ahead), _moved(weight_BT, ahead)


@wrong(
    TARGETS,
    mistake="only the token and the one before it have to be of one document",
    ask="Position t predicts t + ahead. Which two positions have to be of the same document?",
    refused_by="no_target_in_the_next_document",
)
def neighbours_of_the_target(ids_BT, weight_BT, doc_ids_BT, ahead):
    if doc_ids_BT is not None:
        weight_BT = weight_BT * F.pad(doc_ids_BT[:, 1:] == doc_ids_BT[:, :-1], (1, 0), value=True)
    return _moved(ids_BT, ahead), _moved(weight_BT, ahead)


@wrong(
    TARGETS,
    mistake="only position t and the one after it have to be of one document",
    ask="With ahead = 2, may a document end between t + 1 and t + 2?",
    refused_by="no_target_in_the_next_document",
)
def neighbours_of_the_position(ids_BT, weight_BT, doc_ids_BT, ahead):
    return _moved(ids_BT, ahead), _within(_moved(weight_BT, ahead), doc_ids_BT, 1)


@wrong(
    TARGETS,
    mistake="the row is a ring: its end predicts its beginning",
    ask="What does torch.roll put into the last columns, and with which weight?",
    refused_by="two_ahead_by_hand",
)
def ring(ids_BT, weight_BT, doc_ids_BT, ahead):
    moved_BT = weight_BT.roll(-ahead, 1)
    if doc_ids_BT is not None:
        moved_BT = moved_BT * (doc_ids_BT == doc_ids_BT.roll(-ahead, 1))
    return ids_BT.roll(-ahead, 1), moved_BT


@wrong(
    TARGETS,
    mistake="always the next token is the target, however far `ahead` says",
    ask="What would module 0 learn that the main model does not know already?",
    refused_by="two_ahead_by_hand",
)
def always_one_ahead(ids_BT, weight_BT, doc_ids_BT, ahead):
    return _moved(ids_BT, 1), _within(_moved(weight_BT, 1), doc_ids_BT, 1)


@wrong(
    TARGETS,
    mistake="the target is one token too far",
    ask="ahead = 1 is the next token. Which column does position 0 predict?",
    refused_by="one_ahead_by_hand",
)
def one_too_far(ids_BT, weight_BT, doc_ids_BT, ahead):
    return _moved(ids_BT, ahead + 1), _within(_moved(weight_BT, ahead + 1), doc_ids_BT, ahead + 1)


@wrong(
    TARGETS,
    mistake="every weight above 0 counts 1",
    ask="The words of a question count a little, those of the answer fully. What becomes of that?",
    refused_by="one_ahead_by_hand",
)
def weights_all_one(ids_BT, weight_BT, doc_ids_BT, ahead):
    return _moved(ids_BT, ahead), _within(_moved((weight_BT > 0).to(weight_BT.dtype), ahead), doc_ids_BT, ahead)


@wrong(
    TARGETS,
    mistake="`ahead` columns are appended even to a row that is shorter",
    ask="How many columns do you return for a row of 2 tokens and ahead = 5?",
    refused_by="rows_shorter_than_ahead",
)
def wider_than_the_row(ids_BT, weight_BT, doc_ids_BT, ahead):
    target_BT, moved_BT = (F.pad(z_BT[:, ahead:], (0, ahead)) for z_BT in (ids_BT, weight_BT))
    if doc_ids_BT is not None:
        moved_BT = moved_BT * F.pad(doc_ids_BT[:, ahead:] == doc_ids_BT[:, :-ahead], (0, ahead))
    return target_BT, moved_BT


@wrong(
    TARGETS,
    mistake="documents are numbered upwards: whatever is not above the number of the position is the same",
    ask="The docstring says which numbers are one document. Does 1 belong to 2?",
    refused_by="documents_may_have_any_numbers",
)
def numbered_upwards(ids_BT, weight_BT, doc_ids_BT, ahead):
    moved_BT = _moved(weight_BT, ahead)
    if doc_ids_BT is not None:
        T = ids_BT.shape[1]
        below = doc_ids_BT[:, ahead:] <= doc_ids_BT[:, : max(0, T - ahead)]
        moved_BT = moved_BT * F.pad(below, (0, min(ahead, T)))
    return _moved(ids_BT, ahead), moved_BT


@wrong(
    TARGETS,
    mistake="a document ends wherever the number changes, although it comes again",
    ask="Segments 1, 2, 1: what does the docstring say of the first and the third token?",
    refused_by="documents_may_have_any_numbers",
)
def unbroken_runs(ids_BT, weight_BT, doc_ids_BT, ahead):
    if doc_ids_BT is not None:
        changes = F.pad(doc_ids_BT[:, 1:] != doc_ids_BT[:, :-1], (1, 0))
        doc_ids_BT = changes.long().cumsum(1)
    return _moved(ids_BT, ahead), _within(_moved(weight_BT, ahead), doc_ids_BT, ahead)


@wrong(
    TARGETS,
    mistake="weights come back in float32, whatever they were",
    ask="Which dtype have the weights that come in?",
    refused_by="weights_keep_their_type_and_their_zeros",
)
def weights_in_float32(ids_BT, weight_BT, doc_ids_BT, ahead):
    return _moved(ids_BT, ahead), _within(_moved(weight_BT, ahead), doc_ids_BT, ahead).float()


@wrong(
    TARGETS,
    mistake="a place without a target holds -100, which is no id",
    ask="Somebody looks up the target in a table of the vocabulary. Which row is -100?",
    refused_by="every_position_of_random_documents",
)
def ignored_by_number(ids_BT, weight_BT, doc_ids_BT, ahead):
    moved_BT = _within(_moved(weight_BT, ahead), doc_ids_BT, ahead)
    return _moved(ids_BT, ahead).masked_fill(moved_BT == 0, -100), moved_BT


@alternative(TARGETS)
def position_by_position(ids_BT, weight_BT, doc_ids_BT, ahead):
    target_BT, moved_BT = torch.zeros_like(ids_BT), torch.zeros_like(weight_BT)
    for t in range(ids_BT.shape[1] - ahead):
        target_BT[:, t], moved_BT[:, t] = ids_BT[:, t + ahead], weight_BT[:, t + ahead]
        if doc_ids_BT is not None:
            moved_BT[:, t] *= doc_ids_BT[:, t] == doc_ids_BT[:, t + ahead]
    return target_BT, moved_BT


@alternative(TARGETS)
def ring_without_its_seam(ids_BT, weight_BT, doc_ids_BT, ahead):
    T = ids_BT.shape[1]
    counts_BT = (torch.arange(T) + ahead < T).expand_as(ids_BT)
    if doc_ids_BT is not None:
        counts_BT = counts_BT & (doc_ids_BT == doc_ids_BT.roll(-ahead, 1))
    return ids_BT.roll(-ahead, 1), weight_BT.roll(-ahead, 1).masked_fill(~counts_BT, 0.0)


# -- accepted guesses --------------------------------------------------------------------------------------------------

ACCEPT = "speculative.accept"


def _run(guesses, right):
    """How many guesses are right before the first wrong one."""
    return len(list(itertools.takewhile(lambda pair: pair[0] == pair[1], zip(guesses, right))))


def _to_stop(tokens, stop_ids):
    ends = [i for i, token in enumerate(tokens) if token in stop_ids]
    return tokens[: ends[0] + 1] if ends else tokens


@wrong(
    ACCEPT,
    mistake="only the accepted guesses are returned; the right token after them is thrown away",
    ask="If no guess is right, how many tokens does your round write?",
    refused_by="without_guesses_one_token_is_known",
)
def without_the_right_token(guesses, right, stop_ids):
    return _to_stop(right[: _run(guesses, right)], stop_ids)


@wrong(
    ACCEPT,
    mistake="every guess that is right counts, also behind a wrong one",
    ask="right[i] was computed behind guesses[:i]. What is it worth if one of those is wrong?",
    refused_by="what_follows_a_wrong_guess_does_not_count",
)
def all_matches_count(guesses, right, stop_ids):
    count = sum(a == b for a, b in zip(guesses, right))
    return _to_stop(right[: count + 1], stop_ids)


@wrong(
    ACCEPT,
    mistake="the first wrong guess itself is kept",
    ask="Of guesses[i] and right[i], which one would greedy decoding have written?",
    refused_by="the_first_wrong_guess_is_replaced",
)
def keeps_the_wrong_guess(guesses, right, stop_ids):
    count = _run(guesses, right)
    return _to_stop([*guesses[: count + 1], *(right[-1:] if count == len(guesses) else [])], stop_ids)


@wrong(
    ACCEPT,
    mistake="nothing is checked: all guesses are taken",
    ask="What is the forward of the main model for?",
    refused_by="the_first_wrong_guess_is_replaced",
)
def takes_everything(guesses, right, stop_ids):
    return _to_stop([*guesses, right[-1]], stop_ids)


@wrong(
    ACCEPT,
    mistake="the text goes on behind a stop token",
    ask="What is stop_ids for?",
    refused_by="nothing_is_confirmed_behind_a_stop_token",
)
def goes_on_behind_the_stop(guesses, right, stop_ids):
    return right[: _run(guesses, right) + 1]


@wrong(
    ACCEPT,
    mistake="one more token is taken after a stop token",
    ask="A stop token was guessed, and rightly. Is there a token after it?",
    refused_by="nothing_is_confirmed_behind_a_stop_token",
)
def one_behind_the_stop(guesses, right, stop_ids):
    count = 0
    while count < len(guesses) and guesses[count] == right[count]:
        count += 1
        if right[count - 1] in stop_ids:
            break
    return right[: count + 1]


@wrong(
    ACCEPT,
    mistake="a guessed stop token ends the text, although it is wrong",
    ask="Who decides that the text ends: the module that guesses or the model that checks?",
    refused_by="a_stop_token_that_was_only_guessed_stops_nothing",
)
def believes_a_guessed_stop(guesses, right, stop_ids):
    out = []
    for guess, token in zip([*guesses, None], right):
        if guess in stop_ids:
            return [*out, guess]
        out.append(token)
        if guess != token or token in stop_ids:
            return out
    return out


@wrong(
    ACCEPT,
    mistake="the token after the guesses is thrown away where all of them are right",
    ask="right is one longer than guesses. When is its last entry of use?",
    refused_by="right_guesses_give_one_token_more",
)
def no_token_after_all_guesses(guesses, right, stop_ids):
    return _to_stop(right[: max(1, min(_run(guesses, right) + 1, len(guesses)))], stop_ids)


@wrong(
    ACCEPT,
    mistake="a guess is compared with the token after the one that it stands for",
    ask="Which token did greedy decoding write at the place of guesses[0]?",
    refused_by="right_guesses_give_one_token_more",
)
def compared_one_further(guesses, right, stop_ids):
    return _to_stop(right[: _run(guesses, right[1:]) + 1], stop_ids)


@wrong(
    ACCEPT,
    mistake="a stop token among the right ones ends the text, although a guess before it was wrong",
    ask="right[1] was computed behind guesses[0]. If that is wrong, does it matter that right[1] stops?",
    refused_by="a_stop_token_behind_a_wrong_guess_means_nothing",
)
def stops_behind_a_wrong_guess(guesses, right, stop_ids):
    ends = [i for i, token in enumerate(right) if token in stop_ids]
    return right[: ends[0] + 1] if ends else right[: _run(guesses, right) + 1]


@wrong(
    ACCEPT,
    mistake="the stop token itself is left out",
    ask="Nothing is confirmed behind a stop token. Is the stop token itself confirmed?",
    refused_by="nothing_is_confirmed_behind_a_stop_token",
)
def without_the_stop(guesses, right, stop_ids):
    return list(itertools.takewhile(lambda token: token not in stop_ids, right[: _run(guesses, right) + 1]))


@alternative(ACCEPT)
def token_by_token(guesses, right, stop_ids):
    out = []
    for i, token in enumerate(right):
        out.append(token)
        if token in stop_ids or i >= len(guesses) or guesses[i] != token:
            break
    return out


@alternative(ACCEPT)
def run_then_cut(guesses, right, stop_ids):
    return _to_stop(right[: _run(guesses, right) + 1], stop_ids)


@alternative(ACCEPT)
def recursive(guesses, right, stop_ids):
    if not guesses or guesses[0] != right[0] or right[0] in stop_ids:
        return right[:1]
    return right[:1] + recursive(guesses[1:], right[1:], stop_ids)


# -- the expected speed-up ---------------------------------------------------------------------------------------------

SPEEDUP = "speculative.speedup"


def _tokens(rates):
    return 1 + sum(itertools.accumulate(rates, lambda a, b: a * b))


@wrong(
    SPEEDUP,
    mistake="each guess counts by itself, whether those before it were right or not",
    ask="Guess 1 is always wrong, guess 2 always right: how many tokens does a round give?",
    refused_by="a_guess_needs_those_before_it",
)
def rates_added(rates, draft_cost=0.0, check_cost=0.0):
    return (1 + sum(rates)) / (1 + len(rates) * (draft_cost + check_cost))


@wrong(
    SPEEDUP,
    mistake="a round gives either all guesses or none",
    ask="What does a round give if the first guess is right and the second is not?",
    refused_by="a_guess_needs_those_before_it",
)
def all_or_nothing(rates, draft_cost=0.0, check_cost=0.0):
    every = 1.0
    for rate in rates:
        every *= rate
    return (1 + len(rates) * every) / (1 + len(rates) * (draft_cost + check_cost))


@wrong(
    SPEEDUP,
    mistake="the token that the check itself gives is left out",
    ask="How many tokens does a round give if every guess is wrong?",
    refused_by="one_guess_that_costs_nothing",
)
def without_the_sure_token(rates, draft_cost=0.0, check_cost=0.0):
    tokens = _tokens(rates) - 1 if rates else 1.0
    return tokens / (1 + len(rates) * (draft_cost + check_cost))


@wrong(
    SPEEDUP,
    mistake="all guesses of a round together cost as much as one",
    ask="How many times does a module run in a round with two guesses?",
    refused_by="every_guess_costs",
)
def cost_of_one(rates, draft_cost=0.0, check_cost=0.0):
    return _tokens(rates) / (1 + bool(rates) * (draft_cost + check_cost))


@wrong(
    SPEEDUP,
    mistake="only making a guess costs time, checking it does not",
    ask="Which argument does your result not depend on?",
    refused_by="every_guess_costs",
)
def checks_are_free(rates, draft_cost=0.0, check_cost=0.0):
    return _tokens(rates) / (1 + len(rates) * draft_cost)


@wrong(
    SPEEDUP,
    mistake="guesses cost nothing",
    ask="Which arguments does your result not depend on?",
    refused_by="every_guess_costs",
)
def everything_is_free(rates, draft_cost=0.0, check_cost=0.0):
    return float(_tokens(rates))


@wrong(
    SPEEDUP,
    mistake="the forward of the main model costs nothing",
    ask="What does a round cost whose guesses are free?",
    refused_by="every_guess_costs",
)
def the_check_itself_is_free(rates, draft_cost=0.0, check_cost=0.0):
    cost = len(rates) * (draft_cost + check_cost)
    return _tokens(rates) / (cost or 1.0)


@wrong(
    SPEEDUP,
    mistake="it is the time a token takes, not the speed",
    ask="Is a better guesser a larger or a smaller number?",
    refused_by="one_guess_that_costs_nothing",
)
def upside_down(rates, draft_cost=0.0, check_cost=0.0):
    return (1 + len(rates) * (draft_cost + check_cost)) / _tokens(rates)


@wrong(
    SPEEDUP,
    mistake="a guess counts only with those behind it: rates are multiplied from the last one on",
    ask="Guess 1 is right in half of the rounds, guess 2 never. How many tokens does a round give?",
    refused_by="rates_in_any_order_with_both_costs",
)
def from_the_wrong_end(rates, draft_cost=0.0, check_cost=0.0):
    return _tokens(rates[::-1]) / (1 + len(rates) * (draft_cost + check_cost))


@wrong(
    SPEEDUP,
    mistake="it never gets slower: the result is at least 1",
    ask="What do guesses cost that are never right?",
    refused_by="useless_guesses_make_it_slower",
)
def never_below_1(rates, draft_cost=0.0, check_cost=0.0):
    return max(1.0, _tokens(rates) / (1 + len(rates) * (draft_cost + check_cost)))


@alternative(SPEEDUP)
def with_accumulate(rates, draft_cost=0.0, check_cost=0.0):
    reached = itertools.accumulate([1.0, *rates], lambda a, b: a * b)
    return sum(reached) / (1 + draft_cost * len(rates) + check_cost * len(rates))


@alternative(SPEEDUP)
def from_the_last_guess_on(rates, draft_cost=0.0, check_cost=0.0):
    tokens = 1.0
    for rate in reversed(list(rates)):
        tokens = 1 + rate * tokens
    return tokens / (1 + len(rates) * (draft_cost + check_cost))


@alternative(SPEEDUP)
def with_cumprod(rates, draft_cost=0.0, check_cost=0.0):
    tokens = 1 + torch.tensor(list(rates), dtype=torch.float64).cumprod(0).sum().item()
    return tokens / (1 + len(rates) * (draft_cost + check_cost))


# -- the loop: guesses and checks --------------------------------------------------------------------------------------

SPECULATE = "speculative.step"


@wrong(
    SPECULATE,
    mistake="the cache keeps as many rows as the text has tokens, one of them that of a wrong guess",
    ask="Which token of the text has not been through the model yet when a round ends?",
    refused_by="one_module_writes_what_greedy_writes",
)
@torch.no_grad()
def as_many_rows_as_tokens(model, prompt_ids, room, stop_ids):
    cache = model.new_cache(1, len(prompt_ids) + 2 * room)
    drafter, counts = Drafter(model, cache), {"drafted": 0, "accepted": 0, "forwards": 1}
    hidden_BTD = model.hidden(torch.tensor([list(prompt_ids)], device=cache.data.device), cache=cache)
    new = [int(model.lm_head(hidden_BTD[:, -1]).argmax())]
    while len(new) < room and new[-1] not in stop_ids:
        ids = [*prompt_ids, *new]
        guesses = drafter.draft(ids, hidden_BTD, min(len(model.mtp), room - len(new) - 1))
        # one forward says what should stand after t_n and after each guess
        hidden_BTD = model.hidden(torch.tensor([[ids[-1], *guesses]], device=cache.data.device), cache=cache)
        confirmed = accept(guesses, model.lm_head(hidden_BTD)[0].argmax(-1).tolist(), stop_ids)
        new += confirmed
        hidden_BTD = hidden_BTD[:, : len(confirmed)]
        # the cache goes back to the length of the text
        for layer in range(model.config.num_hidden_layers):
            cache.truncate(len(prompt_ids) + len(new), layer=layer)
        counts["drafted"] += len(guesses)
        counts["accepted"] += len(confirmed) - 1
        counts["forwards"] += 1
    return new, counts


def _loop(
    model, prompt_ids, room, stop_ids, *, rows, confirm=None, states=None, ends=True, drafts=True, first=1, roomy=False
):
    """The loop with one part exchanged: `rows(before, confirmed, guesses)` is how long the cache stays."""
    cache = model.new_cache(1, len(prompt_ids) + 3 * room + 8)
    drafter, counts = Drafter(model, cache), {"drafted": 0, "accepted": 0, "forwards": first}
    hidden = model.hidden(torch.tensor([list(prompt_ids)]), cache=cache)
    new = [int(model.lm_head(hidden[:, -1]).argmax())]
    while len(new) < room and (not ends or new[-1] not in stop_ids):
        ids = [*prompt_ids, *new]
        count = len(model.mtp) if roomy else min(len(model.mtp), room - len(new) - 1)
        guesses = drafter.draft(ids, hidden, count) if drafts else []
        hidden = model.hidden(torch.tensor([[ids[-1], *guesses]]), cache=cache)
        right = model.lm_head(hidden)[0].argmax(-1).tolist()
        confirmed = (confirm or accept)(guesses, right, stop_ids if ends else set())
        new += confirmed
        hidden = hidden[:, : len(confirmed)] if states is None else hidden[:, states]
        for layer in range(model.config.num_hidden_layers):
            cache.truncate(rows(len(ids), len(confirmed), len(guesses)), layer=layer)
        counts["drafted"] += len(guesses)
        counts["accepted"] += len(confirmed) - 1
        counts["forwards"] += 1
    return new, counts


def _right_rows(before, confirmed, guesses):
    return before + confirmed - 1


@wrong(
    SPECULATE,
    mistake="the rows of wrong guesses are never taken out of the cache",
    ask="After a wrong guess, what does the next token attend to?",
    refused_by="two_modules_write_what_greedy_writes",
)
@torch.no_grad()
def never_cuts(model, prompt_ids, room, stop_ids):
    return _loop(model, prompt_ids, room, stop_ids, rows=lambda before, confirmed, guesses: before + guesses)


@wrong(
    SPECULATE,
    mistake="one row too many is cut from the cache, that of a confirmed token",
    ask="Which rows does a forward over [t_n, guesses] write if every guess is right?",
    refused_by="one_module_writes_what_greedy_writes",
)
@torch.no_grad()
def cuts_one_too_many(model, prompt_ids, room, stop_ids):
    return _loop(model, prompt_ids, room, stop_ids, rows=lambda before, confirmed, guesses: before + confirmed - 2)


@wrong(
    SPECULATE,
    mistake="guesses are written without being compared with what the main model says",
    ask="Where in the loop is a guess refused?",
    refused_by="one_module_writes_what_greedy_writes",
)
@torch.no_grad()
def believes_its_guesses(model, prompt_ids, room, stop_ids):
    def confirm(guesses, right, stop_ids):
        return _to_stop([*guesses, right[-1]], stop_ids)

    return _loop(model, prompt_ids, room, stop_ids, rows=_right_rows, confirm=confirm)


@wrong(
    SPECULATE,
    mistake="the loop does not stop at a stop token",
    ask="Two things end a text: no more room, and?",
    refused_by="it_ends_with_the_first_stop_token",
)
@torch.no_grad()
def never_stops(model, prompt_ids, room, stop_ids):
    return _loop(model, prompt_ids, room, stop_ids, rows=_right_rows, ends=False)


@wrong(
    SPECULATE,
    mistake="guesses are drafted although there is no room for them, and the text becomes too long",
    ask="Room for one token is left. How many guesses are of use?",
    refused_by="it_writes_no_more_than_there_is_room_for",
)
@torch.no_grad()
def writes_past_the_room(model, prompt_ids, room, stop_ids):
    return _loop(model, prompt_ids, room, stop_ids, rows=_right_rows, roomy=True)


@wrong(
    SPECULATE,
    mistake="nothing is ever guessed: it is plain greedy decoding",
    ask="How many forwards does your loop take for a text of ten tokens?",
    refused_by="forwards_and_guesses_are_counted",
)
@torch.no_grad()
def never_guesses(model, prompt_ids, room, stop_ids):
    return _loop(model, prompt_ids, room, stop_ids, rows=_right_rows, drafts=False)


@wrong(
    SPECULATE,
    mistake="the prompt's forward is not counted",
    ask="Which forward gave the first new token?",
    refused_by="forwards_and_guesses_are_counted",
)
@torch.no_grad()
def prompt_not_counted(model, prompt_ids, room, stop_ids):
    return _loop(model, prompt_ids, room, stop_ids, rows=_right_rows, first=0)


@wrong(
    SPECULATE,
    mistake="the modules are given the states of wrong guesses too",
    ask="How many states belong to confirmed tokens after a round, and how many did the forward give?",
    refused_by="one_module_writes_what_greedy_writes",
)
@torch.no_grad()
def states_not_cut(model, prompt_ids, room, stop_ids):
    return _loop(model, prompt_ids, room, stop_ids, rows=_right_rows, states=slice(None))


@wrong(
    SPECULATE,
    mistake="only the first layer of the cache is cut back",
    ask="In how many layers does a refused guess leave a row?",
    refused_by="one_module_writes_what_greedy_writes",
)
@torch.no_grad()
def cuts_the_first_layer(model, prompt_ids, room, stop_ids):
    cache = model.new_cache(1, len(prompt_ids) + 3 * room + 8)
    drafter, counts = Drafter(model, cache), {"drafted": 0, "accepted": 0, "forwards": 1}
    hidden = model.hidden(torch.tensor([list(prompt_ids)]), cache=cache)
    new = [int(model.lm_head(hidden[:, -1]).argmax())]
    while len(new) < room and new[-1] not in stop_ids:
        ids = [*prompt_ids, *new]
        guesses = drafter.draft(ids, hidden, min(len(model.mtp), room - len(new) - 1))
        hidden = model.hidden(torch.tensor([[ids[-1], *guesses]]), cache=cache)
        confirmed = accept(guesses, model.lm_head(hidden)[0].argmax(-1).tolist(), stop_ids)
        new, hidden = new + confirmed, hidden[:, : len(confirmed)]
        cache.truncate(len(ids) + len(confirmed) - 1, layer=0)
        counts["drafted"] += len(guesses)
        counts["accepted"] += len(confirmed) - 1
        counts["forwards"] += 1
    return new, counts


@wrong(
    SPECULATE,
    mistake="a stop token that the prompt's own forward gives does not end the text",
    ask="What is written before the loop begins, and who looks at it?",
    refused_by="it_ends_with_the_first_stop_token",
)
@torch.no_grad()
def first_token_never_stops(model, prompt_ids, room, stop_ids):
    first = int(model(torch.tensor([list(prompt_ids)]))[0, -1].argmax())
    if room == 1 or first not in stop_ids:
        return _loop(model, prompt_ids, room, stop_ids, rows=_right_rows)
    new, counts = _loop(model, [*prompt_ids, first], room - 1, stop_ids, rows=_right_rows)
    return [first, *new], counts


@wrong(
    SPECULATE,
    mistake="a guess that there was no room for counts as drafted",
    ask="How many guesses did the modules make in the last round?",
    refused_by="it_writes_no_more_than_there_is_room_for",
)
@torch.no_grad()
def counts_what_could_be_drafted(model, prompt_ids, room, stop_ids):
    new, counts = _loop(model, prompt_ids, room, stop_ids, rows=_right_rows)
    return new, counts | {"drafted": len(model.mtp) * (counts["forwards"] - 1)}


@alternative(SPECULATE)
@torch.no_grad()
def main_model_without_a_cache(model, prompt_ids, room, stop_ids):
    text, counts = list(prompt_ids), {"drafted": 0, "accepted": 0, "forwards": 1}
    drafter = Drafter(model, model.new_cache(1, len(prompt_ids) + room))
    hidden = model.hidden(torch.tensor([text]))
    text.append(int(model.lm_head(hidden[:, -1]).argmax()))
    while len(text) < len(prompt_ids) + room and text[-1] not in stop_ids:
        left = len(prompt_ids) + room - len(text)
        guesses = drafter.draft(text, hidden, min(len(model.mtp), left - 1))
        seen = len(text) - 1
        hidden = model.hidden(torch.tensor([[*text, *guesses]]))[:, seen:]
        confirmed = accept(guesses, model.lm_head(hidden)[0].argmax(-1).tolist(), stop_ids)
        hidden = hidden[:, : len(confirmed)]
        text += confirmed
        step = {"drafted": len(guesses), "accepted": len(confirmed) - 1, "forwards": 1}
        counts = {key: counts[key] + step[key] for key in counts}
    return text[len(prompt_ids) :], counts


@alternative(SPECULATE)
@torch.no_grad()
def rows_counted_from_the_cache(model, prompt_ids, room, stop_ids):
    def rows(before, confirmed, guesses):
        return before + guesses - (guesses + 1 - confirmed)

    return _loop(model, prompt_ids, room, stop_ids, rows=rows)
