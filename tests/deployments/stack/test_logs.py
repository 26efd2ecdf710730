from __future__ import annotations

import os
from typing import TYPE_CHECKING

from deployments.stack import logs

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_grown_log_moves_aside_while_its_writer_keeps_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "MAX_BYTES", 20)
    log = tmp_path / "api.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"first line, long enough\n")
        logs.rotate(tmp_path, retention_days=30)
        writer.write(b"second\n")
    assert log.read_text() == "second\n"
    assert (tmp_path / "api.log.1").read_text() == "first line, long enough\n"


def test_only_so_many_old_logs_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MAX_BYTES", 0)
    for number in range(logs.KEEP + 3):
        (tmp_path / "api.log").write_text(f"{number}")
        logs.rotate(tmp_path, retention_days=30)
    kept = sorted(path.name for path in tmp_path.glob("api.log.*"))
    assert kept == [f"api.log.{number}" for number in range(1, logs.KEEP + 1)]
    assert (tmp_path / "api.log.1").read_text() == str(logs.KEEP + 2)


def test_logs_older_than_the_retention_go(tmp_path: Path) -> None:
    for name, age_days in (("old.log.1", 31), ("young.log.1", 29)):
        (tmp_path / name).write_text("x")
        os.utime(tmp_path / name, (1_000_000_000 - age_days * 86_400,) * 2)
    logs.rotate(tmp_path, retention_days=30, now=1_000_000_000)
    assert [path.name for path in tmp_path.iterdir()] == ["young.log.1"]


def test_the_tail_is_of_this_start_only(tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    log.write_text("earlier\n")
    mark = log.stat().st_size
    with log.open("a") as stream:
        stream.writelines(f"line {number}\n\n" for number in range(20))
    assert logs.tail(log, 2, since=mark) == ("line 18", "line 19")
    assert "earlier" not in logs.tail(log, 100, since=mark)
    assert logs.tail(tmp_path / "none.log") == ()
