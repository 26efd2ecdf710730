from __future__ import annotations

from typing import ClassVar

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class WarmSettings(BaseSettings):
    """How patient a warm worker is; read from `TRADING_WARM_*` when the worker is made."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(env_prefix="TRADING_WARM_", frozen=True)

    grace_seconds: float = Field(
        default=30.0,
        ge=0,
        description="seconds a stopping worker lets its runs finish before it marks them Crashed",
    )
    stuck_seconds: float = Field(
        default=10.0,
        gt=0,
        description="seconds after which a cancelled run that still executes is reported as stuck",
    )
    preload: bool = Field(
        default=True,
        description="import the flows of the pool's deployments at start, so that first runs are quick",
    )
