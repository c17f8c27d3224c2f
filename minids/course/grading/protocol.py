"""Values as data: what a fenced-in process may say to its judge. Never code: nothing here unpickles.

    frame = length of head, length of body | head: JSON, every container with its kind in front | body: raw bytes

Tensors of every dtype, numpy arrays, numbers, strings, bytes, None, lists, tuples, sets, dicts, torch.Size, dtypes, and
the library's own named tuples and dataclasses. The judge's arguments stand on the wire as numbers: an argument that
comes back is that very object again, and a view of it a view of it, so that "returns its input" and "shares its memory"
are the same as in one process. Whatever arrives is checked against its own length and the limits below before it is
built; anything else raises BadData. Nothing on it is lazy or shared: what a few bytes could stand for (a range, a view
that repeats an argument) is counted at its full length. The limits are 15 times and more what any answer needs.
"""

import collections
import dataclasses
import json
import re
import struct
import sys

import numpy as np
import torch

from minids.child import exactly

HEAD, BODY, DEPTH, ITEMS = 1 << 20, 16 << 20, 20, 100_000
DIGITS = 14_000  # binary ones of a whole number; Python reads no more than 4300 decimal ones
ALIKE = 1000  # keys of one hash in a dict or set, whose building takes the square of that
LENGTHS = struct.Struct("<IQ")
_DTYPES = {str(v).removeprefix("torch."): v for v in vars(torch).values() if isinstance(v, torch.dtype)}
_CROSSING = re.compile(r"bool|u?int(8|16|32|64)|bfloat16|float(16|32|64)|float8_\w+|complex(32|64|128)")  # of tensors
PLAIN = (type(None), bool, int, float, str)


class BadData(ValueError):
    """This is not data that may cross, or more of it than is allowed.

    `sort` is a key of SORTS: the side that is not trusted says no more than that, and the name of a type.
    """

    def __init__(self, text, sort="damaged", name=""):
        super().__init__(text)
        self.sort, self.name = sort, name


SORTS = {
    "large": "it is too large",
    "deep": f"it is nested more than {DEPTH} deep, or holds more than {ITEMS:,} values",
    "type": "it holds an object of type {}; what can be judged are tensors, numbers, text, and lists, tuples and dicts "
    "of them",
    "tensor": "it holds a tensor that is sparse, quantised or not on the CPU",
    "damaged": "it could not be sent",
}


def why(sort, name=""):
    """The sentence for a sort of BadData. Both may come from a worker: only known words and one name are used."""
    text = SORTS.get(sort if isinstance(sort, str) else "", SORTS["damaged"])
    return text.format(re.sub(r"\W", "", str(name))[:60] or "without a name")


# -- frames ------------------------------------------------------------------------------------------------------------


class Known:
    """The judge's arguments, which stand on the wire as numbers."""

    def __init__(self, arguments=()):
        self.number = {id(v): k for k, v in enumerate(arguments)}
        self.memory = {}  # where an argument's values lie -> its number, the argument
        for k, v in enumerate(arguments):
            if isinstance(v, torch.Tensor) and v.layout == torch.strided and v.numel():
                self.memory.setdefault(v.untyped_storage().data_ptr(), (k, v))


def frame(value, known=None):
    """The bytes of a value; `known`: what need not be spelt out."""
    writer = _Writer(known or Known())
    head = json.dumps(writer.encode(value, 0), ensure_ascii=True, separators=(",", ":")).encode()
    if len(head) > HEAD or writer.length > BODY:
        raise BadData("the result is too large", "large")
    return b"".join([LENGTHS.pack(len(head), writer.length), head, *writer.body])


def lengths(start):
    """(head, body) of a frame from its first 12 bytes."""
    head, body = LENGTHS.unpack(start)
    if head > HEAD or body > BODY:
        raise BadData("the result is too large")
    return head, body


def value_of(head, body, known=()):
    """The value of a frame. Raises BadData, whatever else is wrong with it."""
    try:
        return _Reader(body, known).decode(json.loads(head), 0)
    except BadData:
        raise
    except (Exception, RecursionError, MemoryError) as error:
        raise BadData(f"damaged data ({type(error).__name__})") from None


def receive(source, end=None):
    """(head, body) of the next frame. EOFError where the other side has gone."""
    head, body = lengths(exactly(source, LENGTHS.size, end))
    return exactly(source, head, end), exactly(source, body, end)


# -- writing -----------------------------------------------------------------------------------------------------------


class _Writer:
    def __init__(self, known):
        self.known, self.body, self.length, self.items, self.text = known, [], 0, 0, 0

    def encode(self, value, depth):
        self.items += 1
        kind = type(value)
        inside = len(value) if kind in (list, tuple, set, frozenset, dict, range) else 0  # not walked if too many
        if depth > DEPTH or self.items + inside > ITEMS:
            raise BadData(SORTS["deep"], "deep")
        if kind is str:
            self.text += len(value)
        if self.text > HEAD or kind is int and value.bit_length() > DIGITS:
            raise BadData("the result is too large", "large")
        if type(value) in PLAIN:
            return value
        if id(value) in self.known.number:
            return ["known", self.known.number[id(value)]]
        if isinstance(value, torch.Tensor):
            return self.tensor(value)
        if kind in (list, tuple, set, frozenset, torch.Size):
            return [kind.__name__, *(self.encode(v, depth + 1) for v in value)]
        if isinstance(value, dict) and kind in (
            dict,
            collections.OrderedDict,
            collections.Counter,
            collections.defaultdict,
        ):
            name = "Counter" if kind is collections.Counter else "dict"
            return [name, *([self.encode(k, depth + 1), self.encode(v, depth + 1)] for k, v in value.items())]
        if isinstance(value, bytes | bytearray):
            return ["bytes", *self.raw(bytes(value))]
        if isinstance(value, np.ndarray) and value.dtype.kind in "biufc":
            return ["array", value.dtype.str, list(value.shape), *self.raw(np.ascontiguousarray(value).tobytes())]
        if isinstance(value, np.generic):
            return self.encode(value.item(), depth + 1)
        if kind is complex:
            return ["complex", value.real, value.imag]
        if kind is range:
            self.items += len(value)
            return ["range", value.start, value.stop, value.step]
        if isinstance(value, torch.dtype):
            return ["dtype", str(value).removeprefix("torch.")]
        if isinstance(value, torch.device) and value.type == "cpu":
            return ["device"]
        for plain in (bool, int, float, str):  # a subclass comes back as what it is made of
            if isinstance(value, plain):
                return plain(value) if plain is not str else str.__str__(value)
        return self.made_of_fields(value, depth)

    def made_of_fields(self, value, depth):
        cls = type(value)
        path = [cls.__module__, cls.__qualname__]
        if isinstance(value, tuple) and hasattr(cls, "_fields"):
            return ["fields", *path, *(self.encode(v, depth + 1) for v in value)]
        if isinstance(value, tuple) and cls.__module__ == "torch.return_types":
            return ["tuple", *(self.encode(v, depth + 1) for v in value)]
        if dataclasses.is_dataclass(value):
            values = (getattr(value, f.name) for f in dataclasses.fields(value))
            return ["fields", *path, *(self.encode(v, depth + 1) for v in values)]
        raise BadData(why("type", cls.__name__), "type", cls.__name__)

    def tensor(self, value):
        dtype = str(value.dtype).removeprefix("torch.")
        if value.layout != torch.strided or value.device.type != "cpu" or not _CROSSING.fullmatch(dtype):
            raise BadData(SORTS["tensor"], "tensor")
        grad, value = value.requires_grad, torch.Tensor.detach(value)
        at = value.untyped_storage().data_ptr()
        if value.numel() and at in self.known.memory and not (value.is_conj() or value.is_neg()):
            k, whole = self.known.memory[at]
            if whole.dtype == value.dtype and whole.untyped_storage().data_ptr() == at:  # it has not moved since
                return ["view", k, list(value.shape), list(value.stride()), value.storage_offset()]
        if value.numel() * value.element_size() > BODY:
            raise BadData("the result is too large", "large")
        flat = value.resolve_conj().resolve_neg().contiguous().reshape(-1)
        data = flat.view(torch.uint8).numpy().tobytes() if flat.numel() else b""
        return ["tensor", dtype, grad, list(value.shape), *self.raw(data)]

    def raw(self, data):
        self.body.append(data)
        self.length += len(data)
        if self.length > BODY:
            raise BadData("the result is too large", "large")
        return self.length - len(data), len(data)


# -- reading: nothing that stands here is trusted ----------------------------------------------------------------------


class _Reader:
    def __init__(self, body, known):
        self.body, self.known, self.items, self.spread = body, known, 0, 0

    def decode(self, node, depth):
        self.items += 1
        if depth > DEPTH or self.items > ITEMS:
            raise BadData("nested too deep, or too many values", "deep")
        if type(node) in PLAIN:
            return node
        kind, *rest = node if isinstance(node, list) else [None]
        read = getattr(self, f"_{kind}", None) if kind in _KINDS else None
        if read is None:
            raise BadData("data of an unknown kind")
        return read(rest, depth + 1)

    def _all(self, nodes, depth):
        return [self.decode(n, depth) for n in nodes]

    def _known(self, rest, depth):
        return self.known[_natural(rest[0])]

    def _list(self, rest, depth):
        return self._all(rest, depth)

    def _tuple(self, rest, depth):
        return tuple(self._all(rest, depth))

    def _set(self, rest, depth):
        return set(_hashed(self._all(rest, depth)))

    def _frozenset(self, rest, depth):
        return frozenset(self._set(rest, depth))

    def _Size(self, rest, depth):
        return torch.Size([_natural(n) for n in rest])

    def _dict(self, rest, depth):
        pairs = [(self.decode(k, depth), self.decode(v, depth)) for k, v in rest]
        _hashed([k for k, _ in pairs])
        return dict(pairs)

    def _Counter(self, rest, depth):
        return collections.Counter(self._dict(rest, depth))

    def _bytes(self, rest, depth):
        return bytes(self._raw(*rest))

    def _complex(self, rest, depth):
        return complex(*map(float, rest))

    def _range(self, rest, depth):
        value = range(*rest)
        self.items += len(value)
        if self.items > ITEMS:
            raise BadData("too many values", "deep")
        return value

    def _dtype(self, rest, depth):
        return _DTYPES[rest[0]]

    def _device(self, rest, depth):
        return torch.device("cpu")

    def _array(self, rest, depth):
        name, shape, start, length = rest
        dtype = np.dtype(name)
        if dtype.kind not in "biufc" or _size(shape) * dtype.itemsize != length:
            raise BadData("an array that is not what it says")
        return np.frombuffer(bytearray(self._raw(start, length)), dtype).reshape(shape)

    def _tensor(self, rest, depth):
        name, grad, shape, start, length = rest
        dtype = _DTYPES[_CROSSING.fullmatch(name)[0]]
        if _size(shape) * dtype.itemsize != length:
            raise BadData("a tensor that is not what it says")
        if length:
            value = torch.frombuffer(bytearray(self._raw(start, length)), dtype=torch.uint8).view(dtype).reshape(shape)
        else:
            value = torch.empty(shape, dtype=dtype)
        return _marked(value, grad)

    def _view(self, rest, depth):
        k, shape, stride, offset = rest
        whole = self.known[_natural(k)]
        if len(shape) != len(stride) or self._spread(_size(shape) * whole.element_size()) > BODY:
            raise BadData("a view that is not what it says")
        return whole.detach().as_strided([_natural(n) for n in shape], [_natural(n) for n in stride], _natural(offset))

    def _fields(self, rest, depth):
        module, name, *nodes = rest
        cls = getattr(sys.modules.get(module), name, None) if module.startswith("minids.") else None
        if not isinstance(cls, type) or not cls.__module__.startswith("minids.") or "course" in cls.__module__:
            raise BadData("an object that the library does not know")
        values = self._all(nodes, depth)
        if issubclass(cls, tuple) and len(cls._fields) == len(values):
            return tuple.__new__(cls, values)
        names = [f.name for f in dataclasses.fields(cls)]
        made = object.__new__(cls)
        for key, value in zip(names, values, strict=True):
            object.__setattr__(made, key, value)
        return made

    def _spread(self, count):
        self.spread += count
        return self.spread

    def _raw(self, start, length):
        end = _natural(start) + _natural(length)
        if end > len(self.body) or self._spread(length) > BODY:  # the same bytes may be named twice
            raise BadData("fewer bytes than announced")
        return memoryview(self.body)[start:end]


_KINDS = {name[1:] for name in vars(_Reader) if name[0] == "_" and name[1] != "_"} - {"all", "raw", "spread"}


def _natural(number):
    if type(number) is not int or not 0 <= number < 1 << 48:
        raise BadData("a length that is none")
    return number


def _hashed(keys):
    """The keys, unless so many have the same hash that a dict of them takes for ever."""
    found = sorted(map(hash, keys))
    if any(a == b for a, b in zip(found, found[ALIKE:])):
        raise BadData("too many keys that differ and have the same hash")
    return keys


def _size(shape):
    total = 1
    for n in shape:
        total *= _natural(n)
    if len(shape) > 32:
        raise BadData("too many dimensions")
    return total


def _marked(value, grad):
    """A float tensor that needs a gradient, as a result does: not a leaf, so that in-place changes are allowed."""
    return value.requires_grad_().clone() if grad is True and value.is_floating_point() else value
