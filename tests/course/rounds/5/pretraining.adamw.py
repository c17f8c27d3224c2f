"""pretraining.adamw"""
import torch


def wrong_1(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    "m and v are moved in place"
    # breaks: "the given tensors stay as they are"; any call changes the given m and v
    m.mul_(beta1).add_(g, alpha=1 - beta1)
    v.mul_(beta2).addcmul_(g, g, value=1 - beta2)
    m_hat, v_hat = m / (1 - beta1**step), v / (1 - beta2**step)
    return w * (1 - lr * weight_decay) - lr * m_hat / (v_hat.sqrt() + eps), m, v


def wrong_2(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    "returns the corrected means, which the next update corrects again"
    # breaks: "Returns the plain running means, without the correction for their start"; m after step 1 is g, not 0.1 g
    m = (beta1 * m + (1 - beta1) * g) / (1 - beta1**step)
    v = (beta2 * v + (1 - beta2) * g**2) / (1 - beta2**step)
    return w * (1 - lr * weight_decay) - lr * m / (v.sqrt() + eps), m, v


def wrong_3(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    "eps under the root"
    # breaks: "algorithm 2", sqrt(v_hat) + eps; g = 1e-4 at step 1 gives 0.7 lr in place of lr
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    m_hat, v_hat = m / (1 - beta1**step), v / (1 - beta2**step)
    return w * (1 - lr * weight_decay) - lr * m_hat / torch.sqrt(v_hat + eps), m, v


def wrong_4(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    "eps is added to the uncorrected root, so it weighs more in the first updates"
    # breaks: "algorithm 2", sqrt(v / (1 - beta2^t)) + eps; g = 1e-8 (or eps = 0.1 with g = 1) at step 1
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    rate = lr * (1 - beta2**step) ** 0.5 / (1 - beta1**step)
    return w * (1 - lr * weight_decay) - rate * m / (v.sqrt() + eps), m, v


def wrong_5(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    "Adam with L2: the decay goes into the gradient"
    # breaks: "One AdamW update", decoupled decay; w = 1, g = 0.1: m, v and w differ
    g = g + weight_decay * w
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    m_hat, v_hat = m / (1 - beta1**step), v / (1 - beta2**step)
    return w - lr * m_hat / (v_hat.sqrt() + eps), m, v


def wrong_6(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    "both means are corrected with beta1"
    # breaks: "algorithm 2", v / (1 - beta2^t); step 1 moves by sqrt(2) lr
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g.square()
    filled = 1 - beta1**step
    return w * (1 - lr * weight_decay) - lr * (m / filled) / ((v / filled).sqrt() + eps), m, v


def wrong_7(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    "computes and returns float32, whatever came in"
    # breaks: "float64 dtypes": float64 weights come back as float32
    w, g, m, v = (x.float() for x in (w, g, m, v))
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    m_hat, v_hat = m / (1 - beta1**step), v / (1 - beta2**step)
    return w * (1 - lr * weight_decay) - lr * m_hat / (v_hat.sqrt() + eps), m, v


def wrong_8(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    "a gradient of zeros counts as nothing to do"
    # breaks: "One AdamW update of one tensor"; g = 0 with m = 1: w does not move, m and v do not shrink, no decay
    if not g.any():
        return w, m, v
    m = torch.lerp(g, m, beta1)
    v = torch.lerp(g * g, v, beta2)
    m_hat, v_hat = m / (1 - beta1**step), v / (1 - beta2**step)
    return w * (1 - lr * weight_decay) - lr * m_hat / (v_hat.sqrt() + eps), m, v


def wrong_9(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    "squares the gradient in place"
    # breaks: "the given tensors stay as they are"; g = 3 is 9 afterwards
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g.pow_(2)
    m_hat, v_hat = m / (1 - beta1**step), v / (1 - beta2**step)
    return w * (1 - lr * weight_decay) - lr * m_hat / (v_hat.sqrt() + eps), m, v


def wrong_10(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    "updates are counted from 0: the correction is one update late"
    # breaks: "zeros before the first update, which has step = 1"; step 1 moves by 0.53 / 0.72 lr
    t = step + 1
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
    return w * (1 - lr * weight_decay) - lr * m_hat / (v_hat.sqrt() + eps), m, v


def right_1(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    "lerp for the means, addcdiv for the step"
    m = m.lerp(g, 1 - beta1)
    v = v.lerp(g.square(), 1 - beta2)
    divisor = (v / (1 - beta2**step)).sqrt() + eps
    return torch.addcdiv(w * (1 - lr * weight_decay), m, divisor, value=-lr / (1 - beta1**step)), m, v


def right_2(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    "in place, but on copies"
    w, m, v = w.clone(), m.clone(), v.clone()
    m.mul_(beta1).add_(g, alpha=1 - beta1)
    v.mul_(beta2).addcmul_(g, g, value=1 - beta2)
    w -= lr * weight_decay * w
    w -= lr * (m / (1 - beta1**step)) / ((v / (1 - beta2**step)) ** 0.5 + eps)
    return w, m, v


def right_3(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    "the corrections as factors of the rate and of eps"
    fill1, fill2 = 1 - beta1**step, 1 - beta2**step
    new_m = m + (1 - beta1) * (g - m)
    new_v = v + (1 - beta2) * (g * g - v)
    root = fill2**0.5
    delta = new_m * (root / fill1) / (torch.sqrt(new_v) + eps * root)
    return w - lr * (weight_decay * w + delta), new_m, new_v


def right_4(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    "both means by one helper, the decay apart"
    def mean(old, new, beta):
        now = old * beta + new * (1 - beta)
        return now, now / (1 - pow(beta, step))

    m, direction = mean(m, g, beta1)
    v, power = mean(v, torch.mul(g, g), beta2)
    decay = w * lr * weight_decay
    return w - decay - direction.div(power.sqrt().add(eps)).mul(lr), m, v
