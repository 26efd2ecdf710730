from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from blocks import declared
from trading.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

ENTRY: dict[str, Any] = {
    "name": "fetch",
    "entrypoint": "flows.data_ingestion.fetch",
    "parameters": {"b": 1, "a": "x"},
    "tags": ["two", "one"],
    "work_pool": {"name": "data-ingestion"},
    "schedules": [{"cron": "0 2 * * *", "timezone": "America/New_York", "active": False}, {"interval": 300}],
    "concurrency_limit": {"limit": 1, "collision_strategy": "CANCEL_NEW"},
}
ON_SERVER: dict[str, Any] = {
    "name": "fetch",
    "entrypoint": "flows.data_ingestion.fetch",
    "parameters": {"a": "x", "b": 1},
    "tags": ["one", "two"],
    "work_pool_name": "data-ingestion",
    "schedules": [
        {"active": True, "parameters": {}, "schedule": {"interval": 300.0, "timezone": "UTC", "anchor_date": "2020"}},
        {"active": True, "parameters": {}, "schedule": {"cron": "0 2 * * *", "timezone": "America/New_York"}},
    ],
    "global_concurrency_limit": {"limit": 1},
    "concurrency_options": {"collision_strategy": "CANCEL_NEW"},
}


def test_a_deployment_equals_its_declaration_whatever_is_paused() -> None:
    assert declared.wanted(ENTRY).differences(declared.found(ON_SERVER)) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("entrypoint", "flows.other"),
        ("parameters", {"a": "y", "b": 1}),
        ("tags", ["one"]),
        ("work_pool_name", "analytics"),
        ("schedules", []),
        ("global_concurrency_limit", None),
    ],
)
def test_every_difference_is_found(field: str, value: object) -> None:
    differences = declared.wanted(ENTRY).differences(declared.found({**ON_SERVER, field: value}))
    assert len(differences) == 1
    assert "wanted" in differences[0]


def test_environment_variables_are_resolved_as_prefect_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "prefect.yaml"
    path.write_text("deployments:\n- name: a\n  parameters: {where: '{{ $PLACE }}/x', other: ['{{ $MISSING }}']}\n")
    monkeypatch.setenv("PLACE", "here")
    monkeypatch.delenv("MISSING", raising=False)
    assert declared.read(path) == [{"name": "a", "parameters": {"where": "here/x", "other": ["{{ $MISSING }}"]}}]


@pytest.mark.parametrize("text", ["deployments: [", "deployments: {a: 1}", "deployments: [{}]"])
def test_a_broken_declaration_is_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "prefect.yaml"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=r"prefect\.yaml") as caught:
        declared.read(path)
    assert "\n" not in str(caught.value)


def test_the_projects_own_declaration_is_readable() -> None:
    entries = declared.read()
    assert all(declared.wanted(entry).entrypoint.startswith("flows.") for entry in entries)
    first = declared.wanted(ENTRY)
    assert first.differences(replace(first, pool="x")) == ["pool: wanted 'data-ingestion', found 'x'"]
