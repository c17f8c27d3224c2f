"""A public function that gets something else than it takes says what to pass: one table of calls and messages."""

import re

import pytest
import torch

from minids import MinidsError, ModelConfig, Tokenizer, Transformer, generate, pipeline
from minids.eval.evaluate import EvalConfig, evaluate
from minids.model.cache import Cache
from minids.model.generate import stream
from minids.model.speculative import speculative_greedy
from minids.rl.config import RLConfig
from minids.rl.trainer import train_rl
from minids.run import cost, recipes
from minids.train.loop import TrainConfig, train

SIZES = {
    "hidden_size": 16,
    "intermediate_size": 16,
    "num_hidden_layers": 2,
    "first_k_dense_replace": 2,
    "num_attention_heads": 2,
    "kv_lora_rank": 8,
    "q_lora_rank": None,
    "qk_rope_head_dim": 4,
    "qk_nope_head_dim": 4,
    "v_head_dim": 4,
    "max_position_embeddings": 64,
}


@pytest.fixture(scope="module")
def there():
    """What right calls are made of."""
    tokenizer = Tokenizer.train(["1+2=3 and more " * 9], 275)
    model = Transformer(ModelConfig(vocab_size=tokenizer.vocab_size, **SIZES)).eval()
    return {
        "model": model,
        "tokenizer": tokenizer,
        "config": model.config,
        "ids": tokenizer.encode("1+2"),
        "rl": RLConfig(steps=1, lr=1e-3),
    }


A_MODEL = "must be a Transformer, as minids.load(folder) gives one"
IDS = "give a list of prompts: generate(model, [tokenizer.encode(text)])"
CALLS = {
    "generate": lambda t, **wrong: generate(
        **{"model": t["model"], "prompts": [t["ids"]], "max_new_tokens": 2, **wrong}
    ),
    "stream": lambda t, **wrong: list(
        stream(**{"model": t["model"], "prompt": t["ids"], "max_new_tokens": 2, **wrong})
    ),
    "speculative": lambda t, **wrong: speculative_greedy(
        **{"model": t["model"], "prompt_ids": t["ids"], "max_new_tokens": 2, **wrong}
    ),
    "Transformer": lambda t, config: Transformer(config),
    "forward": lambda t, ids: t["model"](ids),
    "from_dict": lambda t, values: ModelConfig.from_dict(values),
    "Cache": lambda t, **wrong: Cache(**{"config": t["config"], "batch": 1, "max_length": 4, **wrong}),
    "append": lambda t, layer: t["model"].new_cache(1, 4).append(layer, torch.zeros(1, 1, t["config"].cache_elements)),
    "train_tokenizer": lambda t, **wrong: Tokenizer.train(**{"texts": ["some text"], "vocab_size": 280, **wrong}),
    "encode": lambda t, text: t["tokenizer"].encode(text),
    "encode_batch": lambda t, texts: t["tokenizer"].encode_batch(texts),
    "decode": lambda t, ids: t["tokenizer"].decode(ids),
    "train": lambda t, **wrong: train(
        **{"model": t["model"], "source": lambda step: [], "config": TrainConfig(steps=1, lr=1e-3), **wrong}
    ),
    "train_rl": lambda t, **wrong: train_rl(
        **{"model": t["model"], "tokenizer": t["tokenizer"], "families": ["add"], "config": t["rl"], **wrong}
    ),
    "evaluate": lambda t, **wrong: evaluate(
        **{"model": t["model"], "tokenizer": t["tokenizer"], "families": ["add"], "config": EvalConfig(), **wrong},
        stage="x",
    ),
    "load": lambda t, **wrong: recipes.load(**{"name": "tiny", **wrong}),
    "cost": lambda t, name: cost.describe(name),
    "run": lambda t, recipe: pipeline.run(recipe, "nowhere"),
}


@pytest.mark.parametrize(
    "call, argument, wrong, said",
    [
        ("generate", "model", None, f"generate: model {A_MODEL}, got None"),
        ("generate", "model", "runs/tiny", "got 'runs/tiny'"),
        ("generate", "prompts", "347+5896", IDS),
        ("generate", "prompts", ["347+5896"], IDS),
        ("generate", "prompts", [1, 2, 3], IDS),
        ("generate", "prompts", 3, "generate: prompts must be a list of prompts, each a list of token ids, got 3"),
        ("generate", "prompts", [[1, 10_000]], "the model knows ids 0 to"),
        ("generate", "prompts", [[1.5]], "no list of token ids"),
        ("generate", "seeds", 3, "generate: seeds must be a list of whole numbers, one for each answer, got 3"),
        ("generate", "seeds", [1, 2], "need 1 seeds, got 2"),
        ("generate", "seeds", ["a"], "seeds must be whole numbers"),
        ("generate", "n", "4", "n must be a whole number, at least 1, got '4'"),
        ("generate", "max_new_tokens", "64", "max_new_tokens must be a whole number"),
        ("generate", "temperature", "hot", "temperature"),
        ("generate", "stop_ids", "</s>", "stop_ids must be token ids"),
        ("stream", "model", 3, A_MODEL),
        ("stream", "prompt", "347+5896", IDS),
        ("speculative", "model", {}, f"{A_MODEL}, got a dict"),
        ("speculative", "prompt_ids", "347", IDS),
        (
            "Transformer",
            "config",
            {"hidden_size": 3},
            "Transformer: config must be a ModelConfig; ModelConfig.from_dict",
        ),
        ("Transformer", "config", "tiny", "got 'tiny'"),
        ("forward", "ids", [1, 2], "Transformer"),
        ("forward", "ids", "text", "Transformer"),
        ("from_dict", "values", "config.json", "must be a table of keys and values (a dict), got 'config.json'"),
        ("from_dict", "values", None, "must be a table of keys and values"),
        ("Cache", "config", 3, "config must be a ModelConfig"),
        ("Cache", "batch", "2", "batch must be a whole number"),
        ("Cache", "max_length", None, "max_length must be a whole number"),
        ("append", "layer", 3, "layer"),
        ("append", "layer", "first", "layer"),
        ("train_tokenizer", "vocab_size", "280", "Tokenizer.train: vocab_size must be a whole number, got '280'"),
        ("train_tokenizer", "texts", 3, "Tokenizer.train: texts must be texts, or a list of texts, got 3"),
        ("train_tokenizer", "texts", ["a", 3], "Tokenizer.train: each of texts must be a text, got 3"),
        ("train_tokenizer", "texts", [["a"]], "each of texts must be a text, got a list"),
        ("encode", "text", 3, "encode: text must be a text, got 3"),
        ("encode", "text", ["a"], "encode: text must be a text, got a list"),
        ("encode_batch", "texts", "one text", "texts must be a list of texts, got 'one text'. encode takes one."),
        ("encode_batch", "texts", None, "texts must be a list of texts, got None"),
        ("encode_batch", "texts", ["a", 3], "encode_batch: each of texts must be a text, got 3"),
        ("decode", "ids", "347", "decode: ids must be a list of token ids of one text, got '347'"),
        ("decode", "ids", 3, "decode: ids must be a list of token ids"),
        ("decode", "ids", [[1], [2]], "decode: ids must be a list of token ids of one text"),
        ("decode", "ids", [1.5], "decode: ids must be a list of token ids"),
        ("decode", "ids", torch.zeros(2, 2, dtype=torch.long), "A tensor has one dimension"),
        ("train", "model", "tiny", "train: model must be a model, as Transformer(config) makes one, got 'tiny'"),
        ("train", "source", [], "train: source must be called with the number of a step"),
        ("train", "config", {"steps": 3}, "train: config must be a TrainConfig(steps=…, lr=…), got a dict"),
        ("train_rl", "model", None, f"train_rl: model {A_MODEL}"),
        (
            "train_rl",
            "tokenizer",
            "gpt2",
            "train_rl: tokenizer must be a Tokenizer, the one that the model was trained",
        ),
        ("train_rl", "families", "add", "families must be a list of families of problems (add, chain, word"),
        ("train_rl", "families", 3, "families must be a list of families"),
        ("train_rl", "families", [], "families is empty; name at least one of add, chain"),
        ("train_rl", "families", ["ad"], "'ad' is not one of add"),
        ("train_rl", "config", {"steps": 3}, "train_rl: config must be an RLConfig(steps=…, lr=…), got a dict"),
        ("evaluate", "model", 3, f"evaluate: model {A_MODEL}"),
        ("evaluate", "tokenizer", None, "evaluate: tokenizer must be a Tokenizer"),
        ("evaluate", "families", None, "evaluate: families must be a list of families"),
        ("evaluate", "config", {}, "evaluate: config must be an EvalConfig(problems=…, samples=…), got a dict"),
        ("load", "name", None, "recipe None must be the name of a recipe (small,"),
        ("load", "overrides", 3, "overrides must be a list of texts, as in ['grpo.steps=40'], got 3"),
        ("load", "overrides", [3], "overrides must be a list of texts"),
        ("load", "overrides", {"grpo.steps": 40}, "must be a list of texts"),
        ("cost", "name", 3, "must be the name of a recipe"),
        (
            "run",
            "recipe",
            "tiny",
            "run: recipe must be a Recipe, as minids.run.recipes.load('tiny') gives one, got 'tiny'",
        ),
    ],
)
def test_a_wrong_argument_is_told_what_to_pass(there, call, argument, wrong, said):
    with pytest.raises(MinidsError, match=re.escape(said)):
        CALLS[call](there, **{argument: wrong})
