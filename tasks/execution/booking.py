"""From fills and entries to positions and lots: the books of the touched symbols, replayed and written."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from db.models.execution import EXTERNAL
from db.repositories import entries, positions
from tasks.resources import flow_run_id
from trading.calendar import bar_timestamp
from trading.ledger import Event, received, replay_together
from trading.lots import ZERO

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime
    from decimal import Decimal

    from sqlalchemy import Connection, Row

    from trading.ledger import Books

ENTRY = (
    *("key", "kind", "symbol", "at", "ratio", "rate", "shares", "price", "share", "new_symbol"),
    *("explanation", "activity_id"),
)
RECEIVED = "received"


def book(
    connection: Connection,
    account: str,
    symbols: Iterable[str],
    *,
    until: date,
    more: Sequence[Mapping[str, Any]] = (),
) -> list[dict[str, Any]]:
    """Bring positions and lots of `symbols` up to every fill and entry; return the entries that were new.

    Stored corporate actions with an ex-date up to `until` that the books lack are booked with them, and so are
    `more` entries: rows of `ENTRY` columns, an adjustment with its `strategy`. Symbols that shares went between are
    replayed together. The caller holds the lock `positions` of the account.
    """
    written = _book_once(connection, account, symbols, until=until, more=more)
    while again := _book_once(connection, account, (), until=until, more=()):  # an action of what was received
        written += again
    return written


def _book_once(
    connection: Connection, account: str, symbols: Iterable[str], *, until: date, more: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    added = [*map(_of_action, entries.due_actions(connection, account, until=until)), *more]
    touched = {*symbols, *(row["symbol"] for row in added), *positions.without_lots(connection, account)}
    touched |= entries.value_spin_offs(connection, account)
    if not touched:
        return []
    moved = [(row["symbol"], row["new_symbol"]) for row in added if row["new_symbol"]]
    touched = _connected(touched, [*entries.moves(connection, account), *moved])
    terms = {(row.strategy, row.key): {name: getattr(row, name) for name in ENTRY} | {"strategy": row.strategy}
             for row in entries.of_symbols(connection, account, touched)
             if row.kind not in {"cash", RECEIVED}}  # fmt: skip
    known = {key for _, key in terms}
    new = [dict(row) for row in added if row["key"] not in known]
    fills = positions.fills_of(connection, account, touched)
    books = _replayed(touched, [*terms.values(), *new], fills)
    unique = {row["key"]: row for row in [*terms.values(), *new]}
    unique |= {row["key"]: row for row in map(_brought, list(unique.values())) if row is not None}
    written = [row for one in books.values() for row in _entries(account, one, unique)]
    entries.record(connection, written)
    _write(connection, account, books)
    fresh = {row["key"] for row in new} | {received(row["key"], row["new_symbol"]) for row in new if row["new_symbol"]}
    return [row for row in written if row["key"] in fresh]


def _connected(symbols: set[str], moves: Sequence[tuple[str, str]]) -> set[str]:
    """Return symbols and all that shares went to from them, or came from."""
    found = set(symbols)
    while more := {name for pair in moves if found & set(pair) for name in pair} - found:
        found |= more
    return found


def _of_action(row: Row[Any]) -> dict[str, Any]:
    words = {
        "split": lambda: f"{row.ratio.normalize():f} new shares for one",
        "dividend": lambda: f"{row.cash} USD a share",
        "spin_off": lambda: f"{row.ratio.normalize():f} shares of {row.new_symbol} for each",
        "rename": lambda: f"to {row.new_symbol}",
    }
    what = words[row.kind]()
    return {
        **dict.fromkeys(ENTRY),
        "key": row.key,
        "kind": row.kind,
        "symbol": row.symbol,
        "at": bar_timestamp(row.ex_date),
        "ratio": row.ratio if row.kind in {"split", "spin_off"} else None,
        "rate": row.cash if row.kind == "dividend" else None,
        "share": row.share,
        "new_symbol": row.new_symbol if row.kind in {"spin_off", "rename"} else None,
        "explanation": f"{row.kind} of {row.ex_date}, {what}, from the stored corporate actions",
    }


def _replayed(symbols: Iterable[str], rows: Iterable[Mapping[str, Any]], fills: Iterable[Row[Any]]) -> dict[str, Books]:
    events: dict[str, list[Event]] = defaultdict(list)
    for fill in fills:
        shares = fill.quantity if fill.side == "buy" else -fill.quantity
        key = f"fill:{fill.execution_id}"
        events[fill.symbol].append(
            Event("trade", key, fill.filled_at, fill.strategy, shares=shares, price=fill.price, fill=fill.id)
        )
    for row in rows:
        values: dict[str, Any] = {name: row[name] or ZERO for name in ("shares", "price", "ratio", "rate", "share")}
        values["new_symbol"] = row["new_symbol"] or ""
        whose = row["strategy"] if row["kind"] == "adjustment" else ""
        events[row["symbol"]].append(Event(row["kind"], row["key"], row["at"], whose, **values))
    return replay_together({symbol: events[symbol] for symbol in symbols})


def _entries(account: str, books: Books, terms: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return one row for each strategy that an entry touched; one that touched nobody is kept all the same."""
    found = {
        (strategy, key): (effect.quantity, effect.cash)
        for (strategy, key), effect in books.effects.items()
        if key in terms
    }
    own = {key for key, row in terms.items() if row["symbol"] == books.symbol and row["kind"] != RECEIVED}
    idle = own - {key for _, key in found}
    found |= {(EXTERNAL, key): (ZERO, ZERO) for key in idle}
    shared = {"account": account, "flow_run_id": flow_run_id()}
    return [
        {**terms[key], **shared, "strategy": strategy, "quantity": quantity, "cash": cash}
        for (strategy, key), (quantity, cash) in sorted(found.items())
    ]


def _brought(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the entry of the symbol that an action brings shares of; it has no terms and no line of its own yet."""
    if not row["new_symbol"]:
        return None
    kept = {"at": row["at"], "kind": RECEIVED, "symbol": row["new_symbol"], "explanation": row["explanation"]}
    return {**dict.fromkeys(ENTRY), **kept, "key": received(row["key"], row["new_symbol"])}


def _write(connection: Connection, account: str, books: Mapping[str, Books]) -> None:
    rows, lots = [], []
    for symbol, one in sorted(books.items()):
        for strategy, holding in sorted(one.holdings.items()):
            whose = {"account": account, "strategy": strategy, "symbol": symbol}
            rows.append(
                {
                    **whose,
                    "quantity": holding.position.quantity,
                    "average_cost": holding.position.average_cost,
                    "realised_pnl": holding.position.realised_pnl,
                    "fifo_realised_pnl": holding.fifo_realised,
                    "income": holding.income,
                    **dict.fromkeys(("market_price", "market_value", "unrealised_pnl", "marked_at")),
                }
            )
            lots += [
                {**whose, "ordinal": ordinal, "opened_at": lot.opened_at, "fill_id": lot.key,
                 "quantity": lot.quantity, "cost": lot.cost}
                for ordinal, lot in enumerate(holding.lots)
            ]  # fmt: skip
    positions.write(connection, rows)
    positions.write_lots(connection, account, books, lots)


def mark(connection: Connection, account: str, prices: Mapping[str, Decimal], *, at: datetime) -> list[dict[str, Any]]:
    """Mark every position with shares to the broker's prices; return all rows as they are then.

    One the broker has no price of keeps its last one, and the time of it.
    """
    rows = []
    for row in positions.of_account(connection, account):
        price = prices.get(row.symbol, row.market_price) if row.quantity else None
        fresh = row.symbol in prices or not row.quantity
        values = {
            "market_price": price,
            "market_value": price * row.quantity if price is not None else None,
            "unrealised_pnl": (price - row.average_cost) * row.quantity if price is not None else None,
            "marked_at": at if fresh or row.marked_at is None else row.marked_at,
        }
        rows.append({**row._mapping, **values})  # noqa: SLF001 - SQLAlchemy's public accessor despite its name
    positions.write(connection, rows)
    return rows
