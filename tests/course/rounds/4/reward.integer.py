"""reward.integer"""
import re
import string


def wrong_1(text):
    "int() decides: '+5', '05', '1_000' and digits of other scripts are taken"
    try:
        return int(text)
    except ValueError:
        return None


def wrong_2(text):
    "\\d takes the digits of every script"
    match = re.fullmatch(rf"0|-?[1-9]\d{{0,{MAX_DIGITS - 1}}}", text.strip(BLANK))
    return int(match[0]) if match else None


def wrong_3(text):
    "match instead of fullmatch: '5 apples' is 5, '05' is 0"
    match = _INTEGER.match(text.strip(BLANK))
    return int(match[0]) if match else None


def wrong_4(text):
    "strip() takes every blank off: a no-break space, a form feed around the number are accepted"
    match = _INTEGER.fullmatch(text.strip())
    return int(match[0]) if match else None


def wrong_5(text):
    "'-0' is accepted"
    match = re.fullmatch(r"-?(0|[1-9][0-9]{0,63})", text.strip(BLANK))
    return int(match[0]) if match else None


def wrong_6(text):
    "no bound on the digits"
    match = re.fullmatch(r"0|-?[1-9][0-9]*", text.strip(BLANK))
    return int(match[0]) if match else None


def wrong_7(text):
    "the minus sign counts as one of the 64: a negative number of 64 digits is refused"
    text = text.strip(BLANK)
    if len(text) > MAX_DIGITS:
        return None
    match = _INTEGER.fullmatch(text)
    return int(match[0]) if match else None


def wrong_8(text):
    "off by one: 65 digits are accepted"
    match = re.fullmatch(rf"0|-?[1-9][0-9]{{0,{MAX_DIGITS}}}", text.strip(BLANK))
    return int(match[0]) if match else None


def wrong_9(text):
    "zero is falsy: '0' gives None"
    match = _INTEGER.fullmatch(text.strip(BLANK))
    value = int(match[0]) if match else 0
    return value or None


def wrong_10(text):
    "lstrip('-') takes any number of signs, so '--5' raises ValueError; '²' is a digit to isdigit and raises too"
    text = text.strip(BLANK)
    digits = text.lstrip("-")
    if not digits.isdigit() or len(digits) > MAX_DIGITS or (digits[0] == "0" and text != "0"):
        return None
    return int(text)


def wrong_11(text):
    "blanks around it are not ignored"
    match = _INTEGER.fullmatch(text)
    return int(match[0]) if match else None


def wrong_12(text):
    "all blanks are taken out, also between digits: '1 2' is 12"
    for blank in BLANK:
        text = text.replace(blank, "")
    match = _INTEGER.fullmatch(text)
    return int(match[0]) if match else None


def right_1(text):
    "the canonical text is what str gives back"
    text = text.strip(" \t\r\n")
    if not 0 < len(text) <= MAX_DIGITS + 1:
        return None
    try:
        value = int(text)
    except ValueError:
        return None
    if str(value) != text or abs(value) >= 10**MAX_DIGITS:
        return None
    return value


def right_2(text):
    "character by character"
    text = text.strip(BLANK)
    if text == "0":
        return 0
    negative = text.startswith("-")
    digits = text[1:] if negative else text
    if not digits or len(digits) > 64 or digits[0] == "0":
        return None
    value = 0
    for char in digits:
        if char not in "0123456789":
            return None
        value = 10 * value + ord(char) - ord("0")
    return -value if negative else value


def right_3(text):
    "one pattern with the blanks inside"
    match = re.fullmatch(r"[ \t\r\n]*(0|-?[1-9][0-9]{0,63})[ \t\r\n]*", text)
    return None if match is None else int(match.group(1))


def right_4(text):
    "isascii and isdecimal"
    number = text.lstrip(BLANK).rstrip(BLANK)
    digits = number.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal()) or len(digits) > MAX_DIGITS:
        return None
    if digits.startswith("0") and number != "0":
        return None
    return int(number)
