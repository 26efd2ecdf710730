from __future__ import annotations

from decimal import Decimal

from trading.entry_order import EntryOrder


def test_a_strategys_limit_entry_pays_its_offset_and_no_more() -> None:
    entry = EntryOrder(type="limit", time_in_force="opg", limit_offset_bps=50)

    bought = entry.terms(symbol="IBM", side="buy", quantity=Decimal(3), price=Decimal("190.13"))
    sold = entry.terms(symbol="IBM", side="sell", quantity=Decimal(3), price=Decimal("190.13"))
    part = entry.terms(symbol="IBM", side="buy", quantity=Decimal("0.5"), price=Decimal("190.13"))

    assert (bought.limit_price, sold.limit_price) == (Decimal("191.08"), Decimal("189.18"))  # 191.08065, 189.17935
    assert (bought.time_in_force, part.time_in_force) == ("opg", "day")
