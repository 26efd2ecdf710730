"""Prices and volumes from whatever a file has: numbers, or text with the marks that people and banks put in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from trading.bars import Floats

NOTHING = ("", "null", "nan", "na", "n/a", "none", "-", "--")
"""How files write a figure that is not there, without case."""
SCALES = {"k": 1e3, "m": 1e6, "b": 1e9}


def floats(array: Any, *, decimal: str = ".") -> tuple[Floats, NDArray[np.bool_]]:
    """Return the figures of an Arrow array (R,) as float64, NaN where there is none, and which are no figures.

    Text may carry a currency sign, thousands separators and, as volumes do, K, M or B. `decimal` is "." or ",".
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(array.type):
        array = pc.cast(array, array.type.value_type)
    if not (pa.types.is_string(array.type) or pa.types.is_large_string(array.type)):
        try:
            values = pc.cast(array, pa.float64(), safe=False)
        except pa.ArrowException:
            return np.full(len(array), np.nan), np.ones(len(array), dtype=bool)
        return np.asarray(values, dtype=np.float64), np.zeros(len(array), dtype=bool)
    return _text(pc.fill_null(pc.cast(array, pa.string()), ""), decimal)


def _text(array: Any, decimal: str) -> tuple[Floats, NDArray[np.bool_]]:
    """Read plain numbers at once, and the few that are not one by one."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc

    if decimal == ",":
        plain = pc.match_substring_regex(array, r"^[+-]?\d+(?:,\d+)?$")
        points = pc.replace_substring(array, ",", ".")
    else:
        plain, points = pc.match_substring_regex(array, r"^[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$"), array
    easy = np.asarray(plain, dtype=bool)
    values = np.full(len(easy), np.nan)
    values[easy] = np.asarray(pc.cast(pc.filter(points, plain), pa.float64()))
    rest = np.asarray(pc.filter(array, pc.invert(plain)).to_pandas(), dtype=object)
    text = pd.Series(rest, dtype="str").str.strip()
    values[~easy] = _parsed(text, decimal)
    unreadable = np.zeros(len(easy), dtype=bool)
    unreadable[~easy] = np.isnan(values[~easy]) & ~text.str.lower().isin(NOTHING).to_numpy(dtype=bool)
    return values, unreadable


def _parsed(text: pd.Series[str], decimal: str) -> Floats:
    import pandas as pd

    plain = text.str.strip('"').str.strip().str.replace(r"^([-+]?)\s*[$€£]\s*", r"\1", regex=True)
    plain = plain.str.replace(r"[\s\u00a0\u202f']", "", regex=True)
    if decimal == ",":
        plain = plain.str.replace(".", "", regex=False).str.replace(",", ".", regex=False)
    else:
        plain = plain.str.replace(r",(?=\d{3}(?:\D|$))", "", regex=True)
    scale = plain.str[-1:].str.lower().map(SCALES).fillna(1.0).to_numpy(dtype=np.float64)
    plain = plain.where(scale == 1.0, plain.str[:-1])
    values: Floats = pd.to_numeric(plain, errors="coerce").to_numpy(dtype=np.float64)
    return values * scale
