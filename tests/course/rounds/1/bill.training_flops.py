"""bill.training_flops"""


def wrong_1(config, tokens, length):
    "forward only"
    return tokens * (2 * multiplied(config) + attention_flops(config, length))


def wrong_2(config, tokens, length):
    "6 N, but attention's products only once"
    return tokens * (6 * multiplied(config) + attention_flops(config, length))


def wrong_3(config, tokens, length):
    "6 N only, attention's products forgotten"
    return tokens * 6 * multiplied(config)


def wrong_4(config, tokens, length):
    "all active parameters, the embedding too (differs for untied heads)"
    return tokens * (6 * active(config) + 3 * attention_flops(config, length))


def wrong_5(config, tokens, length):
    "all parameters of the model, idle experts too"
    return tokens * (6 * parameters(config)["total"] + 3 * attention_flops(config, length))


def wrong_6(config, tokens, length):
    "backward counted as one forward: factor 2"
    return tokens * 2 * (2 * multiplied(config) + attention_flops(config, length))


def wrong_7(config, tokens, length):
    "attention's products doubled once more, as if they were multiplications: 6 A"
    return tokens * 6 * (multiplied(config) + attention_flops(config, length))


def wrong_8(config, tokens, length):
    "attention's products counted for one token of each text only"
    return tokens * 6 * multiplied(config) + tokens // length * 3 * attention_flops(config, length)


def wrong_9(config, tokens, length):
    "attention's products over all tokens as one text, `length` ignored"
    return tokens * 3 * (2 * multiplied(config) + attention_flops(config, tokens))


def wrong_10(config, tokens, length):
    "whole texts only: the tokens of the last unfinished text are dropped (tokens no multiple of length)"
    return tokens // length * length * 3 * (2 * multiplied(config) + attention_flops(config, length))


def right_1(config, tokens, length):
    "three times forward_flops"
    return 3 * forward_flops(config, tokens, length)


def right_2(config, tokens, length):
    "6 N + 3 A"
    return (6 * multiplied(config) + 3 * attention_flops(config, length)) * tokens


def right_3(config, tokens, length):
    "forward and backward by name"
    forward = 2 * tokens * multiplied(config) + tokens * attention_flops(config, length)
    backward = 2 * forward
    return forward + backward


def right_4(config, tokens, length):
    "N by hand: active without the embedding unless it is the head"
    n = active(config)
    if not config.tie_word_embeddings:
        n -= config.vocab_size * config.hidden_size
    weights = sum(2 * n for _ in ("y", "dx", "dW"))
    products = sum(attention_flops(config, length) for _ in ("y", "da", "db"))
    return tokens * (weights + products)
