"""speculative.step"""
import torch



@torch.no_grad()
def wrong_1(model, prompt_ids, room, stop_ids):
    "one row too many stays in the cache where a guess was refused"
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
            cache.truncate(len(ids) + len(confirmed), layer=layer)
        counts["drafted"] += len(guesses)
        counts["accepted"] += len(confirmed) - 1
        counts["forwards"] += 1
    return new, counts


@torch.no_grad()
def wrong_2(model, prompt_ids, room, stop_ids):
    "the cache is never cut back"
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
            pass
        counts["drafted"] += len(guesses)
        counts["accepted"] += len(confirmed) - 1
        counts["forwards"] += 1
    return new, counts


@torch.no_grad()
def wrong_3(model, prompt_ids, room, stop_ids):
    "one guess too many: room + 1 tokens can be written"
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
def wrong_4(model, prompt_ids, room, stop_ids):
    "accepted counts the further token of each forward too"
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
def wrong_5(model, prompt_ids, room, stop_ids):
    "the prompt's forward is not counted"
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
def wrong_6(model, prompt_ids, room, stop_ids):
    "the prompt must be a list: a tuple raises TypeError"
    cache = model.new_cache(1, len(prompt_ids) + room)
    drafter, counts = Drafter(model, cache), {"drafted": 0, "accepted": 0, "forwards": 1}
    hidden_BTD = model.hidden(torch.tensor([list(prompt_ids)], device=cache.data.device), cache=cache)
    new = [int(model.lm_head(hidden_BTD[:, -1]).argmax())]
    while len(new) < room and new[-1] not in stop_ids:
        ids = prompt_ids + new
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
def wrong_7(model, prompt_ids, room, stop_ids):
    "the new tokens are appended to the caller's prompt"
    cache = model.new_cache(1, len(prompt_ids) + room)
    drafter, counts = Drafter(model, cache), {"drafted": 0, "accepted": 0, "forwards": 1}
    hidden_BTD = model.hidden(torch.tensor([list(prompt_ids)], device=cache.data.device), cache=cache)
    new = [int(model.lm_head(hidden_BTD[:, -1]).argmax())]
    whole = prompt_ids if isinstance(prompt_ids, list) else list(prompt_ids)
    whole += new
    while len(new) < room and new[-1] not in stop_ids:
        ids = whole
        guesses = drafter.draft(ids, hidden_BTD, min(len(model.mtp), room - len(new) - 1))
        hidden_BTD = model.hidden(torch.tensor([[ids[-1], *guesses]], device=cache.data.device), cache=cache)
        confirmed = accept(guesses, model.lm_head(hidden_BTD)[0].argmax(-1).tolist(), stop_ids)
        length = len(ids)
        new += confirmed
        whole += confirmed
        hidden_BTD = hidden_BTD[:, : len(confirmed)]
        for layer in range(model.config.num_hidden_layers):
            cache.truncate(length + len(confirmed) - 1, layer=layer)
        counts["drafted"] += len(guesses)
        counts["accepted"] += len(confirmed) - 1
        counts["forwards"] += 1
    return new, counts


@torch.no_grad()
def wrong_8(model, prompt_ids, room, stop_ids):
    "the first token is not looked at: goes on behind a stop token, and past a room of 1"
    cache = model.new_cache(1, len(prompt_ids) + room + 2)
    drafter, counts = Drafter(model, cache), {"drafted": 0, "accepted": 0, "forwards": 1}
    hidden_BTD = model.hidden(torch.tensor([list(prompt_ids)], device=cache.data.device), cache=cache)
    new = [int(model.lm_head(hidden_BTD[:, -1]).argmax())]
    while True:
        ids = [*prompt_ids, *new]
        guesses = drafter.draft(ids, hidden_BTD, min(len(model.mtp), max(0, room - len(new) - 1)))
        hidden_BTD = model.hidden(torch.tensor([[ids[-1], *guesses]], device=cache.data.device), cache=cache)
        confirmed = accept(guesses, model.lm_head(hidden_BTD)[0].argmax(-1).tolist(), stop_ids)
        new += confirmed
        hidden_BTD = hidden_BTD[:, : len(confirmed)]
        for layer in range(model.config.num_hidden_layers):
            cache.truncate(len(ids) + len(confirmed) - 1, layer=layer)
        counts["drafted"] += len(guesses)
        counts["accepted"] += len(confirmed) - 1
        counts["forwards"] += 1
        if len(new) >= room or new[-1] in stop_ids:
            break
    return new, counts


@torch.no_grad()
def wrong_9(model, prompt_ids, room, stop_ids):
    "accepted counts all guesses that agree, also those behind a wrong one"
    cache = model.new_cache(1, len(prompt_ids) + room)
    drafter, counts = Drafter(model, cache), {"drafted": 0, "accepted": 0, "forwards": 1}
    hidden_BTD = model.hidden(torch.tensor([list(prompt_ids)], device=cache.data.device), cache=cache)
    new = [int(model.lm_head(hidden_BTD[:, -1]).argmax())]
    while len(new) < room and new[-1] not in stop_ids:
        ids = [*prompt_ids, *new]
        guesses = drafter.draft(ids, hidden_BTD, min(len(model.mtp), room - len(new) - 1))
        hidden_BTD = model.hidden(torch.tensor([[ids[-1], *guesses]], device=cache.data.device), cache=cache)
        right = model.lm_head(hidden_BTD)[0].argmax(-1).tolist()
        confirmed = accept(guesses, right, stop_ids)
        new += confirmed
        hidden_BTD = hidden_BTD[:, : len(confirmed)]
        for layer in range(model.config.num_hidden_layers):
            cache.truncate(len(ids) + len(confirmed) - 1, layer=layer)
        counts["drafted"] += len(guesses)
        counts["accepted"] += sum(g == r for g, r in zip(guesses, right))
        counts["forwards"] += 1
    return new, counts


@torch.no_grad()
def wrong_10(model, prompt_ids, room, stop_ids):
    "the stop token is taken off the end"
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
        counts["accepted"] += len(confirmed) - 1
        counts["forwards"] += 1
    return [t for t in new if t not in stop_ids], counts


@torch.no_grad()
def right_1(model, prompt_ids, room, stop_ids):
    "cuts all layers at once (the modules' own rows are fewer anyway), a list that grows"
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
        cache.truncate(len(prompt_ids) + len(new) - 1)
        counts["drafted"] += len(guesses)
        counts["accepted"] += len(confirmed) - 1
        counts["forwards"] += 1
    return new, counts


@torch.no_grad()
def right_2(model, prompt_ids, room, stop_ids):
    "rows still to be dropped are counted from the refused guesses"
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
            cache.truncate(cache.lengths[layer] - (len(guesses) + 1 - len(confirmed)), layer=layer)
        counts["drafted"] += len(guesses)
        counts["accepted"] += len(confirmed) - 1
        counts["forwards"] += 1
    return new, counts


@torch.no_grad()
def right_3(model, prompt_ids, room, stop_ids):
    "own counting of what is accepted, inline"
    cache = model.new_cache(1, len(prompt_ids) + room)
    drafter, counts = Drafter(model, cache), {"drafted": 0, "accepted": 0, "forwards": 1}
    hidden_BTD = model.hidden(torch.tensor([list(prompt_ids)], device=cache.data.device), cache=cache)
    new = [int(model.lm_head(hidden_BTD[:, -1]).argmax())]
    while len(new) < room and new[-1] not in stop_ids:
        ids = [*prompt_ids, *new]
        guesses = drafter.draft(ids, hidden_BTD, min(len(model.mtp), room - len(new) - 1))
        hidden_BTD = model.hidden(torch.tensor([[ids[-1], *guesses]], device=cache.data.device), cache=cache)
        right = torch.argmax(model.lm_head(hidden_BTD), dim=-1)[0].tolist()
        confirmed = []
        for i, token in enumerate(right):
            confirmed.append(token)
            if token in stop_ids or i == len(guesses) or guesses[i] != token:
                break
        new += confirmed
        hidden_BTD = hidden_BTD[:, : len(confirmed)]
        for layer in range(model.config.num_hidden_layers):
            cache.truncate(len(ids) + len(confirmed) - 1, layer=layer)
        counts["drafted"] += len(guesses)
        counts["accepted"] += len(confirmed) - 1
        counts["forwards"] += 1
    return new, counts


@torch.no_grad()
def right_4(model, prompt_ids, room, stop_ids):
    "tokens and counts from one list of the rounds"
    cache = model.new_cache(1, len(prompt_ids) + room)
    drafter = Drafter(model, cache)
    text = list(prompt_ids)
    P = len(text)
    h = model.hidden(torch.tensor([text], device=cache.data.device), cache=cache)
    text.append(model.lm_head(h[:, -1]).argmax().item())
    drafted, rounds = 0, 0
    while len(text) - P < room and text[-1] not in stop_ids:
        known = len(text)
        left = P + room - known
        guesses = drafter.draft(text, h, min(len(model.mtp), left - 1))
        h = model.hidden(torch.tensor([text[-1:] + guesses], device=cache.data.device), cache=cache)
        text.extend(accept(guesses, model.lm_head(h).argmax(-1)[0].tolist(), stop_ids))
        h = h[:, : len(text) - known]
        for layer in range(model.config.num_hidden_layers):
            cache.truncate(len(text) - 1, layer)
        drafted += len(guesses)
        rounds += 1
    return text[P:], {"drafted": drafted, "accepted": len(text) - P - 1 - rounds, "forwards": rounds + 1}
