"""Texts on which tokenizers differ."""

TRICKY = [
    "",
    " ",
    "\n\n\n",
    "naïve café ÀÉÎ",
    "数学は楽しい。中文字符 12345 数字",
    "привет мир, ¿qué tal?",
    "🙂👩‍👩‍👧‍👦🇯🇵 emoji 🙂🙂",
    "1234567890 3.14159 ١٢٣٤ ⅷ½",
    "a\u0301\u0301b  \u00a0\u2003x\r\n\t y",
    "\x00\x01\x02a\x7f1\x1f ",
    "    def f(x):\n\n\n        return x  # ok\n",
    "a" * 5000,
    "=" * 3001 + "ab" * 2000,
    " " * 1000 + "x",
    "x" + "\n \n" * 300,
    "<think>not a mark</think><｜User｜>",
]
