"""The checker of settings: what each field may be, names, contradictions; and that every class of settings is whole."""

import copy
import dataclasses
import inspect
import math
import pickle
from dataclasses import dataclass, fields

import pytest

from minids import MinidsError, ModelConfig
from minids.eval.evaluate import EvalConfig
from minids.rl.config import OWN, RLConfig
from minids.rl.grpo import LossConfig
from minids.rl.rejection import RejectionConfig
from minids.settings import Settings, limits, read, rows, setting
from minids.train.loop import TrainConfig


@dataclass
class Sampling(Settings):
    SHOWN = "sampling setting {name} = {value}"
    FORMER = {"count": "samples"}

    samples: int = setting(doc="answers", least=1, most=9)
    share: float = setting(0.5, "a share", above=0, most=1, hint="1 keeps all")
    cap: float | None = setting(None, "a cap", above=0)
    kind: str = setting("plain", "a kind", choices=("plain", "tags"), preset=True)
    flag: bool = setting(False, "a flag")
    betas: tuple[float, float] = setting((0.9, 0.95), "two numbers", least=0, below=1)
    table: dict = setting(factory=dict, doc="a table")
    name: str = setting("", "of a preset")

    def instead(self):
        return {"kind": "tags"} if self.name else {}

    def contradictions(self):
        if self.kind == "tags" and self.samples > 5:
            raise MinidsError("tags need at most 5 samples")


HUGE = 10**400


@pytest.mark.parametrize(
    "change, said",
    [
        ({"samples": 0}, "sampling setting samples = 0 must be a whole number from 1 to 9"),
        ({"samples": 10}, "from 1 to 9"),
        ({"samples": 2.0}, "samples = 2.0 must be a whole number"),
        ({"samples": True}, "samples = True must be a whole number"),
        ({"samples": None}, "samples = None"),
        ({"share": 0}, "share = 0 must be a number above 0 and at most 1; 1 keeps all"),
        ({"share": "0.5"}, "share = '0.5' must be a number"),
        *[({"share": bad}, "share = ") for bad in (math.nan, math.inf, -math.inf, HUGE, 1j, False, [0.5])],
        ({"cap": -1}, "cap = -1 must be a number above 0, or None"),
        ({"cap": HUGE}, "cap = 1000"),
        ({"kind": "tag"}, "kind = 'tag' is not one of plain, tags. Did you mean 'tags'?"),
        ({"kind": ["tags"]}, "is not one of plain, tags"),
        ({"flag": 1}, "flag = 1 must be true or false"),
        ({"betas": (0.9,)}, r"betas = \(0.9,\) must be a list of 2 numbers at least 0 and below 1"),
        ({"betas": [0.9, 1.0]}, "betas"),
        ({"betas": 0.9}, "betas"),
        ({"table": []}, r"table = \[\] must be a table of keys and values"),
        ({"name": 3}, "name = 3 must be a text"),
        ({"kind": "tags", "samples": 6}, "tags need at most 5 samples"),
        ({"name": "x", "samples": 6}, "tags need at most 5 samples"),
    ],
)
def test_what_a_field_may_not_be_is_refused_by_name(change, said):
    with pytest.raises(MinidsError, match=said):
        Sampling(**{"samples": 2, **change})


def test_defaults_presets_and_what_is_said():
    made = Sampling(3, betas=[0.5, 0.75])
    assert (made.share, made.cap, made.kind, made.flag, made.betas) == (0.5, None, "plain", False, (0.5, 0.75))
    assert Sampling(3).table is not Sampling(3).table
    assert Sampling(3, name="x").kind == "tags" and Sampling(3, name="x", kind="plain").kind == "plain"
    assert dataclasses.replace(Sampling(3, name="x"), samples=4).kind == "tags"
    assert dataclasses.replace(Sampling(3, name="x", kind="plain"), samples=9).kind == "plain"
    assert Sampling(1, cap=2).cap == 2 and Sampling(1, share=1).share == 1


def test_a_section_of_a_file():
    assert read(Sampling, {"samples": 4}, "here") == read(Sampling, {"count": 4}, "here") == Sampling(4)
    assert read(Sampling, {}, "here", samples=4) == Sampling(4)
    for values, said in (
        ({"sampels": 4}, r"^here: unknown key 'sampels'. Did you mean 'samples'\?$"),
        ({"zzz": 4}, "^here: unknown key 'zzz'. There are betas, cap, flag"),
        ({"share": 1}, "^here: samples is missing; it must be a whole number from 1 to 9"),
        ({"samples": 4, "count": 4}, "^here: 'count' is a former name of 'samples'; keep one of them"),
        ({"samples": "4"}, "^here: sampling setting samples = '4' must be"),
    ):
        with pytest.raises(MinidsError, match=said):
            read(Sampling, values, "here")


@pytest.mark.parametrize(
    "make, said",
    [
        (lambda: Sampling(sampels=2), "^Sampling: unknown key 'sampels'. Did you mean 'samples'"),
        (lambda: Sampling(count=2), "^Sampling: unknown key 'count'. Did you mean 'samples'"),
        (lambda: Sampling(share=1), r"^Sampling: samples \(a whole number from 1 to 9\) is missing"),
        (lambda: Sampling(2).replace(shar=1), "^Sampling: unknown key 'shar'. Did you mean 'share'"),
        (lambda: dataclasses.replace(Sampling(2), shar=1), "Did you mean 'share'"),
        (lambda: Sampling(2).replace(share=2), "sampling setting share = 2 must be"),
        (lambda: RLConfig(steps=1, lr=1, clp="dual"), "^RLConfig: unknown key 'clp'. Did you mean 'clip'"),
        (lambda: RLConfig(), r"^RLConfig: steps \(.*\), lr \(.*\) are missing"),
        (lambda: TrainConfig(step=3, lr=1), "^TrainConfig: unknown key 'step'. Did you mean 'steps'"),
        (lambda: ModelConfig(hiden_size=3), "^ModelConfig: unknown key 'hiden_size'. Did you mean 'hidden_size'"),
    ],
)
def test_a_misspelt_or_missing_argument_is_named(make, said):
    with pytest.raises(MinidsError, match=said):
        make()


def test_replace_makes_others_and_keeps_these():
    mine = Sampling(3, name="x", table={"a": [1]})
    other = mine.replace(samples=4, share=1)
    assert (other.samples, other.share, other.kind, other.table) == (4, 1, "tags", {"a": [1]})
    assert mine.samples == 3 and other.table["a"] is not mine.table["a"]
    assert mine.replace(name="").kind == "plain" and Sampling(3, kind="tags").replace(samples=4).kind == "tags"
    dapo = RLConfig(steps=1, lr=1.0, preset="dapo")
    assert dapo.replace(preset="gspo") == RLConfig(steps=1, lr=1.0, preset="gspo")
    assert LossConfig(kl="k3", kl_coef=0.1).replace(kl_coef=0.2) == LossConfig(kl="k3", kl_coef=0.2)


def test_editors_see_the_fields_and_pickles_are_read():
    assert list(inspect.signature(Sampling).parameters) == [f.name for f in fields(Sampling)]
    assert pickle.loads(pickle.dumps(Sampling(3, cap=2))) == copy.deepcopy(Sampling(3, cap=2)) == Sampling(3, cap=2)


@pytest.mark.parametrize("cls", [LossConfig, RLConfig, EvalConfig, TrainConfig, RejectionConfig])
def test_every_setting_says_what_it_is(cls):
    for f, (name, may_be, default, doc) in zip(fields(cls), rows(cls)):
        assert name == f.name and may_be and doc and not doc.endswith("."), name
        assert default or f.default in (dataclasses.MISSING, ""), name
    with pytest.raises(TypeError, match="lowest"):
        setting(1, "x", lowest=3)


def test_the_loss_of_a_run_is_described_once():
    mine = {f.name: f for f in fields(RLConfig)}
    for f in fields(LossConfig):
        if f.name != "constant":
            here = mine[OWN.get(f.name, f.name)]
            assert here.metadata["doc"] == f.metadata["doc"] and limits(here) == limits(f)
            assert here.type == f.type, f.name
