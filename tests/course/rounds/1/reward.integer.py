"""reward.integer"""
import re
import string

def wrong_1(text):
    "int(): takes '+5', '05', '1_000', '٣'"
    try:
        return int(text)
    except ValueError:
        return None

def wrong_2(text):
    "search for the number in the text: '5 apples' is 5"
    m = re.search(r"-?[1-9][0-9]*|0", text)
    return int(m[0]) if m else None

def wrong_3(text):
    "\\d: digits of other scripts"
    m = re.fullmatch(r"0|-?[1-9]\d{0,63}", text.strip(BLANK))
    return int(m[0]) if m else None

def wrong_4(text):
    "'-0' is 0"
    m = re.fullmatch(r"-?(0|[1-9][0-9]{0,63})", text.strip(BLANK))
    return int(m[0]) if m else None

def wrong_5(text):
    "strip() of every blank: a no-break space or form feed around it is accepted"
    m = re.fullmatch(r"0|-?[1-9][0-9]{0,63}", text.strip())
    return int(m[0]) if m else None

def wrong_6(text):
    "65 digits: {0,64} after the first"
    m = re.fullmatch(rf"0|-?[1-9][0-9]{{0,{MAX_DIGITS}}}", text.strip(BLANK))
    return int(m[0]) if m else None

def wrong_7(text):
    "the length is measured with the sign: a negative number of 64 digits is refused"
    text = text.strip(BLANK)
    if len(text) > MAX_DIGITS:
        return None
    m = re.fullmatch(r"0|-?[1-9][0-9]*", text)
    return int(m[0]) if m else None

def wrong_8(text):
    "no limit to the digits (and ValueError beyond 4300)"
    m = re.fullmatch(r"0|-?[1-9][0-9]*", text.strip(BLANK))
    return int(m[0]) if m else None

def wrong_9(text):
    "match instead of fullmatch, with | unbracketed: '0$' binds to the second alternative only, so '05' is 0"
    m = re.match(r"0|-?[1-9][0-9]{0,63}$", text.strip(BLANK))
    return int(m[0]) if m else None

def wrong_10(text):
    "blanks are not ignored"
    m = re.fullmatch(r"0|-?[1-9][0-9]{0,63}", text)
    return int(m[0]) if m else None

def right_1(text):
    "no pattern: characters are looked at one by one"
    text = text.strip(" \t\r\n")
    digits = text[1:] if text.startswith("-") else text
    if not 1 <= len(digits) <= MAX_DIGITS or any(c not in string.digits for c in digits):
        return None
    if digits[0] == "0" and text != "0":
        return None
    return int(text)

def right_2(text):
    "there and back: the text must be what str makes of the number"
    text = text.strip(BLANK)
    if len(text) > MAX_DIGITS + 1 or not text.isascii():
        return None
    try:
        value = int(text)
    except ValueError:
        return None
    return value if str(value) == text and abs(value) < 10**MAX_DIGITS else None

def right_3(text):
    "the blanks in the pattern, re.ASCII, a group"
    m = re.fullmatch(r"[ \t\r\n]*(0|-?[1-9]\d{0,63})[ \t\r\n]*", text, re.ASCII)
    return None if m is None else int(m.group(1))

def right_4(text):
    "isascii and isdigit; the value summed digit by digit"
    body, sign = text.strip(BLANK), 1
    if body[:1] == "-":
        body, sign = body[1:], -1
    if not (body.isascii() and body.isdigit()) or len(body) > 64:
        return None
    if body.startswith("0") and (len(body) > 1 or sign < 0):
        return None
    value = 0
    for c in body:
        value = 10 * value + ord(c) - ord("0")
    return sign * value
