"""bill.training_flops"""


def wrong_1(config, tokens, length):
    "backward counted once: 4 N + 2 A"
    return tokens * 2 * (2 * multiplied(config) + attention_flops(config, length))


def wrong_2(config, tokens, length):
    "attention's products only forward"
    return tokens * (6 * multiplied(config) + attention_flops(config, length))


def wrong_3(config, tokens, length):
    "attention counted 6 times, like a parameter"
    return tokens * 6 * (multiplied(config) + attention_flops(config, length))


def wrong_4(config, tokens, length):
    "all active parameters, embedding too (differs if not tied)"
    return tokens * (6 * active(config) + 3 * attention_flops(config, length))


def wrong_5(config, tokens, length):
    "all parameters, not only the active ones"
    return tokens * (6 * parameters(config)["total"] + 3 * attention_flops(config, length))


def wrong_6(config, tokens, length):
    "attention over one text of all tokens"
    return tokens * (6 * multiplied(config) + 3 * attention_flops(config, tokens))


def wrong_7(config, tokens, length):
    "attention not multiplied by the tokens"
    return 6 * multiplied(config) * tokens + 3 * attention_flops(config, length)


def wrong_8(config, tokens, length):
    "whole texts only: tokens // length, the rest dropped"
    texts = tokens // length
    return texts * length * 3 * (2 * multiplied(config) + attention_flops(config, length))


def wrong_9(config, tokens, length):
    "activations recomputed: 4 forward passes"
    return 4 * forward_flops(config, tokens, length)


def wrong_10(config, tokens, length):
    "backward of attention once: only one of its two gradients (6 N + 2 A)"
    return tokens * (6 * multiplied(config) + 2 * attention_flops(config, length))


def right_1(config, tokens, length):
    "three times forward_flops"
    return 3 * forward_flops(config, tokens, length)


def right_2(config, tokens, length):
    "6 N + 3 A"
    return 6 * multiplied(config) * tokens + 3 * attention_flops(config, length) * tokens


def right_3(config, tokens, length):
    "passes in a list: forward, for x, for W"
    n, a = multiplied(config), attention_flops(config, length)
    return sum(tokens * (2 * n + a) for _ in ("y", "x", "W"))


def right_4(config, tokens, length):
    "N from the active parameters by hand"
    n = active(config)
    if not config.tie_word_embeddings:
        n -= config.vocab_size * config.hidden_size
    a_token = 2 * n + attention_flops(config, length)
    backward = 2 * a_token
    return (a_token + backward) * tokens
