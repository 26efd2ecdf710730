from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.binary import ROWS_A_BLOCK, Constant, Integers, Texts, stream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import Connection as DriverConnection
    from sqlalchemy import Connection, Engine

    from db.binary import Column

NAMES = st.lists(st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=6), min_size=1)
NUMBERS = st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1))


def copied(connection: Connection, columns: Sequence[Column], rows: int) -> list[tuple[Any, ...]]:
    driver = cast("DriverConnection[Any]", connection.connection.driver_connection)
    with driver.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE target (name text, fixed text, number bigint, n serial) ON COMMIT DROP")
        with cursor.copy("COPY target (name, fixed, number) FROM STDIN (FORMAT binary)") as copy:
            for block in stream(columns, rows):
                copy.write(block)
        found = cursor.execute("SELECT name, fixed, number FROM target").fetchall()
        cursor.execute("DROP TABLE target")
    return found


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_what_postgres_reads_is_what_was_encoded(engine: Engine, data: st.DataObject) -> None:
    names = tuple(dict.fromkeys(data.draw(NAMES)))
    rows = data.draw(st.lists(st.tuples(st.integers(0, len(names) - 1), NUMBERS), min_size=1, max_size=40))
    codes = np.array([code for code, _ in rows])
    nulls = np.array([number is None for _, number in rows])
    numbers = Integers(np.array([number or 0 for _, number in rows], dtype=np.int64), nulls)

    with engine.begin() as connection:
        found = copied(connection, (Texts(codes, names), Constant("1Min"), numbers), len(rows))

    assert sorted(found, key=repr) == sorted(((names[code], "1Min", number) for code, number in rows), key=repr)


def test_rows_beyond_one_block_keep_their_order(engine: Engine) -> None:
    rows = ROWS_A_BLOCK + 3
    numbers = np.arange(rows)

    with engine.begin() as connection:
        found = copied(connection, (Constant("A"), Constant("1Day"), Integers(numbers)), rows)

    assert [number for _, _, number in found] == numbers.tolist()
