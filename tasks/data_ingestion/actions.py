"""Corporate actions from files, and those that explain a file's adjusted closes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prefect import task

from db.repositories import ingestion
from tasks.policies import REPEATABLE
from tasks.resources import database, flow_run_id
from trading.adjustment import derive, read_actions, to_actions
from trading.errors import DataError
from trading.report import Report

if TYPE_CHECKING:
    import pandas as pd

    from trading.adjustment import Actions

SAME = {
    "date": "ex_date",
    "exdate": "ex_date",
    "ticker": "symbol",
    "adjclose": "adj_close",
    "adjustedclose": "adj_close",
}
"""Usual names of columns, blanks and underscores left out, that are read as another."""
COLUMNS = {"split": "ratio", "spin_off": "ratio", "dividend": "cash"}


@task(**REPEATABLE)
def import_actions(path: str, *, derived: bool = False, symbol: str | None = None) -> Report:
    """Store corporate actions from a CSV or Parquet file; one already known is overwritten.

    Parameters
    ----------
    path
        A file with the columns symbol, ex_date, kind (split, dividend or spin_off) and of ratio, cash and share the
        ones its kinds need; with `derived` one with date, close and adj_close, whose actions are worked out.
    symbol
        Symbol of a file that has no such column.

    Raises
    ------
    DataError
        The file cannot be read, lacks a column, or holds no action.
    InvalidValueError
        A value is out of its bounds.
    """
    frame, source = _read(path, symbol)
    found = _derived(frame, path) if derived else read_actions(frame)
    if not len(found):
        raise DataError(f"{path}: no corporate action in {len(frame):,} rows")
    symbols = sorted(set(found.symbols.tolist()))
    with database().begin() as connection:
        run = ingestion.begin(connection, source=source, timeframe="1Day", symbols=symbols, flow_run_id=flow_run_id())
        rows = _rows(found, source=source, run=run)
        written = ingestion.record_actions(connection, rows)
        ingestion.finish(connection, run, status="completed", actions_written=written)
    shown = [{"symbol": row["symbol"], "ex-date": row["ex_date"], "kind": row["kind"], "ratio": row["ratio"],
              "cash": row["cash"]} for row in rows]  # fmt: skip
    return Report("Corporate actions imported", {"path": path, "symbols": len(symbols), "actions": written}, shown)


def _read(path: str, symbol: str | None) -> tuple[pd.DataFrame, str]:
    import pandas as pd

    source = "parquet" if path.endswith((".parquet", ".pq")) else "csv"
    try:
        frame = pd.read_parquet(path) if source == "parquet" else pd.read_csv(path)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; give the path of a CSV or Parquet file") from None
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: not readable as {source}: {str(error).splitlines()[0]}") from None
    frame = frame.rename(columns=_known_name)
    if symbol is not None:
        frame["symbol"] = symbol
    missing = [name for name in ("symbol", "ex_date") if name not in frame]
    if missing:
        raise DataError(f"{path}: no column for {', '.join(missing)}; it has {', '.join(map(str, frame.columns))}")
    try:
        frame["ex_date"] = pd.to_datetime(frame["ex_date"]).dt.date
    except (ValueError, TypeError) as error:
        raise DataError(f"{path}: a date cannot be read: {str(error).splitlines()[0]}") from None
    return frame, source


def _known_name(name: Any) -> str:
    plain = str(name).strip().lower()
    return SAME.get(plain.replace(" ", "").replace("_", ""), plain.replace(" ", "_"))


def _derived(frame: pd.DataFrame, path: str) -> Actions:
    import numpy as np
    import pandas as pd

    for name in ("close", "adj_close"):
        if name not in frame:
            raise DataError(f"{path}: no column for {name}; it has {', '.join(map(str, frame.columns))}")
        frame[name] = pd.to_numeric(frame[name], errors="coerce")
    usable = frame[(frame["close"] > 0) & (frame["adj_close"] > 0) & np.isfinite(frame["close"])]
    return to_actions(
        action
        for symbol, own in usable.sort_values("ex_date").groupby("symbol")
        for action in derive(
            str(symbol), list(own["ex_date"]), own["close"].to_numpy(float), own["adj_close"].to_numpy(float)
        )
    )


def _rows(actions: Actions, *, source: str, run: int) -> list[dict[str, Any]]:
    empty = {"ratio": None, "cash": None, "new_symbol": None, "source": source, "ingestion_run_id": run}
    columns = actions.symbols, actions.kinds, actions.ex_dates.tolist(), actions.values.tolist()  # noqa: PD011 - ours
    return [
        {**empty, "symbol": symbol, "kind": kind, "ex_date": day, COLUMNS[kind]: value}
        for symbol, kind, day, value in zip(*columns, strict=True)
    ]
