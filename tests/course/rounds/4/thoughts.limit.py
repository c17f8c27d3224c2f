"""thoughts.limit"""
from minids.errors import MinidsError

_NO = "probe: the reply does not open a thought, so there is none to cut"


def wrong_1(reply, budget, begin, end):
    "the last place where end stands, not the first"
    if reply[: len(begin)] != begin:
        raise MinidsError(_NO)
    thought = reply[len(begin) :]
    for i in reversed(range(len(thought))):
        if thought[i : i + len(end)] == end:
            thought = thought[:i]
            break
    return [*begin, *thought[:budget], *end]


def wrong_2(reply, budget, begin, end):
    "the first id of end (a line break) ends the thought, even alone"
    if reply[: len(begin)] != begin:
        raise MinidsError(_NO)
    thought = reply[len(begin) :]
    if end[0] in thought:
        thought = thought[: thought.index(end[0])]
    return [*begin, *thought[:budget], *end]


def wrong_3(reply, budget, begin, end):
    "searches the reply from its start: the line break that closes begin may be taken for the first id of end"
    if reply[: len(begin)] != begin:
        raise MinidsError(_NO)
    stop = len(reply)
    for i in range(len(reply) - len(end) + 1):
        if reply[i : i + len(end)] == end:
            stop = i
            break
    return [*begin, *reply[len(begin) : stop][:budget], *end]


def wrong_4(reply, budget, begin, end):
    "cuts first and searches then: a budget that ends amid end leaves a part of end in the thought"
    if reply[: len(begin)] != begin:
        raise MinidsError(_NO)
    thought = reply[len(begin) :][:budget]
    for i in range(len(thought)):
        if thought[i : i + len(end)] == end:
            thought = thought[:i]
            break
    return [*begin, *thought, *end]


def wrong_5(reply, budget, begin, end):
    "off by one in the range: an end with nothing behind it (the reply stopped there) is not seen"
    if reply[: len(begin)] != begin:
        raise MinidsError(_NO)
    thought = reply[len(begin) :]
    for i in range(len(thought) - len(end)):
        if thought[i : i + len(end)] == end:
            thought = thought[:i]
            break
    return [*begin, *thought[:budget], *end]


def wrong_6(reply, budget, begin, end):
    "begin is compared by zip: a reply that is shorter than begin, the empty one too, passes"
    if any(a != b for a, b in zip(reply, begin)):
        raise MinidsError(_NO)
    thought = reply[len(begin) :]
    for i in range(len(thought)):
        if thought[i : i + len(end)] == end:
            thought = thought[:i]
            break
    return [*begin, *thought[:budget], *end]


def wrong_7(reply, budget, begin, end):
    "the scan starts from zero after a mismatch without looking again: end 1 2 1 3 is not found in 1 2 1 2 1 3"
    if reply[: len(begin)] != begin:
        raise MinidsError(_NO)
    thought, matched = [], 0
    for token in reply[len(begin) :]:
        thought.append(token)
        matched = matched + 1 if token == end[matched] else int(token == end[0])
        if matched == len(end):
            thought = thought[: -len(end)]
            break
    return [*begin, *thought[:budget], *end]


def wrong_8(reply, budget, begin, end):
    "a budget of 0 is taken for no limit"
    if reply[: len(begin)] != begin:
        raise MinidsError(_NO)
    thought = reply[len(begin) :]
    for i in range(len(thought)):
        if thought[i : i + len(end)] == end:
            thought = thought[:i]
            break
    if budget:
        thought = thought[:budget]
    return [*begin, *thought, *end]


def wrong_9(reply, budget, begin, end):
    "a half-written end at the end of the reply is cleared away, though without a whole end all the rest is thought"
    if reply[: len(begin)] != begin:
        raise MinidsError(_NO)
    thought = reply[len(begin) :]
    for i in range(len(thought)):
        if thought[i : i + len(end)] == end[: len(thought) - i]:
            thought = thought[:i]
            break
    return [*begin, *thought[:budget], *end]


def wrong_10(reply, budget, begin, end):
    "the result grows in the list `begin` itself: the caller's begin is longer afterwards, and the next call fails"
    if reply[: len(begin)] != begin:
        raise MinidsError(_NO)
    thought = reply[len(begin) :]
    for i in range(len(thought)):
        if thought[i : i + len(end)] == end:
            thought = thought[:i]
            break
    out = begin
    out += thought[:budget]
    out += end
    return out


def right_1(reply, budget, begin, end):
    "one index `stop` into the reply, next() over a generator"
    a, e = len(begin), len(end)
    if list(reply[:a]) != list(begin):
        raise MinidsError(_NO)
    stop = next((i for i in range(a, len(reply) - e + 1) if list(reply[i : i + e]) == list(end)), len(reply))
    return list(begin) + list(reply[a : min(stop, a + budget)]) + list(end)


def right_2(reply, budget, begin, end):
    "token by token, stopping at the budget or where end stands"
    if len(reply) < len(begin) or any(a != b for a, b in zip(reply, begin)):
        raise MinidsError(_NO)
    out, i = list(begin), len(begin)
    while i < len(reply) and i - len(begin) < budget and reply[i : i + len(end)] != end:
        out.append(reply[i])
        i += 1
    out.extend(end)
    return out


def right_3(reply, budget, begin, end):
    "collects until the last ids collected are end, then takes them off"
    if reply[: len(begin)] != begin:
        raise MinidsError(_NO)
    thought = []
    for token in reply[len(begin) :]:
        thought.append(token)
        if thought[-len(end) :] == end:
            del thought[-len(end) :]
            break
    del thought[budget:]
    return begin + thought + end


def right_4(reply, budget, begin, end):
    "list.index from one candidate for the first id of end to the next"
    if reply[: len(begin)] != begin:
        raise MinidsError(_NO)
    thought, start = reply[len(begin) :], 0
    stop = len(thought)
    while True:
        try:
            at = thought.index(end[0], start)
        except ValueError:
            break
        if thought[at : at + len(end)] == end:
            stop = at
            break
        start = at + 1
    return [*begin, *thought[: min(stop, budget)], *end]
