"""Training beside transformers' DeepseekV3ForCausalLM: one tensor on one thread,
and the recipe's ragged texts on two cores."""

import statistics
import time
from collections.abc import Callable, Iterable

import numpy as np
import torch

from minids.bench.measure import alternate, fastest, row, same
from minids.model.config import ModelConfig
from minids.model.ops import cpu
from minids.model.transformer import Transformer
from minids.run import recipes
from minids.tasks import documents
from minids.text.tokenizer import Tokenizer
from minids.train import loop, parallel

ROWS_, LENGTH = 32, 64
REPEATS = 15
SETTINGS = [(a, e) for a in ("sdpa", "eager") for e in ("grouped_mm", "eager")]  # of the peer: attention, experts
ADAMW = dict(lr=1e-4, betas=(0.9, 0.95), weight_decay=0.01)


def tiny_config() -> ModelConfig:
    """The model of the recipe `tiny`."""
    recipe = recipes.load("tiny")
    return ModelConfig(**recipes.model_values(recipe, recipe.tokenizer["vocab_size"]))


def flops_a_token(config: ModelConfig) -> int:
    """Forward and backward products of one token, without attention scores: 6 for each weight that it meets."""
    model = Transformer(config)
    embedded = 0 if config.tie_word_embeddings else model.embed_tokens.weight.numel()
    return 6 * (model.parameter_count(active=True) - embedded)


def peer_of(model: Transformer, attention: str = "sdpa", experts: str = "grouped_mm") -> torch.nn.Module:
    """transformers' model with the same weights."""
    import transformers

    values = {k: v for k, v in model.config.to_dict().items() if k not in ("architectures", "model_type")}
    config = transformers.DeepseekV3Config(**values, attn_implementation=attention, experts_implementation=experts)
    config.pad_token_id = None
    peer = transformers.DeepseekV3ForCausalLM(config)
    own = model.state_dict()
    peer.load_state_dict({k if k.startswith("lm_head") else f"model.{k}": v for k, v in own.items()})
    return peer


def peer_name() -> str:
    """Name and version of what is compared with."""
    import transformers

    return f"transformers {transformers.__version__}"


def our_loss(model: Transformer, ids_BT: torch.Tensor, valid_BT: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy of the next token over what is text, by this library."""
    weight_BT = valid_BT.float()
    target, weight = (torch.nn.functional.pad(z[:, 1:], (0, 1)).flatten() for z in (ids_BT, weight_BT))
    hidden_ND = model.hidden(ids_BT, valid_BT=valid_BT).flatten(0, 1)
    return cpu.linear_cross_entropy(hidden_ND, model.lm_head.weight, target, weight) / weight.sum()


def peer_loss(peer: torch.nn.Module, ids_BT: torch.Tensor, valid_BT: torch.Tensor) -> torch.Tensor:
    """The same by transformers."""
    mask = None if valid_BT.all() else valid_BT.long()
    labels = ids_BT.masked_fill(~valid_BT, -100)
    return peer(input_ids=ids_BT, attention_mask=mask, labels=labels, use_cache=False).loss


def check_equal(model: Transformer, peer: torch.nn.Module, ids_BT: torch.Tensor, valid_BT: torch.Tensor) -> None:
    """Loss and every gradient of both."""
    ours, theirs = our_loss(model, ids_BT, valid_BT), peer_loss(peer, ids_BT, valid_BT)
    same("the loss", ours.detach(), theirs.detach(), 1e-5)
    ours.backward()
    theirs.backward()
    grads = {k.removeprefix("model."): p.grad for k, p in peer.named_parameters()}
    for key, p in model.named_parameters():
        same(f"the gradient of {key}", p.grad, grads[key], 1e-4)
    model.zero_grad()
    peer.zero_grad()


def optimizer_of(model: Transformer) -> torch.optim.Optimizer:
    """torch's fused AdamW with the settings of the comparison."""
    return torch.optim.AdamW(model.parameters(), fused=True, **ADAMW)


def stepper(model: Transformer, loss: Callable, *batch: object) -> Callable[[], None]:
    """A function that takes one training step on the same tensor."""
    optimizer = optimizer_of(model)

    def step():
        loss(model, *batch).backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


def train_same_tensor(
    config: ModelConfig | None = None, shape: tuple[int, int] = (ROWS_, LENGTH), repeats: int = REPEATS
) -> dict:
    """One tensor without padding, again and again: forward, loss, backward, AdamW. One thread, CPU seconds."""
    torch.manual_seed(0)
    config = config or tiny_config()
    ids = torch.randint(0, config.vocab_size, shape)
    valid = torch.ones(shape, dtype=torch.bool)
    model = Transformer(config).train()
    setting = fastest(SETTINGS, lambda s: stepper(peer_of(model, *s).train(), peer_loss, ids, valid))
    peer = peer_of(model, *setting).train()
    check_equal(model, peer, ids, valid)
    theirs = stepper(peer, peer_loss, ids, valid)
    ours, peer_seconds = alternate([stepper(model, our_loss, ids, valid), theirs], repeats, warmup=3)
    relaxed = relaxed_precision(theirs, max(repeats // 3, 1))
    about = {
        "batch": list(shape),
        "threads": 1,
        "peer_attention": setting[0],
        "peer_experts": setting[1],
        "clock": "process CPU time",
        "repeats": repeats,
        "model": model_sizes(config),
        "peer_if_bf16_products_are_allowed": ids.numel() / relaxed,
        "note": "the last figure is the peer under torch.backends.mkldnn.matmul.fp32_precision = 'bf16', which "
        "lets torch leave MKL; on processors with bf16 units it computes with fewer digits, so it is not "
        "the peer of this row",
    }
    return row("train_same_tensor", ids.numel(), ours, peer_seconds, peer_name(), "tokens/s", about)


def relaxed_precision(run: Callable, repeats: int) -> float:
    """Median seconds of `run` while torch may use oneDNN for float32 products,
    at the price of precision where there are units for it."""
    switch = torch.backends.mkldnn.matmul
    before = switch.fp32_precision
    try:
        switch.fp32_precision = "bf16"
        (seconds,) = alternate([run], repeats)
    finally:
        switch.fp32_precision = before
    return statistics.median(seconds)


def model_sizes(config: ModelConfig) -> dict:
    """The sizes that a row of the bench names."""
    return {
        k: getattr(config, k)
        for k in (
            "hidden_size",
            "num_hidden_layers",
            "vocab_size",
            "n_routed_experts",
            "num_experts_per_tok",
            "moe_intermediate_size",
        )
    }


# -- ragged texts, two cores -------------------------------------------------------------------------------------------


def corpus(count: int, seed: int = 0) -> tuple[documents.Documents, int]:
    """The tiny recipe's pretraining documents and their tokenizer's size."""
    recipe = recipes.load("tiny")
    p = recipe.pretrain
    mix = {"mix": p["styles"], "fact_share": p.get("fact_share", 0.0)}
    parts = list(documents.pretraining_parts(recipe.families, count, seed=seed, **mix))
    texts = documents.pretraining_texts(parts[:2000])
    tokenizer = Tokenizer.train(texts, recipe.tokenizer["vocab_size"], digits=recipe.tokenizer.get("digits", "triples"))
    return documents.pretraining_documents(tokenizer, parts, quiet=True), len(tokenizer)


def our_share(
    rank: int,
    world: int,
    config: ModelConfig,
    state: dict,
    docs: documents.Documents,
    tokens_per_batch: int,
    steps: int,
    seed: int,
) -> tuple[int, float]:
    """Trains `steps` steps with the main job's own loop, after some to warm up; returns (tokens, seconds)."""
    model = Transformer(config)
    model.load_state_dict(state)
    source = documents.Source(docs, tokens_per_batch, seed=seed, rank=rank, world=world, prompt_weight=1.0)
    how = dict(
        lr=ADAMW["lr"], betas=ADAMW["betas"], weight_decay=ADAMW["weight_decay"], optimizer="adamw", balance_alpha=0.0
    )
    comm = parallel.Comm(rank, world)
    loop.train(model, source, loop.TrainConfig(steps=max(steps // 3, 2), **how), comm=comm, quiet=True)
    comm.barrier()
    done = loop.train(model, lambda s: source(s + steps), loop.TrainConfig(steps=steps, **how), comm=comm, quiet=True)
    return done.tokens, done.seconds


def peer_batches(docs: documents.Documents, per_batch: int, grouped: bool, seed: int) -> list:
    """Right-padded batches of `per_batch` texts: in random order,
    or of neighbours in length (then the batches in random order)."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(docs))
    if grouped:
        order = order[np.argsort(docs.lengths[order], kind="stable")]
    batches = [order[i : i + per_batch] for i in range(0, len(order) - per_batch + 1, per_batch)]
    return [docs.batch(batches[i], 1.0) for i in rng.permutation(len(batches))]


def peer_share(
    peer: torch.nn.Module, optimizer: torch.optim.Optimizer, batches: Iterable, limit: float = 8.0
) -> tuple[int, float]:
    """The same step in transformers: loss over texts, padding masked, clipped at 1;
    -> (tokens, seconds), cut off at `limit` seconds."""
    tokens, begin = 0, time.monotonic()
    for batch in batches:
        peer_loss(peer, batch.ids_BT, batch.valid_BT).backward()
        torch.nn.utils.clip_grad_norm_(peer.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        tokens += batch.n_tokens
        if time.monotonic() - begin > limit:
            break
    return tokens, time.monotonic() - begin


def train_ragged(
    config: ModelConfig | None = None, count: int = 3000, steps: int = 40, repeats: int = 3, cores: int | None = None
) -> dict:
    """Useful tokens per second of wall time: minids in as many processes as there are cores (2 at most),
    transformers in as many threads."""
    torch.manual_seed(0)
    recipe = recipes.load("tiny")
    cores = cores or min(2, parallel.available_cpus())
    docs, vocab = corpus(count)
    config = config or ModelConfig(**recipes.model_values(recipe, vocab))
    model = Transformer(config)
    tokens_per_batch = recipe.pretrain["tokens_per_batch"]
    per_batch = max(2, round(cores * tokens_per_batch / docs.lengths.mean()))  # as many texts in a step as ours has
    random_order, grouped = (peer_batches(docs, per_batch, g, 0) for g in (False, True))
    check_equal(model, peer_of(model), random_order[0].ids_BT, random_order[0].valid_BT)
    batch = random_order[0].ids_BT, random_order[0].valid_BT
    setting = fastest(SETTINGS, lambda s: stepper(peer_of(model, *s).train(), peer_loss, *batch))
    peer = peer_of(model, *setting).train()
    optimizer = optimizer_of(peer)
    rates = {"ours": [], "threads": [], "random": [], "grouped": [], "one_thread": []}
    for i in range(repeats):
        share = (config, model.state_dict(), docs, tokens_per_batch, steps, i)
        tokens, seconds = parallel.run(our_share, cores, *share)
        rates["ours"].append(tokens / seconds)
        torch.set_num_threads(cores)  # the other way to use the cores: one process, as many tokens per step
        tokens, seconds = our_share(0, 1, *share[:3], cores * tokens_per_batch, max(steps // 2, 2), i)
        rates["threads"].append(tokens / seconds)
        for name, threads, batches in (
            ("random", cores, random_order),
            ("grouped", cores, grouped),
            ("one_thread", 1, random_order),
        ):
            torch.set_num_threads(threads)
            some = [batches[(i * steps + k) % len(batches)] for k in range(steps // 2)]
            peer_share(peer, optimizer, some[:2], limit=2.0)
            tokens, seconds = peer_share(peer, optimizer, some)
            rates[name].append(tokens / seconds)
        torch.set_num_threads(1)
    usual = max(("random", "one_thread"), key=lambda k: statistics.median(rates[k]))
    median = {k: statistics.median(v) for k, v in rates.items()}
    lengths = docs.lengths
    about = {
        "cores": cores,
        "ours": f"{cores} processes of one thread, batches of similar length, the main job's loop",
        "peer": f"random order, padded to the longest, attention mask, {cores if usual == 'random' else 1} thread(s)",
        "peer_attention": setting[0],
        "peer_experts": setting[1],
        "clock": "wall time",
        "repeats": repeats,
        "steps": steps,
        "lengths": {"least": int(lengths.min()), "mean": float(lengths.mean()), "most": int(lengths.max())},
        "texts_in_a_step": per_batch,
        "ours_in_one_process_of_as_many_threads": median["threads"],
        "peer_with_length_grouped_batches": median["grouped"],
        "ratio_to_that": statistics.median(a / b for a, b in zip(rates["ours"], rates["grouped"])),
    }
    seconds = [[1 / r for r in rates[k]] for k in ("ours", usual)]
    return row("train_ragged", 1, *seconds, peer_name(), "useful tokens/s", about)


ROWS = (train_same_tensor, train_ragged)
