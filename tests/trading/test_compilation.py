"""Compiled code that is kept on disk is never older than any file it was made of."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import trading
from trading import compilation
from trading.compilation import SOURCES, digest

PACKAGE = Path(trading.__file__).parent
CALLED = """
from trading.compilation import lean

@lean
def part(x: float) -> float:
    return x / 3
"""
CALLER = """
from trading.backtest.kernel.called import part
from trading.compilation import compiled

@compiled
def whole(x: float) -> float:
    return part(x)
"""
PROGRAM = """
from trading.backtest.kernel.caller import whole
print(whole(9.0), sum(whole.stats.cache_hits.values()))
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A package with our way of compiling and two kernels of its own."""
    kernels = tmp_path / "trading" / "backtest" / "kernel"
    kernels.mkdir(parents=True)
    for package in (kernels, kernels.parent, kernels.parent.parent):
        (package / "__init__.py").write_text("", encoding="utf-8")
    shutil.copy(PACKAGE / "compilation.py", tmp_path / "trading")
    (kernels / "called.py").write_text(CALLED, encoding="utf-8")
    (kernels / "caller.py").write_text(CALLER, encoding="utf-8")
    return tmp_path


def run(tree: Path, **environment: str) -> tuple[float, int]:
    """Run a kernel in another process; return what it gives for 9, and how often it was found compiled."""
    known = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=tree,
        env={**known, "PYTHONPATH": str(tree), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.returncode, done.stderr
    value, hits = done.stdout.split()
    return float(value), int(hits)


def test_a_kernel_is_kept_until_a_file_it_calls_changes(tree: Path) -> None:
    assert run(tree) == (3.0, 0)
    assert run(tree) == (3.0, 1)

    called = tree / "trading" / "backtest" / "kernel" / "called.py"
    called.write_text(CALLED.replace("x / 3", "x"), encoding="utf-8")

    assert run(tree) == (9.0, 0)
    assert len(list((tree / "trading" / "__pycache__").glob("kernels-*"))) == 1


def test_kernels_are_kept_elsewhere_where_the_package_cannot_be_written(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "a file, not a directory"
    closed.write_text("", encoding="utf-8")
    monkeypatch.setattr(compilation, "_homes", lambda: iter((closed, tmp_path / "caches")))
    kept = compilation.kept_in.__wrapped__()
    assert kept == tmp_path / "caches" / f"kernels-{digest()}"
    monkeypatch.setattr(compilation, "_homes", lambda: iter((closed,)))
    assert compilation.kept_in.__wrapped__() is None

    assert run(tree, NUMBA_CACHE_DIR=str(tmp_path / "told")) == (3.0, 0)
    assert run(tree, NUMBA_CACHE_DIR=str(tmp_path / "told")) == (3.0, 1)
    assert list((tmp_path / "told").glob("kernels-*"))


def kernel_files() -> list[Path]:
    return [path for pattern in SOURCES for path in sorted(PACKAGE.glob(pattern))]


def test_every_file_with_a_kernel_counts() -> None:
    using = [path for path in PACKAGE.rglob("*.py") if "from trading.compilation import" in path.read_text("utf-8")]
    assert len(using) > 10
    assert set(using) <= set(kernel_files())


@pytest.mark.parametrize("path", kernel_files(), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_what_kernels_read_of_other_files_counts_too(path: Path) -> None:
    if path.name == "calendar.py":  # one constant of it is read, and that is its own
        return
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body:  # what only types need is further in
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("trading."):
            parts = str(node.module).split(".")[1:]
            file = PACKAGE.joinpath(*parts).with_suffix(".py")
            assert file in kernel_files() or node.module in {"trading.errors", "trading.bars"}, node.module


def test_the_digest_is_of_names_and_content(tree: Path) -> None:
    root = tree / "trading"
    digests = [digest(root)]
    called = root / "backtest" / "kernel" / "called.py"
    called.rename(called.with_name("other.py"))
    digests.append(digest(root))
    called.with_name("other.py").write_text(CALLED + "\n", encoding="utf-8")
    digests.append(digest(root))
    assert len(set(digests)) == 3
