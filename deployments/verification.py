"""The mission's `verify_deployment`: every fact that must hold, asked of the running stack."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from deployments.stack import processes
from deployments.stack.plan import environment_in_use, settings_in_use

if TYPE_CHECKING:
    from pathlib import Path

    from trading.health import Check


def verify(home: Path) -> list[Check]:
    """Return every check, those of the database first."""
    # What is asked below reads the settings from the environment; the stack's own is what counts.
    os.environ.update(environment_in_use(home))
    os.environ.pop(processes.MARKER, None)
    import blocks.health
    import db.health

    settings = settings_in_use(home)
    return [*db.health.examine(settings), *asyncio.run(blocks.health.examine(settings))]
