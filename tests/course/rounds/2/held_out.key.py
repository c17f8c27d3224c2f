"""held_out.key"""


def wrong_1(terms):
    "every chain is sorted"
    return ",".join(map(str, sorted(terms)))


def wrong_2(terms):
    "nothing is sorted: 3+12 and 12+3 can fall into two sets"
    return ",".join(map(str, terms))


def wrong_3(terms):
    "sorted as text: 3+12 is '12,3'"
    t = [str(x) for x in terms]
    return ",".join(sorted(t) if len(t) == 2 and min(terms) >= 0 else t)


def wrong_4(terms):
    "a subtraction of two is sorted too: 12-5 is '-5,12'"
    return ",".join(map(str, sorted(terms) if len(terms) == 2 else terms))


def wrong_5(terms):
    "only sums without a 0 are sorted (> 0): 5+0 and 0+5 differ"
    return ",".join(map(str, sorted(terms) if len(terms) == 2 and min(terms) > 0 else terms))


def wrong_6(terms):
    "the caller's list is sorted in place"
    if len(terms) == 2 and min(terms) >= 0:
        terms = terms if isinstance(terms, list) else list(terms)
        terms.sort()
    return ",".join(map(str, terms))


def wrong_7(terms):
    "larger number first"
    return ",".join(map(str, sorted(terms, reverse=True) if len(terms) == 2 and min(terms) >= 0 else terms))


def wrong_8(terms):
    "all sums without subtraction are sorted, of three numbers as well"
    return ",".join(map(str, sorted(terms) if min(terms) >= 0 else terms))


def wrong_9(terms):
    "a blank after the comma: other hashes, other sets"
    return ", ".join(map(str, sorted(terms) if len(terms) == 2 and min(terms) >= 0 else terms))


def wrong_10(terms):
    "signs written out for all but the first, 12,+7,-5"
    terms = sorted(terms) if len(terms) == 2 and min(terms) >= 0 else terms
    return ",".join([str(terms[0]), *(f"{t:+d}" for t in terms[1:])])


def right_1(terms):
    "min and max"
    terms = list(terms)
    if len(terms) == 2 and all(t >= 0 for t in terms):
        return f"{min(terms)},{max(terms)}"
    return ",".join(str(t) for t in terms)


def right_2(terms):
    "match"
    match tuple(terms):
        case (a, b) if a > b >= 0:
            return f"{b},{a}"
    return ",".join(f"{t}" for t in terms)


def right_3(terms):
    "a swap"
    parts = [*terms]
    if len(parts) == 2 and parts[1] >= 0 and parts[0] > parts[1]:
        parts[0], parts[1] = parts[1], parts[0]
    return ",".join(map(repr, map(int, parts)))


def right_4(terms):
    "the text of a list without blanks and brackets"
    ordered = sorted(terms) if len(terms) == 2 and not any(t < 0 for t in terms) else list(terms)
    return str([int(t) for t in ordered])[1:-1].replace(" ", "")
