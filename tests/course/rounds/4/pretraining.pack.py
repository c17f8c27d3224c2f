"""pretraining.pack"""
from bisect import bisect_left, bisect_right, insort


def wrong_1(parts, length):
    "parts in the order given, not longest first: other rows wherever a short part comes before a long one"
    rows, free = [], []
    for part in parts:
        need = len(part[0])
        fits = [i for i in range(len(rows)) if free[i] >= need]
        if fits:
            i = min(fits, key=lambda r: free[r])
        else:
            rows.append([])
            free.append(length)
            i = len(rows) - 1
        rows[i].append(part)
        free[i] -= need
    return rows


def wrong_2(parts, length):
    "key=len sorts by the length of the pair (always 2), so nothing is sorted"
    rows, free = [], []
    for part in sorted(parts, key=len, reverse=True):
        need = len(part[0])
        fits = [i for i in range(len(rows)) if free[i] >= need]
        if fits:
            i = min(fits, key=free.__getitem__)
        else:
            rows.append([])
            free.append(length)
            i = len(rows) - 1
        rows[i].append(part)
        free[i] -= need
    return rows


def wrong_3(parts, length):
    "first fit: the first row with room, not the one with the least room left"
    rows, free = [], []
    for part in sorted(parts, key=lambda p: -len(p[0])):
        need = len(part[0])
        for i in range(len(rows)):
            if free[i] >= need:
                break
        else:
            i = len(rows)
            rows.append([])
            free.append(length)
        rows[i].append(part)
        free[i] -= need
    return rows


def wrong_4(parts, length):
    "bisect_right passes over row 0 where its room is exactly what is needed"
    rows, room = [], []
    for part in sorted(parts, key=lambda p: len(p[0]), reverse=True):
        need = len(part[0])
        k = bisect_right(room, (need, 0))
        if k < len(room):
            free, row = room.pop(k)
        else:
            free, row = length, len(rows)
            rows.append([])
        rows[row].append(part)
        if free > need:
            insort(room, (free - need, row))
    return rows


def wrong_5(parts, length):
    "one row is remembered for each number of free places; a second one with as many is forgotten, and never filled"
    rows, by_room = [], {}
    for part in sorted(parts, key=lambda p: len(p[0]), reverse=True):
        need = len(part[0])
        fits = [f for f in by_room if f >= need]
        if fits:
            free = min(fits)
            row = by_room.pop(free)
        else:
            free, row = length, len(rows)
            rows.append([])
        rows[row].append(part)
        if free - need:
            by_room[free - need] = row
    return rows


def wrong_6(parts, length):
    "sorts the caller's list in place (and fails for a tuple)"
    parts.sort(key=lambda p: len(p[0]), reverse=True)
    rows, room = [], []
    for part in parts:
        need = len(part[0])
        k = bisect_left(room, (need, 0))
        if k < len(room):
            free, row = room.pop(k)
        else:
            free, row = length, len(rows)
            rows.append([])
        rows[row].append(part)
        if free > need:
            insort(room, (free - need, row))
    return rows


def wrong_7(parts, length):
    "each row is one joined (ids, weights), not a list of its parts"
    rows = []
    for ids, weights in sorted(parts, key=lambda p: len(p[0]), reverse=True):
        fits = [row for row in rows if length - len(row[0]) >= len(ids)]
        if fits:
            row = min(fits, key=lambda r: length - len(r[0]))
        else:
            row = ([], [])
            rows.append(row)
        row[0].extend(ids)
        row[1].extend(weights)
    return rows


def wrong_8(parts, length):
    "a row with one free place counts as full: parts of one id get new rows"
    rows, room = [], []
    for part in sorted(parts, key=lambda p: len(p[0]), reverse=True):
        need = len(part[0])
        k = bisect_left(room, (need, 0))
        if k < len(room):
            free, row = room.pop(k)
        else:
            free, row = length, len(rows)
            rows.append([])
        rows[row].append(part)
        if free - need > 1:
            insort(room, (free - need, row))
    return rows


def wrong_9(parts, length):
    "worst fit: the row with the most room"
    rows, free = [], []
    for part in sorted(parts, key=lambda p: len(p[0]), reverse=True):
        need = len(part[0])
        if free and max(free) >= need:
            i = free.index(max(free))
        else:
            i = len(rows)
            rows.append([])
            free.append(length)
        rows[i].append(part)
        free[i] -= need
    return rows


def wrong_10(parts, length):
    "`>` for `>=`: a part that would fill a row exactly opens a new one"
    rows, free = [], []
    for part in sorted(parts, key=lambda p: len(p[0]), reverse=True):
        need = len(part[0])
        best = None
        for i, f in enumerate(free):
            if f > need and (best is None or f < free[best]):
                best = i
        if best is None:
            best = len(rows)
            rows.append([])
            free.append(length)
        rows[best].append(part)
        free[best] -= need
    return rows


def right_1(parts, length):
    "looks through all rows, as hint 1 says"
    rows, free = [], []
    for part in sorted(parts, key=lambda p: -len(p[0])):
        need = len(part[0])
        fits = [i for i in range(len(rows)) if free[i] >= need]
        if fits:
            i = min(fits, key=lambda r: free[r])
        else:
            i = len(rows)
            rows.append([])
            free.append(length)
        rows[i].append(part)
        free[i] -= need
    return rows


def right_2(parts, length):
    "a list of rows for each number of free places; of equal rows the latest, of equal parts the last"
    rows = []
    with_room = [[] for _ in range(length + 1)]
    for part in sorted(parts, key=lambda p: len(p[0]))[::-1]:
        need = len(part[0])
        free = next((f for f in range(need, length) if with_room[f]), None)
        if free is None:
            row, free = [], length
            rows.append(row)
        else:
            row = with_room[free].pop()
        row.append(part)
        with_room[free - need].append(row)
    return rows


def right_3(parts, length):
    "indices sorted, rows kept as lists of indices, free places summed anew"
    order = sorted(range(len(parts)), key=lambda i: len(parts[i][0]), reverse=True)
    rows = []
    left = []
    for i in order:
        need = len(parts[i][0])
        candidates = [(room - need, r) for r, room in enumerate(left) if room - need >= 0]
        if not candidates:
            rows.append([i])
            left.append(length - need)
            continue
        rest, r = min(candidates)
        rows[r].append(i)
        left[r] = rest
    return [[parts[i] for i in row] for row in rows]


def right_4(parts, length):
    "rows that are full are put aside, and stand first in the result"
    full, open_rows = [], []
    for part in sorted(parts, key=lambda p: len(p[0]), reverse=True):
        need = len(part[0])
        fits = [entry for entry in open_rows if entry[0] >= need]
        if fits:
            entry = min(fits, key=lambda e: e[0])
        else:
            entry = [length, []]
            open_rows.append(entry)
        entry[0] -= need
        entry[1].append(part)
        if entry[0] == 0:
            open_rows = [e for e in open_rows if e is not entry]
            full.append(entry[1])
    return full + [row for _, row in open_rows]
