"""bill.training_flops"""


def wrong_1(config, tokens, length):
    "backward as dear as one forward"
    return 2 * forward_flops(config, tokens, length)


def wrong_2(config, tokens, length):
    "6 * active: the embedding, which is looked up, is counted (untied models)"
    return tokens * (6 * active(config) + 3 * attention_flops(config, length))


def wrong_3(config, tokens, length):
    "attention's products have no backward: 6 N + A"
    return tokens * (6 * multiplied(config) + attention_flops(config, length))


def wrong_4(config, tokens, length):
    "attention over all tokens as if they were one text"
    return tokens * (6 * multiplied(config) + 3 * attention_flops(config, tokens))


def wrong_5(config, tokens, length):
    "the embedding is subtracted for tied heads too"
    n = active(config) - parameters(config)["embedding"]
    return tokens * (6 * n + 3 * attention_flops(config, length))


def wrong_6(config, tokens, length):
    "all parameters instead of the active ones (MoE)"
    p = parameters(config)
    n = p["total"] - (0 if config.tie_word_embeddings else p["embedding"])
    return tokens * (6 * n + 3 * attention_flops(config, length))


def wrong_7(config, tokens, length):
    "whole texts only: the tokens of the last, shorter text are dropped"
    return tokens // length * length * 3 * (2 * multiplied(config) + attention_flops(config, length))


def wrong_8(config, tokens, length):
    "A is multiplied by 6 like N, although it has its factor 2 already"
    return 6 * tokens * (multiplied(config) + attention_flops(config, length))


def wrong_9(config, tokens, length):
    "backward only: twice the forward"
    return tokens * 2 * (2 * multiplied(config) + attention_flops(config, length))


def wrong_10(config, tokens, length):
    "N rounded to billions, as papers print it: 0 for small models"
    n = multiplied(config) // 10**9 * 10**9
    return tokens * (6 * n + 3 * attention_flops(config, length))


def right_1(config, tokens, length):
    "three times forward_flops"
    return 3 * forward_flops(config, tokens, length)


def right_2(config, tokens, length):
    "6 N + 3 A, floats"
    return float(tokens) * (6.0 * multiplied(config) + 3.0 * attention_flops(config, length))


def right_3(config, tokens, length):
    "forward and backward written apart"
    forward = tokens * 2 * multiplied(config) + tokens * attention_flops(config, length)
    backward = 0
    for _side in ("x", "W"):
        backward += forward
    return forward + backward


def right_4(config, tokens, length):
    "N from the parts"
    p = parameters(config)
    n = active(config)
    if not config.tie_word_embeddings:
        n -= p["embedding"]
    return 6 * n * tokens + 3 * attention_flops(config, length) * tokens
