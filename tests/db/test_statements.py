from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Row, func, insert, select

from db.models.data_ingestion import Asset
from db.models.execution import Account
from db.models.strategy_engine import StrategyVersion
from db.statements import ROWS_A_STATEMENT, among, change_rows, insert_missing, insert_rows, upsert

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Engine

AT = datetime(2012, 12, 3, 14, 30, tzinfo=UTC)
AWKWARD = ("NULL", "null", "", " ", '"', "\\", "{a,b}", "it's", "%s %(x)s :y", "a\tb\nc", "naïve 日本 \U0001f600")
"""Texts that an array's or a statement's own syntax could take for something else."""


def account(number: str, **values: Any) -> dict[str, Any]:
    row = {"account": number, "kind": "paper", "opening_equity": Decimal(1), "opening_cash": Decimal(1)}
    return {**row, "first_seen_at": AT, "last_seen_at": AT, **values}


def stored(connection: Connection) -> Sequence[Row[Any]]:
    return connection.execute(select(Account.__table__).order_by(Account.account)).all()


def test_rows_arrive_as_sqlalchemys_own_insert_writes_them(engine: Engine) -> None:
    documents = [{"a": [1, 2.5, None], "b": {"c": text}} for text in AWKWARD]
    versions = [
        {"version": f"{place}{text}", "strategy": text, "definition": document}
        for place, (text, document) in enumerate(zip(AWKWARD, documents, strict=True))
    ]
    assets = [
        {"symbol": f"{place}{text}", "name": text, "exchange": "NYSE", "status": "active", "tradable": True,
         "shortable": False, "fractionable": True, "tracked": bool(place % 2), "tags": list(AWKWARD[:place])}
        for place, text in enumerate(AWKWARD)
    ]  # fmt: skip
    found: list[list[tuple[Any, ...]]] = []
    for way in ("ours", "theirs"):
        with engine.connect() as connection:
            for model, rows in ((StrategyVersion, versions), (Asset, assets)):
                if way == "ours":
                    insert_rows(connection, model, rows)
                else:
                    connection.execute(insert(model), rows)
                names = [model.__table__.c[name] for name in rows[0]]
                found.append(sorted(map(repr, connection.execute(select(*names)))))  # type: ignore[arg-type] # texts

    assert found[:2] == found[2:]
    assert len(found[0]) == len(AWKWARD)


def test_numbers_of_different_types_and_nothing_share_a_column(engine: Engine) -> None:
    cash = [Decimal("0.000001"), 7, 2.5, Decimal("-12345678901234.123456")]
    with engine.connect() as connection:
        insert_missing(connection, Account, [account(f"{place}", opening_cash=each) for place, each in enumerate(cash)])

        assert [row.opening_cash for row in stored(connection)] == [Decimal(str(each)) for each in cash]


def test_what_is_known_is_not_written_again_and_what_is_new_is_counted(engine: Engine) -> None:
    many = ROWS_A_STATEMENT + 7
    with engine.connect() as connection:
        insert_missing(connection, Account, [account("5", kind="live")])

        new = insert_missing(connection, Account, [account(str(place)) for place in range(many)])
        again = insert_missing(connection, Account, [account(str(place)) for place in range(many)])

        assert (new, again) == (many - 1, 0)
        assert connection.scalar(select(func.count()).select_from(Account)) == many
        assert connection.scalar(select(Account.kind).where(Account.account == "5")) == "live"
        assert insert_missing(connection, Account, []) == 0


def test_an_upsert_overwrites_all_but_the_key(engine: Engine) -> None:
    later = AT + timedelta(days=1)
    with engine.connect() as connection:
        insert_rows(connection, Account, [account("1"), account("2")])

        written = upsert(
            connection, Account, [account("2", last_seen_at=later), account("3", kind="live")], keys=["account"]
        )

        assert written == 2
        assert [(row.account, row.kind, row.last_seen_at) for row in stored(connection)] == [
            ("1", "paper", AT), ("2", "paper", later), ("3", "live", AT),
        ]  # fmt: skip


def test_rows_are_changed_by_their_key_and_others_stay(engine: Engine) -> None:
    with engine.connect() as connection:
        insert_rows(connection, Account, [account(number) for number in ("1", "2", "3")])

        change_rows(
            connection,
            Account,
            [{"account": "1", "opening_cash": Decimal(5)}, {"account": "3", "opening_cash": Decimal(6)}],
            key="account",
        )

        assert [row.opening_cash for row in stored(connection)] == [5, 1, 6]


def test_rows_of_different_columns_are_refused(engine: Engine) -> None:
    wider = account("2", used_at=AT)
    with engine.connect() as connection, pytest.raises(ValueError, match="different columns; expected account, kind"):
        insert_rows(connection, Account, [account("1"), wider])


def test_a_column_is_compared_with_many_values_and_with_none(engine: Engine) -> None:
    with engine.connect() as connection:
        insert_rows(connection, Account, [account(name) for name in AWKWARD])

        for wanted in (AWKWARD[:3], AWKWARD, ()):
            chosen = select(Account.account).where(among(Account.account, wanted))
            assert sorted(connection.scalars(chosen)) == sorted(wanted)
