"""reward.integer"""
import re
import string


def wrong_1(text):
    "int() decides: \"+5\", \"05\", \"1_000\" pass"
    # breaks: "no \"+\", no zeros in front" "+5" gives 5
    text = text.strip(BLANK)
    if len(text.lstrip("+-")) > MAX_DIGITS:
        return None
    try:
        return int(text)
    except ValueError:
        return None


def wrong_2(text):
    "\\d takes the digits of every script"
    # breaks: "ASCII digits and nothing else" "1\u0665" (an Arabic five) gives 15
    match = re.fullmatch(r"0|-?[1-9]\d{0,63}", text.strip(BLANK))
    return int(match[0]) if match else None


def wrong_3(text):
    "strip() takes away other blanks than space, tab and line ends"
    # breaks: "Blanks around it (`BLANK`: space, tab, line ends) are ignored" and "nothing else": "\u00a05", "5\x0c" give 5
    match = _INTEGER.fullmatch(text.strip())
    return int(match[0]) if match else None


def wrong_4(text):
    "minus zero passes"
    # breaks: "no \"-0\"" "-0" gives 0
    match = re.fullmatch(r"-?(0|[1-9][0-9]{0,63})", text.strip(BLANK))
    return int(match[0]) if match else None


def wrong_5(text):
    "the sign counts as one of the 64 digits"
    # breaks: "At most `MAX_DIGITS` = 64 digits" "-" + "9" * 64 gives None
    text = text.strip(BLANK)
    if len(text) > MAX_DIGITS or not re.fullmatch(r"0|-?[1-9][0-9]*", text):
        return None
    return int(text)


def wrong_6(text):
    "any number of digits"
    # breaks: "At most `MAX_DIGITS` = 64 digits" "9" * 65 gives a number
    match = re.fullmatch("0|-?[1-9][0-9]*", text.strip(BLANK))
    return int(match[0]) if match else None


def wrong_7(text):
    "zero is taken for nothing"
    # breaks: "The integer that `text` spells canonically" "0" gives None
    match = _INTEGER.fullmatch(text.strip(BLANK))
    value = match and int(match[0])
    return value or None


def wrong_8(text):
    "blanks are taken out everywhere, not only around"
    # breaks: "Blanks around it (...) are ignored" and "ASCII digits and nothing else": "1 000" gives 1000, "- 5" gives -5
    match = _INTEGER.fullmatch("".join(c for c in text if c not in BLANK))
    return int(match[0]) if match else None


def wrong_9(text):
    "isdigit is true of a superscript, which int() then refuses with a ValueError"
    # breaks: "or None" "\u00b2" raises ValueError
    text = text.strip(BLANK)
    digits = text.removeprefix("-")
    if not digits.isdigit() or len(digits) > MAX_DIGITS:
        return None
    if digits[0] == "0" and text != "0":
        return None
    value = int(text)
    return value if str(value) == text else None


def wrong_10(text):
    "an empty text has no first digit: IndexError"
    # breaks: "or None" "" and "-" and "  " raise IndexError
    text = text.strip(BLANK)
    digits = text[1:] if text.startswith("-") else text
    if text == "0":
        return 0
    if digits[0] == "0" or not all(c in string.digits for c in digits) or len(digits) > MAX_DIGITS:
        return None
    return int(text)


def right_1(text):
    "int() and back: canonical is what str() would write"
    text = text.strip(BLANK)
    if len(text.removeprefix("-")) > MAX_DIGITS:
        return None
    try:
        value = int(text)
    except ValueError:
        return None
    return value if str(value) == text else None


def right_2(text):
    "character by character"
    text = text.strip(" \t\r\n")
    negative = text[:1] == "-"
    digits = text[1:] if negative else text
    if not 1 <= len(digits) <= 64 or any(c not in "0123456789" for c in digits):
        return None
    if digits[0] == "0" and (negative or len(digits) > 1):
        return None
    value = 0
    for c in digits:
        value = 10 * value + ord(c) - ord("0")
    return -value if negative else value


def right_3(text):
    "one regular expression with the blanks in it"
    match = re.fullmatch(r"[ \t\r\n]*(0|-?[1-9][0-9]{0,63})[ \t\r\n]*", text)
    return None if match is None else int(match.group(1))


def right_4(text):
    "isascii and isdigit together"
    text = text.strip(BLANK)
    if text == "0":
        return 0
    digits = text.removeprefix("-")
    fine = digits.isascii() and digits.isdigit() and not digits.startswith("0") and len(digits) <= MAX_DIGITS
    return int(text) if fine else None
