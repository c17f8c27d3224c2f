"""Answers to one exercise, as a student might write them."""

from minids.course import catalog

SWIGLU = "layers.swiglu"
RIGHT = "import torch.nn.functional as F\ndef swiglu(gate, up):\n    y = F.silu(gate)\n    return y * up\n"
WRONG = "def swiglu(gate, up):\n    return gate.sigmoid() * up\n"


def blank(name=SWIGLU):
    return catalog.blank(catalog.solution(name))
