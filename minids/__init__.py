"""minids: a DeepSeek-V3/R1 style reasoning model, end to end, small enough to read and to run on two CPU cores.

    from minids import ModelConfig, Transformer, Tokenizer, generate, grpo_loss

Names are loaded when they are first used, so that `import minids` costs little more than nothing.
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
