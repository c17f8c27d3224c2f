import errno
import json
import math
import os
import signal
import time

import pytest
import torch
import torch.nn.functional as F
from train_tiny import VOCAB, Source, assert_close, assert_same_bits, make_batch, settings, state_of, tiny_model

from minids.errors import MinidsError
from minids.model import moe
from minids.text.corpus import Batch
from minids.train import checkpoint, loop, loss
from minids.train.metrics import MetricsLog, read


def run(model, source=None, config=None, **how):
    return loop.train(model, source or Source(), config or settings(), quiet=True, **how)


def biases(model):
    return {k: v.clone() for k, v in model.state_dict().items() if k.endswith("e_score_correction_bias")}


# --- the loss -------------------------------------------------------------------------------------------------------


def loss_by_hand(model, batch):
    """Position by position, from the logits of `forward` and of the MTP states."""
    where = dict(doc_ids_BT=batch.doc_ids_BT, valid_BT=batch.valid_BT)
    hidden = model.hidden(batch.ids_BT, **where)
    states = [hidden, *model.mtp_hidden(hidden, batch.ids_BT, **where)]
    sums = []
    for ahead, state in enumerate(states, 1):
        logp = F.log_softmax(model.lm_head(state), -1)
        total = 0.0
        for b in range(batch.ids_BT.shape[0]):
            for t in range(batch.ids_BT.shape[1] - ahead):
                doc_ids = batch.doc_ids_BT
                if ahead > 1 and doc_ids is not None and doc_ids[b, t] != doc_ids[b, t + ahead]:
                    continue
                total = total - batch.weight_BT[b, t + ahead] * logp[b, t, batch.ids_BT[b, t + ahead]]
        sums.append(total)
    return sums[0], sum(sums[1:]) / max(1, len(sums) - 1)


@pytest.mark.parametrize("packed, mtp", [(False, 0), (True, 0), (False, 1), (True, 2)])
def test_lm_loss_by_hand(packed, mtp):
    model = tiny_model(mtp=mtp, dtype=torch.float64)
    batch = make_batch(1, packed=packed, ragged=not packed)
    batch.weight_BT = batch.weight_BT.double()
    main, extra = loss.lm_loss(model, batch, mtp_lambda=0.3)
    expected = loss_by_hand(model, batch)
    torch.testing.assert_close(main, expected[0].to(main.dtype), rtol=1e-6, atol=1e-6)
    if mtp:
        torch.testing.assert_close(extra, expected[1].to(main.dtype), rtol=1e-6, atol=1e-6)
    else:
        assert extra == 0


def test_chunks_of_the_head_change_nothing(monkeypatch):
    model, batch = tiny_model(), make_batch(2)
    results = []
    for limit in (2**25, VOCAB * 5):
        monkeypatch.setattr(loss, "LOGITS_AT_ONCE", limit)
        model.zero_grad()
        main, mtp = loss.lm_loss(model, batch, mtp_lambda=0.3)
        (main + mtp).backward()
        results.append({"loss": main.detach(), **{k: p.grad.clone() for k, p in model.named_parameters()}})
    assert_close(results[0], results[1], 1e-5)


def test_the_sum_is_float32_under_autocast():
    """bf16 for the model's products only: neither the log-softmax nor the weighted sum may be rounded to 8 bits."""
    model, batch = tiny_model(mtp=0), make_batch(3, rows=16)
    batch.weight_BT *= 0.15  # no bf16 number
    with torch.autocast("cpu", torch.bfloat16):
        main, _ = loss.lm_loss(model, batch)
        logits = model(batch.ids_BT, valid_BT=batch.valid_BT)
    assert main.dtype == torch.float32
    nll = -F.log_softmax(logits[:, :-1].double(), -1).gather(-1, batch.ids_BT[:, 1:, None])[..., 0]
    torch.testing.assert_close(main.double(), (nll * batch.weight_BT[:, 1:]).sum(), rtol=1e-5, atol=0.0)


def test_a_batch_without_targets_gives_zero():
    model = tiny_model()
    batch = make_batch(1)
    batch.weight_BT = torch.zeros_like(batch.weight_BT)
    main, _ = loss.lm_loss(model, batch)
    main.backward()
    assert main == 0 and all(p.grad is None or not p.grad.any() for p in model.parameters())
    with pytest.raises(MinidsError, match="pretrain step 1: no token of the batch has a weight"):
        run(model, lambda step: [batch])


# --- one step -------------------------------------------------------------------------------------------------------


def test_one_step_equals_plain_torch():
    """Mean loss, clipping and AdamW as a reader of the formula would write them."""
    config = settings(steps=1, warmup=0, optimizer="adamw", grad_clip=0.05)
    ours, plain = tiny_model(), tiny_model()
    batch = Source()(0)[0]
    loads = moe.ExpertLoad()
    main, mtp = loss_by_hand_with_loads(plain, batch, loads)
    (main / batch.weight_BT.sum() + 0.3 * mtp / batch.weight_BT.sum() + 1e-4 * loads.balance_loss).backward()
    torch.nn.utils.clip_grad_norm_(plain.parameters(), 0.05)
    decayed = [p for p in plain.parameters() if p.ndim > 1]
    vectors = [p for p in plain.parameters() if p.ndim == 1]
    torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.05}, {"params": vectors, "weight_decay": 0.0}],
        lr=config.lr,
        betas=(0.9, 0.95),
    ).step()
    moe.update_bias(plain, loads.counts, 1e-3)
    run(ours, config=config)
    assert_close(state_of(ours), state_of(plain), 1e-5)


def loss_by_hand_with_loads(model, batch, loads):
    hidden = model.hidden(batch.ids_BT, valid_BT=batch.valid_BT, loads=loads)
    states = [hidden, *model.mtp_hidden(hidden, batch.ids_BT, valid_BT=batch.valid_BT, loads=loads)]
    sums = []
    for ahead, state in enumerate(states, 1):
        logits = model.lm_head(state)[:, :-ahead].flatten(0, 1)
        nll = F.cross_entropy(logits, batch.ids_BT[:, ahead:].flatten(), reduction="none")
        sums.append((nll * batch.weight_BT[:, ahead:].flatten()).sum())
    return sums[0], sum(sums[1:])


@pytest.mark.parametrize("optimizer", ["muon", "adamw"])
def test_accumulation_equals_one_big_batch(optimizer):
    config = settings(optimizer=optimizer, balance_alpha=0.0, steps=3)
    whole, parts = tiny_model(), tiny_model()
    run(whole, Source(rows=8), config)
    run(parts, Source(rows=8, micro=4), config)
    assert_same_bits(biases(whole), biases(parts))
    assert_close(state_of(parts), state_of(whole), 2e-5)


def test_balance_loss_is_weighed_by_the_share_of_a_micro_batch():
    """Equal cuts of unpadded rows: the mean of means is the mean, also for the balance loss."""
    config = settings(steps=2, balance_alpha=0.5, optimizer="adamw")
    batches = [make_batch(step, rows=4, ragged=False) for step in range(2)]
    whole, parts = tiny_model(), tiny_model()
    run(whole, lambda step: [batches[step]], config)
    run(parts, lambda step: [batches[step][:2], batches[step][2:]], config)
    assert_close(state_of(parts), state_of(whole), 2e-5)


def test_the_bias_moves_by_gamma_once_a_step():
    gamma = 0.125  # a power of two: sums are exact
    model = tiny_model()
    before = biases(model)
    run(model, Source(rows=8, micro=4), settings(steps=1, bias_update_speed=gamma))
    loads = moe.ExpertLoad()
    fresh = tiny_model()
    with torch.no_grad():
        for batch in Source(rows=8)(0):
            hidden = fresh.hidden(batch.ids_BT, valid_BT=batch.valid_BT, loads=loads)
            fresh.mtp_hidden(hidden, batch.ids_BT, valid_BT=batch.valid_BT, loads=loads)
    after = biases(model)
    assert len(after) == len(loads.counts) == 3
    for (name, bias), counts in zip(after.items(), loads.counts):
        assert torch.equal(bias - before[name], gamma * torch.sign(counts.mean() - counts).float())
    assert any(bias.any() for bias in after.values())


@pytest.mark.parametrize("mtp", [0, 1])
def test_padding_changes_nothing(mtp):
    def padded(step):
        (batch,) = Source()(step)
        wider = lambda t, value: F.pad(t, (0, 5), value=value)  # noqa: E731
        return [Batch(wider(batch.ids_BT, 7), wider(batch.weight_BT, 0.0), wider(batch.valid_BT, False))]

    plain, wide = tiny_model(mtp=mtp), tiny_model(mtp=mtp)
    a, b = run(plain, Source()), run(wide, padded)
    assert a.tokens == b.tokens == sum(int(Source()(s)[0].valid_BT.sum()) for s in range(6))
    assert_same_bits(biases(plain), biases(wide))
    assert_close(state_of(wide), state_of(plain), 2e-5)


@pytest.mark.parametrize("mtp", [0, 1])
def test_without_mtp_loss(mtp):
    model = tiny_model(mtp=mtp)
    before = state_of(model)
    run(model, config=settings(mtp_lambda=0.0, weight_decay=0.0))
    for name, value in state_of(model).items():
        if name.startswith("mtp."):
            assert torch.equal(value, before[name]), name


@pytest.mark.slow
def test_bf16_and_learning():
    source = lambda step: [make_batch(step, rows=16, ragged=False)]  # noqa: E731
    for precision in ("fp32", "bf16"):
        model = tiny_model(layers=2)
        first = run(model, source, settings(steps=1, precision=precision)).loss
        last = run(model, source, settings(steps=60, lr=1e-2, precision=precision)).loss
        assert abs(first - math.log(VOCAB)) < 0.5
        assert last < 0.85 * first
        assert all(p.dtype == torch.float32 for p in model.parameters())


def test_weights_that_cannot_be_trained_are_refused():
    with pytest.raises(MinidsError, match="torch.bfloat16 on cpu: training needs all of them in float32 on one device"):
        run(tiny_model(dtype=torch.bfloat16))
    with pytest.raises(MinidsError, match="of none"):
        run(tiny_model().requires_grad_(False))


# --- resuming -------------------------------------------------------------------------------------------------------


class Killed(Exception):
    pass


def lines(folder):
    return [{k: v for k, v in line.items() if k != "seconds"} for line in read(folder / "metrics.jsonl")]


def finished(folder):
    """Everything of the last checkpoint but the clock."""
    step, state = checkpoint.load(folder)
    state.pop("seconds")
    return step, json.dumps(checkpoint._flatten(state, "", tensors := {})), tensors


def assert_same_run(a, b):
    assert lines(a) == lines(b)
    (step_a, tree_a, tensors_a), (step_b, tree_b, tensors_b) = finished(a), finished(b)
    assert step_a == step_b and tree_a == tree_b
    assert_same_bits(tensors_a, tensors_b)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    loop.train(tiny_model(), Source(micro=2), settings(save_every=2, log_every=3), out_dir=folder, quiet=True)
    return folder


@pytest.mark.parametrize("at", range(1, 6))
def test_resume_after_any_step_is_bit_identical(tmp_path, uninterrupted, at):
    def kill(step, values):
        if step == at:
            raise Killed

    how = dict(config=settings(save_every=2, log_every=3), source=Source(micro=2), out_dir=tmp_path)
    with pytest.raises(Killed):
        run(tiny_model(), on_step=kill, **how)
    torch.rand(100 + at)  # whatever the new process did before
    # before the first checkpoint the run starts again, from the same model; later, what the model holds is replaced
    result = run(tiny_model(seed=at if at > 1 else 0), resume=True, **how)
    assert result.step == 6
    assert_same_run(tmp_path, uninterrupted)


def fork(action):
    pid = os.fork()
    if pid == 0:
        try:
            action()
        finally:
            os._exit(0)
    return pid


@pytest.mark.slow
def test_kill_9_at_random_moments(tmp_path):
    """A real process, killed and resumed until it is through; then the same bits as the run that nobody killed."""
    how = dict(config=settings(steps=40, save_every=3, log_every=2), source=Source())
    started = time.monotonic()
    run(tiny_model(), out_dir=tmp_path / "whole", **how)
    duration = time.monotonic() - started
    g = torch.Generator().manual_seed(0)
    kills = 0
    while kills < 8:
        pid = fork(lambda: run(tiny_model(), out_dir=tmp_path / "killed", resume=True, **how))
        time.sleep(duration * (0.05 + 0.4 * torch.rand((), generator=g).item()))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        kills += 1
    run(tiny_model(), out_dir=tmp_path / "killed", resume=True, **how)
    assert_same_run(tmp_path / "killed", tmp_path / "whole")


def test_ctrl_c_saves_and_says_so(tmp_path, uninterrupted):
    how = dict(config=settings(save_every=2, log_every=3), source=Source(micro=2), out_dir=tmp_path)

    def interrupt(step, values):
        if step == 3:
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(MinidsError, match="pretrain was stopped after step 4 of 6: saved in .*resume=True"):
        run(tiny_model(), on_step=interrupt, **how)
    assert signal.getsignal(signal.SIGINT) is before
    assert checkpoint.load(tmp_path)[0] == 4
    run(tiny_model(1), resume=True, **how)
    assert_same_run(tmp_path, uninterrupted)


def test_a_second_ctrl_c_ends_at_once(tmp_path):
    def interrupt(step, values):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        run(tiny_model(), on_step=interrupt, out_dir=tmp_path)


def test_a_finished_run_resumes_to_itself(uninterrupted):
    model = tiny_model(5)
    config = settings(save_every=2, log_every=3)
    result = run(model, Source(micro=2), config, out_dir=uninterrupted, resume=True)
    assert result.step == 6 and result.loss == lines(uninterrupted)[-1]["loss"]
    assert_same_bits(state_of(model), checkpoint.load(uninterrupted)[1]["model"])


# --- trouble --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["loss", "gradient"])
def test_nan_stops_before_the_weights_change(tmp_path, kind):
    model = tiny_model()
    seen = {}

    def source(step):
        batch = Source()(step)[0]
        if step == 3:
            seen.update(state_of(model))
            if kind == "loss":
                batch.weight_BT[0, 1] = float("inf")
            else:
                model.norm.weight.register_hook(lambda g: g * float("nan"))
        return [batch]

    with pytest.raises(MinidsError, match=r"pretrain step 4: loss .*(nan|inf).* at lr .* not changed; .*step-00000002"):
        run(model, source, settings(save_every=2), out_dir=tmp_path)
    assert_same_bits(state_of(model), seen)
    assert checkpoint.load(tmp_path)[0] == 2


def test_a_full_disk_in_the_middle_of_a_run(tmp_path, monkeypatch):
    """From the fourth step on there is no room for a file as large as a checkpoint: forcing it to the disk fails."""
    sync, batches, steps = os.fsync, Source(micro=2), []

    def source(step):
        steps.append(step)
        return batches(step)

    def fail(handle):
        if steps[-1] >= 3 and os.fstat(handle).st_size > 10_000:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(handle)

    how = dict(config=settings(save_every=2, log_every=3), source=source, out_dir=tmp_path)
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(MinidsError, match="step 4 .*No space left.*resume=True"):
        run(tiny_model(), **how)
    assert checkpoint.load(tmp_path)[0] == 2
    monkeypatch.undo()
    assert run(tiny_model(), resume=True, **how).step == 6


def test_a_metrics_file_that_cannot_be_written(tmp_path):
    (tmp_path / "metrics.jsonl").mkdir()
    with pytest.raises(MinidsError, match="metrics.jsonl"):
        run(tiny_model(), out_dir=tmp_path)


def test_rows_longer_than_the_context_are_refused_before_a_step():
    model = tiny_model(max_position_embeddings=11)
    before = state_of(model)
    with pytest.raises(MinidsError, match="pretrain step 1: .* length 12 exceeds max_position_embeddings 11"):
        run(model)
    assert_same_bits(before, state_of(model))
    assert run(tiny_model(max_position_embeddings=12)).step == 6


def test_an_old_run_is_not_overwritten(uninterrupted):
    with pytest.raises(MinidsError, match="holds a checkpoint of an earlier run .*resume=True"):
        run(tiny_model(), out_dir=uninterrupted)


def test_resume_with_other_settings_or_another_model_is_refused(uninterrupted):
    how = dict(out_dir=uninterrupted, resume=True)
    with pytest.raises(MinidsError, match="lr was 0.003, is 0.5"):
        run(tiny_model(), config=settings(lr=0.5), **how)
    with pytest.raises(MinidsError, match="stage 'pretrain'"):
        run(tiny_model(), stage="sft", **how)
    with pytest.raises(MinidsError, match=r"embed_tokens.weight is \[23, 16\] in the checkpoint and \[29, 16\] in"):
        run(tiny_model(vocab_size=29), **how)
    with pytest.raises(MinidsError, match="the checkpoint has layers.2.* the model does not"):
        run(tiny_model(layers=2, mtp=0), **how)


def test_every_checkpoint_damaged(tmp_path):
    run(tiny_model(), config=settings(steps=2), out_dir=tmp_path)
    (tmp_path / "step-00000002" / "tensors.safetensors").write_bytes(b"")
    with pytest.raises(MinidsError, match="step-00000002/tensors.safetensors is damaged"):
        run(tiny_model(), config=settings(steps=2), out_dir=tmp_path, resume=True)


@pytest.mark.parametrize(
    "bad",
    [
        dict(lr=0.0),
        dict(steps=-1),
        dict(schedule="linear"),
        dict(optimizer="sgd"),
        dict(betas=(0.9, 1.0)),
        dict(grad_clip=-1),
        dict(precision="fp16"),
        dict(log_every=0),
        dict(keep_last=0),
        dict(lr=float("nan")),
    ],
)
def test_impossible_settings(bad):
    with pytest.raises(MinidsError, match=f"training setting {next(iter(bad))} = "):
        settings(**bad)


# --- the log --------------------------------------------------------------------------------------------------------


def test_metrics_lines(uninterrupted):
    first, last = lines(uninterrupted)
    assert (first["step"], last["step"]) == (3, 6) and first["stage"] == "pretrain"
    assert last["tokens"] > first["tokens"] and last["loss"] > 0 and last["grad_norm"] > 0 and last["mtp_loss"] > 0
    for row in last["expert_load"]:
        assert sum(row) == pytest.approx(4, abs=1e-3)
    assert last["load_max"] == pytest.approx(max(map(max, last["expert_load"])), abs=1e-3)


def test_rewind_keeps_other_stages_and_drops_a_torn_line(tmp_path):
    log = MetricsLog(tmp_path / "m.jsonl")
    for stage, step in [("pretrain", 10), ("sft", 1), ("sft", 2), ("sft", 3)]:
        log.write(stage=stage, step=step)
    with open(log.path, "a", encoding="utf-8") as file:
        file.write('{"stage": "sft", "st')
    log.rewind("sft", 1)
    assert [(x["stage"], x["step"]) for x in read(log.path)] == [("pretrain", 10), ("sft", 1)]
    log.write(stage="sft", step=2)
    assert len(read(log.path)) == 3
    log.path.write_text('{"a": 1}\nbroken\n{"b": 2}\n', encoding="utf-8")
    with pytest.raises(MinidsError, match="line 2 is not JSON"):
        read(log.path)
