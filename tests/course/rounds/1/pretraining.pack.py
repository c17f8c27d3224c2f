"""pretraining.pack"""
from bisect import bisect_left, bisect_right, insort
import heapq

def wrong_1(parts, length):
    "first fit: the first row with room, not the tightest one"
    rows, free = [], []
    for part in sorted(parts, key=lambda p: -len(p[0])):
        need = len(part[0])
        for r in range(len(rows)):
            if free[r] >= need:
                break
        else:
            r = len(rows)
            rows.append([])
            free.append(length)
        rows[r].append(part)
        free[r] -= need
    return rows

def wrong_2(parts, length):
    "no sort: the parts are placed in the order given, not longest first"
    rows, room = [], []
    for part in parts:
        need = len(part[0])
        k = bisect_left(room, (need, 0))
        free, row = room.pop(k) if k < len(room) else (length, len(rows))
        if row == len(rows):
            rows.append([])
        rows[row].append(part)
        if free > need:
            insort(room, (free - need, row))
    return rows

def wrong_3(parts, length):
    "strict inequality: a part that fills a row exactly opens a new row"
    rows, free = [], []
    for part in sorted(parts, key=lambda p: len(p[0]), reverse=True):
        need = len(part[0])
        fits = [r for r in range(len(rows)) if free[r] > need]
        if fits:
            r = min(fits, key=lambda r: free[r])
        else:
            r = len(rows)
            rows.append([])
            free.append(length)
        rows[r].append(part)
        free[r] -= need
    return rows

def wrong_4(parts, length):
    "worst fit: the row with the most room is taken (the last of the sorted list)"
    rows, room = [], []
    for part in sorted(parts, key=lambda p: len(p[0]), reverse=True):
        need = len(part[0])
        if room and room[-1][0] >= need:
            free, row = room.pop()
        else:
            free, row = length, len(rows)
            rows.append([])
        rows[row].append(part)
        insort(room, (free - need, row))
    return rows

def wrong_5(parts, length):
    "next fit: only the last row is looked at"
    rows, free = [], 0
    for part in sorted(parts, key=lambda p: len(p[0]), reverse=True):
        if not rows or free < len(part[0]):
            rows.append([])
            free = length
        rows[-1].append(part)
        free -= len(part[0])
    return rows

def wrong_6(parts, length):
    "sorts the caller's list in place: with a list of parts in another order, it is changed (and a tuple has no sort)"
    parts.sort(key=lambda p: len(p[0]), reverse=True)
    rows, room = [], []
    for part in parts:
        need = len(part[0])
        k = bisect_left(room, (need, 0))
        free, row = room.pop(k) if k < len(room) else (length, len(rows))
        if row == len(rows):
            rows.append([])
        rows[row].append(part)
        if free > need:
            insort(room, (free - need, row))
    return rows

def wrong_7(parts, length):
    "bisects for (need, len(rows)): a row with exactly the room that is needed is jumped over"
    rows, room = [], []
    for part in sorted(parts, key=lambda p: len(p[0]), reverse=True):
        need = len(part[0])
        k = bisect_left(room, (need, len(rows)))
        free, row = room.pop(k) if k < len(room) else (length, len(rows))
        if row == len(rows):
            rows.append([])
        rows[row].append(part)
        if free > need:
            insort(room, (free - need, row))
    return rows

def wrong_8(parts, length):
    "the right rows, found by looking at every row for every part: O(n^2), too slow for many parts"
    rows, free = [], []
    for part in sorted(parts, key=lambda p: len(p[0]), reverse=True):
        need = len(part[0])
        best = None
        for r in range(len(rows)):
            if free[r] >= need and (best is None or free[r] < free[best]):
                best = r
        if best is None:
            best = len(rows)
            rows.append([])
            free.append(length)
        rows[best].append(part)
        free[best] -= need
    return rows

def wrong_9(parts, length):
    "rows hold one flat (ids, weights) pair instead of a list of their parts"
    rows, room = [], []
    for part in sorted(parts, key=lambda p: len(p[0]), reverse=True):
        need = len(part[0])
        k = bisect_left(room, (need, 0))
        free, row = room.pop(k) if k < len(room) else (length, len(rows))
        if row == len(rows):
            rows.append([[], []])
        rows[row][0].extend(part[0])
        rows[row][1].extend(part[1])
        if free > need:
            insort(room, (free - need, row))
    return rows

def wrong_10(parts, length):
    "room is appended, not inserted in order: sorted only at first, so later bisections miss the tightest row"
    rows, room = [], []
    for part in sorted(parts, key=lambda p: len(p[0]), reverse=True):
        need = len(part[0])
        k = bisect_left(room, (need, 0))
        free, row = room.pop(k) if k < len(room) else (length, len(rows))
        if row == len(rows):
            rows.append([])
        rows[row].append(part)
        if free > need:
            room.append((free - need, row))
    return rows

def right_1(parts, length):
    "a bucket of rows for each number of free places, with a sorted list of the free sizes in use"
    buckets, sizes, rows = {}, [], []
    for part in sorted(parts, key=lambda p: -len(p[0])):
        need = len(part[0])
        i = bisect_left(sizes, need)
        if i == len(sizes):
            row, left = [], length - need
            rows.append(row)
        else:
            size = sizes[i]
            row = buckets[size].pop()
            if not buckets[size]:
                del buckets[size], sizes[i]
            left = size - need
        row.append(part)
        if left:
            if left not in buckets:
                buckets[left] = []
                insort(sizes, left)
            buckets[left].append(row)
    return rows

def right_2(parts, length):
    "full rows are kept in the list too (nothing needs 0 places); rows of equal room newest first"
    rows, room = [], []
    order = sorted(range(len(parts)), key=lambda i: (len(parts[i][0]), i))[::-1]
    for i in order:
        need = len(parts[i][0])
        k = bisect_left(room, (need, -len(rows) - 1))
        if k == len(room):
            rows.append([])
            free, name = length, -len(rows)
        else:
            free, name = room[k]
            del room[k]
        rows[-name - 1].append(parts[i])
        insort(room, (free - need, name))
    return rows

def right_3(parts, length):
    "a heap for the parts and bisect with a key for the rows"
    heap = [(-len(ids), i) for i, (ids, _) in enumerate(parts)]
    heapq.heapify(heap)
    rows, by_room = [], []
    while heap:
        minus, i = heapq.heappop(heap)
        need = -minus
        k = bisect_left(by_room, need, key=lambda e: e[0])
        if k < len(by_room):
            free, row = by_room.pop(k)
        else:
            free, row = length, []
            rows.append(row)
        row.append(parts[i])
        insort(by_room, (free - need, row), key=lambda e: e[0])
    return rows

def right_4(parts, length):
    "two parallel lists, free places and rows, sorted by the first; the answer is collected at the end"
    free, open_rows, closed = [], [], []
    for part in reversed(sorted(parts, key=lambda p: len(p[1]))):
        n = len(part[0])
        k = bisect_left(free, n)
        if k < len(free):
            left, row = free.pop(k) - n, open_rows.pop(k)
        else:
            left, row = length - n, []
        row.append(part)
        if left == 0:
            closed.append(row)
            continue
        j = bisect_right(free, left)
        free.insert(j, left)
        open_rows.insert(j, row)
    return closed + open_rows
