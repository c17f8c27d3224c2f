"""speculative.accept"""
import itertools

def wrong_1(guesses, right, stop_ids):
    "only the guesses that are right: the one token more is forgotten"
    count = 0
    while count < len(guesses) and guesses[count] == right[count] and right[count] not in stop_ids:
        count += 1
    return right[:count]

def wrong_2(guesses, right, stop_ids):
    "counts all guesses that agree, not those before the first wrong one"
    count = sum(g == r for g, r in zip(guesses, right))
    out = right[: count + 1]
    for i, token in enumerate(out):
        if token in stop_ids:
            return out[: i + 1]
    return out

def wrong_3(guesses, right, stop_ids):
    "stop tokens are not looked at: a guess behind one is confirmed"
    count = 0
    while count < len(guesses) and guesses[count] == right[count]:
        count += 1
    return right[: count + 1]

def wrong_4(guesses, right, stop_ids):
    "the stop token itself is cut off"
    out = []
    for i, token in enumerate(right):
        if token in stop_ids:
            break
        out.append(token)
        if i == len(guesses) or guesses[i] != token:
            break
    return out

def wrong_5(guesses, right, stop_ids):
    "no bonus token if all guesses were right"
    out = []
    for guess, token in zip(guesses, right):
        out.append(token)
        if guess != token or token in stop_ids:
            break
    return out

def wrong_6(guesses, right, stop_ids):
    "the token behind the accepted ones is right[-1]: differs once a guess is refused early"
    accepted = []
    for guess, token in zip(guesses, right):
        if guess != token:
            break
        accepted.append(token)
        if token in stop_ids:
            return accepted
    return accepted + [right[-1]]

def wrong_7(guesses, right, stop_ids):
    "a stop token anywhere in `right` decides, even behind a wrong guess"
    for i, token in enumerate(right):
        if token in stop_ids:
            return right[: i + 1]
    count = 0
    while count < len(guesses) and guesses[count] == right[count]:
        count += 1
    return right[: count + 1]

def wrong_8(guesses, right, stop_ids):
    "takes from the front of the caller's lists"
    out = []
    while True:
        token = right.pop(0)
        out.append(token)
        if not guesses or guesses.pop(0) != token or token in stop_ids:
            return out

def wrong_9(guesses, right, stop_ids):
    "the refused guess is confirmed in place of its right value"
    out = []
    for guess, token in zip(guesses, right):
        out.append(guess)
        if guess != token or token in stop_ids:
            return out
    return out + right[len(guesses) :]

def wrong_10(guesses, right, stop_ids):
    "a guess that is a stop token ends the text even if it was wrong: nothing is confirmed at its place"
    out = []
    for i, token in enumerate(right):
        if i < len(guesses) and guesses[i] in stop_ids:
            return out + ([token] if guesses[i] == token else [])
        out.append(token)
        if i == len(guesses) or guesses[i] != token or token in stop_ids:
            return out
    return out

def right_1(guesses, right, stop_ids):
    "a loop that returns as soon as it is decided"
    for i, guess in enumerate(guesses):
        if guess != right[i] or right[i] in stop_ids:
            return right[: i + 1]
    return list(right)

def right_2(guesses, right, stop_ids):
    "takewhile over pairs"
    good = list(itertools.takewhile(lambda p: p[0] == p[1] and p[0] not in stop_ids, zip(guesses, right)))
    return [token for _, token in good] + [right[len(good)]]

def right_3(guesses, right, stop_ids):
    "recursion"
    head = [right[0]]
    if not guesses or guesses[0] != right[0] or right[0] in stop_ids:
        return head
    return head + right_3(guesses[1:], right[1:], stop_ids)

def right_4(guesses, right, stop_ids):
    "first the prefix, then a cut behind the first stop token in it"
    wrong = [i for i in range(len(guesses)) if guesses[i] != right[i]]
    confirmed = right[: (wrong[0] if wrong else len(guesses)) + 1]
    stops = [i for i, token in enumerate(confirmed) if token in stop_ids]
    return confirmed[: stops[0] + 1] if stops else confirmed
