"""Values as data: what goes in comes out, what is no data stays out, and damaged bytes do no harm."""

import collections
import math
import random

import numpy as np
import pytest
import torch

from minids.course import arguments
from minids.course.grading import protocol
from minids.text.chat import Reply


def there_and_back(value, known=()):
    data = protocol.frame(value, protocol.Known(known))
    head, body = protocol.lengths(data[:12])
    assert len(data) == 12 + head + body
    return protocol.value_of(data[12 : 12 + head], data[12 + head :], known)


PLAIN = [
    None,
    True,
    0,
    -(2**70),
    1.5,
    -0.0,
    math.inf,
    -math.inf,
    "",
    "é\ud800\x00\n",
    b"\x00\xff",
    [],
    (),
    [1, (2, [3])],
    {"a": 1, (1, 2): [b"x"], None: 0},
    {1, 2},
    frozenset({3}),
    2 + 3j,
    range(2, 9, 3),
    torch.float8_e4m3fn,
    torch.Size([2, 3]),
    collections.Counter("abca"),
    collections.OrderedDict(a=1),
    torch.device("cpu"),
]


@pytest.mark.parametrize("value", PLAIN, ids=lambda value: type(value).__name__)
def test_plain_values_come_back(value):
    got = there_and_back(value)
    assert got == value
    assert math.copysign(1, got) == math.copysign(1, value) if isinstance(value, float) else True
    if not isinstance(value, collections.OrderedDict):
        assert type(got) is type(value)


def test_nan_comes_back():
    assert math.isnan(there_and_back([float("nan")])[0])


@pytest.mark.filterwarnings("ignore:ComplexHalf")
@pytest.mark.parametrize("name", [n for n in sorted(protocol._DTYPES) if protocol._CROSSING.fullmatch(n)])
def test_tensors_of_every_dtype(name):
    x = torch.tensor([[0, 1, 1], [1, 0, 1]]).to(protocol._DTYPES[name])
    got = there_and_back(x)
    assert got.dtype == x.dtype and got.shape == x.shape
    assert got.view(torch.uint8).tolist() == x.view(torch.uint8).tolist()


@pytest.mark.parametrize(
    "x",
    [
        torch.tensor(3.0),
        torch.empty(0, 4),
        torch.arange(6).view(2, 3).T,
        torch.tensor([math.nan, -math.inf]),
        torch.randn(4).expand(3, 4),
        torch.tensor([1 + 2j]).conj(),
        torch.zeros(2, 0, 3, dtype=torch.int8),
    ],
    ids=lambda value: type(value).__name__,
)
def test_odd_tensors(x):
    got = there_and_back({"x": [x]})["x"][0]
    assert got.shape == x.shape and got.dtype == x.dtype
    torch.testing.assert_close(got, x.resolve_conj(), rtol=0, atol=0, equal_nan=True)


def test_a_result_that_needs_a_gradient_says_so_and_may_be_changed():
    got = there_and_back(torch.ones(2, requires_grad=True) * 2)
    assert got.requires_grad
    got += 1


def test_named_tuples_dataclasses_and_arrays():
    reply = Reply(*["x"] * len(Reply.__dataclass_fields__))
    assert there_and_back(reply) == reply
    a = np.arange(6.0).reshape(2, 3).T
    assert (there_and_back(a) == a).all() and there_and_back(np.float32(0.5)) == 0.5
    values, indices = there_and_back(torch.tensor([3.0, 1.0]).max(0))
    assert (float(values), int(indices)) == (3.0, 0)


def test_arguments_and_views_of_them_stay_what_they_are():
    x, stack = torch.arange(12.0).view(3, 4), [1]
    same, row, other, inner = there_and_back((x, x[1], x.clone(), [stack]), [x, stack])
    assert same is x and inner[0] is stack
    row.zero_()
    assert x[1].sum() == 0 and other[1].sum() != 0


class Liar:
    def __eq__(self, other):
        return True

    def __reduce__(self):
        return (print, ("code was run",))


class Always(torch.Tensor):
    """A tensor that says it equals everything."""

    def __eq__(self, other):
        return torch.ones(self.shape, dtype=torch.bool)


class Yes(float):
    def __eq__(self, other):
        return True

    __hash__ = float.__hash__


@pytest.mark.parametrize(
    "value", [Liar(), lambda: 1, Liar, [Liar()], open, torch.nn.Linear(1, 1)], ids=lambda value: type(value).__name__
)
def test_objects_do_not_cross(value):
    with pytest.raises(protocol.BadData, match="type"):
        protocol.frame(value)


def test_subclasses_come_back_as_what_they_are_made_of():
    assert type(there_and_back(torch.zeros(2).as_subclass(Always))) is torch.Tensor
    assert type(there_and_back(Yes(2.0))) is float
    assert type(there_and_back(type("S", (str,), {})("a"))) is str


def test_too_deep_too_large_too_many():
    deep = []
    for _ in range(1000):
        deep = [deep]
    endless = []
    endless.append(endless)
    for value in (
        deep,
        endless,
        [0] * (protocol.ITEMS + 1),
        "x" * (protocol.HEAD + 1),
        torch.empty(protocol.BODY + 1).char(),
    ):
        with pytest.raises(protocol.BadData):
            protocol.frame(value)
    with pytest.raises(protocol.BadData):
        protocol.lengths(protocol.LENGTHS.pack(protocol.HEAD + 1, 0))


LIES = [
    b"[" * 100_000,
    b'["tensor","float32",false,[1000000000],0,4]',
    b'["tensor","float32",false,[-1,-1],0,4]',
    b'["tensor","float32",false,[1],-4,4]',
    b'["tensor","qint8",false,[4],0,4]',
    b'["view",0,[9],[1],0]',
    b'["view",0,[1],[1],99999]',
    b'["view",1,[1],[1],0]',
    b'["known",7]',
    b'["known",-1]',
    b'["array","O",[1],0,8]',
    b'["array","V4",[1],0,4]',
    b'["fields","os","system","ls"]',
    b'["fields","minids.course.judge","Result","a"]',
    b'["fields","minids.text.chat","Reply"]',
    b'["dict",[["list"],1]]',
    b'["set",["list"]]',
    b'{"a":1}',
    b"",
    b"\xff",
    b'["_all",1]',
    b'["__init__"]',
    b'["bytes",0,99]',
    b'["Size",1e9]',
    b"1" * 5000,
    b'["dtype","load"]',
    b'[["list"]]',
]


@pytest.mark.parametrize("head", LIES, ids=lambda h: str(h[:40]))
def test_lies_are_refused(head):
    with pytest.raises(protocol.BadData):
        protocol.value_of(head, b"\0" * 8, [torch.zeros(4), object()])


def test_damaged_frames_give_a_value_or_an_error_of_ours():
    data = protocol.frame(("result", {"x": torch.randn(2, 2)}, [(0, [1, 2.5, "a"])], None, None))
    numbers, (head, _) = random.Random(0), protocol.lengths(data[:12])
    for _ in range(1000):
        bad = bytearray(data[12 : 12 + head])
        for _ in range(numbers.randint(1, 4)):
            bad[numbers.randrange(len(bad))] = numbers.choice(b'0123456789[]",nulltruefalse-.eE')
        try:
            protocol.value_of(bytes(bad), data[12 + head :], [torch.zeros(1)])
        except protocol.BadData:
            pass


def test_states_of_arguments_are_taken_and_put_back():
    values = [
        [1, [2]],
        {"a": 1},
        torch.zeros(2),
        {3},
        torch.Generator(),
        random.Random(1),
        np.random.default_rng(2),
        np.zeros(2),
        torch.nn.BatchNorm1d(2),
    ]
    known = arguments.changeable(values)
    index = protocol.Known(known)
    before = [arguments.stated(k, index) for k in known]
    held = [arguments.state(k) for k in known]
    values[0][1].append(3), values[1].update(b=2), values[2].add_(1), values[3].add(4), values[4].manual_seed(5)
    values[5].random(), values[6].random(), values[7].fill(1), values[8](torch.randn(4, 2))
    assert sum(a != b for a, b in zip(before, (arguments.stated(k, index) for k in known))) >= 9
    for value, state in zip(known, held):
        if state is not None:
            arguments.put(value, state)
    assert [arguments.stated(k, index) for k in known] == before
