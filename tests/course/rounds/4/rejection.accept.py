"""rejection.accept"""

_SEEN_BY_ALL = set()


def wrong_1(results, answers, *, keep, language=1.0):
    "only the first `keep` answers are looked at: one that fails takes a place"
    seen, kept = set(), []
    for i in range(min(keep, len(answers))):
        r, key = results[i], tuple(answers[i])
        if r.accuracy == 1 and r.format == 1 and not r.truncated and r.language >= language and key not in seen:
            seen.add(key)
            kept.append(i)
    return kept


def wrong_2(results, answers, *, keep, language=1.0):
    "a copy of a kept answer takes a place"
    seen, kept, places = set(), [], 0
    for i, (r, ids) in enumerate(zip(results, answers)):
        if r.accuracy == 1 and r.format == 1 and not r.truncated and r.language >= language and places < keep:
            places += 1
            if tuple(ids) not in seen:
                seen.add(tuple(ids))
                kept.append(i)
    return kept


def wrong_3(results, answers, *, keep, language=1.0):
    "more than `language` instead of at least: with language=1.0 nothing passes"
    seen, kept = set(), []
    for i, (r, ids) in enumerate(zip(results, answers)):
        good = r.accuracy == 1 and r.format == 1 and not r.truncated and r.language > language
        if good and tuple(ids) not in seen and len(kept) < keep:
            seen.add(tuple(ids))
            kept.append(i)
    return kept


def wrong_4(results, answers, *, keep, language=1.0):
    "`truncated` is not looked at"
    seen, kept = set(), []
    for i, (r, ids) in enumerate(zip(results, answers)):
        good = r.accuracy == 1 and r.format == 1 and r.language >= language
        if good and tuple(ids) not in seen and len(kept) < keep:
            seen.add(tuple(ids))
            kept.append(i)
    return kept


def wrong_5(results, answers, *, keep, language=1.0):
    "accuracy and format are taken as true or false: a score of 0.5 passes"
    seen, kept = set(), []
    for i, (r, ids) in enumerate(zip(results, answers)):
        good = r.accuracy and r.format and not r.truncated and r.language >= language
        if good and tuple(ids) not in seen and len(kept) < keep:
            seen.add(tuple(ids))
            kept.append(i)
    return kept


def wrong_6(results, answers, *, keep, language=1.0):
    "answers are compared as joined digits: [1, 12] and [11, 2] are taken for equal"
    seen, kept = set(), []
    for i, (r, ids) in enumerate(zip(results, answers)):
        key = "".join(map(str, ids))
        good = r.accuracy == 1 and r.format == 1 and not r.truncated and r.language >= language
        if good and key not in seen and len(kept) < keep:
            seen.add(key)
            kept.append(i)
    return kept


def wrong_7(results, answers, *, keep, language=1.0):
    "answers are compared as sets of tokens: order and repeats are lost"
    seen, kept = [], []
    for i, (r, ids) in enumerate(zip(results, answers)):
        good = r.accuracy == 1 and r.format == 1 and not r.truncated and r.language >= language
        if good and set(ids) not in seen and len(kept) < keep:
            seen.append(set(ids))
            kept.append(i)
    return kept


def wrong_8(results, answers, *, keep, language=1.0):
    "compared with the last kept answer only: a copy further back is kept"
    kept = []
    for i, (r, ids) in enumerate(zip(results, answers)):
        good = r.accuracy == 1 and r.format == 1 and not r.truncated and r.language >= language
        if good and len(kept) < keep and (not kept or answers[kept[-1]] != ids):
            kept.append(i)
    return kept


def wrong_9(results, answers, *, keep, language=1.0):
    "what has been seen is remembered from call to call: another question's equal answer is thrown away"
    kept = []
    for i, (r, ids) in enumerate(zip(results, answers)):
        good = r.accuracy == 1 and r.format == 1 and not r.truncated and r.language >= language
        if good and tuple(ids) not in _SEEN_BY_ALL and len(kept) < keep:
            _SEEN_BY_ALL.add(tuple(ids))
            kept.append(i)
    return kept


def wrong_10(results, answers, *, keep, language=1.0):
    "the last of equal answers counts, not the first"
    latest = {}
    for i, (r, ids) in enumerate(zip(results, answers)):
        if r.accuracy == 1 and r.format == 1 and not r.truncated and r.language >= language:
            latest[tuple(ids)] = i
    return sorted(latest.values())[:keep]


def wrong_11(results, answers, *, keep, language=1.0):
    "the loop ends at the first fault"
    seen, kept = set(), []
    for i, (r, ids) in enumerate(zip(results, answers)):
        if r.accuracy != 1 or r.format != 1 or r.truncated or r.language < language or len(kept) == keep:
            break
        if tuple(ids) not in seen:
            seen.add(tuple(ids))
            kept.append(i)
    return kept


def wrong_12(results, answers, *, keep, language=1.0):
    "the shortest answers are preferred: not the order in which they were drawn"
    order = sorted(range(len(answers)), key=lambda i: len(answers[i]))
    seen, kept = set(), []
    for i in order:
        r = results[i]
        good = r.accuracy == 1 and r.format == 1 and not r.truncated and r.language >= language
        if good and tuple(answers[i]) not in seen and len(kept) < keep:
            seen.add(tuple(answers[i]))
            kept.append(i)
    return kept


def right_1(results, answers, *, keep, language=1.0):
    "continue for each fault, early end when enough is kept"
    kept, seen = [], []
    for i in range(len(results)):
        if len(kept) >= keep:
            break
        r = results[i]
        if r.truncated:
            continue
        if r.accuracy != 1 or r.format != 1:
            continue
        if r.language < language:
            continue
        if list(answers[i]) in seen:
            continue
        seen.append(list(answers[i]))
        kept.append(i)
    return kept


def right_2(results, answers, *, keep, language=1.0):
    "a dict keeps the first of each, in order"
    first = {}
    for i, r in enumerate(results):
        if all((r.accuracy == 1, r.format == 1, not r.truncated, r.language >= language)):
            first.setdefault(tuple(answers[i]), i)
    return list(first.values())[:keep]


def right_3(results, answers, *, keep, language=1.0):
    "first the good ones, then those without an equal before them"
    good = [
        i
        for i, r in enumerate(results)
        if r.accuracy == 1 and r.format == 1 and r.language >= language and not r.truncated
    ]
    new = [i for n, i in enumerate(good) if all(answers[j] != answers[i] for j in good[:n])]
    return new[:keep]


def right_4(results, answers, *, keep, language=1.0):
    "from the back with a dict that is overwritten, then sorted"
    first = {}
    for i in reversed(range(len(answers))):
        r = results[i]
        if r.accuracy == 1.0 and r.format == 1.0 and not r.truncated and r.language >= language:
            first[tuple(answers[i])] = i
    return sorted(first.values())[:keep]
