"""sft.loss_weights"""
import numpy as np
import torch


def wrong_1(sizes_B, prompts_B, prompt_weight):
    "`<=`: the first token of the reply counts as question"
    column = torch.arange(int(sizes_B.max()))
    weight = torch.where(column <= prompts_B[:, None], float(prompt_weight), 1.0)
    weight[column >= sizes_B[:, None]] = 0.0
    weight[:, 0] = 0.0
    return weight


def wrong_2(sizes_B, prompts_B, prompt_weight):
    "the stop token counts nothing"
    column = torch.arange(int(sizes_B.max()))
    weight = torch.where(column < prompts_B[:, None], float(prompt_weight), 1.0)
    weight[column >= sizes_B[:, None] - 1] = 0.0
    weight[:, 0] = 0.0
    return weight


def wrong_3(sizes_B, prompts_B, prompt_weight):
    "the first token counts as question, not 0 (differs unless prompt_weight is 0)"
    column = torch.arange(int(sizes_B.max()))
    weight = torch.where(column < prompts_B[:, None], float(prompt_weight), 1.0)
    weight[column >= sizes_B[:, None]] = 0.0
    return weight


def wrong_4(sizes_B, prompts_B, prompt_weight):
    "`>`: the first token of padding behind a shorter document counts"
    column = torch.arange(int(sizes_B.max()))
    weight = torch.where(column < prompts_B[:, None], float(prompt_weight), 1.0)
    weight[column > sizes_B[:, None]] = 0.0
    weight[:, 0] = 0.0
    return weight


def wrong_5(sizes_B, prompts_B, prompt_weight):
    "with a whole number as prompt_weight (0) the weights are int64"
    column = torch.arange(int(sizes_B.max()))
    weight = torch.where(column < prompts_B[:, None], prompt_weight, 1)
    weight[column >= sizes_B[:, None]] = 0
    weight[:, 0] = 0
    return weight


def wrong_6(sizes_B, prompts_B, prompt_weight):
    "the first token is left out as part of the question only: without a question it counts 1"
    column = torch.arange(int(sizes_B.max()))
    question = (column < prompts_B[:, None]) & (column > 0)
    reply = (column >= prompts_B[:, None]) & (column < sizes_B[:, None])
    return question * float(prompt_weight) + reply.float()


def wrong_7(sizes_B, prompts_B, prompt_weight):
    "shifts the caller's numbers in place"
    sizes_B -= 1
    prompts_B -= 1
    column = torch.arange(int(sizes_B.max()) + 1)
    weight = torch.where(column <= prompts_B[:, None], float(prompt_weight), 1.0)
    weight[column > sizes_B[:, None]] = 0.0
    weight[:, 0] = 0.0
    return weight


def wrong_8(sizes_B, prompts_B, prompt_weight):
    "the reply is taken as the last n: with no reply, [-0:] is the whole document"
    weight = torch.zeros(len(sizes_B), int(sizes_B.max()))
    for row, size, prompt in zip(weight, sizes_B.tolist(), prompts_B.tolist()):
        text = row[:size]
        text[:] = prompt_weight
        text[-(size - prompt) :] = 1.0
        text[:1] = 0.0
    return weight


def wrong_9(sizes_B, prompts_B, prompt_weight):
    "takes the last document for the longest"
    column = torch.arange(int(sizes_B[-1]))
    weight = torch.where(column < prompts_B[:, None], float(prompt_weight), 1.0)
    weight[column >= sizes_B[:, None]] = 0.0
    weight[:, 0] = 0.0
    return weight


def wrong_10(sizes_B, prompts_B, prompt_weight):
    "numpy's float64"
    column = np.arange(int(sizes_B.max()))
    weight = np.where(column < prompts_B.numpy()[:, None], float(prompt_weight), 1.0)
    weight[column >= sizes_B.numpy()[:, None]] = 0
    weight[:, 0] = 0
    return torch.from_numpy(weight)


def right_1(sizes_B, prompts_B, prompt_weight):
    "a loop over documents"
    weight = torch.zeros(len(sizes_B), int(max(sizes_B)))
    for b, (size, prompt) in enumerate(zip(sizes_B.tolist(), prompts_B.tolist())):
        weight[b, 1:prompt] = prompt_weight
        weight[b, max(1, prompt) : size] = 1.0
    return weight


def right_2(sizes_B, prompts_B, prompt_weight):
    "products of tables"
    column = torch.arange(int(sizes_B.max())).unsqueeze(0)
    text = ((column < sizes_B.unsqueeze(1)) & (column > 0)).float()
    question = (column < prompts_B.unsqueeze(1)).float()
    return text * (1 + question * (float(prompt_weight) - 1)) if prompt_weight else text * (1 - question)


def right_3(sizes_B, prompts_B, prompt_weight):
    "nested lists"
    longest = int(sizes_B.max())
    rows = []
    for size, prompt in zip(sizes_B.tolist(), prompts_B.tolist()):
        row = [float(prompt_weight)] * prompt + [1.0] * (size - prompt) + [0.0] * (longest - size)
        row[0] = 0.0
        rows.append(row)
    return torch.tensor(rows, dtype=torch.float32)


def right_4(sizes_B, prompts_B, prompt_weight):
    "np.select, cast at the end"
    sizes, prompts = np.asarray(sizes_B)[:, None], np.asarray(prompts_B)[:, None]
    column = np.broadcast_to(np.arange(sizes.max()), (len(sizes), sizes.max()))
    table = np.select([column == 0, column >= sizes, column >= prompts], [0.0, 0.0, 1.0], default=prompt_weight)
    return torch.from_numpy(table.astype(np.float32))
