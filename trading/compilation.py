"""How kernels are compiled: at their first call, once for a machine, free of the interpreter's lock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from numba import njit

if TYPE_CHECKING:
    from collections.abc import Callable


def compiled[**P, R](kernel: Callable[P, R]) -> Callable[P, R]:
    """Compile a kernel at its first call; kept on disk until its own file changes, whatever it calls."""
    fast: Callable[P, R] = njit(cache=True, nogil=True, error_model="numpy")(kernel)
    return fast


def spread[**P, R](kernel: Callable[P, R]) -> Callable[P, R]:
    """Compile a kernel whose `prange` runs on every core; kept on disk as the others are."""
    fast: Callable[P, R] = njit(cache=True, parallel=True, nogil=True, error_model="numpy")(kernel)
    return fast
