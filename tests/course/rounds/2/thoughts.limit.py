"""thoughts.limit"""
from minids.errors import MinidsError


def _open(reply, begin):
    if reply[:len(begin)] != begin:
        raise MinidsError("the reply opens no thought")


def wrong_1(reply, budget, begin, end):
    "the first id of end closes the thought, though it can stand inside"
    _open(reply, begin)
    t = reply[len(begin):]
    if end[0] in t:
        t = t[:t.index(end[0])]
    return begin + t[:budget] + end


def wrong_2(reply, budget, begin, end):
    "the last place where end stands, not the first"
    _open(reply, begin)
    t = reply[len(begin):]
    for i in range(len(t) - len(end), -1, -1):
        if t[i:i + len(end)] == end:
            t = t[:i]
            break
    return begin + t[:budget] + end


def wrong_3(reply, budget, begin, end):
    "end is looked for in the whole reply, begin included: where begin's last ids and the thought's first make an end"
    _open(reply, begin)
    stop = next((i for i in range(len(reply)) if reply[i:i + len(end)] == end), len(reply))
    return begin + reply[len(begin):stop][:budget] + end


def wrong_4(reply, budget, begin, end):
    "end is looked for after the cut only, and kept twice where the budget ends inside it"
    _open(reply, begin)
    t = reply[len(begin):][:budget]
    for i in range(len(t)):
        if t[i:i + len(end)] == end:
            t = t[:i]
            break
    return begin + t + end


def wrong_5(reply, budget, begin, end):
    "a budget of 0 counts as none: `budget or len`"
    _open(reply, begin)
    t = reply[len(begin):]
    for i in range(len(t)):
        if t[i:i + len(end)] == end:
            t = t[:i]
            break
    return begin + t[:budget or len(t)] + end


def wrong_6(reply, budget, begin, end):
    "a reply that is within the budget comes back whole, answer included"
    _open(reply, begin)
    t = reply[len(begin):]
    for i in range(len(t)):
        if t[i:i + len(end)] == end:
            if i <= budget:
                return list(reply)
            t = t[:i]
            break
    return begin + t[:budget] + end


def wrong_7(reply, budget, begin, end):
    "the reply is cut in place"
    _open(reply, begin)
    for i in range(len(begin), len(reply)):
        if reply[i:i + len(end)] == end:
            del reply[i:]
            break
    del reply[len(begin) + budget:]
    return reply + end


def wrong_8(reply, budget, begin, end):
    "no refusal: a reply without begin loses its first ids"
    t = reply[len(begin):]
    for i in range(len(t)):
        if t[i:i + len(end)] == end:
            t = t[:i]
            break
    return begin + t[:budget] + end


def wrong_9(reply, budget, begin, end):
    "an end that stops right where the reply stops is missed (range one too short)"
    _open(reply, begin)
    t = reply[len(begin):]
    for i in range(len(t) - len(end)):
        if t[i:i + len(end)] == end:
            t = t[:i]
            break
    return begin + t[:budget] + end


def wrong_10(reply, budget, begin, end):
    "begin has to stand somewhere, not at the front; ids before it are dropped"
    at = next((i for i in range(len(reply) + 1) if reply[i:i + len(begin)] == begin), None)
    if at is None:
        raise MinidsError("no thought")
    t = reply[at + len(begin):]
    for i in range(len(t)):
        if t[i:i + len(end)] == end:
            t = t[:i]
            break
    return begin + t[:budget] + end


def right_1(reply, budget, begin, end):
    "next over the places"
    _open(reply, begin)
    start = len(begin)
    stop = next((i for i in range(start, len(reply) - len(end) + 1) if reply[i:i + len(end)] == end), len(reply))
    return list(begin) + list(reply[start:min(stop, start + budget)]) + list(end)


def right_2(reply, budget, begin, end):
    "ids taken one by one until end stands or the budget is used up"
    if any(i >= len(reply) or reply[i] != b for i, b in enumerate(begin)):
        raise MinidsError("probe: this reply does not begin with a thought")
    out, i = list(begin), len(begin)
    while i < len(reply) and i - len(begin) < budget and list(reply[i:i + len(end)]) != list(end):
        out.append(reply[i])
        i += 1
    out.extend(end)
    return out


def right_3(reply, budget, begin, end):
    "zip of shifted lists"
    n = len(begin)
    if list(reply[:n]) != list(begin):
        raise MinidsError("no thought is opened")
    thought = list(reply[n:])
    windows = list(zip(*(thought[j:] for j in range(len(end)))))
    stop = windows.index(tuple(end)) if tuple(end) in windows else len(thought)
    return [*begin, *thought[:stop][:budget], *end]


def right_4(reply, budget, begin, end):
    "recursion to the first end"
    def until(ids):
        if not ids or ids[:len(end)] == end:
            return 0
        n = 0
        while n < len(ids) and ids[n:n + len(end)] != end:
            n += 1
        return n
    if len(reply) < len(begin) or any(a != b for a, b in zip(begin, reply)):
        raise MinidsError("no thought")
    rest = reply[len(begin):]
    return begin + rest[:min(budget, until(rest))] + end
