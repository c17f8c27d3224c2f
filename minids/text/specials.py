"""The special tokens, spelled as DeepSeek's are."""

BOS, EOS, PAD = "<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>", "<｜▁pad▁｜>"
USER, ASSISTANT = "<｜User｜>", "<｜Assistant｜>"
THINK, END_THINK, ANSWER, END_ANSWER = "<think>", "</think>", "<answer>", "</answer>"
DEFAULT_SPECIALS = (BOS, EOS, PAD, USER, ASSISTANT, THINK, END_THINK, ANSWER, END_ANSWER)
# Left out by decode(skip_special=True). The tags stay: a reply is read by them.
CONTROL = (BOS, EOS, PAD, USER, ASSISTANT)
