"""speculative.step"""
import torch


def _start(model, prompt_ids, room, spare=0):
    cache = model.new_cache(1, len(prompt_ids) + room + spare)
    counts = {"drafted": 0, "accepted": 0, "forwards": 1}
    hidden = model.hidden(torch.tensor([list(prompt_ids)], device=cache.data.device), cache=cache)
    return cache, Drafter(model, cache), counts, hidden, [int(model.lm_head(hidden[:, -1]).argmax())]


def _check(model, cache, last, guesses):
    hidden = model.hidden(torch.tensor([[last, *guesses]], device=cache.data.device), cache=cache)
    return hidden, model.lm_head(hidden)[0].argmax(-1).tolist()


def _note(counts, guesses, confirmed):
    counts["drafted"] += len(guesses)
    counts["accepted"] += len(confirmed) - 1
    counts["forwards"] += 1


@torch.no_grad()
def wrong_1(model, prompt_ids, room, stop_ids):
    "keeps as many rows as the text has tokens: one row of a refused guess stays behind"
    cache, drafter, counts, hidden, new = _start(model, prompt_ids, room)
    while len(new) < room and new[-1] not in stop_ids:
        ids = [*prompt_ids, *new]
        guesses = drafter.draft(ids, hidden, min(len(model.mtp), room - len(new) - 1))
        hidden, right = _check(model, cache, ids[-1], guesses)
        confirmed = accept(guesses, right, stop_ids)
        new += confirmed
        hidden = hidden[:, : len(confirmed)]
        for layer in range(model.config.num_hidden_layers):
            cache.truncate(len(ids) + len(confirmed), layer=layer)
        _note(counts, guesses, confirmed)
    return new, counts


@torch.no_grad()
def wrong_2(model, prompt_ids, room, stop_ids):
    "always drafts with all modules: more than `room` tokens are written (the cache was made larger)"
    cache, drafter, counts, hidden, new = _start(model, prompt_ids, room, spare=len(model.mtp))
    while len(new) < room and new[-1] not in stop_ids:
        ids = [*prompt_ids, *new]
        guesses = drafter.draft(ids, hidden, len(model.mtp))
        hidden, right = _check(model, cache, ids[-1], guesses)
        confirmed = accept(guesses, right, stop_ids)
        new += confirmed
        hidden = hidden[:, : len(confirmed)]
        for layer in range(model.config.num_hidden_layers):
            cache.truncate(len(ids) + len(confirmed) - 1, layer=layer)
        _note(counts, guesses, confirmed)
    return new, counts


@torch.no_grad()
def wrong_3(model, prompt_ids, room, stop_ids):
    "one row too few is kept: the last confirmed token but one is forgotten when all guesses were right"
    cache, drafter, counts, hidden, new = _start(model, prompt_ids, room)
    while len(new) < room and new[-1] not in stop_ids:
        ids = [*prompt_ids, *new]
        guesses = drafter.draft(ids, hidden, min(len(model.mtp), room - len(new) - 1))
        hidden, right = _check(model, cache, ids[-1], guesses)
        confirmed = accept(guesses, right, stop_ids)
        new += confirmed
        hidden = hidden[:, : len(confirmed)]
        keep = len(ids) + min(len(confirmed) - 1, max(0, len(guesses) - 1))
        for layer in range(model.config.num_hidden_layers):
            cache.truncate(keep, layer=layer)
        _note(counts, guesses, confirmed)
    return new, counts


@torch.no_grad()
def wrong_4(model, prompt_ids, room, stop_ids):
    "the text is not stopped inside a round: an accepted stop token is written on behind"
    cache, drafter, counts, hidden, new = _start(model, prompt_ids, room)
    while len(new) < room and new[-1] not in stop_ids:
        ids = [*prompt_ids, *new]
        guesses = drafter.draft(ids, hidden, min(len(model.mtp), room - len(new) - 1))
        hidden, right = _check(model, cache, ids[-1], guesses)
        confirmed = accept(guesses, right, set())
        new += confirmed
        hidden = hidden[:, : len(confirmed)]
        for layer in range(model.config.num_hidden_layers):
            cache.truncate(len(ids) + len(confirmed) - 1, layer=layer)
        _note(counts, guesses, confirmed)
    return new, counts


@torch.no_grad()
def wrong_5(model, prompt_ids, room, stop_ids):
    "prompt_ids + new: fails for a tuple"
    cache, drafter, counts, hidden, new = _start(model, prompt_ids, room)
    while len(new) < room and new[-1] not in stop_ids:
        ids = prompt_ids + new
        guesses = drafter.draft(ids, hidden, min(len(model.mtp), room - len(new) - 1))
        hidden, right = _check(model, cache, ids[-1], guesses)
        confirmed = accept(guesses, right, stop_ids)
        new += confirmed
        hidden = hidden[:, : len(confirmed)]
        for layer in range(model.config.num_hidden_layers):
            cache.truncate(len(ids) + len(confirmed) - 1, layer=layer)
        _note(counts, guesses, confirmed)
    return new, counts


@torch.no_grad()
def wrong_6(model, prompt_ids, room, stop_ids):
    "a do-while: the first token is not compared with the stops, nor with room = 1"
    cache, drafter, counts, hidden, new = _start(model, prompt_ids, room, spare=2)
    while True:
        ids = [*prompt_ids, *new]
        guesses = drafter.draft(ids, hidden, max(0, min(len(model.mtp), room - len(new) - 1)))
        hidden, right = _check(model, cache, ids[-1], guesses)
        confirmed = accept(guesses, right, stop_ids)
        new += confirmed
        hidden = hidden[:, : len(confirmed)]
        for layer in range(model.config.num_hidden_layers):
            cache.truncate(len(ids) + len(confirmed) - 1, layer=layer)
        _note(counts, guesses, confirmed)
        if len(new) >= room or new[-1] in stop_ids:
            return new, counts


@torch.no_grad()
def wrong_7(model, prompt_ids, room, stop_ids):
    "the prompt's forward is not counted"
    cache, drafter, counts, hidden, new = _start(model, prompt_ids, room)
    counts["forwards"] = 0
    while len(new) < room and new[-1] not in stop_ids:
        ids = [*prompt_ids, *new]
        guesses = drafter.draft(ids, hidden, min(len(model.mtp), room - len(new) - 1))
        hidden, right = _check(model, cache, ids[-1], guesses)
        confirmed = accept(guesses, right, stop_ids)
        new += confirmed
        hidden = hidden[:, : len(confirmed)]
        for layer in range(model.config.num_hidden_layers):
            cache.truncate(len(ids) + len(confirmed) - 1, layer=layer)
        _note(counts, guesses, confirmed)
    return new, counts


@torch.no_grad()
def wrong_8(model, prompt_ids, room, stop_ids):
    "accepted counts all confirmed tokens, the one that was never guessed too"
    cache, drafter, counts, hidden, new = _start(model, prompt_ids, room)
    while len(new) < room and new[-1] not in stop_ids:
        ids = [*prompt_ids, *new]
        guesses = drafter.draft(ids, hidden, min(len(model.mtp), room - len(new) - 1))
        hidden, right = _check(model, cache, ids[-1], guesses)
        confirmed = accept(guesses, right, stop_ids)
        new += confirmed
        hidden = hidden[:, : len(confirmed)]
        for layer in range(model.config.num_hidden_layers):
            cache.truncate(len(ids) + len(confirmed) - 1, layer=layer)
        _note(counts, guesses, confirmed)
        counts["accepted"] += 1
    return new, counts


@torch.no_grad()
def wrong_9(model, prompt_ids, room, stop_ids):
    "grows the caller's prompt in place (ids += confirmed on the list itself)"
    cache, drafter, counts, hidden, new = _start(model, prompt_ids, room)
    ids = prompt_ids if isinstance(prompt_ids, list) else list(prompt_ids)
    ids += new
    while len(new) < room and new[-1] not in stop_ids:
        guesses = drafter.draft(ids, hidden, min(len(model.mtp), room - len(new) - 1))
        hidden, right = _check(model, cache, ids[-1], guesses)
        confirmed = accept(guesses, right, stop_ids)
        new += confirmed
        ids += confirmed
        hidden = hidden[:, : len(confirmed)]
        for layer in range(model.config.num_hidden_layers):
            cache.truncate(len(ids) - 1, layer=layer)
        _note(counts, guesses, confirmed)
    return new, counts


@torch.no_grad()
def wrong_10(model, prompt_ids, room, stop_ids):
    "the stop token is taken off the end, as for printing"
    cache, drafter, counts, hidden, new = _start(model, prompt_ids, room)
    while len(new) < room and new[-1] not in stop_ids:
        ids = [*prompt_ids, *new]
        guesses = drafter.draft(ids, hidden, min(len(model.mtp), room - len(new) - 1))
        hidden, right = _check(model, cache, ids[-1], guesses)
        confirmed = accept(guesses, right, stop_ids)
        new += confirmed
        hidden = hidden[:, : len(confirmed)]
        for layer in range(model.config.num_hidden_layers):
            cache.truncate(len(ids) + len(confirmed) - 1, layer=layer)
        _note(counts, guesses, confirmed)
    return ([t for t in new if t not in stop_ids], counts)


@torch.no_grad()
def right_1(model, prompt_ids, room, stop_ids):
    "cuts every layer: the modules' rows are fewer anyway"
    cache, drafter, counts, hidden, new = _start(model, prompt_ids, room)
    while len(new) < room and new[-1] not in stop_ids:
        text = list(prompt_ids) + new
        guesses = drafter.draft(text, hidden, min(len(model.mtp), room - len(new) - 1))
        hidden, right = _check(model, cache, text[-1], guesses)
        confirmed = accept(guesses, right, stop_ids)
        hidden = hidden[:, : len(confirmed)]
        new.extend(confirmed)
        cache.truncate(len(prompt_ids) + len(new) - 1)
        _note(counts, guesses, confirmed)
    return new, counts


@torch.no_grad()
def right_2(model, prompt_ids, room, stop_ids):
    "the cache is cut at the start of a round; acceptance written out; a growing list of its own"
    cache = model.new_cache(1, len(prompt_ids) + room)
    drafter = Drafter(model, cache)
    device = cache.data.device
    text, P = list(prompt_ids), len(prompt_ids)
    hidden = model.hidden(torch.tensor([text], device=device), cache=cache)
    text.append(model.lm_head(hidden)[0, -1].argmax().item())
    drafted = accepted = 0
    forwards = 1
    while len(text) - P < room and text[-1] not in stop_ids:
        for layer in range(model.config.num_hidden_layers):
            cache.truncate(len(text) - 1, layer)
        left = room - (len(text) - P)
        guesses = drafter.draft(text, hidden, min(left - 1, len(model.mtp)))
        states = model.hidden(torch.tensor([text[-1:] + guesses], device=device), cache=cache)
        forwards += 1
        drafted += len(guesses)
        right = model.lm_head(states).argmax(-1)[0].tolist()
        used = 1
        text.append(right[0])
        for guess, following in zip(guesses, right[1:]):
            if text[-1] != guess or text[-1] in stop_ids:
                break
            text.append(following)
            used += 1
            accepted += 1
        hidden = states[:, :used]
    return text[P:], {"drafted": drafted, "accepted": accepted, "forwards": forwards}


@torch.no_grad()
def right_3(model, prompt_ids, room, stop_ids):
    "the main model keeps no rows: each check runs over the whole text; the cache is the drafter's alone"
    cache = model.new_cache(1, len(prompt_ids) + room)
    drafter, device = Drafter(model, cache), cache.data.device
    hidden = model.hidden(torch.tensor([list(prompt_ids)], device=device))
    new = [int(model.lm_head(hidden[0, -1]).argmax())]
    counts = {"drafted": 0, "accepted": 0, "forwards": 1}
    while new[-1] not in stop_ids and len(new) < room:
        ids = [*prompt_ids, *new]
        guesses = drafter.draft(ids, hidden, min(len(model.mtp), room - len(new) - 1))
        states = model.hidden(torch.tensor([ids + guesses], device=device))[:, len(ids) - 1 :]
        confirmed = accept(guesses, model.lm_head(states)[0].argmax(-1).tolist(), stop_ids)
        hidden = states[:, : len(confirmed)]
        new += confirmed
        _note(counts, guesses, confirmed)
    return new, counts


@torch.no_grad()
def right_4(model, prompt_ids, room, stop_ids):
    "a nested function for a round; lengths of the cache set directly"
    cache, drafter, counts, hidden, new = _start(model, prompt_ids, room)
    depth = model.config.num_hidden_layers

    def one_round(hidden):
        ids = [*prompt_ids, *new]
        known = cache.lengths[0]
        guesses = drafter.draft(ids, hidden, min(len(model.mtp), room - len(new) - 1))
        states, right = _check(model, cache, new[-1], guesses)
        confirmed = accept(guesses, right, stop_ids)
        new.extend(confirmed)
        cache.lengths[:depth] = [known + len(confirmed)] * depth
        _note(counts, guesses, confirmed)
        return states[:, : len(confirmed)]

    while not (len(new) == room or new[-1] in stop_ids):
        hidden = one_round(hidden)
    return new, counts
