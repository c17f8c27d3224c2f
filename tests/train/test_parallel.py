import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from train_tiny import Source, assert_close, assert_same_bits, settings, state_of, tiny_model

from minids.errors import MinidsError
from minids.model import moe
from minids.train import checkpoint, loop, parallel
from minids.train.parallel import Comm

HERE = Path(__file__).parent
TRAINING = dict(steps=4, bias_update_speed=0.125, save_every=2)


def biases(model):
    return {k: v.clone() for k, v in model.state_dict().items() if k.endswith("e_score_correction_bias")}


# --- what the processes do (module-level, so that a spawned process finds it) ---------------------------------------


def collectives(rank, world):
    comm = Comm(rank, world)
    assert torch.get_num_threads() == 1
    seen = {"sum": comm.all_reduce_(torch.tensor([1.0, rank])).tolist()}
    model = tiny_model(seed=rank)
    comm.broadcast_model(model)
    seen["broadcast"] = state_of(model)
    seen["gather"] = comm.gather({"rank": rank})
    comm.barrier()
    return [list(x.items()) for x in comm.gather(seen)]


def train_and_gather(rank, world, folder):
    comm = Comm(rank, world)
    source = Source(rank, world, micro=2, rows=8)
    exact = tiny_model(dtype=torch.float64)
    loop.train(exact, source, settings(**TRAINING), comm=comm, quiet=True)
    model = tiny_model(seed=10 * rank)  # rank 1 starts elsewhere and has to be given rank 0's weights
    loop.train(model, source, settings(**TRAINING), comm=comm, out_dir=folder, quiet=True)
    states = comm.gather(state_of(model))
    before = biases(model)
    moe.update_bias(model, torch.full((3, 4), float(rank)) + torch.eye(4)[:3] * (1 - rank), 0.5)
    moved = {k: v - before[k] for k, v in biases(model).items()}
    generators = comm.gather(checkpoint.rng_state()["torch"])
    return states, comm.gather(moved), generators, state_of(exact)


def resume_and_gather(rank, world, folder):
    comm = Comm(rank, world)
    model = tiny_model(seed=3)
    source = Source(rank, world, micro=2, rows=8)
    loop.train(model, source, settings(**TRAINING), comm=comm, out_dir=folder, resume=True, quiet=True)
    return comm.gather(state_of(model))


def interrupted(rank, world, folder):
    """Ctrl-C reaches rank 0 only, in the middle of a run; both processes must leave after the same step."""

    def on_step(step, values):
        if rank == 0 and step == 1:
            os.kill(os.getpid(), signal.SIGINT)

    source = Source(rank, world, micro=2, rows=8)
    how = dict(comm=Comm(rank, world), out_dir=folder, quiet=True, on_step=on_step)
    loop.train(tiny_model(), source, settings(**TRAINING), **how)


def die_on_rank_one(rank, world, how):
    comm = Comm(rank, world)
    for step in range(1000):
        if rank == 1 and step == 3:
            if how == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            if how == "mistake":
                raise MinidsError("rank 1 met a bad file: repair it")
            if how == "bug":
                raise ValueError("a bug on rank 1")
            if how == "exit":
                os._exit(7)
        if rank == 0 and step == 3 and how == "own bug":
            raise ZeroDivisionError("our own")
        comm.all_reduce_(torch.ones(3))


def flat(state):
    return torch.cat([v.flatten() for v in state.values()])


def no_child_left():
    import multiprocessing

    return not multiprocessing.active_children()


# --- tests ----------------------------------------------------------------------------------------------------------


def test_one_process_needs_nothing():
    assert parallel.run(lambda rank, world, x: (rank, world, x), 1, "x") == (0, 1, "x")
    comm, model = Comm(), tiny_model()
    t = torch.ones(2)
    assert comm.all_reduce_(t) is t and comm.gather(3) == [3]
    comm.broadcast_model(model)
    comm.barrier()
    assert not dist.is_initialized()


def test_choose_workers(monkeypatch):
    for cpus, device, expected in [(1, "cpu", 1), (2, "cpu", 2), (64, "cpu", 2), (64, "cuda", 1)]:
        monkeypatch.setattr(parallel, "available_cpus", lambda n=cpus: n)
        assert parallel.choose_workers(device) == expected
    monkeypatch.undo()
    assert 1 <= parallel.available_cpus() <= os.cpu_count()


def test_collectives():
    threads, environment = torch.get_num_threads(), dict(os.environ)
    results = [dict(items) for items in parallel.run(collectives, 2)]
    for result in results:
        assert result["sum"] == [2.0, 1.0]
        assert_same_bits(result["broadcast"], state_of(tiny_model(seed=0)))
        assert result["gather"] == [{"rank": 0}, {"rank": 1}]
    assert torch.get_num_threads() == threads and dict(os.environ) == environment
    assert no_child_left() and not dist.is_initialized()


@pytest.mark.slow
def test_two_processes_train_like_one(tmp_path):
    (a, b), moved, generators, exact = parallel.run(train_and_gather, 2, tmp_path / "two")
    one = tiny_model()
    loop.train(one, Source(micro=4, rows=8), settings(**TRAINING), out_dir=tmp_path / "one", quiet=True)
    assert_same_bits(a, b)
    assert_close({"all": flat(a)}, {"all": flat(state_of(one))}, 1e-5)
    one_exact = tiny_model(dtype=torch.float64)  # rounding hides nothing here: tensor by tensor
    loop.train(one_exact, Source(micro=4, rows=8), settings(**TRAINING), quiet=True)
    assert_close(exact, state_of(one_exact), 1e-10)
    gates = biases(one)
    assert_same_bits({k: a[k] for k in gates}, gates)  # the router bias to the bit: counts are summed, then one +-gamma
    assert all((v / 0.125 % 1 == 0).all() for v in gates.values()) and any(v.any() for v in gates.values())
    # counts of both processes are summed before the sign is taken: 1+eye against 1 gives -gamma on the diagonal
    expected = 0.5 * torch.sign((torch.eye(4) * -1 + 0.25)[:3])
    for result in moved:
        assert torch.equal(torch.stack(list(result.values())), expected)
    assert not torch.equal(*generators)  # each process draws numbers of its own

    # what one process saved another can resume, bit for bit, generators of both included
    for path in checkpoint.available(tmp_path / "two")[1:]:
        path.rename(tmp_path / path.name)
    (c, d) = parallel.run(resume_and_gather, 2, tmp_path / "two")
    assert_same_bits(c, a)
    assert_same_bits(d, a)


@pytest.mark.slow
def test_ctrl_c_with_two_processes(tmp_path):
    with pytest.raises(MinidsError, match="stopped after step 2 of 4: saved in"):
        parallel.run(interrupted, 2, tmp_path)
    assert checkpoint.load(tmp_path)[0] == 2 and no_child_left()


@pytest.mark.slow
@pytest.mark.parametrize(
    "how, error, words",
    [
        ("kill", MinidsError, "worker process 1 ended without a word .killed by SIGKILL.*memory.*resume=True"),
        ("exit", MinidsError, "exit code 7"),
        ("mistake", MinidsError, "rank 1 met a bad file: repair it"),
        ("bug", RuntimeError, "worker process 1 failed:\n(.|\n)*ValueError: a bug on rank 1"),
        ("own bug", ZeroDivisionError, "own"),
    ],
)
def test_a_process_that_ends_ends_the_run(how, error, words):
    with pytest.raises(error, match=words):
        parallel.run(die_on_rank_one, 2, how)
    assert no_child_left() and not dist.is_initialized()


SCRIPT = textwrap.dedent("""
    import os, sys, time
    sys.path.insert(0, {here!r})
    import torch
    from minids.train import parallel
    from minids.train.parallel import Comm

    def work(rank, world, folder):
        open(f"{{folder}}/pid{{rank}}", "w").write(str(os.getpid()))
        while True:
            Comm(rank, world).all_reduce_(torch.ones(1))
            time.sleep(0.01)

    if __name__ == "__main__":
        parallel.run(work, 2, sys.argv[1])
""")


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks into /proc")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_children_end_with_the_parent(tmp_path, number):
    (tmp_path / "job.py").write_text(SCRIPT.format(here=str(HERE.parent.parent)), encoding="utf-8")
    how = dict(cwd=tmp_path, stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    # a shell that started these tests in the background has made Ctrl-C ignored, which children inherit
    how["preexec_fn"] = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)
    parent = subprocess.Popen([sys.executable, "job.py", str(tmp_path)], start_new_session=True, **how)
    try:
        deadline = time.monotonic() + 90
        while not ((tmp_path / "pid1").exists() and (tmp_path / "pid1").read_text(encoding="utf-8")):
            assert time.monotonic() < deadline and parent.poll() is None
            time.sleep(0.05)
        child = int((tmp_path / "pid1").read_text(encoding="utf-8"))
        assert alive(child)
        time.sleep(0.3)
        if number == signal.SIGINT:
            os.killpg(parent.pid, number)  # as a terminal does: the child gets it too
        else:
            parent.kill()
        stderr = parent.communicate(timeout=120)[1]
        deadline = time.monotonic() + 10
        while alive(child):
            assert time.monotonic() < deadline, "the child outlived its parent"
            time.sleep(0.05)
        if number == signal.SIGINT:
            assert parent.returncode != 0
            assert stderr.count("Traceback") == 1  # the parent's KeyboardInterrupt, not the child's
    finally:
        if parent.poll() is None:
            parent.kill()
