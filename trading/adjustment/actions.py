"""Splits, cash dividends and spin-offs, one by one and as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

import numpy as np

from trading.errors import DataError, InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    import pandas as pd
    from numpy.typing import NDArray

    from trading.bars import Floats

ActionKind = Literal["split", "dividend", "spin_off"]
VALUE_COLUMNS: dict[ActionKind, str] = {"split": "ratio", "dividend": "cash", "spin_off": "share"}
"""The column of a frame that holds what each kind is worth."""


@dataclass(frozen=True, slots=True)
class Split:
    """`new_rate` shares for `old_rate` held, from the open of `ex_date`; fewer new than old is a reverse split."""

    symbol: str
    ex_date: date
    new_rate: int
    old_rate: int

    @property
    def ratio(self) -> Decimal:
        """New shares per old share."""
        return Decimal(self.new_rate) / Decimal(self.old_rate)


@dataclass(frozen=True, slots=True)
class CashDividend:
    """`rate` dollars for each share held at the close before `ex_date`, in shares of the ex-date."""

    symbol: str
    ex_date: date
    rate: Decimal
    special: bool


@dataclass(frozen=True, slots=True)
class SpinOff:
    """A part of the company that left it at `ex_date`: `share` of the value at the close before, between 0 and 1."""

    symbol: str
    ex_date: date
    share: Decimal


CorporateAction = Split | CashDividend | SpinOff


@dataclass(frozen=True, slots=True, eq=False)
class Actions:
    """A corporate actions of any number of symbols as arrays, in no particular order.

    Attributes
    ----------
    symbols, kinds
        (A,) text.
    ex_dates
        (A,) datetime64[D], New York.
    values
        (A,) new shares per old of a split, dollars per share of a dividend, share of the value of a spin-off.
    """

    symbols: NDArray[np.object_]
    kinds: NDArray[np.object_]
    ex_dates: NDArray[np.datetime64]
    values: Floats

    def __post_init__(self) -> None:
        low = self.values > 0
        allowed = np.where(self.kinds == "spin_off", low & (self.values < 1), low & np.isfinite(self.values))
        for row in np.flatnonzero(~allowed).tolist()[:1]:
            what = f"{self.kinds[row]} {VALUE_COLUMNS[self.kinds[row]]} of {self.symbols[row]} on {self.ex_dates[row]}"
            bound = " and below one" if self.kinds[row] == "spin_off" else ""
            raise InvalidValueError(what, float(self.values[row]), f"a number above zero{bound}")

    def __len__(self) -> int:
        return len(self.symbols)

    def where(self, chosen: NDArray[np.bool_]) -> Actions:
        """Return the actions of an (A,) mask."""
        return Actions(self.symbols[chosen], self.kinds[chosen], self.ex_dates[chosen], self.values[chosen])


def to_actions(actions: Iterable[CorporateAction]) -> Actions:
    """Return single actions as arrays."""
    rows: list[tuple[str, ActionKind, date, float]] = []
    for action in actions:
        match action:
            case Split():
                rows.append((action.symbol, "split", action.ex_date, float(action.ratio)))
            case CashDividend():
                rows.append((action.symbol, "dividend", action.ex_date, float(action.rate)))
            case SpinOff():
                rows.append((action.symbol, "spin_off", action.ex_date, float(action.share)))
    return Actions(
        np.array([row[0] for row in rows], dtype=object),
        np.array([row[1] for row in rows], dtype=object),
        np.array([row[2] for row in rows], dtype="datetime64[D]"),
        np.array([row[3] for row in rows], dtype=np.float64),
    )


def read_actions(frame: pd.DataFrame) -> Actions:
    """Return the actions of a frame as arrays.

    Parameters
    ----------
    frame
        symbol, ex_date (date or timestamp), kind (split, dividend or spin_off; without the column all are
        splits), and of ratio, cash and share the ones that its kinds need.

    Raises
    ------
    DataError
        A column is missing or a kind is unknown.
    InvalidValueError
        A value is not above zero, or a spin-off's share is not below one.
    """
    import pandas as pd

    symbols = _column(frame, "symbol").to_numpy(dtype=object)
    kinds = frame["kind"].to_numpy(dtype=object) if "kind" in frame else np.full(len(frame), "split", dtype=object)
    unknown = sorted({str(kind) for kind in kinds} - set(VALUE_COLUMNS))
    if unknown:
        raise DataError(f"corporate actions of unknown kind {unknown[0]!r}; known: {', '.join(VALUE_COLUMNS)}")
    values = np.full(len(frame), np.nan)
    for kind, column in VALUE_COLUMNS.items():
        chosen = kinds == kind
        if chosen.any():
            values[chosen] = _column(frame, column).to_numpy(dtype=np.float64, na_value=np.nan)[chosen]
    days = pd.to_datetime(_column(frame, "ex_date")).to_numpy().astype("datetime64[D]")
    return Actions(symbols, kinds, days, values)


def _column(frame: pd.DataFrame, name: str) -> pd.Series:
    if name not in frame:
        raise DataError(f"corporate actions lack the column {name}; present: {', '.join(map(str, frame.columns))}")
    column: pd.Series = frame[name]
    return column
