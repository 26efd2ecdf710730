from __future__ import annotations

from decimal import Decimal

from simulator.margin import Valuation, opening_cost

D = Decimal


def test_cash_alone_buys_twice_itself() -> None:
    worth = Valuation(D(100_000), D(0), D(0), D(0))
    assert (worth.equity, worth.buying_power) == (D(100_000), D(200_000))


def test_long_short_and_open_orders_all_use_buying_power() -> None:
    # 60,000 long, 20,000 short, 80,000 cash of which 20,000 came from the short sale
    worth = Valuation(D(60_000), D(60_000), D(-20_000), D(10_000))
    assert worth.equity == D(100_000)
    assert worth.gross == D(80_000)
    assert worth.initial_margin == D(45_000)
    assert worth.maintenance_margin == D(24_000)
    assert worth.buying_power == 2 * D(100_000) - D(80_000) - D(10_000)


def test_buying_power_is_never_negative() -> None:
    worth = Valuation(D(-150_000), D(200_000), D(0), D(0))
    assert worth.equity == D(50_000)
    assert worth.buying_power == D(0)


def test_market_orders_are_taken_four_percent_higher() -> None:
    assert opening_cost(qty=D(10), last=D(100), limit=None, short=False) == D(1040)
    assert opening_cost(qty=D(10), last=D(100), limit=None, short=True) == D(1040)


def test_a_limit_buy_costs_its_limit_and_a_short_sale_at_least_the_market() -> None:
    assert opening_cost(qty=D(10), last=D(100), limit=D(90), short=False) == D(900)
    assert opening_cost(qty=D(10), last=D(100), limit=D(90), short=True) == D(1000)
    assert opening_cost(qty=D(10), last=D(100), limit=D(110), short=True) == D(1100)
