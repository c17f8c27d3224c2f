"""speculative.step"""
import torch



@torch.no_grad()
def wrong_1(model, prompt_ids, room, stop_ids):
    "one guess too many at the end: `room - len(new)`; with right guesses more than `room` tokens are written"
    # breaks: "until `room` tokens are written"; a model whose guesses are right, room 4, one module; counts of "drafted" too
    cache = model.new_cache(1, len(prompt_ids) + room)
    drafter, counts = Drafter(model, cache), {"drafted": 0, "accepted": 0, "forwards": 1}
    hidden_BTD = model.hidden(torch.tensor([list(prompt_ids)], device=cache.data.device), cache=cache)
    new = [int(model.lm_head(hidden_BTD[:, -1]).argmax())]
    while len(new) < room and new[-1] not in stop_ids:
        ids = [*prompt_ids, *new]
        guesses = drafter.draft(ids, hidden_BTD, min(len(model.mtp), room - len(new)))
        hidden_BTD = model.hidden(torch.tensor([[ids[-1], *guesses]], device=cache.data.device), cache=cache)
        confirmed = accept(guesses, model.lm_head(hidden_BTD)[0].argmax(-1).tolist(), stop_ids)
        new += confirmed
        hidden_BTD = hidden_BTD[:, : len(confirmed)]
        for layer in range(model.config.num_hidden_layers):
            cache.truncate(len(ids) + len(confirmed) - 1, layer=layer)
        counts["drafted"] += len(guesses)
        counts["accepted"] += len(confirmed) - 1
        counts["forwards"] += 1
    return new, counts


@torch.no_grad()
def wrong_2(model, prompt_ids, room, stop_ids):
    "stop ids are not given to `accept`: what is confirmed behind a stop token is written"
    # breaks: "the stop token last if one came"; a stop token that was guessed rightly
    cache = model.new_cache(1, len(prompt_ids) + room)
    drafter, counts = Drafter(model, cache), {"drafted": 0, "accepted": 0, "forwards": 1}
    hidden_BTD = model.hidden(torch.tensor([list(prompt_ids)], device=cache.data.device), cache=cache)
    new = [int(model.lm_head(hidden_BTD[:, -1]).argmax())]
    while len(new) < room and new[-1] not in stop_ids:
        ids = [*prompt_ids, *new]
        guesses = drafter.draft(ids, hidden_BTD, min(len(model.mtp), room - len(new) - 1))
        hidden_BTD = model.hidden(torch.tensor([[ids[-1], *guesses]], device=cache.data.device), cache=cache)
        confirmed = accept(guesses, model.lm_head(hidden_BTD)[0].argmax(-1).tolist(), set())
        new += confirmed
        hidden_BTD = hidden_BTD[:, : len(confirmed)]
        for layer in range(model.config.num_hidden_layers):
            cache.truncate(len(ids) + len(confirmed) - 1, layer=layer)
        counts["drafted"] += len(guesses)
        counts["accepted"] += len(confirmed) - 1
        counts["forwards"] += 1
    return new, counts


@torch.no_grad()
def wrong_3(model, prompt_ids, room, stop_ids):
    "the token that each forward gives for nothing is counted as accepted"
    # breaks: counts {"drafted", "accepted", "forwards"} (accepted guesses); guesses that are all wrong give accepted > 0
    cache = model.new_cache(1, len(prompt_ids) + room)
    drafter, counts = Drafter(model, cache), {"drafted": 0, "accepted": 0, "forwards": 1}
    hidden_BTD = model.hidden(torch.tensor([list(prompt_ids)], device=cache.data.device), cache=cache)
    new = [int(model.lm_head(hidden_BTD[:, -1]).argmax())]
    while len(new) < room and new[-1] not in stop_ids:
        ids = [*prompt_ids, *new]
        guesses = drafter.draft(ids, hidden_BTD, min(len(model.mtp), room - len(new) - 1))
        hidden_BTD = model.hidden(torch.tensor([[ids[-1], *guesses]], device=cache.data.device), cache=cache)
        confirmed = accept(guesses, model.lm_head(hidden_BTD)[0].argmax(-1).tolist(), stop_ids)
        new += confirmed
        hidden_BTD = hidden_BTD[:, : len(confirmed)]
        for layer in range(model.config.num_hidden_layers):
            cache.truncate(len(ids) + len(confirmed) - 1, layer=layer)
        counts["drafted"] += len(guesses)
        counts["accepted"] += len(confirmed)
        counts["forwards"] += 1
    return new, counts


@torch.no_grad()
def wrong_4(model, prompt_ids, room, stop_ids):
    "the forward over the prompt is not counted"
    # breaks: "forwards of the main model, the prompt's too"; any prompt
    cache = model.new_cache(1, len(prompt_ids) + room)
    drafter, counts = Drafter(model, cache), {"drafted": 0, "accepted": 0, "forwards": 0}
    hidden_BTD = model.hidden(torch.tensor([list(prompt_ids)], device=cache.data.device), cache=cache)
    new = [int(model.lm_head(hidden_BTD[:, -1]).argmax())]
    while len(new) < room and new[-1] not in stop_ids:
        ids = [*prompt_ids, *new]
        guesses = drafter.draft(ids, hidden_BTD, min(len(model.mtp), room - len(new) - 1))
        hidden_BTD = model.hidden(torch.tensor([[ids[-1], *guesses]], device=cache.data.device), cache=cache)
        confirmed = accept(guesses, model.lm_head(hidden_BTD)[0].argmax(-1).tolist(), stop_ids)
        new += confirmed
        hidden_BTD = hidden_BTD[:, : len(confirmed)]
        for layer in range(model.config.num_hidden_layers):
            cache.truncate(len(ids) + len(confirmed) - 1, layer=layer)
        counts["drafted"] += len(guesses)
        counts["accepted"] += len(confirmed) - 1
        counts["forwards"] += 1
    return new, counts


@torch.no_grad()
def wrong_5(model, prompt_ids, room, stop_ids):
    "`ids` is the prompt itself and grows by what is written: the caller's list is changed, and a tuple is refused"
    # breaks: arguments left unchanged, and "prompt_ids  a list or tuple"; a list of 3 ids is longer afterwards, a tuple raises AttributeError
    cache = model.new_cache(1, len(prompt_ids) + room)
    drafter, counts = Drafter(model, cache), {"drafted": 0, "accepted": 0, "forwards": 1}
    hidden_BTD = model.hidden(torch.tensor([list(prompt_ids)], device=cache.data.device), cache=cache)
    new = [int(model.lm_head(hidden_BTD[:, -1]).argmax())]
    ids = prompt_ids
    ids.append(new[0])
    while len(new) < room and new[-1] not in stop_ids:
        guesses = drafter.draft(ids, hidden_BTD, min(len(model.mtp), room - len(new) - 1))
        hidden_BTD = model.hidden(torch.tensor([[ids[-1], *guesses]], device=cache.data.device), cache=cache)
        confirmed = accept(guesses, model.lm_head(hidden_BTD)[0].argmax(-1).tolist(), stop_ids)
        new += confirmed
        hidden_BTD = hidden_BTD[:, : len(confirmed)]
        for layer in range(model.config.num_hidden_layers):
            cache.truncate(len(ids) + len(confirmed) - 1, layer=layer)
        ids.extend(confirmed)
        counts["drafted"] += len(guesses)
        counts["accepted"] += len(confirmed) - 1
        counts["forwards"] += 1
    return new, counts


@torch.no_grad()
def wrong_6(model, prompt_ids, room, stop_ids):
    "the cache is cut one row too short: the last confirmed token but one is forgotten"
    # breaks: "the tokens of plain greedy decoding"; the next forward runs at a place one too early, so other tokens come (and other counts)
    cache = model.new_cache(1, len(prompt_ids) + room)
    drafter, counts = Drafter(model, cache), {"drafted": 0, "accepted": 0, "forwards": 1}
    hidden_BTD = model.hidden(torch.tensor([list(prompt_ids)], device=cache.data.device), cache=cache)
    new = [int(model.lm_head(hidden_BTD[:, -1]).argmax())]
    while len(new) < room and new[-1] not in stop_ids:
        ids = [*prompt_ids, *new]
        guesses = drafter.draft(ids, hidden_BTD, min(len(model.mtp), room - len(new) - 1))
        hidden_BTD = model.hidden(torch.tensor([[ids[-1], *guesses]], device=cache.data.device), cache=cache)
        confirmed = accept(guesses, model.lm_head(hidden_BTD)[0].argmax(-1).tolist(), stop_ids)
        new += confirmed
        hidden_BTD = hidden_BTD[:, : len(confirmed)]
        for layer in range(model.config.num_hidden_layers):
            cache.truncate(len(ids) + len(confirmed) - 2, layer=layer)
        counts["drafted"] += len(guesses)
        counts["accepted"] += len(confirmed) - 1
        counts["forwards"] += 1
    return new, counts


@torch.no_grad()
def wrong_7(model, prompt_ids, room, stop_ids):
    "the first token is not looked at: if it is a stop token the text goes on"
    # breaks: "until ... one of `stop_ids` is" written; stop_ids holding the first token of plain greedy decoding
    cache = model.new_cache(1, len(prompt_ids) + room)
    drafter, counts = Drafter(model, cache), {"drafted": 0, "accepted": 0, "forwards": 1}
    hidden_BTD = model.hidden(torch.tensor([list(prompt_ids)], device=cache.data.device), cache=cache)
    new = [int(model.lm_head(hidden_BTD[:, -1]).argmax())]
    done = False
    while len(new) < room and not done:
        ids = [*prompt_ids, *new]
        guesses = drafter.draft(ids, hidden_BTD, min(len(model.mtp), room - len(new) - 1))
        hidden_BTD = model.hidden(torch.tensor([[ids[-1], *guesses]], device=cache.data.device), cache=cache)
        confirmed = accept(guesses, model.lm_head(hidden_BTD)[0].argmax(-1).tolist(), stop_ids)
        new += confirmed
        done = confirmed[-1] in stop_ids
        hidden_BTD = hidden_BTD[:, : len(confirmed)]
        for layer in range(model.config.num_hidden_layers):
            cache.truncate(len(ids) + len(confirmed) - 1, layer=layer)
        counts["drafted"] += len(guesses)
        counts["accepted"] += len(confirmed) - 1
        counts["forwards"] += 1
    return new, counts


@torch.no_grad()
def wrong_8(model, prompt_ids, room, stop_ids):
    "drafted counts all modules in every round, also where there was room for fewer guesses"
    # breaks: counts "drafted": the guesses that were made; room 2 with one module drafts none
    cache = model.new_cache(1, len(prompt_ids) + room)
    drafter, counts = Drafter(model, cache), {"drafted": 0, "accepted": 0, "forwards": 1}
    hidden_BTD = model.hidden(torch.tensor([list(prompt_ids)], device=cache.data.device), cache=cache)
    new = [int(model.lm_head(hidden_BTD[:, -1]).argmax())]
    while len(new) < room and new[-1] not in stop_ids:
        ids = [*prompt_ids, *new]
        guesses = drafter.draft(ids, hidden_BTD, min(len(model.mtp), room - len(new) - 1))
        hidden_BTD = model.hidden(torch.tensor([[ids[-1], *guesses]], device=cache.data.device), cache=cache)
        confirmed = accept(guesses, model.lm_head(hidden_BTD)[0].argmax(-1).tolist(), stop_ids)
        new += confirmed
        hidden_BTD = hidden_BTD[:, : len(confirmed)]
        for layer in range(model.config.num_hidden_layers):
            cache.truncate(len(ids) + len(confirmed) - 1, layer=layer)
        counts["drafted"] += len(model.mtp)
        counts["accepted"] += len(confirmed) - 1
        counts["forwards"] += 1
    return new, counts


@torch.no_grad()
def wrong_9(model, prompt_ids, room, stop_ids):
    "the cache is kept on the model for the next call, and the rows of the last text are still in it"
    # breaks: several calls on the same state; a second call with another prompt (and the model has got a new attribute)
    if not hasattr(model, "kept_cache"):
        model.kept_cache = model.new_cache(1, model.config.max_position_embeddings)
    cache = model.kept_cache
    drafter, counts = Drafter(model, cache), {"drafted": 0, "accepted": 0, "forwards": 1}
    hidden_BTD = model.hidden(torch.tensor([list(prompt_ids)], device=cache.data.device), cache=cache)
    new = [int(model.lm_head(hidden_BTD[:, -1]).argmax())]
    while len(new) < room and new[-1] not in stop_ids:
        ids = [*prompt_ids, *new]
        guesses = drafter.draft(ids, hidden_BTD, min(len(model.mtp), room - len(new) - 1))
        hidden_BTD = model.hidden(torch.tensor([[ids[-1], *guesses]], device=cache.data.device), cache=cache)
        confirmed = accept(guesses, model.lm_head(hidden_BTD)[0].argmax(-1).tolist(), stop_ids)
        new += confirmed
        hidden_BTD = hidden_BTD[:, : len(confirmed)]
        for layer in range(model.config.num_hidden_layers):
            cache.truncate(len(ids) + len(confirmed) - 1, layer=layer)
        counts["drafted"] += len(guesses)
        counts["accepted"] += len(confirmed) - 1
        counts["forwards"] += 1
    return new, counts


@torch.no_grad()
def wrong_10(model, prompt_ids, room, stop_ids):
    "the cache is cut back by the number of guesses that were refused, less one: after a round without a refusal it keeps all, after others one row of a wrong guess"
    # breaks: "Guesses in a cache: a forward over [t_n, guesses] leaves a row for each of them, right or wrong"; any refused guess in a long text
    cache = model.new_cache(1, len(prompt_ids) + room)
    drafter, counts = Drafter(model, cache), {"drafted": 0, "accepted": 0, "forwards": 1}
    hidden_BTD = model.hidden(torch.tensor([list(prompt_ids)], device=cache.data.device), cache=cache)
    new = [int(model.lm_head(hidden_BTD[:, -1]).argmax())]
    while len(new) < room and new[-1] not in stop_ids:
        ids = [*prompt_ids, *new]
        guesses = drafter.draft(ids, hidden_BTD, min(len(model.mtp), room - len(new) - 1))
        hidden_BTD = model.hidden(torch.tensor([[ids[-1], *guesses]], device=cache.data.device), cache=cache)
        confirmed = accept(guesses, model.lm_head(hidden_BTD)[0].argmax(-1).tolist(), stop_ids)
        new += confirmed
        hidden_BTD = hidden_BTD[:, : len(confirmed)]
        for layer in range(model.config.num_hidden_layers):
            cache.truncate(cache.lengths[layer] - max(0, len(guesses) - len(confirmed)), layer=layer)
        counts["drafted"] += len(guesses)
        counts["accepted"] += len(confirmed) - 1
        counts["forwards"] += 1
    return new, counts


@torch.no_grad()
def right_1(model, prompt_ids, room, stop_ids):
    "all layers of the cache are cut at once: those of the modules hold fewer rows anyway"
    cache = model.new_cache(1, len(prompt_ids) + room)
    drafter, counts = Drafter(model, cache), {"drafted": 0, "accepted": 0, "forwards": 1}
    hidden_BTD = model.hidden(torch.tensor([list(prompt_ids)], device=cache.data.device), cache=cache)
    new = [int(model.lm_head(hidden_BTD[:, -1]).argmax())]
    while len(new) < room and new[-1] not in stop_ids:
        ids = [*prompt_ids, *new]
        guesses = drafter.draft(ids, hidden_BTD, min(len(model.mtp), room - len(new) - 1))
        hidden_BTD = model.hidden(torch.tensor([[ids[-1], *guesses]], device=cache.data.device), cache=cache)
        confirmed = accept(guesses, model.lm_head(hidden_BTD)[0].argmax(-1).tolist(), stop_ids)
        new += confirmed
        hidden_BTD = hidden_BTD[:, : len(confirmed)]
        cache.truncate(len(ids) + len(confirmed) - 1)
        counts["drafted"] += len(guesses)
        counts["accepted"] += len(confirmed) - 1
        counts["forwards"] += 1
    return new, counts


@torch.no_grad()
def right_2(model, prompt_ids, room, stop_ids):
    "endless loop with a return, and the text in one list"
    device, K = model.embed_tokens.weight.device, len(model.mtp)
    text, P = list(prompt_ids), len(prompt_ids)
    cache = model.new_cache(1, P + room)
    drafter = Drafter(model, cache)
    drafted, accepted, forwards = 0, 0, 1
    states = model.hidden(torch.tensor([text], device=device), cache=cache)
    text.append(model.lm_head(states[:, -1]).argmax(-1).item())
    while True:
        if len(text) - P >= room or text[-1] in stop_ids:
            return text[P:], {"drafted": drafted, "accepted": accepted, "forwards": forwards}
        left = room - (len(text) - P)
        guesses = drafter.draft(text, states, min(K, left - 1))
        fed = torch.tensor([text[-1:] + guesses], device=device)
        states = model.hidden(fed, cache=cache)
        right = [int(i) for i in model.lm_head(states)[0].argmax(-1)]
        some = accept(guesses, right, stop_ids)
        states = states[:, : len(some)]
        text.extend(some)
        for layer in range(model.config.num_hidden_layers):
            cache.truncate(len(text) - 1, layer=layer)
        drafted, accepted, forwards = drafted + len(guesses), accepted + len(some) - 1, forwards + 1


@torch.no_grad()
def right_3(model, prompt_ids, room, stop_ids):
    "rows of refused guesses are taken back by their number; counts are worked out at the end"
    cache = model.new_cache(1, len(prompt_ids) + room)
    drafter = Drafter(model, cache)
    device = cache.data.device
    h = model.hidden(torch.tensor([list(prompt_ids)], device=device), cache=cache)
    new, rounds = [int(model.lm_head(h[:, -1]).argmax())], []
    while not (len(new) >= room or new[-1] in stop_ids):
        ids = list(prompt_ids) + new
        count = room - len(new) - 1
        if count > len(model.mtp):
            count = len(model.mtp)
        guesses = drafter.draft(ids, h, count)
        h = model.hidden(torch.tensor([[new[-1]] + guesses], device=device), cache=cache)
        confirmed = accept(guesses, model.lm_head(h)[0].argmax(dim=-1).tolist(), stop_ids)
        refused = 1 + len(guesses) - len(confirmed)
        for layer in range(model.config.num_hidden_layers):
            cache.truncate(cache.lengths[layer] - refused, layer=layer)
        h = h[:, : h.shape[1] - refused]
        new.extend(confirmed)
        rounds.append((len(guesses), len(confirmed) - 1))
    return new, {
        "drafted": sum(g for g, _ in rounds), "accepted": sum(a for _, a in rounds), "forwards": 1 + len(rounds)
    }


@torch.no_grad()
def right_4(model, prompt_ids, room, stop_ids):
    "the accepting is written out; the cache has a row less, which is never used"
    cache = model.new_cache(1, max(len(prompt_ids), len(prompt_ids) + room - 1))
    drafter, device = Drafter(model, cache), cache.data.device
    drafted = accepted = 0
    forwards = 1
    hidden = model.hidden(torch.tensor([[*prompt_ids]], device=device), cache=cache)
    new = model.lm_head(hidden[:, -1]).argmax(-1).tolist()
    while len(new) < room:
        if new[-1] in stop_ids:
            break
        guesses = drafter.draft([*prompt_ids, *new], hidden, min(room - len(new) - 1, len(model.mtp)))
        before = len(prompt_ids) + len(new)
        hidden = model.hidden(torch.tensor([[new[-1], *guesses]], device=device), cache=cache)
        forwards, drafted = forwards + 1, drafted + len(guesses)
        right = model.lm_head(hidden)[0].argmax(-1).tolist()
        kept = 1
        new.append(right[0])
        for guess, said, then in zip(guesses, right, right[1:]):
            if guess != said or said in stop_ids:
                break
            new.append(then)
            kept += 1
        accepted += kept - 1
        hidden = hidden[:, :kept]
        for layer in range(model.config.num_hidden_layers):
            cache.truncate(before + kept - 1, layer=layer)
    return new, dict(drafted=drafted, accepted=accepted, forwards=forwards)
