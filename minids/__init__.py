"""minids: a DeepSeek-V3/R1 style reasoning model, end to end, small enough to read and to run on two CPU cores.

    import minids
    model, tokenizer = minids.load("runs/tiny")
    reply = minids.chat(model, tokenizer, "347+5896")

load, chat                a model and its tokenizer from a folder; a question to it
Tokenizer                 trained, read and written
ModelConfig, Transformer  the sizes, and the model
Cache, rotary_table       what attention keeps of a text, and the angles of its positions
generate                  texts from a model, with log-probabilities
pretrain, TrainConfig     training on batches of documents
sft, SFTConfig            fine-tuning on problems of yours
train_rl, RLConfig        reinforcement learning with rewards that a rule can check
grpo_loss                 the loss alone, with all its variants
MinidsError               what a mistake in the use raises: what is wrong, where, what to do

`help` of each is its manual; docs/library.md has ten tasks as short programs. The rooms are packages below this one,
minids.model, minids.tasks, minids.rl and others: CONTRIBUTING.md lists them. `minids --help` is the command line. Names
are loaded when they are first used, so that `import minids` costs little more than nothing.
"""

from importlib import import_module

from minids.errors import MinidsError

__version__ = "0.1.0"
_HOME = {
    "ModelConfig": "minids.model.config",
    "Transformer": "minids.model.transformer",
    "load": "minids.eval.model_folder",
    "chat": "minids.serve.ask",
    "Cache": "minids.model.cache",
    "rotary_table": "minids.model.layers",
    "pretrain": "minids.train.loop",
    "TrainConfig": "minids.train.loop",
    "generate": "minids.model.generate",
    "Tokenizer": "minids.text.tokenizer",
    "grpo_loss": "minids.rl.grpo",
    "sft": "minids.tasks.sft",
    "SFTConfig": "minids.tasks.sft",
    "train_rl": "minids.rl.trainer",
    "RLConfig": "minids.rl.config",
}
__all__ = ["MinidsError", "__version__", *_HOME]


def __getattr__(name):
    if name in _HOME:
        value = getattr(import_module(_HOME[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'minids' has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
