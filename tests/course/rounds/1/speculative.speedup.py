"""speculative.speedup"""
import itertools
import math

def wrong_1(rates, draft_cost=0.0, check_cost=0.0):
    "adds the rates, does not multiply them up"
    return (1 + sum(rates)) / (1 + len(rates) * (draft_cost + check_cost))

def wrong_2(rates, draft_cost=0.0, check_cost=0.0):
    "closed form of the geometric series with the first rate: only for equal rates below 1, not for none"
    K = len(rates)
    if K == 0:
        return 1.0
    r = rates[0]
    tokens = K + 1 if r == 1 else (1 - r ** (K + 1)) / (1 - r)
    return tokens / (1 + K * (draft_cost + check_cost))

def wrong_3(rates, draft_cost=0.0, check_cost=0.0):
    "closed form with the mean rate: right where rates are equal"
    K = len(rates)
    r = sum(rates) / K if K else 0.0
    tokens = sum(r**k for k in range(K + 1))
    return tokens / (1 + K * (draft_cost + check_cost))

def wrong_4(rates, draft_cost=0.0, check_cost=0.0):
    "checking is paid once a round, not once a guess"
    tokens, chain = 1.0, 1.0
    for r in rates:
        chain *= r
        tokens += chain
    return tokens / (1 + len(rates) * draft_cost + (check_cost if rates else 0))

def wrong_5(rates, draft_cost=0.0, check_cost=0.0):
    "a round is never taken to be slower than plain decoding: max(1, ...)"
    tokens, chain = 1.0, 1.0
    for r in rates:
        chain *= r
        tokens += chain
    return max(1.0, tokens / (1 + len(rates) * (draft_cost + check_cost)))

def wrong_6(rates, draft_cost=0.0, check_cost=0.0):
    "the one sure token is forgotten"
    tokens, chain = 0.0, 1.0
    for r in rates:
        chain *= r
        tokens += chain
    return tokens / (1 + len(rates) * (draft_cost + check_cost)) if rates else 1.0

def wrong_7(rates, draft_cost=0.0, check_cost=0.0):
    "drafting stops at the first wrong guess, so only the expected number of guesses is paid"
    tokens, chain, paid = 1.0, 1.0, 0.0
    for r in rates:
        paid += chain
        chain *= r
        tokens += chain
    return tokens / (1 + paid * (draft_cost + check_cost))

def wrong_8(rates, draft_cost=0.0, check_cost=0.0):
    "takes the rates out of the caller's list"
    K, tokens = len(rates), 1.0
    while rates:
        tokens = 1 + rates.pop() * tokens
    return tokens / (1 + K * (draft_cost + check_cost))

def wrong_9(rates, draft_cost=0.0, check_cost=0.0):
    "the checking forward has K + 1 tokens, so check_cost is paid K + 1 times"
    tokens, chain = 1.0, 1.0
    for r in rates:
        chain *= r
        tokens += chain
    K = len(rates)
    return tokens / (1 + K * draft_cost + (K + 1) * check_cost)

def wrong_10(rates, draft_cost=0.0, check_cost=0.0):
    "Horner from the wrong end: 1 + r_K (1 + r_(K-1) (...)): right where rates read the same backwards"
    tokens = 1.0
    for r in rates:
        tokens = 1 + r * tokens
    return tokens / (1 + len(rates) * (draft_cost + check_cost))

def right_1(rates, draft_cost=0.0, check_cost=0.0):
    "Horner from the last guess on"
    tokens = 1.0
    for r in reversed(rates):
        tokens = 1.0 + r * tokens
    return tokens / (1.0 + (draft_cost + check_cost) * len(rates))

def right_2(rates, draft_cost=0.0, check_cost=0.0):
    "itertools.accumulate"
    chains = itertools.accumulate(rates, lambda a, b: a * b)
    return sum(chains, 1.0) / (1 + len(rates) * draft_cost + len(rates) * check_cost)

def right_3(rates, draft_cost=0.0, check_cost=0.0):
    "math.prod over prefixes, the empty one included"
    K = len(rates)
    return sum(math.prod(rates[:k], start=1.0) for k in range(K + 1)) / (1 + K * (draft_cost + check_cost))

def right_4(rates, draft_cost=0.0, check_cost=0.0):
    "the expectation over how many guesses are accepted"
    K, reach, tokens = len(rates), 1.0, 0.0
    for k in range(K):
        tokens += (k + 1) * reach * (1 - rates[k])
        reach *= rates[k]
    tokens += (K + 1) * reach
    return tokens / (1 + K * (draft_cost + check_cost))
