from __future__ import annotations

import sqlite3
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from simulator.books import EquityPoint
from simulator.store import Store
from trading.errors import DataError, UnavailableError

if TYPE_CHECKING:
    from pathlib import Path

POINT = EquityPoint(day=date(2012, 12, 3), equity=Decimal("1.23"), maintenance_margin=Decimal(0))


def test_what_is_written_in_a_failed_transaction_is_gone(tmp_path: Path) -> None:
    store = Store(tmp_path / "state")

    def write_and_fail() -> None:
        with store.transaction():
            store.save_equity(POINT)
            raise KeyError

    with pytest.raises(KeyError):
        write_and_fail()
    assert store.equity() == []
    with store.transaction():
        store.save_equity(POINT)
    assert store.equity() == [POINT]
    store.close()


def test_decimals_come_back_exactly(tmp_path: Path) -> None:
    point = POINT.model_copy(update={"equity": Decimal("99999.123456789123456789")})
    store = Store(tmp_path / "state")
    store.save_equity(point)
    store.close()
    again = Store(tmp_path / "state")
    assert again.equity() == [point]
    again.close()


def test_a_file_has_one_simulator_at_a_time(tmp_path: Path) -> None:
    first = Store(tmp_path / "state")
    with pytest.raises(UnavailableError, match="in use by another simulator"):
        Store(tmp_path / "state")
    first.close()
    Store(tmp_path / "state").close()


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE mine (x)")
    other.close()
    with pytest.raises(DataError, match="another program's database"):
        Store(path)


def test_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "newer.sqlite"
    with sqlite3.connect(path) as newer:
        newer.execute("PRAGMA user_version=99")
    newer.close()
    with pytest.raises(DataError, match="version 99, newer than 1"):
        Store(path)


def test_a_text_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database, but long enough to have a header of its own\n" * 20, encoding="utf-8")
    with pytest.raises(DataError, match="not a simulator state file"):
        Store(path)
    assert path.read_text("utf-8").startswith("not a database")


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UnavailableError, match="cannot be opened"):
        Store(tmp_path / "file" / "state")
