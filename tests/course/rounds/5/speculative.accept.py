"""speculative.accept"""


def wrong_1(guesses, right, stop_ids):
    "stop ids are forgotten: tokens behind one are confirmed"
    # breaks: "nothing is confirmed behind one"; guesses [5, 2], right [5, 2, 7], stop {2} gives the 7
    count = 0
    while count < len(guesses) and guesses[count] == right[count]:
        count += 1
    return right[: count + 1]


def wrong_2(guesses, right, stop_ids):
    "only accepted guesses, without the token that the forward gives beyond them; [] if the first is wrong"
    # breaks: "a list of 1 to K + 1 ids"; guesses [4], right [5, 6] gives []
    out = []
    for guess, token in zip(guesses, right):
        if guess != token:
            break
        out.append(guess)
        if token in stop_ids:
            break
    return out


def wrong_3(guesses, right, stop_ids):
    "right guesses are counted wherever they stand, also behind a wrong one"
    # breaks: "right[i] was computed behind guesses[:i], and is worth something only if those are right"; guesses [4, 6], right [5, 6, 7]
    count = sum(g == r for g, r in zip(guesses, right))
    out = right[: count + 1]
    for i, token in enumerate(out):
        if token in stop_ids:
            return out[: i + 1]
    return out


def wrong_4(guesses, right, stop_ids):
    "an accepted stop id is counted like another before the loop ends: one token behind it is confirmed"
    # breaks: "nothing is confirmed behind one"; guesses [2, 6], right [2, 6, 7], stop {2} gives [2, 6]
    count = 0
    for guess in guesses:
        if guess != right[count]:
            break
        count += 1
        if guess in stop_ids:
            break
    return right[: count + 1]


def wrong_5(guesses, right, stop_ids):
    "the stop id itself is left away"
    # breaks: "a set of ids that end the text; nothing is confirmed behind one" (it is the text's last); guesses [5, 2], right [5, 2, 7] gives [5]
    out = []
    for i, token in enumerate(right):
        if token in stop_ids:
            break
        out.append(token)
        if i == len(guesses) or guesses[i] != token:
            break
    return out


def wrong_6(guesses, right, stop_ids):
    "if a stop id stands anywhere in `right`, all up to it is confirmed, wrong guesses or not"
    # breaks: "right[i] ... is worth something only if those are right"; guesses [4, 6], right [5, 2, 7], stop {2} gives [5, 2]
    for i, token in enumerate(right):
        if token in stop_ids:
            return right[: i + 1]
    count = 0
    while count < len(guesses) and guesses[count] == right[count]:
        count += 1
    return right[: count + 1]


def wrong_7(guesses, right, stop_ids):
    "places are looked up with list.index, so a repeated guess is compared with the place of the first"
    # breaks: "guesses[i] stands for what right[i] turned out to be"; guesses [5, 5], right [5, 6, 7] gives all three
    count = 0
    for guess in guesses:
        if guess != right[guesses.index(guess)] or guess in stop_ids:
            break
        count += 1
    return right[: count + 1]


def wrong_8(guesses, right, stop_ids):
    "`right` is shortened in place: the caller's list is changed"
    # breaks: arguments left unchanged; guesses [4], right [5, 6]: right is [5] afterwards
    count = 0
    while count < len(guesses) and guesses[count] == right[count] and right[count] not in stop_ids:
        count += 1
    del right[count + 1 :]
    return right


def wrong_9(guesses, right, stop_ids):
    "no bound on the loop: IndexError where all guesses are right, or there are none"
    # breaks: "a list of 1 to K + 1 ids"; guesses [5, 6], right [5, 6, 7], or guesses []
    count = 0
    while guesses[count] == right[count] and right[count] not in stop_ids:
        count += 1
    return right[: count + 1]


def wrong_10(guesses, right, stop_ids):
    "only one id out of the set is taken for a stop, and an empty set is an error"
    # breaks: "stop_ids  a set of ids that end the text"; guesses [2, 9, 4], right [2, 9, 4, 5], stop {2, 9}; and stop set()
    stop = max(stop_ids)
    count = 0
    while count < len(guesses) and guesses[count] == right[count] != stop:
        count += 1
    return right[: count + 1]


def right_1(guesses, right, stop_ids):
    "a loop that appends the right token and looks whether to go on"
    out = []
    for i in range(len(guesses) + 1):
        out.append(right[i])
        if right[i] in stop_ids or i == len(guesses) or guesses[i] != right[i]:
            break
    return out


def right_2(guesses, right, stop_ids):
    "recursion on the rest of the lists"
    head = list(right[:1])
    if not guesses or guesses[0] != right[0] or right[0] in stop_ids:
        return head
    return head + right_2(guesses[1:], right[1:], stop_ids)


def right_3(guesses, right, stop_ids):
    "the smaller of two places: of the first wrong guess, and of the first stop id"
    first_wrong = next((i for i, (g, r) in enumerate(zip(guesses, right)) if g != r), len(guesses))
    first_stop = next((i for i, r in enumerate(right) if r in stop_ids), len(right))
    return right[: min(first_wrong, first_stop) + 1]


def right_4(guesses, right, stop_ids):
    "early returns from enumerate"
    for i, guess in enumerate(guesses):
        if right[i] in stop_ids:
            return right[: i + 1]
        if guess != right[i]:
            return right[: i + 1]
    return list(right)
