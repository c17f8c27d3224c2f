"""speculative.accept"""
import itertools


def wrong_1(guesses, right, stop_ids):
    "counts all matches, also behind the first wrong guess"
    count = sum(g == r and r not in stop_ids for g, r in zip(guesses, right))
    return right[: count + 1]


def wrong_2(guesses, right, stop_ids):
    "zip stops at K: when all guesses are right, the extra token is lost (none at all for K = 0)"
    out = []
    for g, r in zip(guesses, right):
        out.append(r)
        if g != r or r in stop_ids:
            break
    return out


def wrong_3(guesses, right, stop_ids):
    "stop tokens are not looked at: something is confirmed behind one"
    count = 0
    while count < len(guesses) and guesses[count] == right[count]:
        count += 1
    return right[: count + 1]


def wrong_4(guesses, right, stop_ids):
    "the stop token itself is cut off"
    count = 0
    while count < len(guesses) and guesses[count] == right[count]:
        count += 1
    out = right[: count + 1]
    for i, r in enumerate(out):
        if r in stop_ids:
            return out[:i]
    return out


def wrong_5(guesses, right, stop_ids):
    "`or` on an index: a wrong guess at place 0 looks like none at all, and everything is accepted"
    count = next((i for i, g in enumerate(guesses) if g != right[i] or g in stop_ids), None) or len(guesses)
    return right[: count + 1]


def wrong_6(guesses, right, stop_ids):
    "cuts at the first stop in right even where it stands behind a wrong guess"
    for i, r in enumerate(right):
        if r in stop_ids:
            return right[: i + 1]
    count = 0
    while count < len(guesses) and guesses[count] == right[count]:
        count += 1
    return right[: count + 1]


def wrong_7(guesses, right, stop_ids):
    "only the last confirmed token is compared with the stops: a guessed stop in the middle is passed over"
    count = 0
    while count < len(guesses) and guesses[count] == right[count]:
        count += 1
    out = right[: count + 1]
    return out[:-1] if count and out[-2] in stop_ids else out


def wrong_8(guesses, right, stop_ids):
    "cuts the caller's list `right` in place"
    count = 0
    while count < len(guesses) and guesses[count] == right[count] and right[count] not in stop_ids:
        count += 1
    del right[count + 1 :]
    return right


def wrong_9(guesses, right, stop_ids):
    "the set of stops is taken for one id (its smallest): a second stop token does not end the text"
    stop = min(stop_ids, default=None)
    count = 0
    while count < len(guesses) and guesses[count] == right[count] and right[count] != stop:
        count += 1
    return right[: count + 1]


def wrong_10(guesses, right, stop_ids):
    "id 0 is taken for 'nothing' : `right[i] and ...` ends the count at a right guess of 0"
    count = 0
    for g, r in zip(guesses, right):
        if not (r and r == g) or r in stop_ids:
            break
        count += 1
    return right[: count + 1]


def _known(guesses, right, stop_ids):
    if not guesses or guesses[0] != right[0] or right[0] in stop_ids:
        return [right[0]]
    return [right[0], *_known(guesses[1:], right[1:], stop_ids)]


def right_1(guesses, right, stop_ids):
    "recursion in a helper"
    return _known(guesses, right, stop_ids)


def right_2(guesses, right, stop_ids):
    "appends one by one; enumerate over right"
    out = []
    for i, token in enumerate(right):
        out.append(token)
        if token in stop_ids or i == len(guesses) or guesses[i] != token:
            return out
    return out


def right_3(guesses, right, stop_ids):
    "takewhile, then cut at the first stop"
    same = list(itertools.takewhile(lambda pair: pair[0] == pair[1], zip(guesses, right)))
    known = [r for _, r in same] + [right[len(same)]]
    ends = [i for i, token in enumerate(known) if token in stop_ids]
    return known[: ends[0] + 1] if ends else known


def right_4(guesses, right, stop_ids):
    "the least of all places where something ends it"
    places = [i for i, (g, r) in enumerate(zip(guesses, right)) if g != r or r in stop_ids]
    first = min(places + [len(guesses)])
    return list(right[: first + 1])
