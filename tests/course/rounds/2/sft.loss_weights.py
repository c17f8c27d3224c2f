"""sft.loss_weights"""
import torch


def wrong_1(sizes_B, prompts_B, prompt_weight):
    "the first token of a document without a question keeps its 1 (prompts 0)"
    t = torch.arange(int(sizes_B.max()))
    w = torch.where(t < prompts_B[:, None], float(prompt_weight), 1.0)
    w = w * (t < sizes_B[:, None])
    w[prompts_B > 0, 0] = 0
    return w


def wrong_2(sizes_B, prompts_B, prompt_weight):
    "the stop token is left out: 0 from size - 1 on"
    t = torch.arange(int(sizes_B.max()))
    w = torch.where(t < prompts_B[:, None], float(prompt_weight), 1.0) * (t < sizes_B[:, None] - 1)
    w[:, 0] = 0
    return w


def wrong_3(sizes_B, prompts_B, prompt_weight):
    "one token too many counts as question (<=)"
    t = torch.arange(int(sizes_B.max()))
    w = torch.where(t <= prompts_B[:, None], float(prompt_weight), 1.0) * (t < sizes_B[:, None])
    w[:, 0] = 0
    return w


def wrong_4(sizes_B, prompts_B, prompt_weight):
    "shifted by one, as if a weight belonged to the position that predicts: the last question token counts 1"
    t = torch.arange(int(sizes_B.max())) + 1
    w = torch.where(t < prompts_B[:, None], float(prompt_weight), 1.0) * (t <= sizes_B[:, None])
    w[:, 0] = 0
    return w


def wrong_5(sizes_B, prompts_B, prompt_weight):
    "float64 (filled through numpy)"
    import numpy as np
    w = np.zeros((len(sizes_B), int(sizes_B.max())))
    for i, (n, p) in enumerate(zip(sizes_B.tolist(), prompts_B.tolist())):
        w[i, :p] = prompt_weight
        w[i, p:n] = 1
    w[:, 0] = 0
    return torch.from_numpy(w)


def wrong_6(sizes_B, prompts_B, prompt_weight):
    "T is the size of the first document: documents after a longest first one are fine, others not"
    T = int(sizes_B[0])
    t = torch.arange(T)
    w = torch.where(t < prompts_B[:, None], float(prompt_weight), 1.0) * (t < sizes_B[:, None])
    w[:, 0] = 0
    return w


def wrong_7(sizes_B, prompts_B, prompt_weight):
    "the dtype follows prompt_weight: an int 0 or 1 gives an integer tensor"
    t = torch.arange(int(sizes_B.max()))
    w = torch.where(t < prompts_B[:, None], prompt_weight, 1) * (t < sizes_B[:, None])
    w[:, 0] = 0
    return w


def wrong_8(sizes_B, prompts_B, prompt_weight):
    "the weight of the first token is only 0 in the first document"
    t = torch.arange(int(sizes_B.max()))
    w = torch.where(t < prompts_B[:, None], float(prompt_weight), 1.0) * (t < sizes_B[:, None])
    w[0, 0] = 0
    return w


def wrong_9(sizes_B, prompts_B, prompt_weight):
    "the sizes are shortened in place for the loop: the caller's lengths change"
    w = torch.ones(len(sizes_B), int(sizes_B.max()))
    sizes_B -= 1
    for i in range(len(w)):
        w[i, :prompts_B[i]] = prompt_weight
        w[i, sizes_B[i] + 1:] = 0
    w[:, 0] = 0
    return w


def wrong_10(sizes_B, prompts_B, prompt_weight):
    "an empty reply is taken for no document: where the question is all of it, nothing counts"
    t = torch.arange(int(sizes_B.max()))
    w = torch.where(t < prompts_B[:, None], float(prompt_weight), 1.0) * (t < sizes_B[:, None])
    w[prompts_B >= sizes_B] = 0
    w[:, 0] = 0
    return w


def right_1(sizes_B, prompts_B, prompt_weight):
    "slices in a loop"
    w = torch.zeros(len(sizes_B), int(sizes_B.max()), dtype=torch.float32)
    for row, n, p in zip(w, sizes_B.tolist(), prompts_B.tolist()):
        row[1:p] = prompt_weight
        row[max(p, 1):n] = 1.0
    return w


def right_2(sizes_B, prompts_B, prompt_weight):
    "sum of two masks"
    t = torch.arange(int(sizes_B.max()), device=sizes_B.device)[None]
    question = (t < prompts_B[:, None]) & (t > 0)
    reply = (t >= prompts_B[:, None]) & (t < sizes_B[:, None]) & (t > 0)
    return reply.float() + float(prompt_weight) * question.float()


def right_3(sizes_B, prompts_B, prompt_weight):
    "pad_sequence of rows"
    rows = [torch.tensor([float(prompt_weight)] * p + [1.0] * (n - p), dtype=torch.float32)
            for n, p in zip(sizes_B.tolist(), prompts_B.tolist())]
    w = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)
    w[:, 0] = 0
    return w


def right_4(sizes_B, prompts_B, prompt_weight):
    "nested lists"
    T = max(sizes_B.tolist())
    def one(t, n, p):
        if t == 0 or t >= n:
            return 0.0
        return 1.0 if t >= p else float(prompt_weight)
    return torch.tensor([[one(t, n, p) for t in range(T)] for n, p in zip(sizes_B.tolist(), prompts_B.tolist())],
                        dtype=torch.float32)
