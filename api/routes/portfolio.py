"""Accounts, the portfolio, positions and the equity curve."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query

from api.dependencies import AccountDep, ConnectionDep, StrategyFilter, SymbolFilter
from api.errors import MissingError
from api.schemas.portfolio import Account, EquityCurve, EquityPoint, Portfolio, Position
from db.results import gauges, portfolio, risk, strategies
from trading.errors import UnknownNameError

if TYPE_CHECKING:
    from db.results.rows import Rows

router = APIRouter(prefix="/api", tags=["portfolio"])

FIGURES = ("session", "at", "equity", "cash", "buying_power", "long_value", "short_value")


@router.get("/accounts")
def accounts(connection: ConnectionDep) -> list[Account]:
    """Return every account the system has traded, the one used last first."""
    return Account.each(portfolio.accounts(connection))


@router.get("/portfolio")
def portfolio_now(connection: ConnectionDep, account: AccountDep) -> Portfolio:
    """Return the account's latest figures and its open positions."""
    row = portfolio.account_row(connection, account)
    if row is None:
        raise MissingError("no account has been seen yet; start a trading cycle, or run `trading demo`")
    newest = portfolio.snapshots(connection, account, limit=2)
    state = risk.trading_state(connection, account)
    return Portfolio(
        account=row.account,
        kind=row.kind,
        opening_equity=row.opening_equity,
        trading_state=state.state if state else "ACTIVE",
        orders=sum(gauges.orders_by_status(connection, account).values()),
        fills=gauges.fills(connection, account),
        positions=Position.each(portfolio.positions(connection, account)),
        **_figures(newest, float(row.opening_equity)),
    )


def _figures(newest: Rows, opening_equity: float) -> dict[str, Any]:
    if not newest:
        return dict.fromkeys((*FIGURES, "day_return", "total_return"))
    equity = float(newest[0].equity)
    before = float(newest[1].equity) if len(newest) > 1 else opening_equity
    return {
        **{name: getattr(newest[0], name) for name in FIGURES},
        "day_return": equity / before - 1 if before else None,
        "total_return": equity / opening_equity - 1 if opening_equity else None,
    }


@router.get("/portfolio/equity")
def equity_curve(
    *,
    connection: ConnectionDep,
    account: AccountDep,
    scope: Annotated[str, Query(description="portfolio, or a strategy")] = portfolio.PORTFOLIO,
    start: Annotated[date | None, Query(description="first session")] = None,
    end: Annotated[date | None, Query(description="last session")] = None,
) -> EquityCurve:
    """Return the equity of a scope by session, oldest first."""
    known = [portfolio.PORTFOLIO, *strategies.names(connection)]
    if scope not in known:
        raise UnknownNameError("scope", scope, known)
    rows = portfolio.equity_curve(connection, account, scope, start=start, end=end)
    return EquityCurve(scope=scope, points=EquityPoint.each(rows))


@router.get("/positions")
def positions(
    *,
    connection: ConnectionDep,
    account: AccountDep,
    strategy: StrategyFilter,
    symbol: SymbolFilter,
    closed: Annotated[bool, Query(description="also positions of zero shares")] = False,
) -> list[Position]:
    """Return positions by strategy and symbol."""
    return Position.each(portfolio.positions(connection, account, strategy=strategy, symbol=symbol, closed=closed))
