"""pretraining.adamw"""
import math
import torch


def wrong_1(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    "L2 regularisation: the decay goes into the gradient"
    g = g + weight_decay * w
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    return w - lr * (m / (1 - beta1**step)) / ((v / (1 - beta2**step)).sqrt() + eps), m, v


def wrong_2(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    "the running means are updated in place: the given m and v change"
    m.mul_(beta1).add_(g, alpha=1 - beta1)
    v.mul_(beta2).addcmul_(g, g, value=1 - beta2)
    return w * (1 - lr * weight_decay) - lr * (m / (1 - beta1**step)) / ((v / (1 - beta2**step)).sqrt() + eps), m, v


def wrong_3(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    "returns the corrected means: from the second update on all is wrong"
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    m, v = m / (1 - beta1**step), v / (1 - beta2**step)
    return w * (1 - lr * weight_decay) - lr * m / (v.sqrt() + eps), m, v


def wrong_4(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    "eps under the root: differs for small gradients"
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    return w * (1 - lr * weight_decay) - lr * (m / (1 - beta1**step)) / (v / (1 - beta2**step) + eps).sqrt(), m, v


def wrong_5(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    "eps is added before the correction of v (Adam's 'efficient' form): differs by up to 1/sqrt(1-b2^t) in eps for tiny gradients"
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    size = lr * math.sqrt(1 - beta2**step) / (1 - beta1**step)
    return w * (1 - lr * weight_decay) - size * m / (v.sqrt() + eps), m, v


def wrong_6(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    "the decay acts on the weight after the step, so the step is shrunk too: visible at large lr * weight_decay"
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    w = w - lr * (m / (1 - beta1**step)) / ((v / (1 - beta2**step)).sqrt() + eps)
    return w * (1 - lr * weight_decay), m, v


def wrong_7(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    "the decay is not times the learning rate"
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    return w * (1 - weight_decay) - lr * (m / (1 - beta1**step)) / ((v / (1 - beta2**step)).sqrt() + eps), m, v


def wrong_8(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    "the correction only at the first update"
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    m_hat, v_hat = (m / (1 - beta1), v / (1 - beta2)) if step == 1 else (m, v)
    return w * (1 - lr * weight_decay) - lr * m_hat / (v_hat.sqrt() + eps), m, v


def wrong_9(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    "the weight is changed in place, as an optimizer does"
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    w.mul_(1 - lr * weight_decay)
    w -= lr * (m / (1 - beta1**step)) / ((v / (1 - beta2**step)).sqrt() + eps)
    return w, m, v


def wrong_10(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    "no decay for vectors, as the optimizer's groups do it; the function is given weight_decay and w of one dimension is decayed by nobody"
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    decay = weight_decay if w.ndim >= 2 else 0.0
    return w * (1 - lr * decay) - lr * (m / (1 - beta1**step)) / ((v / (1 - beta2**step)).sqrt() + eps), m, v


def right_1(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    "lerp, and the corrections pulled into step size and denominator"
    m, v = torch.lerp(m, g, 1 - beta1), torch.lerp(v, g.square(), 1 - beta2)
    denominator = v.sqrt() / math.sqrt(1 - beta2**step) + eps
    return torch.addcdiv(w * (1 - lr * weight_decay), m, denominator, value=-lr / (1 - beta1**step)), m, v


def right_2(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    "copies, then in place, as torch does it"
    w, m, v = w.clone(), m.clone(), v.clone()
    m.mul_(beta1).add_(g, alpha=1 - beta1)
    v.mul_(beta2).addcmul_(g, g, value=1 - beta2)
    w.mul_(1 - lr * weight_decay)
    w.sub_(lr * m.div(1 - beta1**step).div((v / (1 - beta2**step)).sqrt().add(eps)))
    return w, m, v


def right_3(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    "the decay written as a second term of the step"
    new_m = m + (1 - beta1) * (g - m)
    new_v = v + (1 - beta2) * (g**2 - v)
    adam = (new_m / (1 - math.pow(beta1, step))) / (torch.sqrt(new_v / (1 - math.pow(beta2, step))) + eps)
    return w - lr * (adam + weight_decay * w), new_m, new_v


def right_4(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    "float64 inside, back in the dtypes given"
    W, G, M, V = (x.double() for x in (w, g, m, v))
    M, V = beta1 * M + (1 - beta1) * G, beta2 * V + (1 - beta2) * G * G
    out = W - lr * weight_decay * W - lr * (M / (1 - beta1**step)) / ((V / (1 - beta2**step)).sqrt() + eps)
    return out.to(w.dtype), M.to(m.dtype), V.to(v.dtype)
