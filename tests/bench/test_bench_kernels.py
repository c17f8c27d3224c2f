"""The bench of the kernels at toy sizes: every row is checked, none is claimed as measured; a record meets its bars."""

import json

import pytest
import torch

from minids import cli
from minids.bench import kernels, suite
from minids.errors import MinidsError
from minids.kernels import quantise, runtime

pytestmark = pytest.mark.skipif(not runtime.INTERPRETED, reason="Triton's interpreter is not available")
KEYS = {"name", "ours", "peer", "peer_name", "ratio", "unit", "device", "config", "bar", "aim"}


@pytest.mark.parametrize("measure", kernels.ROWS, ids=lambda f: f.__name__)
def test_without_a_gpu_rows_are_checked_and_not_measured(measure):
    rows = list(measure(kernels.Timer()))
    assert rows
    for row in rows:
        assert set(row) == KEYS and row["name"].startswith("kernel_") and "interpreted" in row["device"]
        assert row["ours"] is row["peer"] is row["ratio"] is None
    assert "not measured" in suite.table(rows) and "not measured" in kernels.table(rows)
    json.dumps(rows)


def test_a_kernel_that_is_wrong_is_not_timed(monkeypatch):
    own = quantise.quantise

    def wrong(x, scales="fp32", backend=None):
        q, s = own(x, scales, backend)
        return (q.flip(0), s) if backend == "triton" else (q, s)

    monkeypatch.setattr(quantise, "quantise", wrong)
    with pytest.raises(MinidsError, match="quantise of minids and its peer differ"):
        list(kernels.quantising(kernels.Timer()))


def measured(**changes):
    timer = kernels.Timer()
    timer.name = "H100"
    return kernels.row(timer, "x", 0.5, 10, "GB/s", (1.0,), "peer", {}, 1.0, 1.4) | changes


def test_rows_become_ratios_and_verdicts():
    row = measured()
    assert (row["ours"], row["peer"], row["ratio"]) == (20, 10, 2.0)
    said = [kernels.verdicts([measured(ratio=r)])[0][1] for r in (2.0, 1.2, 0.9, None)]
    assert said == ["aim", "bar", "missed", "not measured"]
    assert kernels.verdicts([measured(bar=None, aim=None)])[0][1] == "no bar"


def test_acceptance_reads_a_record(tmp_path, capsys):
    path = tmp_path / "kernels.json"
    for ratio, code in ((1.5, 0), (0.5, 1), (None, 1)):
        path.write_text(json.dumps([measured(ratio=ratio), {"name": "train_same_tensor"}]), encoding="utf-8")
        assert kernels.main([str(path)]) == code
        assert "kernel_x" in capsys.readouterr().out
    for text in ("{", "[]", '[{"no": 1}]', "3"):
        path.write_text(text, encoding="utf-8")
        assert cli.main(["dev", "bench-kernels", str(path)]) in (1, 2)
    assert cli.main(["dev", "bench-kernels", str(tmp_path / "missing")]) == 2


def test_torch_has_no_gpu_here_or_this_file_would_time():
    assert kernels.Timer().gpu == torch.cuda.is_available()
