"""How kernels are compiled: at their first call, once for a machine, free of the interpreter's lock.

numba keeps compiled code until the function's own file changes, whatever becomes of what it calls. So it is kept here
in a directory named after the content of every file that kernels are made of: when one changes, all are compiled anew.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numba
from platformdirs import user_cache_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SOURCES = (
    "compilation.py",
    "calendar.py",
    "crossover_sweep.py",
    "backtest/kernel/*.py",
    "indicators/kernels/*.py",
)
"""The files, below this one's directory, with kernels or with constants that kernels read."""

_HERE = Path(__file__).parent
_SETTING = Lock()


def compiled[**P, R](kernel: Callable[P, R]) -> Callable[P, R]:
    """Compile a kernel at its first call."""
    return _kept(kernel)


def lean[**P, R](kernel: Callable[P, R]) -> Callable[P, R]:
    """Compile a part of a kernel that allocates nothing and returns numbers only.

    The arrays it is given are the caller's, so it does not count who uses them: with dozens of arrays in a call, that
    takes longer than the work.
    """
    return _kept(kernel, _nrt=False, forceinline=True)


def spread[**P, R](kernel: Callable[P, R]) -> Callable[P, R]:
    """Compile a kernel whose `prange` runs on every core."""
    return _kept(kernel, parallel=True)


def digest(root: Path = _HERE) -> str:
    """Return the first 16 hex digits of the SHA-256 of the files that kernels are made of."""
    found = hashlib.sha256()
    for pattern in SOURCES:
        for path in sorted(root.glob(pattern)):
            found.update(f"{path.relative_to(root).as_posix()}\n".encode())
            found.update(path.read_bytes())
    return found.hexdigest()[:16]


@lru_cache(maxsize=1)
def kept_in() -> Path | None:
    """Return the directory of the compiled code; None where nothing can be written, and each process compiles."""
    name = f"kernels-{digest()}"
    for home in _homes():
        folder = home / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
        except OSError:
            continue
        if home == _HERE / "__pycache__":
            _forget_others(folder)
        return folder
    return None


def _homes() -> Iterator[Path]:
    """Yield where compiled code may be kept: where numba is told to, beside this file, with the user's caches."""
    if numba.config.CACHE_DIR:
        yield Path(numba.config.CACHE_DIR)
    yield _HERE / "__pycache__"
    yield user_cache_path("trading-system")


def _forget_others(folder: Path) -> None:
    """Remove the code of earlier sources; a process that still runs them compiles again what it lacks."""
    for other in folder.parent.glob("kernels-*"):
        if other != folder:
            shutil.rmtree(other, ignore_errors=True)


def _kept[**P, R](kernel: Callable[P, R], **options: Any) -> Callable[P, R]:
    folder = kept_in()
    settle = numba.njit(cache=folder is not None, nogil=True, error_model="numpy", **options)
    with _SETTING:  # numba reads where to keep a function's code when it is decorated, from this one setting
        before, numba.config.CACHE_DIR = numba.config.CACHE_DIR, str(folder or "")
        try:
            fast: Callable[P, R] = settle(kernel)
        finally:
            numba.config.CACHE_DIR = before
    return fast
