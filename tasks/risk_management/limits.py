"""Every proposed order against every limit, before it may be sent."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from prefect import task

from db.repositories import accounts, orders, risk
from tasks.books import open_books, pending
from tasks.panels import decision_bar, load_panel
from tasks.policies import REPEATABLE
from tasks.resources import broker, database, flow_run_id
from trading.limits import Book, ProposedOrder, validate
from trading.report import Report

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Row

    from tasks.broker import Broker
    from trading.broker import BrokerAccount
    from trading.limits import Decision
    from trading.orders import Side

VOLUME_BARS = 20


@task(**REPEATABLE)
def decide_orders(*, as_of: datetime | None) -> Report:
    """Decide every sized target of the coming session that asks for a trade, each once."""
    gateway = broker()
    clock = gateway.clock()
    with database().begin() as connection:
        account = open_books(connection, gateway, clock)
        accounts.lock(connection, account.number, "decide")
        targets = risk.undecided(connection, account=account.number, session=clock.session)
        proposed = _proposed(connection, targets, decision_bar("1Day", as_of or clock.now))
        decisions = validate(
            proposed,
            book_of(connection, gateway, account, {row.symbol: float(row.price) for row in targets}),
            risk.limits(connection),
            risk.trading_state(connection, account.number),
        )
        rows = [
            _row(target, order, decision) for target, order, decision in zip(targets, proposed, decisions, strict=True)
        ]
        shared = {"account": account.number, "session": clock.session, "flow_run_id": flow_run_id()}
        risk.record_decisions(connection, [{**shared, **row} for row in rows])
    verdicts = Counter(row["verdict"] for row in rows)
    shown = [
        {
            "strategy": row["strategy"],
            "order": f"{row['side']} {row['requested_quantity']:g} {row['symbol']}",
            "verdict": row["verdict"],
            "approved": row["approved_quantity"],
            "decided by": "; ".join(check["sentence"] for check in row["checks"] if check["outcome"] != "pass"),
        }
        for row in rows
    ]
    return Report(f"Risk decisions for {clock.session}", {"session": clock.session, **verdicts}, shown)


def _proposed(connection: Connection, targets: Sequence[Row[Any]], bar_ts: datetime) -> list[ProposedOrder]:
    volumes = average_volumes(connection, sorted({row.symbol for row in targets}), bar_ts)
    return [
        ProposedOrder(
            key=row.id,
            strategy=row.strategy,
            symbol=row.symbol,
            side="buy" if row.target_quantity > row.current_quantity else "sell",
            quantity=float(abs(row.target_quantity - row.current_quantity)),
            price=float(row.price),
            average_volume=volumes.get(row.symbol),
        )
        for row in targets
    ]


def average_volumes(connection: Connection, symbols: Sequence[str], bar_ts: datetime) -> dict[str, float]:
    """Return the mean daily volume (shares) of symbols over the 20 bars up to `bar_ts`; unknown ones are absent."""
    if not symbols:
        return {}
    panel = load_panel(connection, symbols, timeframe="1Day", bars=VOLUME_BARS, until=bar_ts)
    recent = panel.volume[-VOLUME_BARS:]
    return {
        symbol: float(np.nanmean(recent[:, column]))
        for column, symbol in enumerate(panel.symbols)
        if np.isfinite(recent[:, column]).any()
    }


def book_of(connection: Connection, gateway: Broker, account: BrokerAccount, prices: Mapping[str, float]) -> Book:
    """Return what the account holds and has under way; `prices` (USD) of what is proposed go before the broker's."""
    held = gateway.positions()
    waiting = Counter[str]()
    for _, symbol, quantity in pending(connection, account.number):
        waiting[symbol] += quantity  # type: ignore[assignment] # Counter holds fractions
    under_way = orders.open_orders(connection, account.number)
    return Book(
        equity=float(account.equity),
        buying_power=float(account.buying_power),
        positions={position.symbol: float(position.quantity) for position in held},
        prices={position.symbol: float(position.market_price) for position in held} | dict(prices),
        open_orders={row.symbol: cast("Side", row.side) for row in under_way},
        pending=waiting,
        open_order_count=len(under_way),
    )


def _row(target: Row[Any], order: ProposedOrder, decision: Decision) -> dict[str, Any]:
    return {
        "sized_target_id": target.id,
        "strategy": target.strategy,
        "symbol": target.symbol,
        "side": order.side,
        "requested_quantity": order.quantity,
        "approved_quantity": decision.approved_quantity,
        "verdict": decision.verdict,
        "checks": [asdict(check) for check in decision.checks],
    }
