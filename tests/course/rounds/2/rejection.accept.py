"""rejection.accept"""


def _good(r, language):
    return r.accuracy == 1 and r.format == 1 and not r.truncated and r.language >= language


def wrong_1(results, answers, *, keep, language=1.0):
    "`keep` cuts before equal answers are taken out: fewer than keep"
    good = [i for i, r in enumerate(results) if _good(r, language)][:keep]
    seen, out = set(), []
    for i in good:
        if tuple(answers[i]) not in seen:
            seen.add(tuple(answers[i]))
            out.append(i)
    return out


def wrong_2(results, answers, *, keep, language=1.0):
    "an answer that was refused hides an equal one that is good"
    seen, out = set(), []
    for i, (r, ids) in enumerate(zip(results, answers)):
        new = tuple(ids) not in seen
        seen.add(tuple(ids))
        if new and _good(r, language) and len(out) < keep:
            out.append(i)
    return out


def wrong_3(results, answers, *, keep, language=1.0):
    "more than `language`, not at least: with 1.0 nothing is kept"
    seen, out = set(), []
    for i, (r, ids) in enumerate(zip(results, answers)):
        good = r.accuracy == 1 and r.format == 1 and not r.truncated and r.language > language
        if good and tuple(ids) not in seen and len(out) < keep:
            seen.add(tuple(ids))
            out.append(i)
    return out


def wrong_4(results, answers, *, keep, language=1.0):
    "the form is not looked at"
    seen, out = set(), []
    for i, (r, ids) in enumerate(zip(results, answers)):
        if r.accuracy == 1 and not r.truncated and r.language >= language and tuple(ids) not in seen and len(out) < keep:
            seen.add(tuple(ids))
            out.append(i)
    return out


def wrong_5(results, answers, *, keep, language=1.0):
    "cut-off answers pass"
    seen, out = set(), []
    for i, (r, ids) in enumerate(zip(results, answers)):
        if r.accuracy == 1 and r.format == 1 and r.language >= language and tuple(ids) not in seen and len(out) < keep:
            seen.add(tuple(ids))
            out.append(i)
    return out


def wrong_6(results, answers, *, keep, language=1.0):
    "the last of equal answers is kept (a dict overwrites)"
    last = {}
    for i, (r, ids) in enumerate(zip(results, answers)):
        if _good(r, language):
            last[tuple(ids)] = i
    return sorted(last.values())[:keep]


def wrong_7(results, answers, *, keep, language=1.0):
    "answers with the same ids in another order are taken for equal"
    seen, out = set(), []
    for i, (r, ids) in enumerate(zip(results, answers)):
        key = tuple(sorted(ids))
        if _good(r, language) and key not in seen and len(out) < keep:
            seen.add(key)
            out.append(i)
    return out


def wrong_8(results, answers, *, keep, language=1.0):
    "the shortest answers first, not in the order in which they were drawn"
    seen, out = set(), []
    for i in sorted(range(len(answers)), key=lambda i: len(answers[i])):
        if _good(results[i], language) and tuple(answers[i]) not in seen and len(out) < keep:
            seen.add(tuple(answers[i]))
            out.append(i)
    return out


def wrong_9(results, answers, *, keep, language=1.0):
    "a part of a point passes: accuracy and format need only be truthy"
    seen, out = set(), []
    for i, (r, ids) in enumerate(zip(results, answers)):
        if r.accuracy and r.format and not r.truncated and r.language >= language and tuple(ids) not in seen and len(out) < keep:
            seen.add(tuple(ids))
            out.append(i)
    return out


def wrong_10(results, answers, *, keep, language=1.0):
    "stops after `keep` good answers were met, equal ones counted"
    seen, out, met = set(), [], 0
    for i, (r, ids) in enumerate(zip(results, answers)):
        if met == keep:
            break
        if _good(r, language):
            met += 1
            if tuple(ids) not in seen:
                seen.add(tuple(ids))
                out.append(i)
    return out


def right_1(results, answers, *, keep, language=1.0):
    "dict.setdefault keeps the first, the values are in order"
    first = {}
    for i, (r, ids) in enumerate(zip(results, answers)):
        if _good(r, language):
            first.setdefault(tuple(ids), i)
    return list(first.values())[:keep]


def right_2(results, answers, *, keep, language=1.0):
    "lists compared with the ones kept, early end"
    kept = []
    for i in range(len(results)):
        if len(kept) == keep:
            break
        r = results[i]
        if r.truncated or r.accuracy != 1 or r.format != 1 or r.language < language:
            continue
        if any(list(answers[i]) == list(answers[k]) for k in kept):
            continue
        kept.append(i)
    return kept


def right_3(results, answers, *, keep, language=1.0):
    "comprehensions"
    good = [i for i, r in enumerate(results) if _good(r, language)]
    return [i for n, i in enumerate(good) if not any(answers[j] == answers[i] for j in good[:n])][:keep]


def right_4(results, answers, *, keep, language=1.0):
    "a generator, cut by islice"
    from itertools import islice
    def new():
        seen = set()
        for i, (r, ids) in enumerate(zip(results, answers)):
            key = ",".join(map(str, ids))
            if all((r.accuracy == 1, r.format == 1, not r.truncated, r.language >= language)) and key not in seen:
                seen.add(key)
                yield i
    return list(islice(new(), keep))
