"""Every benchmark that has targets, one after the other, and one table of what was asked for and what was measured.

`python -m benchmarks [NAME ...] [--list] [--json]` runs each in a process of its own, on servers of its own, and takes
about a quarter of an hour on two quiet processors. `python -m benchmarks.NAME --help` says what one of them does.
"""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
from typing import Any

from rich.console import Console

from benchmarks.verdicts import Figure, load, table

NAMES = (
    "backtest",
    "indicators",
    "research",
    "quality",
    "market_data",
    "execution",
    "simulator",
    "reconciliation",
    "warm_worker",
    "system",
)


def measured(name: str) -> list[dict[str, Any]]:
    """Return a benchmark's figures; an empty list, and its error on the screen, where it does not end well."""
    command = [sys.executable, "-m", f"benchmarks.{name}", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        document = json.loads(done.stdout)
    except json.JSONDecodeError:
        said = (done.stderr.strip() or done.stdout.strip() or "no answer").splitlines()[-1]
        print(f"{name} ended with exit code {done.returncode}: {said}", file=sys.stderr)
        return []
    figures: list[dict[str, Any]] = document["figures"]
    return figures


def main() -> int:
    """Run the benchmarks that are named, or all; the exit code is 1 where a target is missed or one did not end."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of {', '.join(NAMES)}; without: all")
    parser.add_argument("--list", action="store_true", help="say what each of them measures, and stop")
    parser.add_argument("--json", action="store_true", help="print JSON")
    asked = parser.parse_args()
    unknown = [name for name in asked.names if name not in NAMES]
    if unknown:
        parser.error(f"unknown benchmark {unknown[0]!r}; there are {', '.join(NAMES)}")
    if asked.list:
        for name in NAMES:
            about = (importlib.import_module(f"benchmarks.{name}").__doc__ or "").partition("\n")[0]
            print(f"{name:16} {about}")
        return 0
    found: dict[str, list[dict[str, Any]]] = {}
    screen = Console(stderr=True)
    for name in asked.names or NAMES:
        with screen.status(f"measuring {name}"):
            found[name] = measured(name)
    if asked.json:
        print(json.dumps({"benchmarks": found, "load": load()}))
    else:
        Console().print(table("Benchmarks", [(name, figure(each)) for name, rows in found.items() for each in rows]))
    return int(not all(rows and all(row["met"] for row in rows) for rows in found.values()))


def figure(row: dict[str, Any]) -> Figure:
    """Return a figure as it was told."""
    return Figure(**{name: row[name] for name in ("name", "value", "unit", "most", "least")})


if __name__ == "__main__":
    sys.exit(main())
