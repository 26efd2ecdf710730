from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tasks.notification.log_lines import pattern_of, read_file

if TYPE_CHECKING:
    from pathlib import Path

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def test_lines_are_dated_levelled_and_a_traceback_stays_with_its_error(tmp_path: Path) -> None:
    path = tmp_path / "execution.log"
    path.write_text(
        "2026-01-05 10:00:00,250 | INFO | worker started\n"
        "2026-01-05 10:00:01.500 UTC [12] FATAL:  no room\n"
        "Traceback (most recent call last):\n"
        "ValueError: 7\n"
    )

    first, second = read_file(path, since=LONG_AGO)

    assert (first["service"], first["level"]) == ("execution", "INFO")
    assert second["at"] == datetime(2026, 1, 5, 10, 0, 1, 500_000, tzinfo=UTC)
    assert second["level"] == "CRITICAL"
    assert second["message"].endswith("ValueError: 7")


def test_reading_a_file_twice_gives_the_same_keys(tmp_path: Path) -> None:
    path = tmp_path / "api.log"
    path.write_text("2026-01-05T10:00:00Z INFO one\n2026-01-05T10:00:00Z INFO two\n")

    keys = [entry["key"] for entry in read_file(path, since=LONG_AGO)]

    assert keys == [entry["key"] for entry in read_file(path, since=LONG_AGO)]
    assert len(set(keys)) == 2


def test_a_file_that_was_last_written_before_the_window_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "api.log"
    path.write_text("2026-01-05T10:00:00Z INFO one\n")
    old = (datetime.now(UTC) - timedelta(days=3)).timestamp()
    os.utime(path, (old, old))

    assert read_file(path, since=datetime.now(UTC) - timedelta(days=1)) == []


def test_messages_that_differ_in_their_figures_share_a_pattern() -> None:
    one = pattern_of("run 3f2a9b1c-1111-2222-3333-444455556666 took 3.5 s for 'AAPL'\nmore")
    two = pattern_of("run 00000000-aaaa-bbbb-cccc-ddddeeeeffff took 12 s for 'IBM'")

    assert one == two == "run … took … s for …"
