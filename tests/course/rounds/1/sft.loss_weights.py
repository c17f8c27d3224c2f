"""sft.loss_weights"""
import numpy as np
import torch

def wrong_1(sizes_B, prompts_B, prompt_weight):
    "the first token keeps its weight"
    t = torch.arange(int(sizes_B.max()))
    w = torch.where(t < prompts_B[:, None], float(prompt_weight), 1.0)
    return w * (t < sizes_B[:, None])

def wrong_2(sizes_B, prompts_B, prompt_weight):
    "<= prompts: the first token of the reply counts as question"
    t = torch.arange(int(sizes_B.max()))
    w = torch.where(t <= prompts_B[:, None], float(prompt_weight), 1.0)
    w = w * (t < sizes_B[:, None])
    w[:, 0] = 0
    return w

def wrong_3(sizes_B, prompts_B, prompt_weight):
    "the stop token is left out (t < size - 1)"
    t = torch.arange(int(sizes_B.max()))
    w = torch.where(t < prompts_B[:, None], float(prompt_weight), 1.0)
    w = w * (t < sizes_B[:, None] - 1)
    w[:, 0] = 0
    return w

def wrong_4(sizes_B, prompts_B, prompt_weight):
    "one more weight behind the end: t <= size"
    t = torch.arange(int(sizes_B.max()))
    w = torch.where(t < prompts_B[:, None], float(prompt_weight), 1.0)
    w = w * (t <= sizes_B[:, None])
    w[:, 0] = 0
    return w

def wrong_5(sizes_B, prompts_B, prompt_weight):
    "an integer prompt_weight makes an integer tensor: int64 for 0 or 1"
    t = torch.arange(int(sizes_B.max()))
    w = torch.where(t < prompts_B[:, None], prompt_weight, 1)
    w = w * (t < sizes_B[:, None])
    w[:, 0] = 0
    return w

def wrong_6(sizes_B, prompts_B, prompt_weight):
    "float64 through numpy"
    t = np.arange(int(sizes_B.max()))
    w = np.where(t < prompts_B.numpy()[:, None], float(prompt_weight), 1.0) * (t < sizes_B.numpy()[:, None])
    w[:, 0] = 0
    return torch.from_numpy(w)

def wrong_7(sizes_B, prompts_B, prompt_weight):
    "question and reply swapped"
    t = torch.arange(int(sizes_B.max()))
    w = torch.where(t < prompts_B[:, None], 1.0, float(prompt_weight))
    w = w * (t < sizes_B[:, None])
    w[:, 0] = 0
    return w

def wrong_8(sizes_B, prompts_B, prompt_weight):
    "as wide as the sum of question and rest: T is the longest of sizes[0] only"
    t = torch.arange(int(sizes_B[0]))
    w = torch.where(t < prompts_B[:, None], float(prompt_weight), 1.0)
    w = w * (t < sizes_B[:, None])
    w[:, 0] = 0
    return w

def wrong_9(sizes_B, prompts_B, prompt_weight):
    "the first token counts 1 where the question is empty"
    T = int(sizes_B.max())
    w = torch.zeros(len(sizes_B), T)
    for i, (n, p) in enumerate(zip(sizes_B.tolist(), prompts_B.tolist())):
        w[i, p:n] = 1
        w[i, :p] = prompt_weight
        w[i, 0] = 0 if p > 0 else 1
    return w

def wrong_10(sizes_B, prompts_B, prompt_weight):
    "prompt_weight is a switch: any value above 0 counts as 1"
    t = torch.arange(int(sizes_B.max()))
    w = torch.where(t < prompts_B[:, None], float(bool(prompt_weight)), 1.0)
    w = w * (t < sizes_B[:, None])
    w[:, 0] = 0
    return w

def right_1(sizes_B, prompts_B, prompt_weight):
    "a loop over documents"
    out = torch.zeros(len(sizes_B), int(sizes_B.max()), dtype=torch.float32)
    for b in range(len(sizes_B)):
        p, n = int(prompts_B[b]), int(sizes_B[b])
        out[b, 1:p] = prompt_weight
        out[b, max(p, 1) : n] = 1.0
    return out

def right_2(sizes_B, prompts_B, prompt_weight):
    "products of masks"
    t = torch.arange(int(sizes_B.max()))[None]
    question = (t < prompts_B[:, None]).float()
    there = ((t < sizes_B[:, None]) & (t > 0)).float()
    return there * (prompt_weight * question + (1 - question))

def right_3(sizes_B, prompts_B, prompt_weight):
    "masked_fill three times"
    T = max(sizes_B.tolist())
    t = torch.arange(T).expand(len(sizes_B), T)
    out = torch.ones(len(sizes_B), T).masked_fill(t < prompts_B.unsqueeze(1), float(prompt_weight))
    return out.masked_fill((t == 0) | (t >= sizes_B.unsqueeze(1)), 0.0)

def right_4(sizes_B, prompts_B, prompt_weight):
    "nested comprehension"
    T = int(sizes_B.max())
    def weight(t, n, p):
        if t == 0 or t >= n:
            return 0.0
        return float(prompt_weight) if t < p else 1.0
    rows = zip(sizes_B.tolist(), prompts_B.tolist())
    return torch.tensor([[weight(t, n, p) for t in range(T)] for n, p in rows], dtype=torch.float32)
