"""Ways to cut time into sessions to learn on and sessions to judge on, without one leaking into the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trading.errors import InvalidValueError

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """Rows to learn on and rows to judge on, both (n,) int64 in order of time."""

    train: NDArray[np.int64]
    test: NDArray[np.int64]


def purged_folds(sessions: int, *, folds: int, horizon: int, embargo: int = 0) -> list[Fold]:
    """Return k folds of consecutive sessions, with what touches a test part left out of its train part.

    Lopez de Prado 2018, "Advances in Financial Machine Learning", section 7.4: a decision of row t is judged by
    rows up to t + `horizon`, so rows whose horizon reaches into the test part are purged, and so are those that
    the test part's horizon reaches; `embargo` more rows after it are left out for what echoes.

    Raises
    ------
    InvalidValueError
        Fewer than two folds, more folds than sessions, a negative length, or nothing left to learn on.
    """
    if not 2 <= folds <= sessions:  # noqa: PLR2004 - one fold has nothing to learn on
        raise InvalidValueError("folds", folds, f"2 to {sessions}, the sessions there are")
    if horizon < 0 or embargo < 0:
        raise InvalidValueError("horizon and embargo", (horizon, embargo), "zero or more sessions")
    rows = np.arange(sessions)
    cut = []
    for test in np.array_split(rows, folds):
        first, last = int(test[0]), int(test[-1])
        train = rows[(rows + horizon < first) | (rows > last + horizon + embargo)]
        if not len(train):
            raise InvalidValueError("horizon and embargo", (horizon, embargo), "short enough to leave rows to learn on")
        cut.append(Fold(train, test))
    return cut


def walk_forward_folds(sessions: int, *, train: int, test: int, anchored: bool = False) -> list[Fold]:
    """Return folds that move forward by `test` sessions; `anchored` ones all learn from the first session on.

    Test parts follow one another without a gap, so that their results can be stitched.

    Raises
    ------
    InvalidValueError
        A length is below 1, or not one fold fits.
    """
    for name, value in (("train", train), ("test", test)):
        if value < 1:
            raise InvalidValueError(name, value, "at least 1 session")
    if sessions < train + test:
        raise InvalidValueError("sessions", sessions, f"at least {train + test} for one fold")
    return [
        Fold(np.arange(0 if anchored else begin, begin + train), np.arange(begin + train, begin + train + test))
        for begin in range(0, sessions - train - test + 1, test)
    ]
