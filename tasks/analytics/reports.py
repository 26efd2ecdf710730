"""Report files: an HTML tearsheet for people, CSV and Parquet bundles for their tools."""

from __future__ import annotations

import hashlib
import io
import zipfile
from typing import TYPE_CHECKING, Any, Literal

from prefect import task

from db.repositories import orders, positions, results
from tasks.analytics.tearsheet import tearsheet
from tasks.books import open_books
from tasks.policies import REPEATABLE
from tasks.resources import broker, database, flow_run_id
from trading.config import settings
from trading.report import Report

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import pandas as pd
    from sqlalchemy import Connection

Kind = Literal["tearsheet", "csv", "parquet"]
SUFFIX: dict[Kind, str] = {"tearsheet": "html", "csv": "csv.zip", "parquet": "parquet.zip"}
EPOCH = (1980, 1, 1, 0, 0, 0)
"""Timestamp of every file in a bundle, so that the same books give the same bytes."""


@task(**REPEATABLE)
def write_reports(*, start: date | None, end: date | None, kinds: Sequence[Kind]) -> Report:
    """Write the report files of a period (default: all of the account's sessions) and register them."""
    gateway = broker()
    clock = gateway.clock()
    with database().begin() as connection:
        account = open_books(connection, gateway, clock).number
        curve = positions.equity(connection, account)
        inside = [day for day in curve.index if (start is None or day >= start) and (end is None or day <= end)]
        if not inside:
            return Report("Reports", {"files": 0}, notes=["No sessions in the period: run update-positions first."])
        tables = _tables(connection, account, inside[0], inside[-1])
        rows = [_write(kind, account, inside[0], inside[-1], tables) for kind in kinds]
        for row in rows:
            results.record_report(connection, {**row, "flow_run_id": flow_run_id()})
    shown = [{"kind": row["kind"], "file": row["path"], "bytes": row["bytes"]} for row in rows]
    return Report(f"Reports {inside[0]} to {inside[-1]}", {"files": len(rows)}, shown)


def _tables(connection: Connection, account: str, start: date, end: date) -> dict[str, pd.DataFrame]:
    """Return the books of a period as frames: performance, equity, round trips, fills, positions."""
    import pandas as pd

    from trading.calendar import session_of

    equity = results.curve(connection, account, "portfolio")
    trips = results.round_trips(connection, account)
    fills = orders.fills(connection, account)
    frames = {
        "performance": pd.DataFrame(
            [{"scope": row.scope, **row.metrics} for row in results.performance(connection, account, until=end)]
        ),
        "equity": pd.DataFrame([row._asdict() for row in equity if start <= row.session <= end]),
        "round_trips": pd.DataFrame([row._asdict() for row in trips if start <= session_of(row.exit_at) <= end]),
        "fills": pd.DataFrame([row._asdict() for row in fills if start <= session_of(row.filled_at) <= end]),
        "positions": pd.DataFrame([row._asdict() for row in positions.of_account(connection, account)]),
    }
    return {name: _plain(frame) for name, frame in frames.items()}


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame without run ids, Decimals as floats."""
    from decimal import Decimal

    frame = frame.drop(columns=[name for name in ("flow_run_id",) if name in frame])
    return frame.map(lambda value: float(value) if isinstance(value, Decimal) else value)


def _write(kind: Kind, account: str, start: date, end: date, tables: dict[str, pd.DataFrame]) -> dict[str, Any]:
    folder = settings().home / "reports" / account
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{start}_{end}_{kind}.{SUFFIX[kind]}"
    content = tearsheet(account, start, end, tables) if kind == "tearsheet" else _bundle(kind, tables)
    partial = path.with_suffix(".partial")
    partial.write_bytes(content)
    partial.replace(path)
    return {
        "account": account,
        "kind": kind,
        "period_start": start,
        "period_end": end,
        "path": str(path),
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
    }


def _bundle(kind: Kind, tables: dict[str, pd.DataFrame]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, frame in tables.items():
            if kind == "csv":
                content = frame.to_csv(index=False, lineterminator="\n").encode()
            else:
                buffer = io.BytesIO()
                frame.to_parquet(buffer, index=False)
                content = buffer.getvalue()
            bundle.writestr(zipfile.ZipInfo(f"{name}.{kind}", EPOCH), content)
    return packed.getvalue()
