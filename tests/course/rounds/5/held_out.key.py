"""held_out.key"""


def wrong_1(terms):
    "two terms are put in order, a subtraction too"
    # breaks: "In every other chain (three terms or more, or a subtraction) the order is part of the problem" (12, -7): "-7,12"
    terms = sorted(terms) if len(terms) == 2 else terms
    return ",".join(map(str, terms))


def wrong_2(terms):
    "the order is that of the texts: 10 before 9"
    # breaks: "smaller number first" (9, 10): "10,9"
    texts = [str(t) for t in terms]
    if len(terms) == 2 and min(terms) >= 0:
        texts.sort()
    return ",".join(texts)


def wrong_3(terms):
    "sums of any length are put in order"
    # breaks: "In every other chain (three terms or more, ...) the order is part of the problem" (7, 3, 5): "3,5,7"
    if all(t >= 0 for t in terms):
        terms = sorted(terms)
    return ",".join(map(str, terms))


def wrong_4(terms):
    "a sum with 0 is not put in order"
    # breaks: "The sum of two numbers is one problem in either order, smaller number first" (5, 0): "5,0" instead of "0,5"
    terms = sorted(terms) if len(terms) == 2 and min(terms) > 0 else terms
    return ",".join(map(str, terms))


def wrong_5(terms):
    "a set: equal numbers fall together"
    # breaks: "their operands as text" (7, 7): "7" instead of "7,7"
    if len(terms) == 2 and min(terms) >= 0:
        terms = sorted(set(terms))
    return ",".join(str(t) for t in terms)


def wrong_6(terms):
    "a list is put in order in place"
    # breaks: arguments left unchanged; terms = [12, 3] is [3, 12] afterwards
    if len(terms) == 2 and min(terms) >= 0:
        terms = terms if isinstance(terms, list) else list(terms)
        terms.sort()
    return ",".join(str(t) for t in terms)


def wrong_7(terms):
    "the first two terms of a longer chain are put in order too"
    # breaks: "In every other chain (three terms or more, ...) the order is part of the problem" (12, 7, -5): "7,12,-5"
    first, second, *rest = terms
    if first > second >= 0:
        first, second = second, first
    return ",".join(str(t) for t in (first, second, *rest))


def wrong_8(terms):
    "a chain is turned round where its first number is larger than its last"
    # breaks: "In every other chain ... the order is part of the problem" (12, 7, 5): "5,7,12"
    if min(terms) >= 0 and terms[0] > terms[-1]:
        terms = terms[::-1]
    return ",".join(map(str, terms))


def wrong_9(terms):
    "a list as Python prints it: a blank after each comma"
    # breaks: "their operands as text, \"347,5896\"" (347, 5896): "347, 5896"
    terms = sorted(terms) if len(terms) == 2 and min(terms) >= 0 else list(terms)
    return str(terms)[1:-1]


def wrong_10(terms):
    "signs are left out of the text, so that a sum and a difference share a key"
    # breaks: "signed whole numbers" (12, 7, -5): "12,7,5", the key of 12+7+5
    terms = sorted(terms) if len(terms) == 2 and min(terms) >= 0 else terms
    return ",".join(str(abs(t)) for t in terms)


def right_1(terms):
    "min and max of two"
    if len(terms) == 2 and terms[0] >= 0 and terms[1] >= 0:
        return f"{min(terms)},{max(terms)}"
    return ",".join(f"{t}" for t in terms)


def right_2(terms):
    "swapped by hand, in a copy"
    copy = [*terms]
    if len(copy) == 2:
        a, b = copy
        if a > b >= 0:
            copy = [b, a]
    return ",".join(str(t) for t in copy)


def right_3(terms):
    "the text is built up piece by piece"
    order = tuple(terms)
    if len(order) == 2 and all(t >= 0 for t in order) and order[1] < order[0]:
        order = order[::-1]
    text = ""
    for i, t in enumerate(order):
        text += ("," if i else "") + "%d" % t
    return text


def right_4(terms):
    "the texts are sorted by their numbers"
    texts = list(map(str, terms))
    if len(texts) == 2 and "-" not in "".join(texts):
        texts = sorted(texts, key=int)
    return str.join(",", texts)
