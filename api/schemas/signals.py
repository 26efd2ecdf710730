"""Signals."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from api.schemas.base import Answer


class Signal(Answer):
    """What a strategy wanted to hold of one symbol after one bar, and why."""

    id: int
    strategy: str
    strategy_version: str
    symbol: str
    timeframe: str
    bar_ts: datetime
    target_weight: float
    direction: str
    strength: float
    reason: str
    values: dict[str, Any]
    bars_sha256: str | None
    flow_run_id: UUID | None
    created_at: datetime
