"""pretraining.adamw"""
import math

import torch


def wrong_1(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    "the decay is added to the gradient (Adam with L2), so it is divided by the root of v"
    g = g + weight_decay * w
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat, v_hat = m / (1 - beta1**step), v / (1 - beta2**step)
    return w - lr * m_hat / (v_hat.sqrt() + eps), m, v


def wrong_2(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    "returns the corrected means: the next update corrects twice"
    m = (beta1 * m + (1 - beta1) * g) / (1 - beta1**step)
    v = (beta2 * v + (1 - beta2) * g**2) / (1 - beta2**step)
    return w * (1 - lr * weight_decay) - lr * m / (v.sqrt() + eps), m, v


def wrong_3(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    "m and v are updated in place: the caller's change"
    m.mul_(beta1).add_(g, alpha=1 - beta1)
    v.mul_(beta2).addcmul_(g, g, value=1 - beta2)
    m_hat, v_hat = m / (1 - beta1**step), v / (1 - beta2**step)
    return w * (1 - lr * weight_decay) - lr * m_hat / (v_hat.sqrt() + eps), m, v


def wrong_4(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    "eps under the root: differs for small gradients (1e-4 and below)"
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat, v_hat = m / (1 - beta1**step), v / (1 - beta2**step)
    return w * (1 - lr * weight_decay) - lr * m_hat / (v_hat + eps).sqrt(), m, v


def wrong_5(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    "the decay shrinks the step too: (w - step) (1 - lr wd); visible with a large lr"
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat, v_hat = m / (1 - beta1**step), v / (1 - beta2**step)
    w = w - lr * m_hat / (v_hat.sqrt() + eps)
    return w - lr * weight_decay * w, m, v


def wrong_6(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    "the decay is not multiplied by the learning rate"
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat, v_hat = m / (1 - beta1**step), v / (1 - beta2**step)
    return w * (1 - weight_decay) - lr * m_hat / (v_hat.sqrt() + eps), m, v


def wrong_7(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    "eps is added before the correction of v, so it is enlarged with it: differs where the root of v is as small as eps"
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    rate = lr * math.sqrt(1 - beta2**step) / (1 - beta1**step)
    return w * (1 - lr * weight_decay) - rate * m / (v.sqrt() + eps), m, v


def wrong_8(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    "the corrections use the usual betas whatever is given"
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat, v_hat = m / (1 - 0.9**step), v / (1 - 0.95**step)
    return w * (1 - lr * weight_decay) - lr * m_hat / (v_hat.sqrt() + eps), m, v


def wrong_9(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    "computes and returns float32, also for float64 tensors"
    w, g, m, v = w.float(), g.float(), m.float(), v.float()
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat, v_hat = m / (1 - beta1**step), v / (1 - beta2**step)
    return w * (1 - lr * weight_decay) - lr * m_hat / (v_hat.sqrt() + eps), m, v


def wrong_10(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    "step counted from 0: the correction is that of one update later"
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat, v_hat = m / (1 - beta1 ** (step + 1)), v / (1 - beta2 ** (step + 1))
    return w * (1 - lr * weight_decay) - lr * m_hat / (v_hat.sqrt() + eps), m, v


def right_1(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    "means by lerp, the decay subtracted"
    m = torch.lerp(m, g, 1 - beta1)
    v = torch.lerp(v, g * g, 1 - beta2)
    m_hat = m / (1 - beta1**step)
    v_hat = v / (1 - beta2**step)
    return w - lr * weight_decay * w - lr * (m_hat / (torch.sqrt(v_hat) + eps)), m, v


def right_2(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    "torch's form: the corrections go into the step size and the divisor"
    m = m * beta1 + g * (1 - beta1)
    v = v * beta2 + g.pow(2) * (1 - beta2)
    size = lr / (1 - beta1**step)
    divisor = v.sqrt() / math.sqrt(1 - beta2**step) + eps
    return torch.addcdiv(w * (1 - lr * weight_decay), m, divisor, value=-size), m, v


def right_3(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    "asks torch.optim.AdamW, on copies"
    p = torch.nn.Parameter(w.detach().clone())
    p.grad = g.detach().clone()
    optimizer = torch.optim.AdamW([p], lr=lr, betas=(beta1, beta2), eps=eps, weight_decay=weight_decay)
    state = {"step": torch.tensor(float(step - 1)), "exp_avg": m.clone(), "exp_avg_sq": v.clone()}
    optimizer.state[p] = state
    optimizer.step()
    return p.detach(), state["exp_avg"], state["exp_avg_sq"]


def right_4(w, g, m, v, step, lr, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1):
    "in place, on copies"
    w, m, v = w.clone(), m.clone(), v.clone()
    m.mul_(beta1).add_(g, alpha=1 - beta1)
    v.mul_(beta2).addcmul_(g, g, value=1 - beta2)
    w.mul_(1 - lr * weight_decay)
    root = (v / (1 - beta2**step)).sqrt_().add_(eps)
    w.sub_(m / (1 - beta1**step) / root * lr)
    return w, m, v
