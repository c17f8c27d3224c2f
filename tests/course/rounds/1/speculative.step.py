"""speculative.step"""
import torch

@torch.no_grad()
def wrong_1(model, prompt_ids, room, stop_ids):
    "as many rows stay as the text has tokens: the newest one has no row yet"
    cache = model.new_cache(1, len(prompt_ids) + room)
    drafter, counts = Drafter(model, cache), {"drafted": 0, "accepted": 0, "forwards": 1}
    hidden = model.hidden(torch.tensor([list(prompt_ids)], device=cache.data.device), cache=cache)
    new = [int(model.lm_head(hidden[:, -1]).argmax())]
    while len(new) < room and new[-1] not in stop_ids:
        ids = [*prompt_ids, *new]
        guesses = drafter.draft(ids, hidden, min(len(model.mtp), room - len(new) - 1))
        hidden = model.hidden(torch.tensor([[ids[-1], *guesses]], device=cache.data.device), cache=cache)
        confirmed = accept(guesses, model.lm_head(hidden)[0].argmax(-1).tolist(), stop_ids)
        new += confirmed
        hidden = hidden[:, : len(confirmed)]
        for layer in range(model.config.num_hidden_layers):
            cache.truncate(len(ids) + len(confirmed), layer=layer)
        counts["drafted"] += len(guesses)
        counts["accepted"] += len(confirmed) - 1
        counts["forwards"] += 1
    return new, counts

@torch.no_grad()
def wrong_2(model, prompt_ids, room, stop_ids):
    "rows of refused guesses stay in the cache"
    cache = model.new_cache(1, len(prompt_ids) + room)
    drafter, counts = Drafter(model, cache), {"drafted": 0, "accepted": 0, "forwards": 1}
    hidden = model.hidden(torch.tensor([list(prompt_ids)], device=cache.data.device), cache=cache)
    new = [int(model.lm_head(hidden[:, -1]).argmax())]
    while len(new) < room and new[-1] not in stop_ids:
        ids = [*prompt_ids, *new]
        guesses = drafter.draft(ids, hidden, min(len(model.mtp), room - len(new) - 1))
        hidden = model.hidden(torch.tensor([[ids[-1], *guesses]], device=cache.data.device), cache=cache)
        confirmed = accept(guesses, model.lm_head(hidden)[0].argmax(-1).tolist(), stop_ids)
        new += confirmed
        hidden = hidden[:, : len(confirmed)]
        counts["drafted"] += len(guesses)
        counts["accepted"] += len(confirmed) - 1
        counts["forwards"] += 1
    return new, counts

@torch.no_grad()
def wrong_3(model, prompt_ids, room, stop_ids):
    "only the first layer is cut back"
    cache = model.new_cache(1, len(prompt_ids) + room)
    drafter, counts = Drafter(model, cache), {"drafted": 0, "accepted": 0, "forwards": 1}
    hidden = model.hidden(torch.tensor([list(prompt_ids)], device=cache.data.device), cache=cache)
    new = [int(model.lm_head(hidden[:, -1]).argmax())]
    while len(new) < room and new[-1] not in stop_ids:
        ids = [*prompt_ids, *new]
        guesses = drafter.draft(ids, hidden, min(len(model.mtp), room - len(new) - 1))
        hidden = model.hidden(torch.tensor([[ids[-1], *guesses]], device=cache.data.device), cache=cache)
        confirmed = accept(guesses, model.lm_head(hidden)[0].argmax(-1).tolist(), stop_ids)
        new += confirmed
        hidden = hidden[:, : len(confirmed)]
        cache.truncate(len(ids) + len(confirmed) - 1, layer=0)
        counts["drafted"] += len(guesses)
        counts["accepted"] += len(confirmed) - 1
        counts["forwards"] += 1
    return new, counts

@torch.no_grad()
def wrong_4(model, prompt_ids, room, stop_ids):
    "states of refused guesses are handed to the drafter: they are not cut"
    cache = model.new_cache(1, len(prompt_ids) + room)
    drafter, counts = Drafter(model, cache), {"drafted": 0, "accepted": 0, "forwards": 1}
    hidden = model.hidden(torch.tensor([list(prompt_ids)], device=cache.data.device), cache=cache)
    new = [int(model.lm_head(hidden[:, -1]).argmax())]
    while len(new) < room and new[-1] not in stop_ids:
        ids = [*prompt_ids, *new]
        guesses = drafter.draft(ids, hidden, min(len(model.mtp), room - len(new) - 1))
        hidden = model.hidden(torch.tensor([[ids[-1], *guesses]], device=cache.data.device), cache=cache)
        confirmed = accept(guesses, model.lm_head(hidden)[0].argmax(-1).tolist(), stop_ids)
        new += confirmed
        for layer in range(model.config.num_hidden_layers):
            cache.truncate(len(ids) + len(confirmed) - 1, layer=layer)
        counts["drafted"] += len(guesses)
        counts["accepted"] += len(confirmed) - 1
        counts["forwards"] += 1
    return new, counts

@torch.no_grad()
def wrong_5(model, prompt_ids, room, stop_ids):
    "one guess too many near the end: more than `room` tokens may be written"
    cache = model.new_cache(1, len(prompt_ids) + room + 1)
    drafter, counts = Drafter(model, cache), {"drafted": 0, "accepted": 0, "forwards": 1}
    hidden = model.hidden(torch.tensor([list(prompt_ids)], device=cache.data.device), cache=cache)
    new = [int(model.lm_head(hidden[:, -1]).argmax())]
    while len(new) < room and new[-1] not in stop_ids:
        ids = [*prompt_ids, *new]
        guesses = drafter.draft(ids, hidden, min(len(model.mtp), room - len(new)))
        hidden = model.hidden(torch.tensor([[ids[-1], *guesses]], device=cache.data.device), cache=cache)
        confirmed = accept(guesses, model.lm_head(hidden)[0].argmax(-1).tolist(), stop_ids)
        new += confirmed
        hidden = hidden[:, : len(confirmed)]
        for layer in range(model.config.num_hidden_layers):
            cache.truncate(len(ids) + len(confirmed) - 1, layer=layer)
        counts["drafted"] += len(guesses)
        counts["accepted"] += len(confirmed) - 1
        counts["forwards"] += 1
    return new, counts

@torch.no_grad()
def wrong_6(model, prompt_ids, room, stop_ids):
    "`accepted` counts the sure token as well"
    cache = model.new_cache(1, len(prompt_ids) + room)
    drafter, counts = Drafter(model, cache), {"drafted": 0, "accepted": 0, "forwards": 1}
    hidden = model.hidden(torch.tensor([list(prompt_ids)], device=cache.data.device), cache=cache)
    new = [int(model.lm_head(hidden[:, -1]).argmax())]
    while len(new) < room and new[-1] not in stop_ids:
        ids = [*prompt_ids, *new]
        guesses = drafter.draft(ids, hidden, min(len(model.mtp), room - len(new) - 1))
        hidden = model.hidden(torch.tensor([[ids[-1], *guesses]], device=cache.data.device), cache=cache)
        confirmed = accept(guesses, model.lm_head(hidden)[0].argmax(-1).tolist(), stop_ids)
        new += confirmed
        hidden = hidden[:, : len(confirmed)]
        for layer in range(model.config.num_hidden_layers):
            cache.truncate(len(ids) + len(confirmed) - 1, layer=layer)
        counts["drafted"] += len(guesses)
        counts["accepted"] += len(confirmed)
        counts["forwards"] += 1
    return new, counts

@torch.no_grad()
def wrong_7(model, prompt_ids, room, stop_ids):
    "the prompt's forward is not counted"
    cache = model.new_cache(1, len(prompt_ids) + room)
    drafter, counts = Drafter(model, cache), {"drafted": 0, "accepted": 0, "forwards": 0}
    hidden = model.hidden(torch.tensor([list(prompt_ids)], device=cache.data.device), cache=cache)
    new = [int(model.lm_head(hidden[:, -1]).argmax())]
    while len(new) < room and new[-1] not in stop_ids:
        ids = [*prompt_ids, *new]
        guesses = drafter.draft(ids, hidden, min(len(model.mtp), room - len(new) - 1))
        hidden = model.hidden(torch.tensor([[ids[-1], *guesses]], device=cache.data.device), cache=cache)
        confirmed = accept(guesses, model.lm_head(hidden)[0].argmax(-1).tolist(), stop_ids)
        new += confirmed
        hidden = hidden[:, : len(confirmed)]
        for layer in range(model.config.num_hidden_layers):
            cache.truncate(len(ids) + len(confirmed) - 1, layer=layer)
        counts["drafted"] += len(guesses)
        counts["accepted"] += len(confirmed) - 1
        counts["forwards"] += 1
    return new, counts

@torch.no_grad()
def wrong_8(model, prompt_ids, room, stop_ids):
    "a stop token that the prompt's own forward gives does not end the text"
    cache = model.new_cache(1, len(prompt_ids) + room)
    drafter, counts = Drafter(model, cache), {"drafted": 0, "accepted": 0, "forwards": 1}
    hidden = model.hidden(torch.tensor([list(prompt_ids)], device=cache.data.device), cache=cache)
    new = [int(model.lm_head(hidden[:, -1]).argmax())]
    while len(new) < room:
        ids = [*prompt_ids, *new]
        guesses = drafter.draft(ids, hidden, min(len(model.mtp), room - len(new) - 1))
        hidden = model.hidden(torch.tensor([[ids[-1], *guesses]], device=cache.data.device), cache=cache)
        confirmed = accept(guesses, model.lm_head(hidden)[0].argmax(-1).tolist(), stop_ids)
        new += confirmed
        hidden = hidden[:, : len(confirmed)]
        for layer in range(model.config.num_hidden_layers):
            cache.truncate(len(ids) + len(confirmed) - 1, layer=layer)
        counts["drafted"] += len(guesses)
        counts["accepted"] += len(confirmed) - 1
        counts["forwards"] += 1
        if new[-1] in stop_ids:
            break
    return new, counts

@torch.no_grad()
def wrong_9(model, prompt_ids, room, stop_ids):
    "prompt_ids grows by what was written (a list of the caller's is changed)"
    cache = model.new_cache(1, len(prompt_ids) + room)
    drafter, counts = Drafter(model, cache), {"drafted": 0, "accepted": 0, "forwards": 1}
    hidden = model.hidden(torch.tensor([list(prompt_ids)], device=cache.data.device), cache=cache)
    start = len(prompt_ids)
    new = [int(model.lm_head(hidden[:, -1]).argmax())]
    while len(new) < room and new[-1] not in stop_ids:
        ids = prompt_ids
        ids += new[len(ids) - start :]
        guesses = drafter.draft(ids, hidden, min(len(model.mtp), room - len(new) - 1))
        hidden = model.hidden(torch.tensor([[ids[-1], *guesses]], device=cache.data.device), cache=cache)
        confirmed = accept(guesses, model.lm_head(hidden)[0].argmax(-1).tolist(), stop_ids)
        new += confirmed
        hidden = hidden[:, : len(confirmed)]
        for layer in range(model.config.num_hidden_layers):
            cache.truncate(len(ids) + len(confirmed) - 1, layer=layer)
        counts["drafted"] += len(guesses)
        counts["accepted"] += len(confirmed) - 1
        counts["forwards"] += 1
    return new, counts

@torch.no_grad()
def wrong_10(model, prompt_ids, room, stop_ids):
    "`drafted` counts what the modules could guess, not what they did near the end of the room"
    cache = model.new_cache(1, len(prompt_ids) + room)
    drafter, counts = Drafter(model, cache), {"drafted": 0, "accepted": 0, "forwards": 1}
    hidden = model.hidden(torch.tensor([list(prompt_ids)], device=cache.data.device), cache=cache)
    new = [int(model.lm_head(hidden[:, -1]).argmax())]
    while len(new) < room and new[-1] not in stop_ids:
        ids = [*prompt_ids, *new]
        guesses = drafter.draft(ids, hidden, min(len(model.mtp), room - len(new) - 1))
        hidden = model.hidden(torch.tensor([[ids[-1], *guesses]], device=cache.data.device), cache=cache)
        confirmed = accept(guesses, model.lm_head(hidden)[0].argmax(-1).tolist(), stop_ids)
        new += confirmed
        hidden = hidden[:, : len(confirmed)]
        for layer in range(model.config.num_hidden_layers):
            cache.truncate(len(ids) + len(confirmed) - 1, layer=layer)
        counts["drafted"] += len(model.mtp)
        counts["accepted"] += len(confirmed) - 1
        counts["forwards"] += 1
    return new, counts

@torch.no_grad()
def right_1(model, prompt_ids, room, stop_ids):
    "the whole text in one list, cut back to its length less one"
    text = list(prompt_ids)
    begin, limit = len(text), len(text) + room
    cache = model.new_cache(1, limit)
    drafter = Drafter(model, cache)
    drafted = accepted = 0
    states = model.hidden(torch.tensor([text]), cache=cache)
    text.append(model.lm_head(states)[0, -1].argmax().item())
    forwards = 1
    while True:
        if len(text) >= limit or text[-1] in stop_ids:
            return text[begin:], {"drafted": drafted, "accepted": accepted, "forwards": forwards}
        guesses = drafter.draft(text, states, min(len(model.mtp), limit - len(text) - 1))
        states = model.hidden(torch.tensor([[text[-1]] + guesses]), cache=cache)
        forwards += 1
        right = model.lm_head(states).argmax(-1)[0].tolist()
        sure = accept(guesses, right, stop_ids)
        text.extend(sure)
        for layer in range(model.config.num_hidden_layers):
            cache.truncate(len(text) - 1, layer)
        states = states[:, : len(sure)]
        drafted, accepted = drafted + len(guesses), accepted + len(sure) - 1


@torch.no_grad()
def right_2(model, prompt_ids, room, stop_ids):
    "accepts by its own loop, token by token"
    prompt = tuple(prompt_ids)
    cache = model.new_cache(1, len(prompt) + room)
    drafter, drafted, accepted, forwards = Drafter(model, cache), 0, 0, 1
    h = model.hidden(torch.tensor([prompt]), cache=cache)
    new = [int(model.lm_head(h[:, -1:])[0, 0].argmax())]
    while new[-1] not in stop_ids and len(new) < room:
        K = max(0, min(len(model.mtp), room - len(new) - 1))
        guesses = drafter.draft([*prompt, *new], h, K)
        before = len(prompt) + len(new)
        h = model.hidden(torch.tensor([[new[-1], *guesses]]), cache=cache)
        best = model.lm_head(h)[0].argmax(-1)
        kept = 1
        for i, guess in enumerate(guesses):
            if guess != int(best[i]) or guess in stop_ids:
                break
            kept += 1
        new.extend(int(b) for b in best[:kept])
        h = h[:, :kept]
        for i in range(model.config.num_hidden_layers):
            cache.truncate(before + kept - 1, layer=i)
        drafted += K
        accepted += kept - 1
        forwards += 1
    return new, dict(drafted=drafted, accepted=accepted, forwards=forwards)


@torch.no_grad()
def right_3(model, prompt_ids, room, stop_ids):
    "refused rows are taken off by number: as many as guesses were refused"
    cache = model.new_cache(1, len(prompt_ids) + room)
    drafter = Drafter(model, cache)
    counts = dict.fromkeys(("drafted", "accepted", "forwards"), 0)

    def forward(tokens):
        counts["forwards"] += 1
        states = model.hidden(torch.tensor([tokens], device=cache.data.device), cache=cache)
        return states, model.lm_head(states)[0].argmax(-1).tolist()

    states, best = forward(list(prompt_ids))
    new = best[-1:]
    while len(new) < room and new[-1] not in stop_ids:
        guesses = drafter.draft([*prompt_ids, *new], states, min(len(model.mtp), room - len(new) - 1))
        states, best = forward([new[-1], *guesses])
        confirmed = accept(guesses, best, stop_ids)
        refused = 1 + len(guesses) - len(confirmed)
        if refused:
            rows = cache.length - refused
            for layer in range(model.config.num_hidden_layers):
                cache.truncate(rows, layer=layer)
            states = states[:, :-refused]
        new = new + confirmed
        counts["drafted"] += len(guesses)
        counts["accepted"] += len(confirmed) - 1
    return new, counts


@torch.no_grad()
def right_4(model, prompt_ids, room, stop_ids):
    "room counted down, counts made at the end, a cache with some columns to spare"
    K = len(model.mtp)
    cache = model.new_cache(1, len(prompt_ids) + room + K)
    drafter = Drafter(model, cache)
    hidden = model.hidden(torch.tensor([list(prompt_ids)]), cache=cache)
    new, rounds = [model.lm_head(hidden[0, -1]).argmax().item()], []
    left = room - 1
    while left > 0 and new[-1] not in stop_ids:
        ids = list(prompt_ids) + new
        guesses = drafter.draft(ids, hidden, min(K, left - 1))
        hidden = model.hidden(torch.tensor([ids[-1:] + guesses]), cache=cache)
        good = accept(guesses, torch.argmax(model.lm_head(hidden), dim=-1)[0].tolist(), stop_ids)
        hidden = hidden.narrow(1, 0, len(good))
        [cache.truncate(len(ids) - 1 + len(good), layer=n) for n in range(model.config.num_hidden_layers)]
        new, left = new + good, left - len(good)
        rounds.append((len(guesses), len(good) - 1))
    return new, {"drafted": sum(d for d, _ in rounds), "accepted": sum(a for _, a in rounds), "forwards": 1 + len(rounds)}
