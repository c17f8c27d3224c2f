"""speculative.speedup"""
import math
from itertools import accumulate
import operator



def wrong_1(rates, draft_cost=0.0, check_cost=0.0):
    "sum of the rates, not of their products"
    return (1 + sum(rates)) / (1 + len(rates) * (draft_cost + check_cost))


def wrong_2(rates, draft_cost=0.0, check_cost=0.0):
    "only the product of all rates is added"
    return (1 + math.prod(rates)) / (1 + len(rates) * (draft_cost + check_cost)) if len(rates) else 1.0


def wrong_3(rates, draft_cost=0.0, check_cost=0.0):
    "the costs are counted once, not for each guess"
    tokens, p = 1.0, 1.0
    for r in rates:
        p *= r
        tokens += p
    return tokens / (1 + draft_cost + check_cost) if len(rates) else 1.0


def wrong_4(rates, draft_cost=0.0, check_cost=0.0):
    "the closed form with the first rate: division by zero at 1, wrong for unequal rates"
    if len(set(rates)) == 1:
        r, K = rates[0], len(rates)
        return (1 - r ** (K + 1)) / (1 - r) / (1 + K * (draft_cost + check_cost))
    tokens, p = 1.0, 1.0
    for r in rates:
        p *= r
        tokens += p
    return tokens / (1 + len(rates) * (draft_cost + check_cost))


def wrong_5(rates, draft_cost=0.0, check_cost=0.0):
    "guesses behind one of rate 0 are not paid for"
    tokens, p, made = 1.0, 1.0, 0
    for r in rates:
        made += 1
        p *= r
        if p == 0:
            break
        tokens += p
    return tokens / (1 + made * (draft_cost + check_cost))


def wrong_6(rates, draft_cost=0.0, check_cost=0.0):
    "the check is paid for K + 1 tokens"
    tokens, p = 1.0, 1.0
    for r in rates:
        p *= r
        tokens += p
    return tokens / (1 + len(rates) * draft_cost + (len(rates) + 1) * check_cost)


def wrong_7(rates, draft_cost=0.0, check_cost=0.0):
    "the mean rate to the power of k (unequal rates); no guesses divide by zero"
    r = sum(rates) / len(rates)
    return sum(r ** k for k in range(len(rates) + 1)) / (1 + len(rates) * (draft_cost + check_cost))


def wrong_8(rates, draft_cost=0.0, check_cost=0.0):
    "the rates are multiplied up in place: the caller's list is changed"
    for k in range(1, len(rates)):
        rates[k] *= rates[k - 1]
    return (1 + sum(rates)) / (1 + len(rates) * (draft_cost + check_cost))


def wrong_9(rates, draft_cost=0.0, check_cost=0.0):
    "a guess is only paid for where all before it were right"
    tokens, p, cost = 1.0, 1.0, 1.0
    for r in rates:
        cost += p * (draft_cost + check_cost)
        p *= r
        tokens += p
    return tokens / cost


def wrong_10(rates, draft_cost=0.0, check_cost=0.0):
    "without guesses 0.0"
    total, p = 0.0, 1.0
    for k, r in enumerate(rates):
        total += (k + 1) * p * (1 - r)
        p *= r
    if len(rates):
        total += (len(rates) + 1) * p
    return total / (1 + len(rates) * (draft_cost + check_cost))


def right_1(rates, draft_cost=0.0, check_cost=0.0):
    "accumulate"
    tokens = 1.0 + sum(accumulate(rates, operator.mul))
    return tokens / (1 + len(rates) * draft_cost + len(rates) * check_cost)


def right_2(rates, draft_cost=0.0, check_cost=0.0):
    "products of slices"
    K = len(rates)
    return sum(math.prod(rates[:k]) for k in range(K + 1)) / (1.0 + K * (draft_cost + check_cost))


def right_3(rates, draft_cost=0.0, check_cost=0.0):
    "Horner's scheme from behind"
    tokens = 1.0
    for r in reversed(rates):
        tokens = 1.0 + r * tokens
    return tokens / (1 + len(rates) * (draft_cost + check_cost))


def right_4(rates, draft_cost=0.0, check_cost=0.0):
    "expectation over how many are accepted"
    K, p, total = len(rates), 1.0, 0.0
    for k, r in enumerate(rates):
        total += p * (1 - r) * (k + 1)
        p *= r
    total += p * (K + 1)
    return total / (1 + K * (draft_cost + check_cost))
