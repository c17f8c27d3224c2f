"""reward.integer"""
import re


def wrong_1(text):
    "int() decides: +5, 05, 1_000, digits of other scripts"
    text = text.strip(BLANK)
    try:
        return int(text) if len(text.lstrip("-")) <= MAX_DIGITS else None
    except ValueError:
        return None


def wrong_2(text):
    r"\d takes the digits of every script"
    m = re.fullmatch(r"0|-?[1-9]\d{0,63}", text.strip(BLANK))
    return int(m[0]) if m else None


def wrong_3(text):
    "-0 is let through"
    m = re.fullmatch(r"-?(0|[1-9][0-9]{0,63})", text.strip(BLANK))
    return int(m[0]) if m else None


def wrong_4(text):
    "strip() takes every blank off: no-break space, form feed, wide space"
    m = re.fullmatch(r"0|-?[1-9][0-9]{0,63}", text.strip())
    return int(m[0]) if m else None


def wrong_5(text):
    "64 characters, the sign among them: a negative number of 64 digits is refused"
    text = text.strip(BLANK)
    m = re.fullmatch(r"0|-?[1-9][0-9]*", text)
    return int(text) if m and len(text) <= MAX_DIGITS else None


def wrong_6(text):
    "65 digits are let through"
    m = re.fullmatch(r"0|-?[1-9][0-9]{0,64}", text.strip(BLANK))
    return int(m[0]) if m else None


def wrong_7(text):
    "0 is falsy and becomes None"
    m = re.fullmatch(r"0|-?[1-9][0-9]{0,63}", text.strip(BLANK))
    return (int(m[0]) if m else None) or None


def wrong_8(text):
    "match needs only the beginning: 5 apples, 05 is 0"
    m = re.match(r"0|-?[1-9][0-9]{0,63}", text.strip(BLANK))
    return int(m[0]) if m else None


def wrong_9(text):
    "blanks between the sign and the digits are ignored, '- 5'"
    m = re.fullmatch(r"0|-?[ \t]*[1-9][0-9]{0,63}", text.strip(BLANK))
    return int(m[0].replace(" ", "").replace("\t", "")) if m else None


def wrong_10(text):
    "only spaces are ignored, not tabs and line ends"
    m = re.fullmatch(r"0|-?[1-9][0-9]{0,63}", text.strip(" "))
    return int(m[0]) if m else None


def right_1(text):
    "without a pattern: characters looked at"
    text = text.strip(BLANK)
    digits = text[1:] if text.startswith("-") else text
    if not 1 <= len(digits) <= MAX_DIGITS or any(c not in "0123456789" for c in digits):
        return None
    if digits[0] == "0" and text != "0":
        return None
    return int(text)


def right_2(text):
    "spelled again and compared"
    text = text.strip(BLANK)
    if not text.isascii() or len(text) > MAX_DIGITS + 1:
        return None
    try:
        value = int(text)
    except ValueError:
        return None
    return value if str(value) == text and abs(value) < 10**MAX_DIGITS else None


def right_3(text):
    "an own pattern with blanks in it"
    m = re.fullmatch(r"[ \t\r\n]*(0|-?[1-9][0-9]{0,63})[ \t\r\n]*", text)
    return None if m is None else int(m.group(1))


def right_4(text):
    "anchors, the digits added up"
    m = re.search(r"\A(-?)([1-9][0-9]*|0)\Z", text.strip(BLANK))
    if not m or len(m[2]) > MAX_DIGITS or m[0] == "-0":
        return None
    value = 0
    for c in m[2]:
        value = 10 * value + ord(c) - ord("0")
    return -value if m[1] else value
