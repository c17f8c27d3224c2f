"""sft.thought"""


def wrong_1(total, term, block=1):
    "place < larger number: the last block is missing where the larger number is a power of the base"
    # breaks: "as many steps as the longer of both numbers has blocks" - 100 + 5 has two steps here; 1 + 0 is "0+0=0"
    sign, other, base = ("-" if term < 0 else "+"), abs(term), 10**block
    steps, carry, place = [], 0, 1
    while place < max(total, other):
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
    return steps or [f"0{sign}0=0"]


def wrong_2(total, term, block=1):
    "a last carry gets a step of its own"
    # breaks: "(a last carry has no step of its own)" - 9 + 3 gives "9+3=12", "0+0+1=1"
    sign, other, base = ("-" if term < 0 else "+"), abs(term), 10**block
    steps, carry, place = [], 0, 1
    while place <= max(total, other) or carry:
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
    return steps or [f"0{sign}0=0"]


def wrong_3(total, term, block=1):
    "borrows only where a < b, without what is owed: 1000-1 has steps with negative results"
    # breaks: "ten was borrowed, and is paid back in the next step" (column arithmetic) - 1000 - 1, 205 - 107
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
    return steps or [f"0{sign}0=0"]


def wrong_4(total, term, block=1):
    "0 + 0 has no step"
    # breaks: "and at least one: 0 + 0 is \"0+0=0\"" - digit_steps(0, 0) is []
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
            a += borrow * base
            steps.append(f"{a}-{b}{'-1' if carry else ''}={a - b - carry}")
            carry = borrow
        place *= base
    return steps


def wrong_5(total, term, block=1):
    "blocks are the slices of the decimal text: with block=2 they keep zeros in front"
    # breaks: "Blocks are written as numbers, without zeros in front." - 105 + 203, block=2: "05+03=8"
    sign, x, y, base = ("-" if term < 0 else "+"), str(total), str(abs(term)), 10**block
    width = -(-max(len(x), len(y)) // block) * block
    x, y = x.zfill(width), y.zfill(width)
    steps, carry = [], 0
    for end in range(width, 0, -block):
        a, b = x[end - block : end], y[end - block : end]
        if sign == "+":
            value = int(a) + int(b) + carry
            steps.append(f"{a}+{b}{'+1' if carry else ''}={value}")
            carry = int(value >= base)
        else:
            borrow = int(int(a) < int(b) + carry)
            if borrow:
                a = str(int(a) + base)
            steps.append(f"{a}-{b}{'-1' if carry else ''}={int(a) - int(b) - carry}")
            carry = borrow
    return steps


def wrong_6(total, term, block=1):
    "the carry is value > 9 for every block size"
    # breaks: "`block` digits at a time", "the third number of a step is the carry" - 112 + 112, block=2: 24 is no carry
    sign, other, base = ("-" if term < 0 else "+"), abs(term), 10**block
    steps, carry, place = [], 0, 1
    while place <= max(total, other):
        a, b = total // place % base, other // place % base
        if sign == "+":
            value = a + b + carry
            steps.append(f"{a}+{b}{'+1' if carry else ''}={value}")
            carry = int(value > 9)
        else:
            borrow = int(a < b + carry)
            a += borrow * base
            steps.append(f"{a}-{b}{'-1' if carry else ''}={a - b - carry}")
            carry = borrow
        place *= base
    return steps or [f"0{sign}0=0"]


def wrong_7(total, term, block=1):
    "term > 0 decides the sign: adding 0 is written as a subtraction"
    # breaks: "0 + 0 is \"0+0=0\"", a difference only where term is negative - 5 + 0 gives "5-0=5"
    sign, other, base = ("+" if term > 0 else "-"), abs(term), 10**block
    steps, carry, place = [], 0, 1
    while place <= max(total, other):
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
    return steps or ["0+0=0"]


def wrong_8(total, term, block=1):
    "goes on while `total` has digits: a term that is longer is cut off"
    # breaks: "as many steps as the longer of both numbers has blocks" - 7 + 123 has one step here
    sign, other, base = ("-" if term < 0 else "+"), abs(term), 10**block
    steps, carry = [], 0
    while True:
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
        if total == 0:
            return steps


def wrong_9(total, term, block=1):
    "int(total / place) goes through a float: digits of long numbers are wrong"
    # breaks: "Column arithmetic on total + term" for any size - 12345678901234567891 + 1
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
    return steps or [f"0{sign}0=0"]


def wrong_10(total, term, block=1):
    "a difference stops once the rest of the result is 0"
    # breaks: "as many steps as the longer of both numbers has blocks" - 43 - 38: the step "4-3-1=0" is missing
    sign, other, base = ("-" if term < 0 else "+"), abs(term), 10**block
    last = max(total, other) if sign == "+" else max(total - other, 1)
    steps, carry, place = [], 0, 1
    while place <= last:
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
    return steps or [f"0{sign}0=0"]


def right_1(total, term, block=1):
    "slices of the decimal texts, from the right"
    x, y, base = str(total), str(abs(term)), 10**block
    steps, owed = [], 0
    while x or y:
        a, b = int(x[-block:] or 0), int(y[-block:] or 0)
        x, y = x[:-block], y[:-block]
        if term >= 0:
            value = a + b + owed
            steps.append(f"{a}+{b}" + "+1" * owed + f"={value}")
            owed = value // base
        else:
            value = a - b - owed
            steps.append(f"{a if value >= 0 else a + base}-{b}" + "-1" * owed + f"={value % base}")
            owed = 1 if value < 0 else 0
    return steps


def right_2(total, term, block=1):
    "recursion over the blocks"
    base = 10**block

    def rest(a, b, carry):
        (more_a, a), (more_b, b) = divmod(a, base), divmod(b, base)
        if term < 0:
            borrow = a - b - carry < 0
            a = a + base if borrow else a
            step = f"{a}-{b}-1={a - b - 1}" if carry else f"{a}-{b}={a - b}"
        else:
            borrow = a + b + carry >= base
            step = f"{a}+{b}+1={a + b + 1}" if carry else f"{a}+{b}={a + b}"
        return [step] + (rest(more_a, more_b, int(borrow)) if more_a or more_b else [])

    return rest(total, abs(term), 0)


def right_3(total, term, block=1):
    "the carry of each block from the lower parts of the numbers, without any state"
    other = abs(term)
    digits = max(len(str(total)), len(str(other)))
    steps = []
    for low in range(0, digits, block):
        place, base = 10**low, 10**block
        a, b = total // place % base, other // place % base
        if term >= 0:
            carry = (total % place + other % place) // place
            steps.append(f"{a}+{b}{'+1' if carry else ''}={a + b + carry}")
        else:
            carry = int(total % place < other % place)
            if total % (place * base) < other % (place * base):
                a += base
            steps.append(f"{a}-{b}{'-1' if carry else ''}={a - b - carry}")
    return steps


def right_4(total, term, block=1):
    "lists of blocks first, padded to one length, then one pass with a sign of +1 or -1"
    base = 10**block

    def blocks(number):
        out = []
        while number:
            out.append(number % base)
            number //= base
        return out or [0]

    upper, lower = blocks(total), blocks(-term if term < 0 else term)
    length = max(len(upper), len(lower))
    upper += [0] * (length - len(upper))
    lower += [0] * (length - len(lower))
    way, mark = (-1, "-") if term < 0 else (1, "+")
    steps, carry = [], False
    for a, b in zip(upper, lower):
        value = a + way * (b + carry)
        if value < 0:
            a, value, now = a + base, value + base, True
        else:
            now = way > 0 and value >= base
        steps.append(mark.join([str(a), str(b)] + ["1"] * carry) + "=" + str(value))
        carry = now
    return steps
