"""thoughts.limit"""

def _opened(reply, begin):
    if reply[: len(begin)] != begin:
        raise MinidsError("probe: the reply does not open a thought")

def wrong_1(reply, budget, begin, end):
    "the first id of end is taken for all of it: a line break inside the thought ends it"
    _opened(reply, begin)
    thought = reply[len(begin) :]
    if end[0] in thought:
        thought = thought[: thought.index(end[0])]
    return [*begin, *thought[:budget], *end]

def wrong_2(reply, budget, begin, end):
    "the last place where end stands, not the first"
    _opened(reply, begin)
    thought = reply[len(begin) :]
    for i in range(len(thought) - 1, -1, -1):
        if thought[i : i + len(end)] == end:
            thought = thought[:i]
            break
    return [*begin, *thought[:budget], *end]

def wrong_3(reply, budget, begin, end):
    "the budget counts begin too"
    _opened(reply, begin)
    thought = reply[len(begin) :]
    for i in range(len(thought)):
        if thought[i : i + len(end)] == end:
            thought = thought[:i]
            break
    return [*(begin + thought)[:budget], *end] if budget > len(begin) else [*begin, *end]

def wrong_4(reply, budget, begin, end):
    "the end is not looked for: the answer counts as thought where the budget reaches it"
    _opened(reply, begin)
    return [*begin, *reply[len(begin) :][:budget], *end]

def wrong_5(reply, budget, begin, end):
    "changes the reply: it is cut in place"
    _opened(reply, begin)
    for i in range(len(begin), len(reply)):
        if reply[i : i + len(end)] == end:
            del reply[i:]
            break
    return [*begin, *reply[len(begin) :][:budget], *end]

def wrong_6(reply, budget, begin, end):
    "range stops one early: an end at the very end of the reply is not found"
    _opened(reply, begin)
    thought = reply[len(begin) :]
    for i in range(len(thought) - len(end)):
        if thought[i : i + len(end)] == end:
            thought = thought[:i]
            break
    return [*begin, *thought[:budget], *end]

def wrong_7(reply, budget, begin, end):
    "budget 0 means no limit (`if budget`)"
    _opened(reply, begin)
    thought = reply[len(begin) :]
    for i in range(len(thought)):
        if thought[i : i + len(end)] == end:
            thought = thought[:i]
            break
    return [*begin, *(thought[:budget] if budget else thought), *end]

def wrong_8(reply, budget, begin, end):
    "end is looked for from the beginning of the reply: where begin and end share ids (a line break) it may be found in begin"
    _opened(reply, begin)
    stop = len(reply)
    for i in range(len(reply)):
        if reply[i : i + len(end)] == end:
            stop = i
            break
    return [*begin, *reply[len(begin) : stop][:budget], *end]

def wrong_9(reply, budget, begin, end):
    "ValueError for a reply that does not open a thought"
    if reply[: len(begin)] != begin:
        raise ValueError("the reply does not open a thought")
    thought = reply[len(begin) :]
    for i in range(len(thought)):
        if thought[i : i + len(end)] == end:
            thought = thought[:i]
            break
    return [*begin, *thought[:budget], *end]

def wrong_10(reply, budget, begin, end):
    "a thought within its budget that was broken off (no end) is returned as it is, without end"
    _opened(reply, begin)
    thought = reply[len(begin) :]
    for i in range(len(thought)):
        if thought[i : i + len(end)] == end:
            return [*begin, *thought[:i][:budget], *end]
    if len(thought) <= budget:
        return list(reply)
    return [*begin, *thought[:budget], *end]

def right_1(reply, budget, begin, end):
    "next() over the places where end stands"
    if list(reply[: len(begin)]) != list(begin):
        raise MinidsError("probe: the reply does not begin with a thought")
    start, n = len(begin), len(end)
    stop = next((i for i in range(start, len(reply) - n + 1) if reply[i : i + n] == end), len(reply))
    return list(begin) + list(reply[start : min(stop, start + budget)]) + list(end)

def right_2(reply, budget, begin, end):
    "walks on id by id until end, the budget or the reply is over"
    for i, id in enumerate(begin):
        if i >= len(reply) or reply[i] != id:
            raise MinidsError("probe: the reply does not open a thought, so there is none to cut")
    out, i = list(begin), len(begin)
    while i < len(reply) and i - len(begin) < budget and list(reply[i : i + len(end)]) != list(end):
        out.append(reply[i])
        i += 1
    return out + list(end)

def right_3(reply, budget, begin, end):
    "zip of shifted copies finds end"
    if reply[: len(begin)] != begin:
        raise MinidsError("probe: no thought is opened")
    thought = list(reply[len(begin) :])
    windows = zip(*(thought[j:] for j in range(len(end))))
    for i, window in enumerate(windows):
        if list(window) == list(end):
            del thought[i:]
            break
    del thought[budget:]
    return [*begin, *thought, *end]

def right_4(reply, budget, begin, end):
    "from one occurrence of end's first id to the next with index()"
    if reply[: len(begin)] != begin:
        raise MinidsError("probe: the reply does not open a thought")
    at, stop = len(begin), len(reply)
    while end[0] in reply[at:]:
        at = reply.index(end[0], at)
        if reply[at : at + len(end)] == end:
            stop = at
            break
        at += 1
    return begin + reply[len(begin) : stop][:budget] + end
