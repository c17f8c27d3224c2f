"""rejection.accept"""
from itertools import islice


def _good(r, language):
    return r.accuracy == 1 and r.format == 1 and not r.truncated and r.language >= language


def _take(results, answers, keep, good, key=tuple):
    seen, kept = set(), []
    for i, (r, ids) in enumerate(zip(results, answers)):
        if good(r) and key(ids) not in seen and len(kept) < keep:
            seen.add(key(ids))
            kept.append(i)
    return kept


def wrong_1(results, answers, *, keep, language=1.0):
    "more than `language` in place of at least"
    # breaks: "at least `language` of its words in the right script"; language 1.0 with the default keeps nothing
    return _take(results, answers, keep, lambda r: _good(r, language) and r.language > language)


def wrong_2(results, answers, *, keep, language=1.0):
    "looks at the first `keep` answers only: bad ones take places"
    # breaks: "Which answers to one question become documents", "at most so many"; a wrong one, a right one, keep = 1
    return _take(results[:keep], answers[:keep], keep, lambda r: _good(r, language))


def wrong_3(results, answers, *, keep, language=1.0):
    "compares with the answer kept last only"
    # breaks: "of equal answers only the first counts"; answers A, B, A with keep = 3 give [0, 1, 2]
    kept = []
    for i, r in enumerate(results):
        if _good(r, language) and (not kept or answers[kept[-1]] != answers[i]) and len(kept) < keep:
            kept.append(i)
    return kept


def wrong_4(results, answers, *, keep, language=1.0):
    "frozenset of the ids: the same tokens in another order count as equal"
    # breaks: "of equal answers only the first counts" (these are not equal); [1, 2] and [2, 1], or [1] and [1, 1]
    return _take(results, answers, keep, lambda r: _good(r, language), key=frozenset)


def wrong_5(results, answers, *, keep, language=1.0):
    "a part of the format is enough: truth values"
    # breaks: "the fields accuracy and format, which must be 1"; format 0.5 or accuracy 0.5
    return _take(
        results, answers, keep, lambda r: r.accuracy and r.format and not r.truncated and r.language >= language
    )


def wrong_6(results, answers, *, keep, language=1.0):
    "answers that were cut off are kept"
    # breaks: "not cut off"; a result with accuracy 1, format 1, language 1, truncated True
    return _take(
        results, answers, keep, lambda r: r.accuracy == 1 and r.format == 1 and r.language >= language
    )


def wrong_7(results, answers, *, keep, language=1.0):
    "`language` is not used: every word has to be in the script"
    # breaks: "at least `language` of its words in the right script"; language 0.6 with language=0.5
    return _take(results, answers, keep, lambda r: _good(r, 1.0))


def wrong_8(results, answers, *, keep, language=1.0):
    "stops when there is one too many"
    # breaks: "at most so many"; three good answers with keep = 2 give [0, 1, 2]
    seen, kept = set(), []
    for i, (r, ids) in enumerate(zip(results, answers)):
        if len(kept) > keep:
            break
        if _good(r, language) and tuple(ids) not in seen:
            seen.add(tuple(ids))
            kept.append(i)
    return kept


def wrong_9(results, answers, *, keep, language=1.0):
    "cut to `keep` before copies are taken out, so copies take places"
    # breaks: "of equal answers only the first counts"; answers A, A, B with keep = 2 give [0] in place of [0, 2]
    good = [i for i, r in enumerate(results) if _good(r, language)][:keep]
    first = {}
    for i in good:
        first.setdefault(tuple(answers[i]), i)
    return list(first.values())


def wrong_10(results, answers, *, keep, language=1.0):
    "the shortest answers first"
    # breaks: "their indices, in the order in which they were drawn"; good answers of 5 and 2 tokens give [1, 0]
    seen, kept = set(), []
    for i in sorted(range(len(results)), key=lambda i: len(answers[i])):
        if _good(results[i], language) and tuple(answers[i]) not in seen and len(kept) < keep:
            seen.add(tuple(answers[i]))
            kept.append(i)
    return kept


def right_1(results, answers, *, keep, language=1.0):
    "a dict from the ids to the first index"
    first = {}
    for i, (r, ids) in enumerate(zip(results, answers)):
        if _good(r, language):
            first.setdefault(tuple(ids), i)
    return list(first.values())[:keep]


def right_2(results, answers, *, keep, language=1.0):
    "a comprehension, then a look at what stands before"
    good = [i for i, r in enumerate(results) if _good(r, language)]
    new = [i for k, i in enumerate(good) if not any(answers[i] == answers[j] for j in good[:k])]
    return new[:keep]


def right_3(results, answers, *, keep, language=1.0):
    "early continue and break, one fault after the other"
    kept, texts = [], []
    for i in range(len(results)):
        if len(kept) >= keep:
            break
        r, ids = results[i], list(answers[i])
        if r.truncated or r.accuracy != 1 or r.format != 1:
            continue
        if r.language < language:
            continue
        if ids in texts:
            continue
        texts.append(ids)
        kept.append(i)
    return kept


def right_4(results, answers, *, keep, language=1.0):
    "a generator of new good ones, and islice"
    def new():
        seen = set()
        for i, (r, ids) in enumerate(zip(results, map(tuple, answers))):
            if _good(r, language) and ids not in seen:
                seen.add(ids)
                yield i

    return [*islice(new(), keep)]
