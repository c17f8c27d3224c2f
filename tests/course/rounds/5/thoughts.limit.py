"""thoughts.limit"""


def wrong_1(reply, budget, begin, end):
    "the thought ends at the first token of `end`, which also occurs inside it"
    # breaks: "The first place where all of them stand is where the thought ends" begin [1], end [9, 2], reply [1, 5, 9, 6, 9, 2]: 5 9 6 is the thought
    if reply[: len(begin)] != begin:
        raise MinidsError("probe: the reply does not open a thought, so there is none to cut")
    thought = reply[len(begin) :]
    if end[0] in thought:
        thought = thought[: thought.index(end[0])]
    return [*begin, *thought[:budget], *end]


def wrong_2(reply, budget, begin, end):
    "the last place where `end` stands, not the first"
    # breaks: "The first place where all of them stand" begin [1], end [9, 2], reply [1, 5, 9, 2, 7, 9, 2], budget 9
    if reply[: len(begin)] != begin:
        raise MinidsError("probe: the reply does not open a thought, so there is none to cut")
    thought = reply[len(begin) :]
    for i in reversed(range(len(thought))):
        if thought[i : i + len(end)] == end:
            thought = thought[:i]
            break
    return [*begin, *thought[:budget], *end]


def wrong_3(reply, budget, begin, end):
    "off by one: an `end` that is the last of the reply is not looked at"
    # breaks: "it may stop at any place" begin [1], end [9, 2], reply [1, 5, 9, 2], budget 9: the marks stand twice
    if reply[: len(begin)] != begin:
        raise MinidsError("probe: the reply does not open a thought, so there is none to cut")
    thought = reply[len(begin) :]
    for i in range(len(thought) - len(end)):
        if thought[i : i + len(end)] == end:
            thought = thought[:i]
            break
    return [*begin, *thought[:budget], *end]


def wrong_4(reply, budget, begin, end):
    "what opens the thought is taken out of the caller's list"
    # breaks: "`reply` is left alone" any reply with a begin that is not empty
    if reply[: len(begin)] != begin:
        raise MinidsError("probe: the reply does not open a thought, so there is none to cut")
    del reply[: len(begin)]
    for i in range(len(reply)):
        if reply[i : i + len(end)] == end:
            return begin + reply[: min(i, budget)] + end
    return begin + reply[:budget] + end


def wrong_5(reply, budget, begin, end):
    "a budget of 0 is taken for no budget"
    # breaks: "0 leaves nothing of the thought" begin [1], end [2], reply [1, 5, 6, 2], budget 0
    if reply[: len(begin)] != begin:
        raise MinidsError("probe: the reply does not open a thought, so there is none to cut")
    thought = reply[len(begin) :]
    for i in range(len(thought)):
        if thought[i : i + len(end)] == end:
            thought = thought[:i]
            break
    if budget:
        thought = thought[:budget]
    return [*begin, *thought, *end]


def wrong_6(reply, budget, begin, end):
    "the result is built in the caller's `begin`, which opens nothing any more in the next call"
    # breaks: arguments left unchanged, "a new list of ids" two calls with the same begin
    if reply[: len(begin)] != begin:
        raise MinidsError("probe: the reply does not open a thought, so there is none to cut")
    thought = reply[len(begin) :]
    for i in range(len(thought)):
        if thought[i : i + len(end)] == end:
            thought = thought[:i]
            break
    out = begin
    out += thought[:budget]
    out += end
    return out


def wrong_7(reply, budget, begin, end):
    "ids are looked for as text: 2 is found in 12"
    # breaks: "The first place where all of them stand" begin [1], end [2, 3], reply [1, 5, 12, 3, 6, 2, 3], budget 9
    if reply[: len(begin)] != begin:
        raise MinidsError("probe: the reply does not open a thought, so there is none to cut")
    thought = reply[len(begin) :]
    text = " ".join(map(str, thought))
    place = text.find(" ".join(map(str, end)))
    if place >= 0:
        thought = thought[: len(text[:place].split())]
    return [*begin, *thought[:budget], *end]


def wrong_8(reply, budget, begin, end):
    "an empty `begin` has no first token: IndexError"
    # breaks: "the ids that open a thought (possibly none)" begin [], end [2], reply [5, 2]
    if not reply or reply[0] != begin[0] or reply[: len(begin)] != begin:
        raise MinidsError("probe: the reply does not open a thought, so there is none to cut")
    thought = reply[len(begin) :]
    for i in range(len(thought)):
        if thought[i : i + len(end)] == end:
            thought = thought[:i]
            break
    return [*begin, *thought[:budget], *end]


def wrong_9(reply, budget, begin, end):
    "-1 for \"not found\" is used as a place: an open thought loses its last token"
    # breaks: "if there is none, all the rest is thought" begin [1], end [2], reply [1, 5, 6], budget 9
    if reply[: len(begin)] != begin:
        raise MinidsError("probe: the reply does not open a thought, so there is none to cut")
    thought = reply[len(begin) :]
    at = next((i for i in range(len(thought)) if thought[i : i + len(end)] == end), -1)
    return [*begin, *thought[:at][:budget], *end]


def wrong_10(reply, budget, begin, end):
    "cut first, looked for the end afterwards: a part of `end` stays where the budget falls into it"
    # breaks: "the first `budget` tokens of the thought (or all, if it has fewer), end" begin [1], end [9, 2], reply [1, 5, 9, 2, 7], budget 2
    if reply[: len(begin)] != begin:
        raise MinidsError("probe: the reply does not open a thought, so there is none to cut")
    thought = reply[len(begin) :][:budget]
    for i in range(len(thought)):
        if thought[i : i + len(end)] == end:
            thought = thought[:i]
            break
    return [*begin, *thought, *end]


def right_1(reply, budget, begin, end):
    "token by token, until the budget or the end is reached"
    n = len(begin)
    if list(reply[:n]) != list(begin):
        raise MinidsError("probe: the reply does not open a thought, so there is none to cut")
    out, i = list(begin), n
    while i < len(reply) and len(out) - n < budget and reply[i : i + len(end)] != end:
        out.append(reply[i])
        i += 1
    return out + list(end)


def right_2(reply, budget, begin, end):
    "next over the places, with the length as the default"
    if len(reply) < len(begin) or any(a != b for a, b in zip(reply, begin)):
        raise MinidsError("probe: the reply does not begin with what opens a thought")
    rest, size = reply[len(begin) :], len(end)
    stop = next((i for i in range(len(rest) - size + 1) if rest[i : i + size] == end), len(rest))
    return begin + rest[: min(stop, budget)] + end


def right_3(reply, budget, begin, end):
    "index from one first token of `end` to the next"
    if reply[: len(begin)] != begin:
        raise MinidsError("probe: no thought")
    thought, start = list(reply[len(begin) :]), 0
    while True:
        try:
            at = thought.index(end[0], start)
        except ValueError:
            break
        if thought[at : at + len(end)] == list(end):
            del thought[at:]
            break
        start = at + 1
    return [*begin, *thought[:budget], *end]


def right_4(reply, budget, begin, end):
    "a generator that stops where the marks stand"

    def thinking(ids):
        for i, token in enumerate(ids):
            if all(i + j < len(ids) and ids[i + j] == mark for j, mark in enumerate(end)):
                return
            yield token

    if not (len(reply) >= len(begin) and all(reply[i] == b for i, b in enumerate(begin))):
        raise MinidsError("probe: the reply does not open a thought, so there is none to cut")
    thought = [token for token, _ in zip(thinking(reply[len(begin) :]), range(budget))]
    return [*begin, *thought, *end]
