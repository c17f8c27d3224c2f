"""sft.thought"""

def wrong_1(total, term, block=1):
    "0 + 0 gives no step"
    sign, other, base = ("-" if term < 0 else "+"), abs(term), 10**block
    steps, carry = [], 0
    while total or other:
        a, b = total % base, other % base
        if sign == "+":
            v = a + b + carry
            steps.append(f"{a}+{b}{'+1' if carry else ''}={v}")
            carry = int(v >= base)
        else:
            borrow = int(a < b + carry)
            a += borrow * base
            steps.append(f"{a}-{b}{'-1' if carry else ''}={a - b - carry}")
            carry = borrow
        total, other = total // base, other // base
    return steps

def wrong_2(total, term, block=1):
    "a borrow is decided without what is owed: 1000-1 breaks (0 - 0 - 1)"
    sign, other, base = ("-" if term < 0 else "+"), abs(term), 10**block
    steps, carry = [], 0
    while True:
        a, b = total % base, other % base
        if sign == "+":
            v = a + b + carry
            steps.append(f"{a}+{b}{'+1' if carry else ''}={v}")
            carry = int(v >= base)
        else:
            borrow = int(a < b)
            a += borrow * base
            steps.append(f"{a}-{b}{'-1' if carry else ''}={a - b - carry}")
            carry = borrow
        total, other = total // base, other // base
        if not total and not other:
            return steps

def wrong_3(total, term, block=1):
    "a last carry gets a step of its own"
    sign, other, base = ("-" if term < 0 else "+"), abs(term), 10**block
    steps, carry = [], 0
    while total or other or carry or not steps:
        a, b = total % base, other % base
        if sign == "+":
            v = a + b + carry
            steps.append(f"{a}+{b}{'+1' if carry else ''}={v}")
            carry = int(v >= base)
        else:
            borrow = int(a < b + carry)
            a += borrow * base
            steps.append(f"{a}-{b}{'-1' if carry else ''}={a - b - carry}")
            carry = borrow
        total, other = total // base, other // base
    return steps

def wrong_4(total, term, block=1):
    "blocks cut out of the text: zeros in front stay, '05' for 1005 in blocks of two"
    x, y = str(total), str(abs(term))
    n = -(-max(len(x), len(y)) // block) * block
    x, y, base, minus = x.zfill(n), y.zfill(n), 10**block, term < 0
    steps, carry = [], 0
    for end in range(n, 0, -block):
        p, q = x[end - block : end], y[end - block : end]
        a, b = int(p), int(q)
        if minus:
            borrow = int(a < b + carry)
            if borrow:
                p = str(a + base)
            steps.append(f"{p}-{q}{'-1' if carry else ''}={a + borrow * base - b - carry}")
            carry = borrow
        else:
            v = a + b + carry
            steps.append(f"{p}+{q}{'+1' if carry else ''}={v}")
            carry = int(v >= base)
    return steps

def wrong_5(total, term, block=1):
    "stops after the blocks of the longer number only if term is shorter: counts blocks of total alone"
    sign, other, base = ("-" if term < 0 else "+"), abs(term), 10**block
    steps, carry = [], 0
    while total or not steps:
        a, b = total % base, other % base
        if sign == "+":
            v = a + b + carry
            steps.append(f"{a}+{b}{'+1' if carry else ''}={v}")
            carry = int(v >= base)
        else:
            borrow = int(a < b + carry)
            a += borrow * base
            steps.append(f"{a}-{b}{'-1' if carry else ''}={a - b - carry}")
            carry = borrow
        total, other = total // base, other // base
    return steps

def wrong_6(total, term, block=1):
    "carries against 10 whatever the block: 47+96=143 is right, 06+07=13 in blocks of two carries"
    sign, other, base = ("-" if term < 0 else "+"), abs(term), 10**block
    steps, carry, place = [], 0, 1
    while place <= max(total, other, 1):
        a, b = total // place % base, other // place % base
        if sign == "+":
            v = a + b + carry
            steps.append(f"{a}+{b}{'+1' if carry else ''}={v}")
            carry = int(v >= 10)
        else:
            borrow = int(a < b + carry)
            a += borrow * base
            steps.append(f"{a}-{b}{'-1' if carry else ''}={a - b - carry}")
            carry = borrow
        place *= base
    return steps

def wrong_7(total, term, block=1):
    "place < max(...): a leading block of exactly one power of ten is lost (100+5, 10+1, 1+1)"
    sign, other, base = ("-" if term < 0 else "+"), abs(term), 10**block
    steps, carry, place = [], 0, 1
    while place < max(total, other):
        a, b = total // place % base, other // place % base
        if sign == "+":
            v = a + b + carry
            steps.append(f"{a}+{b}{'+1' if carry else ''}={v}")
            carry = int(v >= base)
        else:
            borrow = int(a < b + carry)
            a += borrow * base
            steps.append(f"{a}-{b}{'-1' if carry else ''}={a - b - carry}")
            carry = borrow
        place *= base
    return steps or [f"{total}{sign}{other}={total + term}"]

def wrong_8(total, term, block=1):
    "a carry where the value is above base: 5+5=10 does not carry"
    sign, other, base = ("-" if term < 0 else "+"), abs(term), 10**block
    steps, carry, place = [], 0, 1
    while place <= max(total, other, 1):
        a, b = total // place % base, other // place % base
        if sign == "+":
            v = a + b + carry
            steps.append(f"{a}+{b}{'+1' if carry else ''}={v}")
            carry = int(v > base)
        else:
            borrow = int(a < b + carry)
            a += borrow * base
            steps.append(f"{a}-{b}{'-1' if carry else ''}={a - b - carry}")
            carry = borrow
        place *= base
    return steps

def wrong_9(total, term, block=1):
    "the carry is always said, '+0' too"
    sign, other, base = ("-" if term < 0 else "+"), abs(term), 10**block
    steps, carry, place = [], 0, 1
    while place <= max(total, other, 1):
        a, b = total // place % base, other // place % base
        if sign == "+":
            v = a + b + carry
            steps.append(f"{a}+{b}+{carry}={v}" if steps else f"{a}+{b}={v}")
            carry = int(v >= base)
        else:
            borrow = int(a < b + carry)
            a += borrow * base
            steps.append(f"{a}-{b}-{carry}={a - b - carry}" if steps else f"{a}-{b}={a - b}")
            carry = borrow
        place *= base
    return steps

def wrong_10(total, term, block=1):
    "the result of a step is cut to its block: 6+7=3 instead of 13"
    sign, other, base = ("-" if term < 0 else "+"), abs(term), 10**block
    steps, carry, place = [], 0, 1
    while place <= max(total, other, 1):
        a, b = total // place % base, other // place % base
        if sign == "+":
            v = a + b + carry
            steps.append(f"{a}+{b}{'+1' if carry else ''}={v % base}")
            carry = v // base
        else:
            borrow = int(a < b + carry)
            a += borrow * base
            steps.append(f"{a}-{b}{'-1' if carry else ''}={a - b - carry}")
            carry = borrow
        place *= base
    return steps

def right_1(total, term, block=1):
    "divmod until both are used up, at least once"
    minus, other, base = term < 0, abs(term), 10**block
    steps, owed = [], False
    while True:
        total, a = divmod(total, base)
        other, b = divmod(other, base)
        if minus:
            short = a - b - owed < 0
            if short:
                a += base
            steps.append(f"{a}-{b}" + ("-1" if owed else "") + f"={a - b - owed}")
            owed = short
        else:
            value = a + b + owed
            steps.append(f"{a}+{b}" + ("+1" if owed else "") + f"={value}")
            owed = value // base == 1
        if total == 0 and other == 0:
            return steps

def right_2(total, term, block=1):
    "text cut into blocks, read as numbers"
    x, y = str(total), str(abs(term))
    count = max(-(-len(x) // block), -(-len(y) // block))
    x, y, base = x.zfill(count * block), y.zfill(count * block), 10**block
    steps, carry = [], 0
    for k in range(count - 1, -1, -1):
        a, b = int(x[k * block : (k + 1) * block]), int(y[k * block : (k + 1) * block])
        if term < 0:
            borrow = 1 if a < b + carry else 0
            a += base * borrow
            steps.append("%d-%d%s=%d" % (a, b, "-1" * carry, a - b - carry))
            carry = borrow
        else:
            steps.append("%d+%d%s=%d" % (a, b, "+1" * carry, a + b + carry))
            carry = (a + b + carry) // base
    return steps

def right_3(total, term, block=1):
    "recursion with the carry handed on"
    base, sign = 10**block, "-" if term < 0 else "+"
    def go(x, y, carry):
        a, b = x % base, y % base
        tail = f"{sign}1" if carry else ""
        if sign == "+":
            value = a + b + carry
            following = int(value >= base)
        else:
            following = int(a < b + carry)
            a += following * base
            value = a - b - carry
        rest = go(x // base, y // base, following) if max(x, y) >= base else []
        return [f"{a}{sign}{b}{tail}={value}"] + rest
    return go(total, abs(term), 0)

def right_4(total, term, block=1):
    "carries from the numbers' tails: a place carries if the tails together reach it"
    other, base, steps, place = abs(term), 10**block, [], 1
    while not steps or place <= max(total, other):
        low_a, low_b = total % place, other % place
        a, b = total // place % base, other // place % base
        if term >= 0:
            c = low_a + low_b >= place
            steps.append(f"{a}+{b}{'+1' * c}={a + b + c}")
        else:
            c = low_a < low_b
            if total % (place * base) < other % (place * base):
                a += base
            steps.append(f"{a}-{b}{'-1' * c}={a - b - c}")
        place *= base
    return steps
