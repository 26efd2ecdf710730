from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from trading.costs import BasisPoints, FixedSpread, Slippage, SquareRootImpact, VolumeShare, slippage


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (FixedSpread(half_spread=0.01), 0.01),
        # 5 bps of 50 dollars
        (BasisPoints(bps=5), 0.025),
        # a fortieth of the volume squared, a tenth of it, of 50 dollars
        (VolumeShare(), 50 * 0.1 * 0.025**2),
        # 2 % daily volatility, sqrt(0.025) = 0.15811: 15.8 basis points... of 50 dollars times 2 %
        (SquareRootImpact(), 0.158113883),
        (SquareRootImpact(coefficient=0.5), 0.0790569415),
    ],
)
def test_slippage_by_hand(model: Slippage, expected: float) -> None:
    assert slippage(model, price=50.0, quantity=2_500.0, volume=100_000.0) == pytest.approx(expected, rel=1e-8)


def test_the_square_root_law_reads_the_volatility_given() -> None:
    twice = slippage(SquareRootImpact(), price=50.0, quantity=100.0, volume=1e6, volatility=0.04)
    assert twice == pytest.approx(2 * slippage(SquareRootImpact(), price=50.0, quantity=100.0, volume=1e6))


models = st.sampled_from([FixedSpread(half_spread=0.02), BasisPoints(bps=7), VolumeShare(), SquareRootImpact()])
sizes = st.lists(st.integers(0, 10_000), min_size=1, max_size=5)


@given(models, sizes, st.integers(0, 100_000))
def test_an_array_gives_what_its_elements_give(model: Slippage, quantities: list[int], volume: int) -> None:
    array = np.array(quantities, dtype=np.float64)
    together = slippage(model, price=np.full(len(array), 31.0), quantity=array, volume=float(volume))
    alone = [slippage(model, price=31.0, quantity=float(size), volume=float(volume)) for size in quantities]
    assert np.asarray(together) == pytest.approx(alone)


@given(models, st.integers(1, 10_000), st.integers(1, 10_000))
def test_more_never_costs_less_a_share(model: Slippage, one: int, other: int) -> None:
    small, large = (slippage(model, price=31.0, quantity=float(size), volume=1e6) for size in sorted((one, other)))
    assert 0 <= small <= large


def test_a_bar_without_volume_is_taken_whole() -> None:
    assert slippage(VolumeShare(impact=0.1), price=50.0, quantity=1.0, volume=0.0) == pytest.approx(5.0)
    together = slippage(VolumeShare(impact=0.1), price=50.0, quantity=1.0, volume=np.array([0.0, 1.0]))
    assert together == pytest.approx([5.0, 5.0])


def test_a_model_is_read_by_its_kind() -> None:
    reader: TypeAdapter[Slippage] = TypeAdapter(Slippage)
    assert reader.validate_python({"kind": "basis_points", "bps": 5}) == BasisPoints(bps=5)
    with pytest.raises(ValidationError, match="greater than or equal to 0"):
        reader.validate_python({"kind": "basis_points", "bps": -1})
    with pytest.raises(ValidationError, match="Extra inputs"):
        reader.validate_python({"kind": "fixed", "bps": 5})
