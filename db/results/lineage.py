"""Where an order came from: bars, signal, sized target, risk decision, order, events and fills, from any of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import or_, select

from db.models.execution import Fill, Order
from db.models.risk_management import RiskDecision, SizedTarget
from db.models.strategy_engine import Signal, StrategyRun, StrategyVersion
from db.recent_panels import load_recent
from db.results import orders
from trading.errors import DataError
from trading.strategies import Strategy

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from db.results.orders import Lineage
    from db.results.rows import AnyRow

LARGEST_KEY = 2**63 - 1
KINDS: dict[str, Any] = {"order": Order, "fill": Fill, "signal": Signal}
WANTED = "an order, fill or signal: 12, order:12, fill:3, signal:7, a client_order_id, the broker's order or fill id"


@dataclass(frozen=True, slots=True)
class Seen:
    """Bars that a decision saw, by their SHA-256 then and as they are stored now; None where it was not kept."""

    symbols: tuple[str, ...]
    timeframe: str
    bars: int
    first: datetime | None
    last: datetime
    sha256: str | None
    sha256_now: str

    @property
    def unchanged(self) -> bool | None:
        """Whether the bars stored now are exactly those; None when it is not known."""
        return None if self.sha256 is None else self.sha256 == self.sha256_now


@dataclass(frozen=True, slots=True)
class Step:
    """What one account made of the signal; an order nobody decided on has only itself."""

    target: AnyRow | None
    decision: AnyRow | None
    order: Lineage | None


@dataclass(frozen=True, slots=True)
class Trace:
    """The chain. `own` are the bars of the signal's symbol, `evaluated` those of all symbols evaluated with it."""

    asked: str
    own: Seen | None
    evaluated: Seen | None
    run: AnyRow | None
    strategy_version: AnyRow | None
    signal: AnyRow | None
    steps: tuple[Step, ...]


def trace(connection: Connection, reference: str) -> Trace:
    """Return the chain that an order, a fill or a signal belongs to.

    Parameters
    ----------
    reference
        `order:12`, `fill:3`, `signal:7`; a bare number is an order's; anything else a client_order_id, the
        broker's id of an order, or that of a fill.

    Raises
    ------
    DataError
        Nothing has that name.
    """
    kind, key = _resolve(connection, reference.strip())
    signal: AnyRow | None
    if kind == "signal":
        signal, steps = _row(connection, Signal, key), _steps(connection, key)
    else:
        chain = orders.lineage(connection, key if kind == "order" else _row(connection, Fill, key).order_id)
        if chain is None:
            raise DataError(f"nothing is named {reference!r}; expected {WANTED}")
        signal, steps = chain.signal, (Step(chain.target, chain.decision, chain),)
    if signal is None:
        return Trace(f"{kind}:{key}", None, None, None, None, None, steps)
    run = _row(connection, StrategyRun, signal.strategy_run_id)
    version = connection.execute(
        select(StrategyVersion.__table__).where(StrategyVersion.version == signal.strategy_version)
    ).one()
    own, evaluated = _bars(connection, signal, run, Strategy.model_validate(version.definition))
    return Trace(f"{kind}:{key}", own, evaluated, run, version, signal, steps)


def _resolve(connection: Connection, reference: str) -> tuple[str, int]:
    """Return what a reference names, and its key."""
    kind, separator, number = reference.partition(":")
    if reference.isdecimal():
        kind, separator, number = "order", ":", reference
    if separator and kind in KINDS and number.isdecimal() and int(number) <= LARGEST_KEY:
        table = KINDS[kind]
        if connection.scalar(select(table.id).where(table.id == int(number))) is not None:
            return kind, int(number)
    named = or_(Order.client_order_id == reference, Order.broker_order_id == reference)
    order = connection.scalar(select(Order.id).where(named).order_by(Order.id.desc()).limit(1))
    if order is not None:
        return "order", order
    fill = connection.scalar(select(Fill.id).where(Fill.execution_id == reference).order_by(Fill.id.desc()).limit(1))
    if fill is not None:
        return "fill", fill
    raise DataError(f"nothing is named {reference!r}; expected {WANTED}")


def _steps(connection: Connection, signal: int) -> tuple[Step, ...]:
    """Return what every account made of a signal, oldest first."""
    statement = (
        select(SizedTarget.id.label("target"), RiskDecision.id.label("decision"), Order.id.label("order"))
        .outerjoin(RiskDecision, RiskDecision.sized_target_id == SizedTarget.id)
        .outerjoin(Order, Order.risk_decision_id == RiskDecision.id)
        .where(SizedTarget.signal_id == signal)
        .order_by(SizedTarget.id, Order.id)
    )
    return tuple(
        Step(
            _row(connection, SizedTarget, found.target),
            None if found.decision is None else _row(connection, RiskDecision, found.decision),
            None if found.order is None else orders.lineage(connection, found.order),
        )
        for found in connection.execute(statement)
    )


def _bars(connection: Connection, signal: AnyRow, run: AnyRow, strategy: Strategy) -> tuple[Seen, Seen]:
    siblings = connection.scalars(select(Signal.symbol).where(Signal.strategy_run_id == run.id))
    everybody = tuple(strategy.universe) or tuple(sorted({*siblings, *run.undecided}))
    asked = {"timeframe": signal.timeframe, "bars": strategy.warm_up, "until": signal.bar_ts}
    own = load_recent(connection, [signal.symbol], **asked).of(signal.symbol)
    panel = load_recent(connection, everybody, **asked)
    pairs = ((own, signal.bars_sha256), (panel, run.bars_sha256))
    mine, all_of_them = (
        Seen(
            symbols=found.symbols,
            timeframe=signal.timeframe,
            bars=len(found),
            first=found.first_timestamp if len(found) else None,
            last=signal.bar_ts,
            sha256=then,
            sha256_now=found.fingerprint(),
        )
        for found, then in pairs
    )
    return mine, all_of_them


def _row(connection: Connection, model: Any, key: int) -> AnyRow:
    found: AnyRow = connection.execute(select(model.__table__).where(model.id == key)).one()
    return found
