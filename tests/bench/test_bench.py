"""The bench: rows of the promised shape at tiny sizes, equal outputs demanded first, JSON alone on stdout.
No time is asserted."""

import json

import pytest
import torch

pytest.importorskip("transformers")

from minids import cli
from minids.bench import decode, measure, suite, train
from minids.errors import MinidsError
from minids.model.config import ModelConfig

TINY = ModelConfig(
    vocab_size=60,
    hidden_size=32,
    intermediate_size=32,
    moe_intermediate_size=16,
    num_hidden_layers=2,
    num_attention_heads=2,
    n_routed_experts=4,
    num_experts_per_tok=2,
    n_shared_experts=1,
    n_group=1,
    topk_group=1,
    first_k_dense_replace=1,
    kv_lora_rank=8,
    q_lora_rank=None,
    qk_rope_head_dim=4,
    qk_nope_head_dim=8,
    v_head_dim=8,
    max_position_embeddings=256,
    initializer_range=0.2,
)
KEYS = {"name", "ours", "peer", "peer_name", "ratio", "unit", "device", "config"}


def check(row, name):
    assert set(row) == KEYS and row["name"] == name and row["device"] == "cpu"
    assert row["ours"] > 0 and row["peer"] > 0 and row["ratio"] > 0
    assert row["peer_name"].startswith("transformers ")
    json.dumps(row)
    assert name in suite.table([row])


def test_train_same_tensor():
    check(train.train_same_tensor(TINY, shape=(2, 12), repeats=1), "train_same_tensor")


@pytest.mark.slow
def test_train_ragged():
    row = train.train_ragged(count=60, steps=2, repeats=1, cores=1)
    check(row, "train_ragged")
    assert row["config"]["peer_with_length_grouped_batches"] > 0


def test_decoding():
    check(decode.decode_single(TINY, new=8, repeats=1), "decode_single")
    check(decode.decode_batch(TINY, count=3, new=5, repeats=1), "decode_batch")


def test_rollout_counts_up_to_the_stop():
    row = decode.decode_rollout(TINY, count=2, copies=3, new=10, repeats=1)
    check(row, "decode_rollout")
    assert all(1 <= length <= 10 for length in row["config"]["mean_length"].values())


def test_operations_and_flops_are_counted():
    assert decode.operations_a_token(TINY) > 10
    head, active = TINY.vocab_size * TINY.hidden_size, train.flops_a_token(TINY) / 6
    assert active > head


def test_different_weights_are_noticed():
    torch.manual_seed(0)
    model = train.Transformer(TINY)
    peer = train.peer_of(model)
    ids, valid = torch.randint(0, 60, (2, 8)), torch.ones(2, 8, dtype=torch.bool)
    valid[1, 5:] = False
    train.check_equal(model, peer, ids, valid)
    with torch.no_grad():
        peer.lm_head.weight[3] *= 1.5
    with pytest.raises(MinidsError, match="loss"):
        train.check_equal(model, peer, ids, valid)
    with pytest.raises(MinidsError, match="greedy"):
        with torch.no_grad():
            peer.lm_head.weight.mul_(-1)
        decode.check_greedy(model.eval(), peer.eval(), [[1, 2, 3]], 6)


def test_ratio_is_taken_between_neighbours():
    row = measure.row("x", 10, [1.0, 2.0, 4.0], [2.0, 4.0, 8.0], "p", "u", {})
    assert row["ratio"] == 2 and row["ours"] == 5 and row["peer"] == 2.5


def test_json_is_alone_on_stdout(capsys, monkeypatch):
    monkeypatch.setattr(train, "ROWS", (lambda: measure.row("train_same_tensor", 1, [1.0], [2.0], "p", "u", {}),))
    monkeypatch.setattr(suite, "limits", lambda: ["limits"])
    assert cli.main(["bench", "train", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["ratio"] == 2
    assert cli.main(["bench", "train"]) == 0
    assert "2.00x" in capsys.readouterr().out


def test_kernels_are_not_measured_without_a_gpu(capsys, monkeypatch):
    pytest.importorskip("triton")
    from minids.bench import kernels

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(kernels, "ROWS", (kernels.quantising,))
    assert cli.main(["bench", "kernels", "--json"]) == 0
    assert [r["ratio"] for r in json.loads(capsys.readouterr().out)] == [None, None]
    assert cli.main(["bench", "kernels"]) == 0
    assert "not measured" in capsys.readouterr().out
