import errno
import json
import os
import random
import resource
import shutil
import signal

import numpy as np
import pytest
import torch
from train_tiny import tiny_model

from minids.errors import MinidsError
from minids.train import checkpoint, optim


def in_child(action):
    """Runs `action` in a forked process; returns its exit code (negative: the signal that ended it)."""
    pid = os.fork()
    if pid == 0:
        code = 99
        try:
            action()
            code = 0
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def state(step):
    return {"weights": torch.full((50,), float(step)), "step": step}


def bits(t):
    return t.reshape(-1).contiguous().view(torch.uint8)


def same(a, b):
    if isinstance(a, torch.Tensor):
        return a.dtype == b.dtype and a.shape == b.shape and torch.equal(bits(a), bits(b))
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b)
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and (a == b or (a != a and b != b))


def test_round_trip_keeps_every_bit(tmp_path):
    tied = torch.randn(4, 3)
    nested = {
        "floats": [1.5, float("nan"), float("inf"), -0.0, 0.1],
        "text": "ä \n",
        "none": None,
        "flag": True,
        "big": 2**100,
        "tuple": (1, (2, "x")),
        7: {"int key": 1},
        "$odd": 2,
        "tensors": {
            "f32": torch.randn(3, 2),
            "bf16": torch.randn(5).bfloat16(),
            "u8": torch.arange(9).to(torch.uint8),
            "scalar": torch.tensor(3.0),
            "empty": torch.zeros(0, 4),
            "nan": torch.tensor([float("nan"), -0.0]),
            "view": torch.randn(4, 6).T,
            "tied": tied,
            "tied too": tied,
            "f64": torch.randn(2).double(),
        },
        "numpy": np.arange(5, dtype=np.uint32),
    }
    nested["tensors"]["view"] = nested["tensors"]["view"].contiguous()
    checkpoint.save(tmp_path, 3, nested)
    step, loaded = checkpoint.load(tmp_path)
    assert step == 3 and same(nested, loaded)
    assert loaded["tensors"]["tied"].data_ptr() != loaded["tensors"]["tied too"].data_ptr()


def test_what_cannot_be_stored_is_named(tmp_path):
    with pytest.raises(TypeError, match="object at /a/1"):
        checkpoint.save(tmp_path, 1, {"a": [1, object()]})
    assert checkpoint.available(tmp_path) == []


def test_optimizer_and_generators_survive(tmp_path):
    model = tiny_model()
    optimizer = optim.build_optimizer(model, "muon", lr=0.01)
    for p in model.parameters():
        p.grad = torch.randn_like(p)
    optimizer.step()
    generator = np.random.default_rng(5)
    saved = {"optimizer": optimizer.state_dict(), "rng": checkpoint.rng_state(), "numpy": generator.bit_generator.state}
    checkpoint.save(tmp_path, 1, saved)
    draw = lambda: (random.random(), np.random.rand(), torch.rand(2).tolist(), generator.random())  # noqa: E731
    expected = draw()
    _, loaded = checkpoint.load(tmp_path)
    assert same(saved["optimizer"], loaded["optimizer"])
    checkpoint.set_rng_state(loaded["rng"])
    generator.bit_generator.state = loaded["numpy"]
    assert draw() == expected


def test_keeps_the_last_and_the_best(tmp_path):
    for step, score in [(1, 0.1), (2, 0.9), (3, 0.5), (4, None), (5, 0.2)]:
        checkpoint.save(tmp_path, step, state(step), keep_last=2, best=score)
    assert [p.name for p in checkpoint.available(tmp_path)] == ["step-00000002", "step-00000004", "step-00000005"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["step-00000002", "step-00000004", "step-00000005"]
    assert checkpoint.load(tmp_path)[0] == 5


def test_saving_a_step_again_replaces_it(tmp_path):
    for value in (1, 2, 3):
        checkpoint.save(tmp_path, 8, state(value), keep_last=1)
    assert checkpoint.load(tmp_path)[1]["step"] == 3
    assert len(checkpoint.available(tmp_path)) == 1


def damage(name):
    def truncate(path):
        data = path.read_bytes()
        path.write_bytes(data[: len(data) // 2])

    def flip(path):
        data = bytearray(path.read_bytes())
        data[-5] ^= 1
        path.write_bytes(data)

    return {
        "half the tensors": ("tensors.safetensors", truncate),
        "one bit of the tensors": ("tensors.safetensors", flip),
        "no tensors": ("tensors.safetensors", os.remove),
        "foreign tensors": ("tensors.safetensors", lambda p: p.write_bytes(b"PK\3\4 a pickle of someone")),
        "half the state": ("state.json", truncate),
        "no state": ("state.json", os.remove),
        "empty state": ("state.json", lambda p: p.write_text("", encoding="utf-8")),
        "foreign state": ("state.json", lambda p: p.write_text('{"model_type": "llama"}', encoding="utf-8")),
        "a list as state": ("state.json", lambda p: p.write_text("[1, 2]", encoding="utf-8")),
        "state without its tree": (
            "state.json",
            lambda p: p.write_text(
                json.dumps({k: v for k, v in json.loads(p.read_text(encoding="utf-8")).items() if k != "state"}),
                encoding="utf-8",
            ),
        ),
        "state that asks for another tensor": (
            "state.json",
            lambda p: p.write_text(p.read_text(encoding="utf-8").replace("/weights", "/wieghts"), encoding="utf-8"),
        ),
        "binary state": ("state.json", lambda p: p.write_bytes(b"\xff\xfe\x00")),
    }[name]


@pytest.mark.parametrize(
    "how",
    [
        "half the tensors",
        "one bit of the tensors",
        "no tensors",
        "foreign tensors",
        "half the state",
        "no state",
        "empty state",
        "foreign state",
        "a list as state",
        "state without its tree",
        "state that asks for another tensor",
        "binary state",
    ],
)
def test_a_damaged_checkpoint_is_named_and_the_one_before_is_taken(tmp_path, how):
    file, action = damage(how)
    checkpoint.save(tmp_path, 1, state(1))
    checkpoint.save(tmp_path, 2, state(2))
    action(tmp_path / "step-00000002" / file)
    with pytest.warns(UserWarning, match="going on from step-00000001"):
        step, loaded = checkpoint.load(tmp_path)
    assert step == 1 and same(loaded, state(1))
    shutil.rmtree(tmp_path / "step-00000001")
    with pytest.raises(MinidsError) as error:
        checkpoint.load(tmp_path)
    assert "step-00000002" in str(error.value) and "delete" in str(error.value)
    if "asks" not in how and "tree" not in how:
        assert file in str(error.value)


def test_nothing_there(tmp_path):
    (tmp_path / "step-xyz").mkdir()
    with pytest.raises(MinidsError, match="no checkpoint in"):
        checkpoint.load(tmp_path)
    with pytest.raises(MinidsError, match="no checkpoint in"):
        checkpoint.load(tmp_path / "nowhere")
    assert checkpoint.latest(tmp_path) is None


@pytest.mark.parametrize(
    "number, words", [(errno.ENOSPC, "No space left"), (errno.EROFS, "Read-only"), (errno.EIO, "error")]
)
@pytest.mark.parametrize("file", ["tensors.safetensors", "state.json"])
def test_a_full_disk_leaves_the_old_checkpoint(tmp_path, monkeypatch, number, words, file):
    checkpoint.save(tmp_path, 1, state(1))
    write = checkpoint._write

    def fail(path, data):
        if path.name == file:
            path.write_bytes(data[: len(data) // 2])
            raise OSError(number, os.strerror(number))
        write(path, data)

    monkeypatch.setattr(checkpoint, "_write", fail)
    with pytest.raises(MinidsError, match=f"step 2 to .*{words}.*Earlier checkpoints are untouched"):
        checkpoint.save(tmp_path, 2, state(2))
    assert [p.name for p in tmp_path.iterdir()] == ["step-00000001"]
    assert same(checkpoint.load(tmp_path)[1], state(1))


def test_a_real_limit_on_file_size(tmp_path):
    def save_under_a_limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
        with pytest.raises(MinidsError, match="could not write the checkpoint of step 2"):
            checkpoint.save(tmp_path, 2, {"weights": torch.zeros(10_000)})

    checkpoint.save(tmp_path, 1, state(1))
    assert in_child(save_under_a_limit) == 0
    assert [p.name for p in tmp_path.iterdir()] == ["step-00000001"]


def test_a_folder_that_cannot_be_written(tmp_path):
    def save_as_nobody():
        if os.getuid() == 0:
            os.setuid(65534)
        with pytest.raises(MinidsError, match="Permission denied.*choose a folder that can be written"):
            checkpoint.save(tmp_path / "locked", 1, state(1))

    (tmp_path / "locked").mkdir()
    (tmp_path / "locked").chmod(0o555)
    assert in_child(save_as_nobody) == 0
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(MinidsError, match="could not write"):
        checkpoint.save(tmp_path / "file", 1, state(1))


@pytest.mark.parametrize("moment", range(9))
def test_killed_at_any_system_call_of_a_save(tmp_path, monkeypatch, moment):
    """kill -9 just before a call that touches the disk: the newest whole checkpoint is found, never half of one."""
    checkpoint.save(tmp_path, 1, state(1))
    checkpoint.save(tmp_path, 2, state(2))
    calls = iter(range(100))

    def deadly(call):
        def wrapped(*args, **how):
            if next(calls) == moment:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*args, **how)

        return wrapped

    def save():
        for module, name in [(os, "rename"), (os, "fsync"), (os, "mkdir"), (shutil, "rmtree")]:
            monkeypatch.setattr(module, name, deadly(getattr(module, name)))
        checkpoint.save(tmp_path, 3, state(3))

    code = in_child(save)
    step, loaded = checkpoint.load(tmp_path)
    assert step in (2, 3) and same(loaded, state(step))
    assert code == -signal.SIGKILL or step == 3
    checkpoint.save(tmp_path, 4, state(4))
    assert sorted(p.name for p in tmp_path.iterdir())[-1] == "step-00000004"
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")], "leftovers are cleared by the next save"


def test_ctrl_c_while_writing(tmp_path, monkeypatch):
    checkpoint.save(tmp_path, 1, state(1))

    def interrupted(path, data):
        raise KeyboardInterrupt

    monkeypatch.setattr(checkpoint, "_write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        checkpoint.save(tmp_path, 2, state(2))
    assert [p.name for p in tmp_path.iterdir()] == ["step-00000001"]
