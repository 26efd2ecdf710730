from __future__ import annotations

import numpy as np
import pytest

from trading.costs import Commission, PerOrder, PerShare, ProRata, commission


@pytest.mark.parametrize(
    ("model", "quantity", "expected"),
    [
        (PerOrder(amount=1.5), 10, 1.5),
        (PerOrder(amount=1.5), 0, 0),
        # 2 bps of 10 x 50 dollars
        (ProRata(bps=2), 10, 0.1),
        # the tiers of a well-known broker: half a cent a share, a dollar at least
        (PerShare(amount=0.005, minimum=1), 100, 1.0),
        (PerShare(amount=0.005, minimum=1), 1000, 5.0),
        (PerShare(amount=0.005, minimum=1), 0, 0),
    ],
)
def test_commission_by_hand(model: Commission, quantity: float, expected: float) -> None:
    assert commission(model, price=50.0, quantity=quantity) == pytest.approx(expected)
    together = commission(model, price=np.array([50.0, 50.0]), quantity=np.array([quantity, 0.0]))
    assert together == pytest.approx([expected, 0])
