"""pretraining.adamw"""
import torch

def wrong_1(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    "L2: the decay is added to the gradient (Adam, not AdamW)"
    g = g + weight_decay * w
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    m_hat, v_hat = m / (1 - beta1**step), v / (1 - beta2**step)
    return w - lr * m_hat / (v_hat.sqrt() + eps), m, v

def wrong_2(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    "returns the corrected means"
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    m, v = m / (1 - beta1**step), v / (1 - beta2**step)
    return w * (1 - lr * weight_decay) - lr * m / (v.sqrt() + eps), m, v

def wrong_3(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    "changes m and v in place"
    m.mul_(beta1).add_(g, alpha=1 - beta1)
    v.mul_(beta2).addcmul_(g, g, value=1 - beta2)
    m_hat, v_hat = m / (1 - beta1**step), v / (1 - beta2**step)
    return w * (1 - lr * weight_decay) - lr * m_hat / (v_hat.sqrt() + eps), m, v

def wrong_4(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    "eps inside the root: matters where gradients are tiny"
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    m_hat, v_hat = m / (1 - beta1**step), v / (1 - beta2**step)
    return w * (1 - lr * weight_decay) - lr * m_hat / (v_hat + eps).sqrt(), m, v

def wrong_5(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    "the decay is not multiplied with lr"
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    m_hat, v_hat = m / (1 - beta1**step), v / (1 - beta2**step)
    return w * (1 - weight_decay) - lr * m_hat / (v_hat.sqrt() + eps), m, v

def wrong_6(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    "correction as if step counted from 0: wrong for every step"
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    m_hat, v_hat = m / (1 - beta1 ** (step + 1)), v / (1 - beta2 ** (step + 1))
    return w * (1 - lr * weight_decay) - lr * m_hat / (v_hat.sqrt() + eps), m, v

def wrong_7(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    "the same beta1 in the correction of v"
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g.square()
    fill = 1 - beta1**step
    return w * (1 - lr * weight_decay) - lr * (m / fill) / ((v / fill).sqrt() + eps), m, v

def wrong_8(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    "eps before the correction of v: sqrt(v) + eps, then / sqrt(1 - beta2^t); eps counts less at the first steps"
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    rate = lr * (1 - beta2**step) ** 0.5 / (1 - beta1**step)
    return w * (1 - lr * weight_decay) - rate * m / (v.sqrt() + eps), m, v

def wrong_9(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    "the decay acts on the weight after the step: lr^2 off, seen with a large lr"
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    m_hat, v_hat = m / (1 - beta1**step), v / (1 - beta2**step)
    w = w - lr * m_hat / (v_hat.sqrt() + eps)
    return w - lr * weight_decay * w, m, v

def wrong_10(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    "weight is changed in place by the decay: the given w does not stay as it is"
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g * g
    m_hat, v_hat = m / (1 - beta1**step), v / (1 - beta2**step)
    w *= 1 - lr * weight_decay
    return w - lr * m_hat / (v_hat.sqrt() + eps), m, v

def right_1(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    "lerp and addcmul, out of place"
    m = torch.lerp(m, g, 1 - beta1)
    v = torch.addcmul(beta2 * v, g, g, value=1 - beta2)
    denominator = (v / (1 - beta2**step)).sqrt() + eps
    return torch.addcdiv(w - lr * weight_decay * w, m, denominator, value=-lr / (1 - beta1**step)), m, v

def right_2(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    "means as old + (1 - beta)(new - old); the step is put together at the end"
    new_m = m + (1 - beta1) * (g - m)
    new_v = v + (1 - beta2) * (g**2 - v)
    direction = new_m / (1 - beta1**step) / ((new_v / (1 - beta2**step)) ** 0.5 + eps)
    return w - lr * (direction + weight_decay * w), new_m, new_v

def right_3(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    "clones, then in-place operations as torch's single tensor loop has them"
    w, m, v = w.clone(), m.clone(), v.clone()
    w.mul_(1 - lr * weight_decay)
    m.mul_(beta1).add_(g, alpha=1 - beta1)
    v.mul_(beta2).addcmul_(g, g, value=1 - beta2)
    bias1, bias2 = 1 - beta1**step, 1 - beta2**step
    w.addcdiv_(m, v.sqrt().div_(bias2**0.5).add_(eps), value=-lr / bias1)
    return w, m, v

def right_4(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    "nested helper for both means; corrections multiplied in"
    def mean(old, new, beta):
        return old * beta + new * (1 - beta)
    m_new, v_new = mean(m, g, beta1), mean(v, g.square(), beta2)
    c1, c2 = 1 / (1 - beta1**step), 1 / (1 - beta2**step)
    return w - w * (lr * weight_decay) - (lr * c1) * m_new / (torch.sqrt(c2 * v_new) + eps), m_new, v_new
