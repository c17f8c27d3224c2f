"""pretraining.pack"""
import heapq
from bisect import bisect_left, insort
from functools import reduce


def _fill(parts, length, choose, order=None, fits=lambda free, need: free >= need):
    rows, free = [], []
    for part in sorted(parts, key=lambda p: len(p[0]), reverse=True) if order is None else order(parts):
        need = len(part[0])
        able = [i for i, f in enumerate(free) if fits(f, need)]
        if able:
            i = choose(able, free)
        else:
            rows.append([])
            free.append(length)
            i = len(rows) - 1
        rows[i].append(part)
        free[i] -= need
    return rows


def wrong_1(parts, length):
    "first fit: the first row that has room, not the tightest"
    # breaks: "the one in which it leaves the least room"; lengths 16, 11, 7, 2 with length 20: the 2 goes to the 16
    rows, free = [], []
    for part in sorted(parts, key=lambda p: -len(p[0])):
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
    "worst fit: the row with the most room"
    # breaks: "the one in which it leaves the least room"; lengths 7, 6, 3 with length 10: the 3 goes to the 6
    return _fill(parts, length, lambda able, free: max(able, key=free.__getitem__))


def wrong_3(parts, length):
    "parts are taken from short to long"
    # breaks: "by best fit, longest first"; lengths 2, 3, 7, 8 with length 10: three rows instead of two
    rows, room = [], []
    for part in sorted(parts, key=lambda p: len(p[0])):
        need = len(part[0])
        k = bisect_left(room, (need, 0))
        free, row = room.pop(k) if k < len(room) else (length, len(rows))
        if row == len(rows):
            rows.append([])
        rows[row].append(part)
        if free > need:
            insort(room, (free - need, row))
    return rows


def wrong_4(parts, length):
    "a row whose free places are exactly filled is passed over (> in place of >=)"
    # breaks: "or a new one where none has room for it"; lengths 6, 4 with length 10 make two rows
    return _fill(parts, length, lambda able, free: min(able, key=free.__getitem__), fits=lambda f, n: f > n)


def wrong_5(parts, length):
    "sorts the caller's list in place"
    # breaks: "arguments left unchanged"; a list of parts of lengths 1, 5 comes back as 5, 1 (and a tuple raises)
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


def wrong_6(parts, length):
    "one row is remembered for each number of free places, so a second one with as many is forgotten"
    # breaks: "or a new one where none has room for it"; lengths 6, 6, 4, 4 with length 10 make three rows
    rows, row_of = [], {}
    for part in sorted(parts, key=lambda p: len(p[0]), reverse=True):
        need = len(part[0])
        able = [f for f in row_of if f >= need]
        free = min(able, default=length)
        if able:
            row = row_of.pop(free)
        else:
            row = len(rows)
            rows.append([])
        rows[row].append(part)
        if free > need:
            row_of[free - need] = row
    return rows


def wrong_7(parts, length):
    "parts are kept in a dict by their ids, so a document that occurs twice is packed once"
    # breaks: "Every part goes whole into one row"; two parts ([1, 2], [0, 1]) leave one
    by_ids = {tuple(ids): (ids, weights) for ids, weights in parts}
    return _fill(list(by_ids.values()), length, lambda able, free: min(able, key=free.__getitem__))


def wrong_8(parts, length):
    "sorted by the ids themselves and not by how many there are"
    # breaks: "longest first"; [9, 9], [8, 8, 8], [1] * 7, [1] * 8 with length 10: three rows instead of two
    rows, room = [], []
    for part in sorted(parts, reverse=True):
        need = len(part[0])
        k = bisect_left(room, (need, 0))
        free, row = room.pop(k) if k < len(room) else (length, len(rows))
        if row == len(rows):
            rows.append([])
        rows[row].append(part)
        if free > need:
            insort(room, (free - need, row))
    return rows


def wrong_9(parts, length):
    "begins with one open row, which stays where there is no part"
    # breaks: "the rows, each a list of its parts", "or a new one where none has room"; no parts give [[]] and not []
    rows, free = [[]], [length]
    for part in sorted(parts, key=lambda p: len(p[0]), reverse=True):
        need = len(part[0])
        able = [i for i in range(len(rows)) if free[i] >= need]
        if not able:
            rows.append([])
            free.append(length)
            able = [len(rows) - 1]
        best = min(able, key=lambda i: free[i] - need)
        rows[best].append(part)
        free[best] -= need
    return rows


def wrong_10(parts, length):
    "only the row that was filled last is looked at (next fit)"
    # breaks: "a new one where none has room for it"; lengths 7, 6, 4, 3 with length 10: the 3 finds the 7 closed
    rows, free = [], 0
    for part in sorted(parts, key=lambda p: len(p[0]), reverse=True):
        if free < len(part[0]):
            rows.append([])
            free = length
        rows[-1].append(part)
        free -= len(part[0])
    return rows


def right_1(parts, length):
    "looks through all rows for each part"
    return _fill(parts, length, lambda able, free: min(able, key=free.__getitem__))


def right_2(parts, length):
    "rows stand in one list for each number of free places"
    rows, with_room = [], [[] for _ in range(length + 1)]
    for part in sorted(parts, key=lambda p: -len(p[0])):
        need = len(part[0])
        room = next((f for f in range(need, length) if with_room[f]), None)
        if room is None:
            row, room = [], length
            rows.append(row)
        else:
            row = with_room[room].pop()
        row.append(part)
        with_room[room - need].append(row)
    return rows


def right_3(parts, length):
    "a heap gives the longest part, rows are (free, parts) in a dict of stacks"
    heap = [(-len(ids), k) for k, (ids, _) in enumerate(parts)]
    heapq.heapify(heap)
    rows = []
    while heap:
        need, k = heapq.heappop(heap)
        need = -need
        best = None
        for row in rows:
            if row[0] >= need and (best is None or row[0] < best[0]):
                best = row
        if best is None:
            best = [length, []]
            rows.append(best)
        best[0] -= need
        best[1].append(parts[k])
    return [held for _, held in rows]


def right_4(parts, length):
    "a fold over the sorted parts; full rows stay in the sorted list; late rows win ties"
    def put(state, part):
        rows, room = state
        need = len(part[0])
        k = bisect_left(room, (need, -len(rows)))
        if k == len(room):
            left, i = length, len(rows)
            rows.append([part])
        else:
            left, i = room[k][0], -room.pop(k)[1]
            rows[i].append(part)
        insort(room, (left - need, -i))
        return rows, room

    return reduce(put, sorted(parts, key=lambda p: len(p[0]))[::-1], ([], []))[0]
