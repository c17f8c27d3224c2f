"""speculative.speedup"""
import itertools
import math
import operator


def wrong_1(rates, draft_cost=0.0, check_cost=0.0):
    "adds the rates as if guesses were right independently of those before"
    return (1 + sum(rates)) / (1 + len(rates) * (draft_cost + check_cost))


def wrong_2(rates, draft_cost=0.0, check_cost=0.0):
    "check_cost is paid once a round, not once a guess: shows for K >= 2 (and K = 0)"
    tokens, p = 1.0, 1.0
    for r in rates:
        p *= r
        tokens += p
    return tokens / (1 + len(rates) * draft_cost + check_cost)


def wrong_3(rates, draft_cost=0.0, check_cost=0.0):
    "the closed form of the theorem with the mean rate: unequal rates differ"
    if not rates:
        return 1.0
    r, K = sum(rates) / len(rates), len(rates)
    tokens = K + 1 if r == 1 else (1 - r ** (K + 1)) / (1 - r)
    return tokens / (1 + K * (draft_cost + check_cost))


def wrong_4(rates, draft_cost=0.0, check_cost=0.0):
    "closed form with r_1, division by zero at rate 1"
    if len(set(rates)) == 1:
        r, K = rates[0], len(rates)
        return (1 - r ** (K + 1)) / ((1 - r) * (1 + K * (draft_cost + check_cost)))
    tokens, p = 1.0, 1.0
    for r in rates:
        p *= r
        tokens += p
    return tokens / (1 + len(rates) * (draft_cost + check_cost))


def wrong_5(rates, draft_cost=0.0, check_cost=0.0):
    "adds before it multiplies: 1 + 1 + r_1 + ..."
    tokens, p = 1.0, 1.0
    for r in rates:
        tokens += p
        p *= r
    return tokens / (1 + len(rates) * (draft_cost + check_cost))


def wrong_6(rates, draft_cost=0.0, check_cost=0.0):
    "guesses behind a wrong one are not charged: costs 1 + sum of r_1 ... r_k-1"
    tokens, p, cost = 1.0, 1.0, 1.0
    for r in rates:
        cost += p * (draft_cost + check_cost)
        p *= r
        tokens += p
    return tokens / cost


def wrong_7(rates, draft_cost=0.0, check_cost=0.0):
    "all or nothing: 1 + K r_1 ... r_K"
    return (1 + len(rates) * math.prod(rates)) / (1 + len(rates) * (draft_cost + check_cost))


def wrong_8(rates, draft_cost=0.0, check_cost=0.0):
    "breaks at a rate of 0 and charges only the guesses up to there"
    tokens, p, cost = 1.0, 1.0, 1.0
    for r in rates:
        cost += draft_cost + check_cost
        p *= r
        tokens += p
        if r == 0:
            break
    return tokens / cost


def wrong_9(rates, draft_cost=0.0, check_cost=0.0):
    "K + 1 tokens are checked, so K + 1 check costs"
    tokens, p = 1.0, 1.0
    for r in rates:
        p *= r
        tokens += p
    return tokens / (1 + len(rates) * draft_cost + (len(rates) + 1) * check_cost)


def wrong_10(rates, draft_cost=0.0, check_cost=0.0):
    "Horner from the back, but with pop: the caller's list of rates is empty afterwards"
    K, tokens = len(rates), 1.0
    while rates:
        tokens = 1 + rates.pop() * tokens
    return tokens / (1 + K * (draft_cost + check_cost))


def right_1(rates, draft_cost=0.0, check_cost=0.0):
    "Horner from the back"
    tokens = 1.0
    for r in reversed(rates):
        tokens = 1.0 + r * tokens
    return tokens / (1.0 + len(rates) * draft_cost + len(rates) * check_cost)


def right_2(rates, draft_cost=0.0, check_cost=0.0):
    "products of all prefixes"
    K = len(rates)
    return sum(math.prod(rates[:k]) for k in range(K + 1)) / (1 + K * (draft_cost + check_cost))


def right_3(rates, draft_cost=0.0, check_cost=0.0):
    "accumulate"
    known = list(itertools.accumulate(rates, operator.mul, initial=1.0))
    return math.fsum(known) / (1 + (len(known) - 1) * (draft_cost + check_cost))


def right_4(rates, draft_cost=0.0, check_cost=0.0):
    "expectation over the number of accepted guesses"
    K, expected, reached = len(rates), 0.0, 1.0
    for n in range(K):
        expected += (n + 1) * reached * (1 - rates[n])
        reached *= rates[n]
    expected += (K + 1) * reached
    return expected / (1 + K * (draft_cost + check_cost))
