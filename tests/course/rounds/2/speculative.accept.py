"""speculative.accept"""



def wrong_1(guesses, right, stop_ids):
    "counts all guesses that are right, also behind a wrong one"
    count = sum(g == r for g, r in zip(guesses, right))
    out = right[:count + 1]
    for i, t in enumerate(out):
        if t in stop_ids:
            return out[:i + 1]
    return out


def wrong_2(guesses, right, stop_ids):
    "stop tokens are ignored"
    count = 0
    while count < len(guesses) and guesses[count] == right[count]:
        count += 1
    return right[:count + 1]


def wrong_3(guesses, right, stop_ids):
    "the stop token itself is left out"
    out = []
    for i, r in enumerate(right):
        if r in stop_ids:
            break
        out.append(r)
        if i == len(guesses) or guesses[i] != r:
            break
    return out


def wrong_4(guesses, right, stop_ids):
    "no further token if all guesses were right"
    out = []
    for g, r in zip(guesses, right):
        out.append(r)
        if g != r or r in stop_ids:
            break
    return out


def wrong_5(guesses, right, stop_ids):
    "stops only if the stop token was guessed last: one token behind a stop token is confirmed"
    count = 0
    while count < len(guesses) and guesses[count] == right[count]:
        count += 1
        if right[count - 1] in stop_ids:
            break
    return right[:count + 1]


def wrong_6(guesses, right, stop_ids):
    "looks for a stop token in all of right first, also behind a wrong guess"
    for i, t in enumerate(right):
        if t in stop_ids:
            return right[:i + 1]
    count = 0
    while count < len(guesses) and guesses[count] == right[count]:
        count += 1
    return right[:count + 1]


def wrong_7(guesses, right, stop_ids):
    "empties the list of guesses while it counts"
    count = 0
    while guesses and guesses.pop(0) == right[count] and right[count] not in stop_ids:
        count += 1
    return right[:count + 1]


def wrong_8(guesses, right, stop_ids):
    "confirms the wrong guess itself instead of what is right there"
    out = []
    for g, r in zip(guesses, right):
        out.append(g)
        if g != r or g in stop_ids:
            return out
    return out + right[-1:]


def wrong_9(guesses, right, stop_ids):
    "cuts right in place and returns it: the argument is changed"
    count = 0
    while count < len(guesses) and guesses[count] == right[count] and right[count] not in stop_ids:
        count += 1
    del right[count + 1:]
    return right


def wrong_10(guesses, right, stop_ids):
    "a stop guess ends the text even where it is wrong and another token is right: nothing further, the guess is written"
    out = []
    for g, r in zip(guesses, right):
        if g in stop_ids:
            return out + [g]
        out.append(r)
        if g != r or r in stop_ids:
            return out
    return out + [right[len(guesses)]]


def right_1(guesses, right, stop_ids):
    "appends token by token"
    out = []
    for i, r in enumerate(right):
        out.append(r)
        if r in stop_ids or i >= len(guesses) or guesses[i] != r:
            break
    return out


def right_2(guesses, right, stop_ids):
    "recursion"
    if not guesses or guesses[0] != right[0] or right[0] in stop_ids:
        return right[:1]
    return [right[0], *accept(guesses[1:], right[1:], stop_ids)]


def right_3(guesses, right, stop_ids):
    "first wrong guess, then the first stop token in what is left"
    wrong = next((i for i, (g, r) in enumerate(zip(guesses, right)) if g != r), len(guesses))
    out = right[:wrong + 1]
    stop = [i for i, t in enumerate(out) if t in stop_ids]
    return out[:stop[0] + 1] if stop else out


def right_4(guesses, right, stop_ids):
    "for with else"
    for i in range(len(guesses)):
        if guesses[i] != right[i] or right[i] in stop_ids:
            return list(right[:i + 1])
    else:
        return list(right)
