"""pretraining.pack"""
from bisect import bisect_left, bisect_right, insort


def _free(row, length):
    return length - sum(len(ids) for ids, _ in row)


def wrong_1(parts, length):
    "first fit decreasing: the first row with room, not the tightest; differs when a later row is tighter"
    rows, free = [], []
    for part in sorted(parts, key=lambda p: len(p[0]), reverse=True):
        need = len(part[0])
        for i, f in enumerate(free):
            if f >= need:
                rows[i].append(part)
                free[i] -= need
                break
        else:
            rows.append([part])
            free.append(length - need)
    return rows


def wrong_2(parts, length):
    "best fit in the order given, without sorting: short parts before long ones take the room"
    rows = []
    for part in parts:
        need = len(part[0])
        fits = [r for r in rows if _free(r, length) >= need]
        if fits:
            min(fits, key=lambda r: _free(r, length)).append(part)
        else:
            rows.append([part])
    return rows


def wrong_3(parts, length):
    "sorts the caller's list in place"
    parts.sort(key=lambda p: len(p[0]), reverse=True)
    rows, room = [], []
    for part in parts:
        need = len(part[0])
        k = bisect_left(room, (need, 0))
        free, row = room.pop(k) if k < len(room) else (length, len(rows))
        if row == len(rows):
            rows.append([])
        rows[row].append(part)
        insort(room, (free - need, row))
    return rows


def wrong_4(parts, length):
    "a part that fills a row exactly is not put there (> instead of >=)"
    rows = []
    for part in sorted(parts, key=lambda p: -len(p[0])):
        need = len(part[0])
        fits = [r for r in rows if _free(r, length) > need]
        if fits:
            min(fits, key=lambda r: _free(r, length)).append(part)
        else:
            rows.append([part])
    return rows


def wrong_5(parts, length):
    "worst fit: the emptiest row that has room"
    rows = []
    for part in sorted(parts, key=lambda p: -len(p[0])):
        need = len(part[0])
        fits = [r for r in rows if _free(r, length) >= need]
        if fits:
            max(fits, key=lambda r: _free(r, length)).append(part)
        else:
            rows.append([part])
    return rows


def wrong_6(parts, length):
    "the table of rows is a dict by free places: a second row with as much room hides the first, which is never filled"
    rows, room = [], {}
    for part in sorted(parts, key=lambda p: len(p[0]), reverse=True):
        need = len(part[0])
        fits = [f for f in room if f >= need]
        if fits:
            free = min(fits)
            row = room.pop(free)
        else:
            free, row = length, len(rows)
            rows.append([])
        rows[row].append(part)
        room[free - need] = row
    return rows


def wrong_7(parts, length):
    "the room of a row is not put back when the row was an old one, so that no row gets a third part"
    rows, room = [], []
    for part in sorted(parts, key=lambda p: len(p[0]), reverse=True):
        need = len(part[0])
        k = bisect_left(room, (need, 0))
        if k < len(room):
            _, row = room.pop(k)
            rows[row].append(part)
        else:
            insort(room, (length - need, len(rows)))
            rows.append([part])
    return rows


def wrong_8(parts, length):
    "sorts by the tuples themselves (ids, weights), not by length: order of ids decides, differs when a short part has large ids"
    rows = []
    for part in sorted(parts, reverse=True):
        need = len(part[0])
        fits = [r for r in rows if _free(r, length) >= need]
        if fits:
            min(fits, key=lambda r: _free(r, length)).append(part)
        else:
            rows.append([part])
    return rows


def wrong_9(parts, length):
    "starts with one empty row, which stays if there are no parts"
    rows = [[]]
    for part in sorted(parts, key=lambda p: len(p[0]), reverse=True):
        need = len(part[0])
        fits = [r for r in rows if _free(r, length) >= need]
        if fits:
            min(fits, key=lambda r: _free(r, length)).append(part)
        else:
            rows.append([part])
    return rows


def wrong_10(parts, length):
    "equal parts (a document that occurs twice) are packed only once"
    rows, done = [], []
    for part in sorted(parts, key=lambda p: len(p[0]), reverse=True):
        if part in done:
            continue
        done.append(part)
        need = len(part[0])
        fits = [r for r in rows if _free(r, length) >= need]
        if fits:
            min(fits, key=lambda r: _free(r, length)).append(part)
        else:
            rows.append([part])
    return rows


def right_1(parts, length):
    "buckets of rows by free places, and a sorted list of the places that occur"
    rows, buckets, keys = [], {}, []
    for part in sorted(parts, key=lambda p: -len(p[0])):
        need = len(part[0])
        k = bisect_left(keys, need)
        if k == len(keys):
            free, row = length, []
            rows.append(row)
        else:
            free = keys[k]
            row = buckets[free].pop()
            if not buckets[free]:
                del buckets[free], keys[k]
        row.append(part)
        left = free - need
        if left:
            if left not in buckets:
                buckets[left] = []
                insort(keys, left)
            buckets[left].append(row)
    return rows


def right_2(parts, length):
    "a bit mask of the free places that occur; the lowest bit from `need` on is the tightest"
    rows, at, mask = [], [[] for _ in range(length + 1)], 0
    for n in sorted(range(len(parts)), key=lambda i: len(parts[i][0]), reverse=True):
        need = len(parts[n][0])
        high = mask >> need
        if high:
            free = need + (high & -high).bit_length() - 1
            row = at[free].pop()
            if not at[free]:
                mask &= ~(1 << free)
        else:
            free, row = length, len(rows)
            rows.append([])
        rows[row].append(parts[n])
        at[free - need].append(row)
        mask |= 1 << (free - need)
    return rows


def right_3(parts, length):
    "sorted ascending and popped from the end; of equally tight rows the youngest, full rows stay in the list"
    todo, rows, room = sorted(parts, key=lambda p: len(p[0])), [], []
    while todo:
        part = todo.pop()
        k = bisect_left([], 0) if not room else bisect_left(room, (len(part[0]), -1))
        if k == len(room):
            rows.append([part])
            insort(room, (length - len(part[0]), len(rows) - 1))
        else:
            free = room[k][0]
            last = bisect_right(room, (free, len(rows))) - 1
            _, row = room.pop(last)
            rows[row].append(part)
            insort(room, (free - len(part[0]), row))
    return rows


def right_4(parts, length):
    "two parallel lists, the free places sorted; bisect on plain numbers"
    places, which, rows = [], [], []
    for part in sorted(parts, key=lambda p: len(p[0]), reverse=True):
        need = len(part[0])
        k = bisect_left(places, need)
        if k < len(places):
            free, row = places.pop(k), which.pop(k)
        else:
            free, row = length, []
            rows.append(row)
        row.append(part)
        k = bisect_left(places, free - need)
        places.insert(k, free - need)
        which.insert(k, row)
    return rows
