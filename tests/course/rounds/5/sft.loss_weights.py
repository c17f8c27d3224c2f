"""sft.loss_weights"""
import numpy as np
import torch


def wrong_1(sizes_B, prompts_B, prompt_weight):
    "padding begins one too early: the stop token counts 0"
    # breaks: "1 on the reply, its stop token included" - any document with a reply: weight[b, size - 1] is 0
    column_T = torch.arange(int(sizes_B.max()))
    weight_BT = torch.where(column_T < prompts_B[:, None], float(prompt_weight), 1.0)
    weight_BT[column_T >= sizes_B[:, None] - 1] = 0.0
    weight_BT[:, 0] = 0.0
    return weight_BT


def wrong_2(sizes_B, prompts_B, prompt_weight):
    "<= : the first token of the reply counts as a question's"
    # breaks: "1 on the reply; `prompt_weight` on the question" - size 5, prompt 2: weight[2]
    column_T = torch.arange(int(sizes_B.max()))
    weight_BT = torch.where(column_T <= prompts_B[:, None], float(prompt_weight), 1.0)
    weight_BT[column_T >= sizes_B[:, None]] = 0.0
    weight_BT[:, 0] = 0.0
    return weight_BT


def wrong_3(sizes_B, prompts_B, prompt_weight):
    "the first token keeps its weight"
    # breaks: "0 ... on each first token, which there is nothing to predict from" - prompt_weight 0.1
    column_T = torch.arange(int(sizes_B.max()))
    weight_BT = torch.where(column_T < prompts_B[:, None], float(prompt_weight), 1.0)
    weight_BT[column_T >= sizes_B[:, None]] = 0.0
    return weight_BT


def wrong_4(sizes_B, prompts_B, prompt_weight):
    "where() of two Python numbers: a whole prompt_weight makes the weights int64"
    # breaks: "-> float32 [B, T]" - prompt_weight=0 (the number 0, not 0.0)
    column_T = torch.arange(int(sizes_B.max()))
    weight_BT = torch.where(column_T < prompts_B[:, None], prompt_weight, 1)
    weight_BT[column_T >= sizes_B[:, None]] = 0
    weight_BT[:, 0] = 0
    return weight_BT


def wrong_5(sizes_B, prompts_B, prompt_weight):
    "padding counts 1: only question and first token are looked at"
    # breaks: "0 on the padding behind a document" - sizes [3, 5]
    weight_BT = torch.ones(len(sizes_B), int(sizes_B.max()))
    for b, prompt in enumerate(prompts_B.tolist()):
        weight_BT[b, :prompt] = prompt_weight
    weight_BT[:, 0] = 0.0
    return weight_BT


def wrong_6(sizes_B, prompts_B, prompt_weight):
    "sizes are turned into last positions in place: the caller's tensor is changed"
    # breaks: arguments left unchanged - sizes_B after the call is one less everywhere
    T = int(sizes_B.max())
    last_B = sizes_B
    last_B -= 1
    column_T = torch.arange(T)
    weight_BT = torch.where(column_T < prompts_B[:, None], float(prompt_weight), 1.0)
    weight_BT[column_T > last_B[:, None]] = 0.0
    weight_BT[:, 0] = 0.0
    return weight_BT


def wrong_7(sizes_B, prompts_B, prompt_weight):
    "`or` takes a weight of 0 for none given, and counts the question in full"
    # breaks: "`prompt_weight` on the question" - prompt_weight=0.0
    weight = float(prompt_weight or 1.0)
    column_T = torch.arange(int(sizes_B.max()))
    weight_BT = torch.where(column_T < prompts_B[:, None], weight, 1.0)
    weight_BT[column_T >= sizes_B[:, None]] = 0.0
    weight_BT[:, 0] = 0.0
    return weight_BT


def wrong_8(sizes_B, prompts_B, prompt_weight):
    "shifted for the labels: weight[t] is that of predicting token t + 1"
    # breaks: "What predicting each token of a padded batch counts" (0 on each first token) - size 4, prompt 2, weight 0:
    # [0, 1, 1, 0] instead of [0, 0, 1, 1]
    column_T = torch.arange(int(sizes_B.max())) + 1
    weight_BT = torch.where(column_T < prompts_B[:, None], float(prompt_weight), 1.0)
    weight_BT[column_T >= sizes_B[:, None]] = 0.0
    return weight_BT


def wrong_9(sizes_B, prompts_B, prompt_weight):
    "squeeze() drops the batch dimension of a single document"
    # breaks: "-> float32 [B, T]" - one document: the shape is [T]
    column_1T = torch.arange(int(sizes_B.max()))[None]
    reply = (column_1T >= prompts_B[:, None]).float()
    weight_BT = reply + float(prompt_weight) * (1 - reply)
    weight_BT = weight_BT * (column_1T < sizes_B[:, None]) * (column_1T > 0)
    return weight_BT.squeeze()


def wrong_10(sizes_B, prompts_B, prompt_weight):
    "the reply is written from behind, row[-(n - p):]; with no reply that is row[-0:], the whole document"
    # breaks: "it may be all of them" - size 4, prompt 4, weight 0.5: all 1 instead of [0, .5, .5, .5]
    weight_BT = torch.zeros(len(sizes_B), int(sizes_B.max()))
    for b, (n, p) in enumerate(zip(sizes_B.tolist(), prompts_B.tolist())):
        row = torch.full((n,), float(prompt_weight))
        row[-(n - p) :] = 1.0
        row[:1] = 0.0
        weight_BT[b, :n] = row
    return weight_BT


def right_1(sizes_B, prompts_B, prompt_weight):
    "a loop with slices"
    weight = torch.zeros(len(sizes_B), int(max(sizes_B)), dtype=torch.float32)
    for b in range(len(sizes_B)):
        n, p = int(sizes_B[b]), int(prompts_B[b])
        weight[b, 1:p] = prompt_weight
        weight[b, max(p, 1) : n] = 1
    return weight


def right_2(sizes_B, prompts_B, prompt_weight):
    "two masks that are multiplied and added up"
    t = torch.arange(sizes_B.max().item()).unsqueeze(0)
    first = t == 0
    question = (t < prompts_B.unsqueeze(1)) & ~first
    reply = (t >= prompts_B.unsqueeze(1)) & (t < sizes_B.unsqueeze(1)) & ~first
    return question.float() * prompt_weight + reply.float()


def right_3(sizes_B, prompts_B, prompt_weight):
    "numpy.select"
    sizes, prompts = np.asarray(sizes_B)[:, None], np.asarray(prompts_B)[:, None]
    t = np.arange(sizes.max())[None]
    t = np.broadcast_to(t, (len(sizes), t.shape[1]))
    weight = np.select([(t == 0) | (t >= sizes), t < prompts], [0.0, float(prompt_weight)], 1.0)
    return torch.from_numpy(weight.astype(np.float32))


def right_4(sizes_B, prompts_B, prompt_weight):
    "rows as Python lists"
    pairs = list(zip(sizes_B.tolist(), prompts_B.tolist()))
    longest = max(n for n, _ in pairs)
    rows = []
    for n, p in pairs:
        row = [float(prompt_weight)] * p + [1.0] * (n - p) + [0.0] * (longest - n)
        rows.append([0.0] + row[1:])
    return torch.tensor(rows, dtype=torch.float32)
