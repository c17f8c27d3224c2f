"""The keys of a recipe's sections beside those of the classes that train: how documents are made, which families, ...

A stage's section holds the fields of the row's `settings` (TrainConfig, RLConfig, RejectionConfig) and of the classes
here that its row names as `also`. minids/settings.py checks all of them.
"""

from dataclasses import dataclass

from minids.errors import MinidsError
from minids.run.stage import AnyRecipe
from minids.settings import Settings, refuse_unknown, setting
from minids.tasks import registry
from minids.tasks.arithmetic import STYLES

DIGITS = {
    "single": "each digit is a token, with which arithmetic is easier to learn",
    "triples": "up to three digits are a token, as in DeepSeek-V3",
}


class Section(Settings):
    """Base of a section's own keys; an error begins with the key, as the section is named in front of it."""

    SHOWN = "{name} = {value}"


@dataclass
class Corpus(Section):
    """Documents with written thoughts, and how they are put together."""

    documents: int = setting(doc="documents that are made", least=1)
    styles: dict = setting(
        doc=f"{{style of thought: share}}, of {', '.join(STYLES)}, none", hint="as in { careful = 0.4, hasty = 0.6 }"
    )
    tokens_per_batch: int = setting(doc="tokens of a batch of each process", least=1)

    def contradictions(self) -> None:
        shares = list(self.styles.values())
        if not all(_is_share(s) for s in shares) or sum(shares) <= 0:
            raise MinidsError(
                f"styles = {self.styles!r} needs a positive share for at least one of {', '.join(STYLES)}, "
                "as in { careful = 0.4, hasty = 0.6 }"
            )
        refuse_unknown(self.styles, [*STYLES, "none"], "styles")


@dataclass
class Pretraining(Corpus):
    """The documents of pretraining: those of `Corpus`, and facts between them."""

    prompt_weight: float = setting(1.0, "weight of a question's tokens in the loss", least=0, most=100)
    fact_share: float = setting(0.0, "share of the documents that are lines of single-digit facts", least=0, most=1)


@dataclass
class ColdStart(Corpus):
    """The documents of the cold start, which is supervised fine-tuning on thoughts (R1: arXiv 2501.12948 §2.3.1)."""

    FORMER = {"mixed": "language_mix"}

    prompt_weight: float = setting(0.0, "weight of a question's tokens in the loss", least=0, most=100)
    families: list | None = setting(None, "families of the documents; None: those of the recipe")
    language_mix: float | None = setting(
        None, "share of a thought's words that are in another script; None: thoughts are not spoken", least=0, most=1
    )

    def contradictions(self) -> None:
        super().contradictions()
        check_families(self.families)


@dataclass
class Questions(Section):
    """Which families a stage asks about."""

    families: list | None = setting(None, "families of the questions; None: those of the recipe")

    def contradictions(self) -> None:
        check_families(self.families)


@dataclass
class General(Questions):
    """What the second fine-tuning learns beside the kept answers (R1: 200k of other kinds, arXiv 2501.12948 §2.3.3)."""

    FORMER = {"general": "num_general_documents"}

    num_general_documents: int = setting(0, "written documents beside the kept answers", least=0)
    general_families: list | None = setting(None, "their families; None: those of the questions")

    def contradictions(self) -> None:
        super().contradictions()
        check_families(self.general_families)


@dataclass
class Asked(Section):
    """Of the stage `edge`, which asks for many samples of new sizes."""

    tries: int = setting(doc="samples of each problem", least=1, most=4096)
    problems: int = setting(doc="problems of each size that is asked for", least=1, most=10_000)
    asked: dict = setting(
        doc="{family: [sizes]} that are asked for; none that pretraining has", hint="as in { chain = [6] }"
    )

    def contradictions(self) -> None:
        if not self.asked:
            raise MinidsError("asked must name sizes of families, as in { chain = [6] }")
        for family, sizes in self.asked.items():
            try:
                self._check_asked(registry.get(family), family, sizes)
            except MinidsError as error:
                raise MinidsError(f"asked.{family}: {error}") from None

    def _check_asked(self, known, family, sizes):
        """Sizes of one family are those of its environment, and none that is trained on."""
        if not known.sizes:
            raise MinidsError(f"problems of {family!r} come in no sizes, so none of them is beyond those trained on.")
        if not isinstance(sizes, list) or not sizes or not all(type(s) is int and s > 0 for s in sizes):
            raise MinidsError(f"give a list of sizes, as in [{max(known.sizes) + 1}]; got {sizes!r}.")
        if old := [s for s in sizes if s in known.sizes]:
            trained = ", ".join(map(str, known.sizes))
            raise MinidsError(f"{old[0]} is a size that pretraining has ({trained}); ask for a size beyond.")
        for size in sizes:  # there are problems of it, and as many as asked for
            registry.problem_set([family], "test", self.problems, 0, size)


@dataclass
class TokenizerSection(Section):
    """How the tokenizer is trained: a BPE over bytes."""

    vocab_size: int = setting(doc="tokens that there are", least=270, hint="256 bytes and the special tokens need 270")
    documents: int = setting(doc="documents that its merges are learned from", least=1)
    digits: str = setting("triples", "how numbers are cut", choices=DIGITS)


@dataclass
class Direct(Section):
    """The control that answers without a thought; the rest of its settings is that of pretraining."""

    tokens_per_batch: int = setting(doc="tokens of a batch of each process", least=1)
    documents: int | None = setting(None, "documents without a thought; None: twice those of pretraining", least=1)


def check_families(families: list | None) -> None:
    """Raises MinidsError for a list with a family that nobody knows, or without any; None is none to check."""
    if families is None:
        return
    if not isinstance(families, list) or not families:
        raise MinidsError(f"families must be a list that names at least one of {registry.known()}.")
    for family in families:
        registry.get(family)


def model_values(recipe: AnyRecipe, vocab_size: int, eos_token_id: int = 1, **change: object) -> dict:
    """The [model] section as ModelConfig wants it: q_lora_rank 0 means none (TOML has no null)."""
    values = {**recipe.model, **change, "vocab_size": vocab_size, "eos_token_id": eos_token_id}
    values["q_lora_rank"] = values.get("q_lora_rank") or None
    return values


def _is_share(value):
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < float("inf")
