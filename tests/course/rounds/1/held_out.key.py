"""held_out.key"""

def wrong_1(terms):
    "sorted whatever the length: 1+2+3 and 3+2+1 are one problem"
    return ",".join(map(str, sorted(terms)))

def wrong_2(terms):
    "subtractions are sorted too: 12-5 becomes '-5,12'"
    return ",".join(map(str, sorted(terms) if len(terms) == 2 else terms))

def wrong_3(terms):
    "sorted as text: '10,9'"
    words = [str(t) for t in terms]
    if len(terms) == 2 and min(terms) >= 0:
        words.sort()
    return ",".join(words)

def wrong_4(terms):
    "min > 0: a sum with 0 is not sorted, 5+0 and 0+5 differ"
    terms = sorted(terms) if len(terms) == 2 and min(terms) > 0 else terms
    return ",".join(map(str, terms))

def wrong_5(terms):
    "a blank behind the comma"
    terms = sorted(terms) if len(terms) == 2 and min(terms) >= 0 else terms
    return ", ".join(map(str, terms))

def wrong_6(terms):
    "larger number first"
    terms = sorted(terms, reverse=True) if len(terms) == 2 and min(terms) >= 0 else terms
    return ",".join(map(str, terms))

def wrong_7(terms):
    "signs written: '12,+7,-5'"
    if len(terms) == 2 and min(terms) >= 0:
        return ",".join(map(str, sorted(terms)))
    return str(terms[0]) + "".join(f",{t:+d}" for t in terms[1:])

def wrong_8(terms):
    "any chain of additions is sorted: three terms and more as well"
    terms = sorted(terms) if min(terms) >= 0 else terms
    return ",".join(map(str, terms))

def wrong_9(terms):
    "absolute values: 12-5 and 12+5 have one key"
    if len(terms) == 2 and min(terms) >= 0:
        terms = sorted(terms)
    return ",".join(str(abs(t)) for t in terms)

def wrong_10(terms):
    "only the first term's sign is looked at: 12-5 is sorted, -5+12 is not"
    terms = sorted(terms) if len(terms) == 2 and terms[0] >= 0 else terms
    return ",".join(map(str, terms))

def right_1(terms):
    "swaps by hand"
    terms = list(terms)
    if len(terms) == 2:
        a, b = terms
        if a >= 0 and b >= 0 and a > b:
            terms = [b, a]
    return ",".join(str(t) for t in terms)

def right_2(terms):
    "the pair as min and max"
    if len(terms) == 2 and all(t >= 0 for t in terms):
        return f"{min(terms)},{max(terms)}"
    text = str(terms[0])
    for t in terms[1:]:
        text += f",{t}"
    return text

def right_3(terms):
    "early return for other chains"
    if len(terms) != 2 or terms[0] < 0 or terms[1] < 0:
        return ",".join([f"{t}" for t in terms])
    return ",".join([f"{t}" for t in sorted(terms)])

def right_4(terms):
    "from the list's own text"
    plain = len(terms) == 2 and not any(t < 0 for t in terms)
    return str(sorted(terms) if plain else list(terms))[1:-1].replace(" ", "")
