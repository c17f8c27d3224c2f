"""held_out.key"""


def wrong_1(terms):
    "every chain is sorted, also (12, 7, -5)"
    return ",".join(map(str, sorted(terms)))


def wrong_2(terms):
    "sorted as text: '10' before '9'"
    words = [str(t) for t in terms]
    if len(terms) == 2 and min(terms) >= 0:
        words.sort()
    return ",".join(words)


def wrong_3(terms):
    "two terms are sorted even if one is subtracted: (12, -5) gives '-5,12'"
    if len(terms) == 2:
        return f"{min(terms)},{max(terms)}"
    return ",".join(map(str, terms))


def wrong_4(terms):
    "a zero counts as not positive: 12+0 and 0+12 get two keys"
    terms = sorted(terms) if len(terms) == 2 and min(terms) > 0 else terms
    return ",".join(map(str, terms))


def wrong_5(terms):
    "sorted by the number of digits only: 23+12 and 12+23 get two keys"
    terms = sorted(terms, key=lambda t: len(str(t))) if len(terms) == 2 and min(terms) >= 0 else terms
    return ",".join(map(str, terms))


def wrong_6(terms):
    "chains of additions of any length are sorted: (12, 7, 5) gives '5,7,12'"
    terms = sorted(terms) if all(t >= 0 for t in terms) else terms
    return ",".join(map(str, terms))


def wrong_7(terms):
    "the first two of a longer chain are sorted too, as their total is the same: (12, 7, -5) gives '7,12,-5'"
    first, rest = list(terms[:2]), list(terms[2:])
    if min(first) >= 0:
        first.sort()
    return ",".join(map(str, first + rest))


def wrong_8(terms):
    "a set of two operands: 5+5 gives '5'"
    terms = sorted({*terms}) if len(terms) == 2 and min(terms) >= 0 else terms
    return ",".join(map(str, terms))


def wrong_9(terms):
    "the sign is lost: 12-5 and 12,5 in a chain look alike, (12, 7, -5) gives '12,7,5'"
    terms = sorted(terms) if len(terms) == 2 and min(terms) >= 0 else terms
    return ",".join(str(abs(t)) for t in terms)


def wrong_10(terms):
    "a list that was passed is sorted in place"
    if len(terms) == 2 and min(terms) >= 0:
        if not isinstance(terms, list):
            terms = list(terms)
        terms.sort()
    return ",".join(map(str, terms))


def right_1(terms):
    "two cases and f-strings"
    if len(terms) == 2:
        a, b = terms
        if a >= 0 and b >= 0 and a > b:
            return f"{b},{a}"
    return ",".join(f"{t}" for t in terms)


def right_2(terms):
    "early return, min and max"
    if len(terms) != 2 or any(t < 0 for t in terms):
        return ",".join([str(t) for t in terms])
    return str(min(terms)) + "," + str(max(terms))


def right_3(terms):
    "a string grown in a loop over a copy"
    order = list(terms)
    if len(order) == 2 and all(t >= 0 for t in order):
        order.sort()
    text = ""
    for i, t in enumerate(order):
        if i:
            text += ","
        text += str(t)
    return text


def right_4(terms):
    "swaps by reversing; the list's own text without blanks and brackets"
    order = tuple(terms)
    if len(order) == 2 and order[0] > order[1] >= 0:
        order = order[::-1]
    return str(list(order))[1:-1].replace(" ", "")
