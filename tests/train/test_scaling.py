import pytest
import torch

from minids.errors import MinidsError
from minids.train import scaling

LAW = {"E": 1.7, "A": 60.0, "alpha": 0.5, "B": 40.0, "beta": 0.3}
SIZES = torch.tensor([1e4] * 3 + [4e4] * 3 + [2e5] * 3 + [1e6] * 3, dtype=torch.float64)
TOKENS = torch.tensor([1e5, 4e5, 2e6] * 4, dtype=torch.float64)


def losses(noise=0.0, seed=0):
    exact = scaling.predict(LAW, SIZES, TOKENS)
    return exact + noise * torch.randn(len(exact), generator=torch.Generator().manual_seed(seed))


def test_a_law_is_found_again():
    assert scaling.fit(SIZES, TOKENS, losses()) == pytest.approx(LAW, rel=1e-5)


def test_bootstrap_spreads_with_the_noise_and_covers_the_truth():
    spans = []
    for noise in (0.003, 0.03):
        laws = scaling.bootstrap(SIZES, TOKENS, losses(noise), times=60)
        values = sorted(scaling.predict(law, 4e6, 8e6) for law in laws)
        spans.append(values[-3] - values[2])
        assert values[0] < scaling.predict(LAW, 4e6, 8e6) < values[-1]
    assert spans[1] > 2 * spans[0]
    assert laws == scaling.bootstrap(SIZES, TOKENS, losses(noise), times=60)


def test_the_optimum_is_one():
    size, tokens = scaling.optimum(LAW, 1e15)
    assert 6 * size * tokens == pytest.approx(1e15)
    least = scaling.predict(LAW, size, tokens)
    for factor in (0.9, 1.1):
        assert scaling.predict(LAW, size * factor, tokens / factor) > least


def test_what_gives_no_law():
    with pytest.raises(MinidsError, match="do not fall with both size and tokens"):
        scaling.fit(SIZES, TOKENS, 9 - losses())
    with pytest.raises(MinidsError, match="5 runs say nothing"):
        scaling.bootstrap(SIZES[:5], TOKENS[:5], losses()[:5])
