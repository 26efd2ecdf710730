from __future__ import annotations

import pytest

from dashboard import format as written


@pytest.mark.parametrize(
    ("value", "sign", "expected"),
    [
        (1234.5, False, "$1,234.50"),
        (1234.5, True, "+$1,234.50"),
        (-0.126, True, "\u2212$0.13"),
        (0.001, True, "$0.00"),
        (-0.001, True, "$0.00"),
        (None, True, "\u2013"),
    ],
)
def test_money_carries_its_sign_and_thousands_separators(value: float | None, sign: bool, expected: str) -> None:
    assert written.money(value, sign=sign) == expected


def test_a_fraction_reads_as_a_percentage() -> None:
    assert written.percent(0.01234, sign=True) == "+1.23 %"
    assert written.percent(-0.5, places=0) == "\u221250 %"
    assert written.percent(None) == "\u2013"


def test_shares_lose_needless_decimals_only() -> None:
    assert written.quantity(1200.0) == "1,200"
    assert written.quantity(-0.25) == "\u22120.25"
    assert written.quantity(None) == "\u2013"


def test_times_are_new_yorks_in_summer_and_in_winter() -> None:
    assert written.when("2012-07-02T20:00:00Z") == "2012-07-02 16:00 ET"
    assert written.when("2012-12-03T21:00:00+00:00") == "2012-12-03 16:00 ET"
    assert written.when("2012-12-03T21:00:00") == "2012-12-03 16:00 ET"
    assert written.when(None) == "\u2013"


def test_a_daily_bar_reads_as_its_session() -> None:
    assert written.bar_day("2012-12-03T05:00:00Z") == "2012-12-03"
    assert written.bar_day("2012-12-03T14:30:00Z", "1Hour") == "2012-12-03 09:30 ET"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "\u2013"),
        (True, "yes"),
        (12345, "12,345"),
        (200.0, "200"),
        (0.123456, "0.1235"),
        (-1234.567, "\u22121,234.57"),
        (["a", 1], "a, 1"),
        ({"fast": 20, "slow": 50}, "fast 20, slow 50"),
    ],
)
def test_any_json_value_reads_shortly(value: object, expected: str) -> None:
    assert written.figure(value) == expected


def test_file_sizes_step_by_a_thousand() -> None:
    assert [written.size(count) for count in (999, 1_500, 2_000_000, 3_000_000_000)] == [
        "999 B",
        "1.5 kB",
        "2.0 MB",
        "3.0 GB",
    ]
