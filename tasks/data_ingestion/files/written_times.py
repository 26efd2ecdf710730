"""Dates and times as files write them, told apart without guessing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trading.errors import DataError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

ISO = r"^\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:[.]\d+)?)?(?:Z|[+-]\d\d(?::?\d\d)?)?)?$"
OFFSET = r":\d\d(?:[.]\d+)?(?:Z|[+-]\d\d(?::?\d\d)?)$"
DAY_MONTH = r"^(\d{1,2})([./-])(\d{1,2})[./-](\d{4})(?!\d)(.*)$"
YEAR_FIRST = r"^(\d{4})[./-](\d{1,2})[./-](\d{1,2})(?!\d)(.*)$"
MONTHS = 12
YEARS = (np.datetime64("1700-01-01"), np.datetime64("2250-01-01"))
"""What nanoseconds can hold, roundly."""


class DayOrder:
    """Whether a file writes the day or the month first: as stated, or as its own dates show."""

    def __init__(self, path: str, day_first: bool | None) -> None:
        self._path = path
        self._day_first = day_first

    def parsed(self, array: Any) -> tuple[NDArray[np.datetime64], NDArray[np.bool_]]:
        """Return text (R,) as datetime64[ns], NaT where it is no time, and which of it are UTC instants.

        Raises
        ------
        DataError
            Dates such as 01/02/2012 may be read either way.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        for zone in (None, "UTC"):
            try:
                stamps = nanoseconds(pc.cast(array, pa.timestamp("us", zone)))
            except pa.ArrowInvalid:
                continue
            return stamps, np.full(len(stamps), zone is not None)
        return self._each(array)

    def _each(self, array: Any) -> tuple[NDArray[np.datetime64], NDArray[np.bool_]]:
        import pandas as pd

        codes, unique = pd.factorize(np.asarray(array.to_pandas(), dtype=object), use_na_sentinel=False)
        text = pd.Series(unique, dtype="str").fillna("").str.strip().str.strip('"').str.strip()
        text = self._iso(_spread(text))
        known = text.str.match(ISO)
        moments = pd.to_datetime(text.where(known), format="ISO8601", utc=True, errors="coerce")
        aware = text.str.contains(OFFSET).to_numpy(dtype=bool)
        return _bounded(moments.dt.tz_localize(None).to_numpy())[codes], aware[codes]

    def _iso(self, text: pd.Series[str]) -> pd.Series[str]:
        """Rewrite 3.8.2012, 8/3/2012 and 2012/8/3 as 2012-08-03."""
        year_first = text.str.extract(YEAR_FIRST)
        text = text.where(year_first[0].isna(), _dashed(year_first[0], year_first[1], year_first[2], year_first[3]))
        split = text.str.extract(DAY_MONTH)
        if split[0].isna().all():
            return text
        self._decide(split, text)
        day, month = (split[0], split[2]) if self._day_first else (split[2], split[0])
        return text.where(split[0].isna(), _dashed(split[3], month, day, split[4]))

    def _decide(self, split: pd.DataFrame, text: pd.Series[str]) -> None:
        if self._day_first is not None:
            return
        first, second = split[0].astype("float64"), split[2].astype("float64")
        if (split[1] == ".").any() or (first > MONTHS).any():
            self._day_first = True
        elif (second > MONTHS).any():
            self._day_first = False
        else:
            example = text[split[0].notna()].iloc[0]
            raise DataError(
                f"{self._path}: {example!r} may begin with the day or the month; give --day-first or --month-first"
            )


def _spread(text: pd.Series[str]) -> pd.Series[str]:
    """Rewrite 20120813 093000 as 2012-08-13 09:30:00, and drop the blank before an offset."""
    text = text.str.replace(r"^(\d{4})(\d\d)(\d\d)(?=$|[ T])", r"\1-\2-\3", regex=True)
    text = text.str.replace(r"([ T])(\d\d)(\d\d)(\d\d)$", r"\1\2:\3:\4", regex=True)
    text = text.str.replace(r"([ T])(\d\d)(\d\d)$", r"\1\2:\3", regex=True)
    text = text.str.replace(r"([ T])(\d):", r"\g<1>0\2:", regex=True)
    return text.str.replace(r"\s+(?=(?:Z|UTC|[+-]\d\d:?\d\d)$)", "", regex=True).str.replace(r"UTC$", "Z", regex=True)


def _dashed(year: pd.Series[str], month: pd.Series[str], day: pd.Series[str], rest: pd.Series[str]) -> pd.Series[str]:
    return year + "-" + month.str.zfill(2) + "-" + day.str.zfill(2) + rest


def integers(array: Any) -> NDArray[np.int64] | None:
    """Return text (R,) as integers when all of it are, else None."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        return np.asarray(pc.cast(array, pa.int64()))
    except pa.ArrowInvalid:
        return None


def joined(dates: Any, clocks: Any) -> Any:
    """Return dates and times of day (R,), each of any type, as text."""
    import pyarrow as pa
    import pyarrow.compute as pc

    days = pc.cast(pc.cast(dates, pa.date32()), pa.string()) if pa.types.is_timestamp(dates.type) else dates
    return pc.binary_join_element_wise(pc.cast(days, pa.string()), pc.cast(clocks, pa.string()), " ")


def compact_dates(values: NDArray[np.int64]) -> NDArray[np.datetime64]:
    """Return integers such as 20120813 as datetime64[ns]; NaT where there is no such day."""
    import pandas as pd

    text = pd.Series(values).astype("str")
    days = pd.to_datetime(text, format="%Y%m%d", errors="coerce").to_numpy()
    return days.astype("datetime64[ns]")


def nanoseconds(array: Any) -> NDArray[np.datetime64]:
    """Return an Arrow timestamp array (R,) as datetime64[ns], NaT where null or beyond what nanoseconds hold."""
    import pyarrow as pa
    import pyarrow.compute as pc

    counts = np.asarray(pc.fill_null(pc.cast(array, pa.int64()), np.iinfo(np.int64).min))
    return _bounded(counts.view("datetime64[us]"))


def _bounded(stamps: NDArray[Any]) -> NDArray[np.datetime64]:
    inside = (stamps > YEARS[0]) & (stamps < YEARS[1])
    return np.where(inside, stamps, np.datetime64("NaT")).astype("datetime64[ns]")
