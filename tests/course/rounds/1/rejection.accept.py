"""rejection.accept"""

def wrong_1(results, answers, *, keep, language=1.0):
    "the first `keep` answers are looked at, bad ones take a place"
    seen, kept = set(), []
    for i in range(min(keep, len(answers))):
        r, ids = results[i], tuple(answers[i])
        if r.accuracy == 1 and r.format == 1 and not r.truncated and r.language >= language and ids not in seen:
            seen.add(ids)
            kept.append(i)
    return kept

def wrong_2(results, answers, *, keep, language=1.0):
    "equal answers are all kept"
    kept = [i for i, r in enumerate(results) if r.accuracy == 1 and r.format == 1 and not r.truncated and r.language >= language]
    return kept[:keep]

def wrong_3(results, answers, *, keep, language=1.0):
    "strictly more than `language`: with 1.0 nothing is kept"
    seen, kept = set(), []
    for i, (r, ids) in enumerate(zip(results, answers)):
        if r.accuracy == 1 and r.format == 1 and not r.truncated and r.language > language and tuple(ids) not in seen and len(kept) < keep:
            seen.add(tuple(ids))
            kept.append(i)
    return kept

def wrong_4(results, answers, *, keep, language=1.0):
    "an answer counts as seen even if it was not good: its later equal, graded good, is passed over"
    seen, kept = set(), []
    for i, (r, ids) in enumerate(zip(results, answers)):
        if tuple(ids) in seen:
            continue
        seen.add(tuple(ids))
        if r.accuracy == 1 and r.format == 1 and not r.truncated and r.language >= language and len(kept) < keep:
            kept.append(i)
    return kept

def wrong_5(results, answers, *, keep, language=1.0):
    "truncated answers pass"
    seen, kept = set(), []
    for i, (r, ids) in enumerate(zip(results, answers)):
        if r.accuracy == 1 and r.format == 1 and r.language >= language and tuple(ids) not in seen and len(kept) < keep:
            seen.add(tuple(ids))
            kept.append(i)
    return kept

def wrong_6(results, answers, *, keep, language=1.0):
    "format is not asked for"
    seen, kept = set(), []
    for i, (r, ids) in enumerate(zip(results, answers)):
        if r.accuracy == 1 and not r.truncated and r.language >= language and tuple(ids) not in seen and len(kept) < keep:
            seen.add(tuple(ids))
            kept.append(i)
    return kept

def wrong_7(results, answers, *, keep, language=1.0):
    "sorted by length, the shortest first: not the order in which they were drawn"
    seen, kept = set(), []
    for i in sorted(range(len(answers)), key=lambda i: len(answers[i])):
        r, ids = results[i], tuple(answers[i])
        if r.accuracy == 1 and r.format == 1 and not r.truncated and r.language >= language and ids not in seen and len(kept) < keep:
            seen.add(ids)
            kept.append(i)
    return kept

def wrong_8(results, answers, *, keep, language=1.0):
    "truth of accuracy: 0.5 passes as right"
    seen, kept = set(), []
    for i, (r, ids) in enumerate(zip(results, answers)):
        if r.accuracy and r.format and not r.truncated and r.language >= language and tuple(ids) not in seen and len(kept) < keep:
            seen.add(tuple(ids))
            kept.append(i)
    return kept

def wrong_9(results, answers, *, keep, language=1.0):
    "only neighbours are compared: an equal answer further back is kept again"
    kept = []
    for i, (r, ids) in enumerate(zip(results, answers)):
        if r.accuracy == 1 and r.format == 1 and not r.truncated and r.language >= language and len(kept) < keep:
            if not kept or list(answers[kept[-1]]) != list(ids):
                kept.append(i)
    return kept

def wrong_10(results, answers, *, keep, language=1.0):
    "keep is checked after the append (> keep): one too many"
    seen, kept = set(), []
    for i, (r, ids) in enumerate(zip(results, answers)):
        if len(kept) > keep:
            break
        if r.accuracy == 1 and r.format == 1 and not r.truncated and r.language >= language and tuple(ids) not in seen:
            seen.add(tuple(ids))
            kept.append(i)
    return kept

def right_1(results, answers, *, keep, language=1.0):
    "a dictionary from answer to its first good index"
    first = {}
    for i, (r, ids) in enumerate(zip(results, answers)):
        if r.accuracy != 1 or r.format != 1 or r.truncated or r.language < language:
            continue
        first.setdefault(tuple(ids), i)
    return list(first.values())[:keep]

def right_2(results, answers, *, keep, language=1.0):
    "good ones first, then those without an equal before them"
    good = [i for i, r in enumerate(results) if (r.accuracy, r.format, bool(r.truncated)) == (1, 1, False) and r.language >= language]
    new = [i for n, i in enumerate(good) if all(list(answers[j]) != list(answers[i]) for j in good[:n])]
    return new[:keep]

def right_3(results, answers, *, keep, language=1.0):
    "stops as soon as enough are kept"
    kept = []
    for i in range(len(results)):
        if len(kept) >= keep:
            break
        r = results[i]
        if not (r.accuracy == 1.0 and r.format == 1.0) or r.truncated or not r.language >= language:
            continue
        if list(answers[i]) in [list(answers[k]) for k in kept]:
            continue
        kept.append(i)
    return kept

def right_4(results, answers, *, keep, language=1.0):
    "backwards, so that the first of equals overwrites the later ones; then sorted"
    where = {}
    for i in reversed(range(len(answers))):
        r = results[i]
        if all((r.accuracy == 1, r.format == 1, not r.truncated, r.language >= language)):
            where[tuple(answers[i])] = i
    return sorted(where.values())[:keep]
