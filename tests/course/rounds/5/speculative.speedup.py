"""speculative.speedup"""


def wrong_1(rates, draft_cost=0.0, check_cost=0.0):
    "the rates are added up, as if each guess were of use alone; differs from the second guess on"
    # breaks: "tokens a round = 1 + r_1 + r_1 r_2 + ..."; rates [0.5, 0.5] gives 2 instead of 1.75
    return (1 + sum(rates)) / (1 + len(rates) * (draft_cost + check_cost))


def wrong_2(rates, draft_cost=0.0, check_cost=0.0):
    "the checking is paid once a round, not for each guess; differs for two guesses and check_cost > 0"
    # breaks: "costs = 1 + K (draft_cost + check_cost)"; rates [0.5, 0.5], check_cost 0.2
    tokens, together = 1.0, 1.0
    for r in rates:
        together *= r
        tokens += together
    return tokens / (1 + len(rates) * draft_cost + check_cost)


def wrong_3(rates, draft_cost=0.0, check_cost=0.0):
    "the sure token is forgotten"
    # breaks: "tokens a round = 1 + r_1 + ..."; rates [0.5] gives 0.5, no rates 0.0
    tokens, together = 0.0, 1.0
    for r in rates:
        together *= r
        tokens += together
    return tokens / (1 + len(rates) * (draft_cost + check_cost))


def wrong_4(rates, draft_cost=0.0, check_cost=0.0):
    "nested from the wrong end: r_K + r_K r_K-1 + ...; differs for rates that are not equal"
    # breaks: "1 + r_1 + r_1 r_2 + ... + r_1 ... r_K"; rates [0.9, 0.1]
    tokens = 1.0
    for r in rates:
        tokens = 1.0 + r * tokens
    return tokens / (1 + len(rates) * (draft_cost + check_cost))


def wrong_5(rates, draft_cost=0.0, check_cost=0.0):
    "the closed formula with the mean of the rates (1.0 and none treated apart): right for equal rates only"
    # breaks: "1 + r_1 + r_1 r_2 + ... + r_1 ... r_K"; rates [0.9, 0.3]
    K = len(rates)
    if K == 0:
        return 1.0
    r = sum(rates) / K
    tokens = K + 1.0 if r == 1 else (1 - r ** (K + 1)) / (1 - r)
    return tokens / (1 + K * (draft_cost + check_cost))


def wrong_6(rates, draft_cost=0.0, check_cost=0.0):
    "the closed formula for equal rates and the mixed rest by a loop, but a rate of 1 divides by zero"
    # breaks: "r_k in [0, 1]"; rates [1.0, 1.0] raises ZeroDivisionError
    K = len(rates)
    if K and all(r == rates[0] for r in rates):
        tokens = (1 - rates[0] ** (K + 1)) / (1 - rates[0])
    else:
        tokens, together = 1.0, 1.0
        for r in rates:
            together *= r
            tokens += together
    return tokens / (1 + K * (draft_cost + check_cost))


def wrong_7(rates, draft_cost=0.0, check_cost=0.0):
    "never below 1, as if one could tell beforehand that guessing does not pay"
    # breaks: "How many times faster than plain greedy decoding, with K = len(rates) guesses a round" (may be below 1); rates [0.1], draft_cost 0.5
    tokens, together = 1.0, 1.0
    for r in rates:
        together *= r
        tokens += together
    return max(1.0, tokens / (1 + len(rates) * (draft_cost + check_cost)))


def wrong_8(rates, draft_cost=0.0, check_cost=0.0):
    "a guess is paid for only if those before it were right, though all K are made before the check"
    # breaks: "costs = 1 + K (draft_cost + check_cost)"; rates [0.5, 0.5], draft_cost 0.2
    tokens, made, together = 1.0, 0.0, 1.0
    for r in rates:
        made += together
        together *= r
        tokens += together
    return tokens / (1 + made * (draft_cost + check_cost))


def wrong_9(rates, draft_cost=0.0, check_cost=0.0):
    "the rates are multiplied up in the caller's list"
    # breaks: arguments left unchanged; rates [0.5, 0.5] is [0.5, 0.25] afterwards (and a tuple raises TypeError)
    for k in range(1, len(rates)):
        rates[k] *= rates[k - 1]
    return (1.0 + sum(rates)) / (1 + len(rates) * (draft_cost + check_cost))


def wrong_10(rates, draft_cost=0.0, check_cost=0.0):
    "no guesses are an error: the first rate is taken before it is asked whether there is one"
    # breaks: "No guesses: 1.0"; rates [] raises IndexError
    together = rates[0]
    tokens = 1.0 + together
    for r in rates[1:]:
        together *= r
        tokens += together
    return tokens / (1 + len(rates) * (draft_cost + check_cost))


def right_1(rates, draft_cost=0.0, check_cost=0.0):
    "nested from the end: 1 + r_1 (1 + r_2 (1 + ...))"
    tokens = 1.0
    for rate in reversed(list(rates)):
        tokens = 1.0 + rate * tokens
    return tokens / (1.0 + len(rates) * draft_cost + len(rates) * check_cost)


def right_2(rates, draft_cost=0.0, check_cost=0.0):
    "products of the first k rates by math.prod"
    import math

    K = len(rates)
    tokens = math.fsum(math.prod(rates[:k]) for k in range(K + 1))
    return tokens / (1 + K * (draft_cost + check_cost))


def right_3(rates, draft_cost=0.0, check_cost=0.0):
    "itertools.accumulate"
    from itertools import accumulate

    products = list(accumulate(rates, lambda a, b: a * b))
    return float((1 + sum(products)) / (1 + len(products) * (draft_cost + check_cost)))


def right_4(rates, draft_cost=0.0, check_cost=0.0):
    "expected number of accepted guesses, by how many are right before the first wrong one"
    K = len(rates)
    expected, reached = 0.0, 1.0
    for k, rate in enumerate(rates):
        expected += (k + 1) * reached * (1 - rate)  # guess k is the first wrong one: k accepted, and one token more
        reached *= rate
    expected += (K + 1) * reached
    return expected / (1 + K * (draft_cost + check_cost))
