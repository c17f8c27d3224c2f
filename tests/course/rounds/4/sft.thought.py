"""sft.thought"""
import math
from itertools import zip_longest


def wrong_1(total, term, block=1):
    "a last carry gets a step of its own: 7 + 6 ends with 0+0+1=1"
    sign, other, base = ("-" if term < 0 else "+"), abs(term), 10**block
    steps, carry = [], 0
    while total or other or carry or not steps:
        total, a = divmod(total, base)
        other, b = divmod(other, base)
        if sign == "+":
            value = a + b + carry
            steps.append(f"{a}+{b}{'+1' if carry else ''}={value}")
            carry = int(value >= base)
        else:
            borrow = int(a < b + carry)
            a += borrow * base
            steps.append(f"{a}-{b}{'-1' if carry else ''}={a - b - carry}")
            carry = borrow
    return steps


def wrong_2(total, term, block=1):
    "`value > base`: a sum of exactly 10 carries nothing (5 + 15)"
    sign, other, base = ("-" if term < 0 else "+"), abs(term), 10**block
    steps, carry, place = [], 0, 1
    while place <= max(total, other):
        a, b = total // place % base, other // place % base
        if sign == "+":
            value = a + b + carry
            steps.append(f"{a}+{b}{'+1' if carry else ''}={value}")
            carry = int(value > base)
        else:
            borrow = int(a < b + carry)
            a += borrow * base
            steps.append(f"{a}-{b}{'-1' if carry else ''}={a - b - carry}")
            carry = borrow
        place *= base
    return steps or ["0+0=0"]


def wrong_3(total, term, block=1):
    "borrows only where a < b, forgetting what is owed: right for 53 - 14, wrong for 1000 - 1"
    sign, other, base = ("-" if term < 0 else "+"), abs(term), 10**block
    steps, carry, place = [], 0, 1
    while place <= max(total, other):
        a, b = total // place % base, other // place % base
        if sign == "+":
            value = a + b + carry
            steps.append(f"{a}+{b}{'+1' if carry else ''}={value}")
            carry = int(value >= base)
        else:
            borrow = int(a < b)
            a += borrow * base
            steps.append(f"{a}-{b}{'-1' if carry else ''}={a - b - carry}")
            carry = borrow
        place *= base
    return steps or ["0+0=0"]


def wrong_4(total, term, block=1):
    "blocks keep their zeros in front: 305 + 1207 with block 2 has 05+07"
    sign, other = ("-" if term < 0 else "+"), str(abs(term))
    total, base = str(total), 10**block
    width = -(-max(len(total), len(other)) // block) * block
    total, other = total.zfill(width), other.zfill(width)
    steps, carry = [], 0
    for end in range(width, 0, -block):
        x, y = total[end - block : end], other[end - block : end]
        a, b = int(x), int(y)
        if sign == "+":
            value = a + b + carry
            steps.append(f"{x}+{y}{'+1' if carry else ''}={value}")
            carry = int(value >= base)
        else:
            borrow = int(a < b + carry)
            steps.append(f"{'1' * borrow}{x}-{y}{'-1' if carry else ''}={a + borrow * base - b - carry}")
            carry = borrow
    return steps


def wrong_5(total, term, block=1):
    "0 + 0 has no step at all"
    sign, other, base = ("-" if term < 0 else "+"), abs(term), 10**block
    steps, carry = [], 0
    while total or other:
        total, a = divmod(total, base)
        other, b = divmod(other, base)
        if sign == "+":
            value = a + b + carry
            steps.append(f"{a}+{b}{'+1' if carry else ''}={value}")
            carry = int(value >= base)
        else:
            borrow = int(a < b + carry)
            a += borrow * base
            steps.append(f"{a}-{b}{'-1' if carry else ''}={a - b - carry}")
            carry = borrow
    return steps


def wrong_6(total, term, block=1):
    "as many steps as the first number has blocks: 5 + 123 ends after one"
    sign, other, base = ("-" if term < 0 else "+"), abs(term), 10**block
    steps, carry, count = [], 0, -(-len(str(total)) // block)
    for k in range(count):
        a, b = total // base**k % base, other // base**k % base
        if sign == "+":
            value = a + b + carry
            steps.append(f"{a}+{b}{'+1' if carry else ''}={value}")
            carry = int(value >= base)
        else:
            borrow = int(a < b + carry)
            a += borrow * base
            steps.append(f"{a}-{b}{'-1' if carry else ''}={a - b - carry}")
            carry = borrow
    return steps


def wrong_7(total, term, block=1):
    "always borrows ten, also with blocks of two digits: 143 - 96"
    sign, other, base = ("-" if term < 0 else "+"), abs(term), 10**block
    steps, carry, place = [], 0, 1
    while place <= max(total, other):
        a, b = total // place % base, other // place % base
        if sign == "+":
            value = a + b + carry
            steps.append(f"{a}+{b}{'+1' if carry else ''}={value}")
            carry = int(value >= base)
        else:
            borrow = int(a < b + carry)
            a += 10 * borrow
            steps.append(f"{a}-{b}{'-1' if carry else ''}={a - b - carry}")
            carry = borrow
        place *= base
    return steps or ["0+0=0"]


def wrong_8(total, term, block=1):
    "float division: digits of numbers beyond 2^53 are wrong"
    sign, other, base = ("-" if term < 0 else "+"), abs(term), 10**block
    steps, carry, place = [], 0, 1
    while place <= max(total, other):
        a, b = int(total / place) % base, int(other / place) % base
        if sign == "+":
            value = a + b + carry
            steps.append(f"{a}+{b}{'+1' if carry else ''}={value}")
            carry = int(value >= base)
        else:
            borrow = int(a < b + carry)
            a += borrow * base
            steps.append(f"{a}-{b}{'-1' if carry else ''}={a - b - carry}")
            carry = borrow
        place *= base
    return steps or ["0+0=0"]


def wrong_9(total, term, block=1):
    "counts the digits by a logarithm: math.log(1000, 10) is below 3, so 1000 has three"
    sign, other, base = ("-" if term < 0 else "+"), abs(term), 10**block
    digits = int(math.log(max(total, other, 1), 10)) + 1
    steps, carry = [], 0
    for k in range(math.ceil(digits / block)):
        a, b = total // base**k % base, other // base**k % base
        if sign == "+":
            value = a + b + carry
            steps.append(f"{a}+{b}{'+1' if carry else ''}={value}")
            carry = int(value >= base)
        else:
            borrow = int(a < b + carry)
            a += borrow * base
            steps.append(f"{a}-{b}{'-1' if carry else ''}={a - b - carry}")
            carry = borrow
    return steps


def wrong_10(total, term, block=1):
    "a difference ends where its result does: 43 - 38 has only one step"
    sign, other, base = ("-" if term < 0 else "+"), abs(term), 10**block
    last = max(total, other) if sign == "+" else total + term
    steps, carry, place = [], 0, 1
    while place <= last or not steps:
        a, b = total // place % base, other // place % base
        if sign == "+":
            value = a + b + carry
            steps.append(f"{a}+{b}{'+1' if carry else ''}={value}")
            carry = int(value >= base)
        else:
            borrow = int(a < b + carry)
            a += borrow * base
            steps.append(f"{a}-{b}{'-1' if carry else ''}={a - b - carry}")
            carry = borrow
        place *= base
    return steps


def right_1(total, term, block=1):
    "cuts the decimal text from the right"
    upper, lower = str(total), str(abs(term))
    width = max(len(upper), len(lower))
    width += -width % block
    upper, lower = upper.zfill(width), lower.zfill(width)
    steps, owed, base = [], 0, 10**block
    for end in range(width, 0, -block):
        a, b = int(upper[end - block : end]), int(lower[end - block : end])
        if term >= 0:
            value = a + b + owed
            steps.append(f"{a}+{b}" + ("+1" if owed else "") + f"={value}")
            owed = 1 if value >= base else 0
        else:
            value = a - b - owed
            borrowed = value < 0
            if borrowed:
                a, value = a + base, value + base
            steps.append(f"{a}-{b}" + ("-1" if owed else "") + f"={value}")
            owed = 1 if borrowed else 0
    return steps


def _rest(x, y, minus, owed, base):
    a, b = x % base, y % base
    tail = ("-1" if minus else "+1") if owed else ""
    if minus:
        now = 1 if a < b + owed else 0
        a += base * now
        step = f"{a}-{b}{tail}={a - b - owed}"
    else:
        now = 1 if a + b + owed >= base else 0
        step = f"{a}+{b}{tail}={a + b + owed}"
    x, y = x // base, y // base
    return [step] + (_rest(x, y, minus, now, base) if x or y else [])


def right_2(total, term, block=1):
    "recursion"
    return _rest(total, abs(term), term < 0, 0, 10**block)


def _blocks(number, base):
    out = []
    while number:
        number, low = divmod(number, base)
        out.append(low)
    return out


def right_3(total, term, block=1):
    "both numbers as lists of blocks, zip_longest"
    base = 10**block
    pairs = list(zip_longest(_blocks(total, base), _blocks(abs(term), base), fillvalue=0)) or [(0, 0)]
    mark = "-" if term < 0 else "+"
    steps, carry = [], False
    for a, b in pairs:
        said = f"{mark}1" if carry else ""
        if mark == "-":
            needed = b + carry
            carry = a < needed
            if carry:
                a += base
            result = a - needed
        else:
            result = a + b + carry
            carry = result >= base
        steps.append(f"{a}{mark}{b}{said}={result}")
    return steps


def right_4(total, term, block=1):
    "carries found from the numbers' lower ends, without going on from step to step"
    base, other = 10**block, abs(term)
    count = max(1, -(-len(str(max(total, other))) // block))
    steps = []
    for k in range(count):
        low = base**k
        a, b = total // low % base, other // low % base
        if term < 0:
            before = total % low < other % low
            if total % (low * base) < other % (low * base):
                a += base
            steps.append(f"{a}-{b}{'-1' * before}={a - b - before}")
        else:
            before = total % low + other % low >= low
            steps.append(f"{a}+{b}{'+1' * before}={a + b + before}")
    return steps
