"""sft.thought"""
from itertools import zip_longest


def wrong_1(total, term, block=1):
    "0 + 0 gives no step"
    out, carry, place, base, other = [], 0, 1, 10**block, abs(term)
    while place <= max(total, other):
        a, b = total // place % base, other // place % base
        if term >= 0:
            out.append(f"{a}+{b}{'+1' if carry else ''}={a + b + carry}")
            carry = int(a + b + carry >= base)
        else:
            borrow = int(a < b + carry)
            out.append(f"{a + borrow * base}-{b}{'-1' if carry else ''}={a + borrow * base - b - carry}")
            carry = borrow
        place *= base
    return out


def wrong_2(total, term, block=1):
    "the last carry gets a step of its own: 96+47"
    out, carry, base = [], 0, 10**block
    a, b = total, abs(term)
    while True:
        x, y = a % base, b % base
        if term >= 0:
            out.append(f"{x}+{y}{'+1' if carry else ''}={x + y + carry}")
            carry = int(x + y + carry >= base)
        else:
            borrow = int(x < y + carry)
            x += borrow * base
            out.append(f"{x}-{y}{'-1' if carry else ''}={x - y - carry}")
            carry = borrow
        a, b = a // base, b // base
        if not a and not b and not carry:
            return out


def wrong_3(total, term, block=1):
    "blocks are padded with zeros: 105+203 in blocks of 2 gives 05+03"
    out, carry, base = [], 0, 10**block
    a, b = total, abs(term)
    while True:
        x, y = a % base, b % base
        if term >= 0:
            out.append(f"{x:0{block}d}+{y:0{block}d}{'+1' if carry else ''}={x + y + carry}")
            carry = int(x + y + carry >= base)
        else:
            borrow = int(x < y + carry)
            x += borrow * base
            out.append(f"{x:0{block}d}-{y:0{block}d}{'-1' if carry else ''}={x - y - carry}")
            carry = borrow
        a, b = a // base, b // base
        if not a and not b:
            return out


def wrong_4(total, term, block=1):
    "the borrow is decided without the one that has to be paid: 100-1, 52-19... where a == b and a borrow is pending"
    out, carry, base = [], 0, 10**block
    a, b = total, abs(term)
    while True:
        x, y = a % base, b % base
        if term >= 0:
            out.append(f"{x}+{y}{'+1' if carry else ''}={x + y + carry}")
            carry = int(x + y + carry >= base)
        else:
            borrow = int(x < y)
            x += borrow * base
            out.append(f"{x}-{y}{'-1' if carry else ''}={x - y - carry}")
            carry = borrow
        a, b = a // base, b // base
        if not a and not b:
            return out


def wrong_5(total, term, block=1):
    "the carry of 9+9+1-like columns is decided without the carry: 95+5 -> 9+0 with a carry makes 10"
    out, carry, base = [], 0, 10**block
    a, b = total, abs(term)
    while True:
        x, y = a % base, b % base
        if term >= 0:
            out.append(f"{x}+{y}{'+1' if carry else ''}={x + y + carry}")
            carry = int(x + y >= base)
        else:
            borrow = int(x < y + carry)
            x += borrow * base
            out.append(f"{x}-{y}{'-1' if carry else ''}={x - y - carry}")
            carry = borrow
        a, b = a // base, b // base
        if not a and not b:
            return out


def wrong_6(total, term, block=1):
    "ten is borrowed whatever the block: wrong for block 2"
    out, carry, base = [], 0, 10**block
    a, b = total, abs(term)
    while True:
        x, y = a % base, b % base
        if term >= 0:
            out.append(f"{x}+{y}{'+1' if carry else ''}={x + y + carry}")
            carry = int(x + y + carry >= base)
        else:
            borrow = int(x < y + carry)
            x += borrow * 10
            out.append(f"{x}-{y}{'-1' if carry else ''}={x - y - carry}")
            carry = borrow
        a, b = a // base, b // base
        if not a and not b:
            return out


def wrong_7(total, term, block=1):
    "as many steps as the result has blocks: 103-98 has one step instead of three"
    out, carry, base = [], 0, 10**block
    a, b, rest = total, abs(term), total + term
    while True:
        x, y = a % base, b % base
        if term >= 0:
            out.append(f"{x}+{y}{'+1' if carry else ''}={x + y + carry}")
            carry = int(x + y + carry >= base)
        else:
            borrow = int(x < y + carry)
            x += borrow * base
            out.append(f"{x}-{y}{'-1' if carry else ''}={x - y - carry}")
            carry = borrow
        a, b, rest = a // base, b // base, rest // base
        if not rest:
            return out


def wrong_8(total, term, block=1):
    "as many steps as `total` has blocks: 5+896 stops after one"
    out, carry, base = [], 0, 10**block
    a, b = total, abs(term)
    while True:
        x, y = a % base, b % base
        if term >= 0:
            out.append(f"{x}+{y}{'+1' if carry else ''}={x + y + carry}")
            carry = int(x + y + carry >= base)
        else:
            borrow = int(x < y + carry)
            x += borrow * base
            out.append(f"{x}-{y}{'-1' if carry else ''}={x - y - carry}")
            carry = borrow
        a, b = a // base, b // base
        if not a:
            return out


def wrong_9(total, term, block=1):
    "the number of blocks is rounded down: 396+47 in blocks of 2 has one step"
    out, carry, base = [], 0, 10**block
    a, b = total, abs(term)
    for _ in range(max(1, len(str(max(a, b))) // block)):
        x, y = a % base, b % base
        if term >= 0:
            out.append(f"{x}+{y}{'+1' if carry else ''}={x + y + carry}")
            carry = int(x + y + carry >= base)
        else:
            borrow = int(x < y + carry)
            x += borrow * base
            out.append(f"{x}-{y}{'-1' if carry else ''}={x - y - carry}")
            carry = borrow
        a, b = a // base, b // base
    return out


def wrong_10(total, term, block=1):
    "the carry is a sum above `base`, not from it: a column that makes exactly 10 carries nothing"
    out, carry, base = [], 0, 10**block
    a, b = total, abs(term)
    while True:
        x, y = a % base, b % base
        if term >= 0:
            out.append(f"{x}+{y}{'+1' if carry else ''}={x + y + carry}")
            carry = int(x + y + carry > base)
        else:
            borrow = int(x < y + carry)
            x += borrow * base
            out.append(f"{x}-{y}{'-1' if carry else ''}={x - y - carry}")
            carry = borrow
        a, b = a // base, b // base
        if not a and not b:
            return out


def right_1(total, term, block=1):
    "divmod until both are used up"
    a, b, base, carry, steps = total, abs(term), 10**block, 0, []
    while not steps or a or b:
        a, x = divmod(a, base)
        b, y = divmod(b, base)
        if term < 0:
            lacks = x - y - carry < 0
            x += base if lacks else 0
            text = f"{x}-{y}" + ("-1" if carry else "") + f"={x - y - carry}"
            carry = 1 if lacks else 0
        else:
            text = f"{x}+{y}" + ("+1" if carry else "") + f"={x + y + carry}"
            carry = (x + y + carry) // base
        steps.append(text)
    return steps


def _blocks(number, block):
    text = str(number)
    return [int(text[max(0, i - block):i]) for i in range(len(text), 0, -block)]


def right_2(total, term, block=1):
    "the texts are cut into blocks"
    base, carry, steps = 10**block, 0, []
    for x, y in zip_longest(_blocks(total, block), _blocks(abs(term), block), fillvalue=0):
        if term >= 0:
            s = x + y + carry
            steps.append(f"{x}+{y}+1={s}" if carry else f"{x}+{y}={s}")
            carry = s >= base
        else:
            s = x - y - carry
            if s < 0:
                steps.append(f"{x + base}-{y}-1={s + base}" if carry else f"{x + base}-{y}={s + base}")
                carry = True
            else:
                steps.append(f"{x}-{y}-1={s}" if carry else f"{x}-{y}={s}")
                carry = False
    return steps


def right_3(total, term, block=1):
    "recursion with the carry as an argument"
    base, sign = 10**block, "-" if term < 0 else "+"
    def go(a, b, carry):
        x, y = a % base, b % base
        if sign == "+":
            result = x + y + carry
            following = int(result >= base)
        else:
            following = int(x < y + carry)
            x += following * base
            result = x - y - carry
        step = f"{x}{sign}{y}{sign + '1' if carry else ''}={result}"
        rest = a // base, b // base
        return [step, *(go(*rest, following) if any(rest) else [])]
    return go(total, abs(term), 0)


def right_4(total, term, block=1):
    "carries read off the remainders: a block carries where the sums of all that is below reach its place"
    other, minus = abs(term), term < 0
    n = max(len(str(total)), len(str(other)))
    n = -(-n // block)
    steps = []
    for k in range(n):
        low, base = 10 ** (block * k), 10**block
        x, y = total // low % base, other // low % base
        if minus:
            pending = total % low < other % low
            borrowed = total % (low * base) < other % (low * base)
            x += base * borrowed
            steps.append(f"{x}-{y}{'-1' * pending}={x - y - pending}")
        else:
            pending = total % low + other % low >= low and k > 0
            steps.append(f"{x}+{y}{'+1' * pending}={x + y + pending}")
    return steps
