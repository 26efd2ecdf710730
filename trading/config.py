"""Every setting of the system: its environment variable, default, bounds and meaning.

Values come, strongest first, from the environment, from `.env` in the working directory, from
`secrets.env` in the state directory (what the first start generated), and from the defaults here.
The variable names are the mission document's where it names one.
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import quote, urlsplit

from platformdirs import user_data_path
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from trading.errors import ConfigurationError

Port = Annotated[int, Field(ge=1, le=65535)]

SERVICES: tuple[str, ...] = (
    "data_ingestion",
    "strategy_engine",
    "execution",
    "risk_management",
    "analytics",
    "notification",
)
"""The six services, in the order they start; also their schema names and (with hyphens) their pools."""


def home() -> Path:
    """Return the state directory: `TRADING_HOME`, or the platform's place for user data."""
    chosen = os.environ.get("TRADING_HOME")
    return Path(chosen).expanduser().resolve() if chosen else user_data_path("trading-system", appauthor=False)


class _Section(BaseSettings):
    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(
        extra="ignore", frozen=True, populate_by_name=True, env_ignore_empty=True
    )


class Postgres(_Section):
    """The database server: embedded unless POSTGRES_HOST is set."""

    host: str | None = Field(None, alias="POSTGRES_HOST", description="server to use; empty: embedded")
    port: Port = Field(5432, alias="POSTGRES_PORT", description="server port")
    trading_db: str = Field("trading_system", alias="TRADING_DB_NAME", description="database of the services")
    prefect_db: str = Field("prefect", alias="PREFECT_DB_NAME", description="database of the Prefect server")
    user: str = Field("postgres", alias="POSTGRES_USER", description="role that owns both databases")
    password: SecretStr = Field(
        SecretStr(""), alias="POSTGRES_PASSWORD", description="its password; generated when embedded"
    )

    @property
    def embedded(self) -> bool:
        """Whether the local stack runs the server itself."""
        return self.host is None

    @property
    def address(self) -> str:
        """Host name or address to connect to."""
        return self.host or "127.0.0.1"

    def url(self, database: str, *, driver: str = "psycopg") -> str:
        """Return an SQLAlchemy URL with the password in clear; never log it."""
        user, password = quote(self.user, safe=""), quote(self.password.get_secret_value(), safe="")
        return f"postgresql+{driver}://{user}:{password}@{self.address}:{self.port}/{quote(database, safe='')}"


class Redis(_Section):
    """Cache and signalling: embedded unless REDIS_HOST or REDIS_URL is set."""

    host: str | None = Field(None, alias="REDIS_HOST", description="server to use; empty: embedded")
    port: Port = Field(6379, alias="REDIS_PORT", description="server port")
    external_url: SecretStr | None = Field(
        None, alias="REDIS_URL", description="whole address of a server to use, wins over host and port"
    )
    password: SecretStr = Field(
        SecretStr(""), alias="REDIS_PASSWORD", description="its password; generated when embedded"
    )

    @property
    def embedded(self) -> bool:
        """Whether the local stack runs the server itself."""
        return self.host is None and self.external_url is None

    def url(self, database: int = 0) -> str:
        """Return the address of one numbered database with the password in clear; never log it."""
        if self.external_url is not None:
            parts = urlsplit(self.external_url.get_secret_value())
            return parts._replace(path=f"/{database}").geturl()
        secret = quote(self.password.get_secret_value(), safe="")
        login = f":{secret}@" if secret else ""
        return f"redis://{login}{self.host or '127.0.0.1'}:{self.port}/{database}"


class Prefect(_Section):
    """The orchestrator: run here unless PREFECT_API_URL points at one that answers."""

    api_url: str | None = Field(None, alias="PREFECT_API_URL", description="server to use; empty: run one here")
    port: Port = Field(4200, alias="PREFECT_PORT", description="port of the server run here")
    auth: SecretStr = Field(
        SecretStr(""), alias="PREFECT_API_AUTH_STRING", description="user:password of its API; generated"
    )
    encryption_key: SecretStr = Field(
        SecretStr(""), alias="PREFECT_ENCRYPTION_KEY", description="Fernet key for blocks; generated"
    )
    database_url: SecretStr | None = Field(
        None,
        alias="PREFECT_API_DATABASE_CONNECTION_URL",
        description="its database (Prefect 2's name, handed on as Prefect 3's); empty: PREFECT_DB_NAME",
    )

    @property
    def url(self) -> str:
        """Address of the API."""
        return self.api_url or f"http://127.0.0.1:{self.port}/api"

    @property
    def ui_url(self) -> str:
        """Address of the UI for a browser."""
        return self.url.removesuffix("/api")


class Alpaca(_Section):
    """The broker: the simulator unless ALPACA_API_KEY is set."""

    api_key: SecretStr | None = Field(None, alias="ALPACA_API_KEY", description="key id; empty: simulator")
    secret_key: SecretStr | None = Field(None, alias="ALPACA_SECRET_KEY", description="secret of the key")
    base_url: str = Field(
        "https://paper-api.alpaca.markets", alias="ALPACA_BASE_URL", description="trading API; paper by default"
    )
    data_url: str = Field("https://data.alpaca.markets", alias="ALPACA_DATA_URL", description="market data API")
    data_stream_url: str = Field(
        "wss://stream.data.alpaca.markets", alias="ALPACA_DATA_STREAM_URL", description="market data as it comes"
    )
    feed: Literal["iex", "sip"] = Field("iex", alias="ALPACA_FEED", description="iex is free, sip is paid")


class Simulator(_Section):
    """The stand-in for Alpaca, started when no key is set."""

    port: Port = Field(8010, alias="SIMULATOR_PORT", description="port it listens on")
    api_key: SecretStr = Field(SecretStr(""), alias="SIMULATOR_API_KEY", description="key id; generated")
    secret_key: SecretStr = Field(SecretStr(""), alias="SIMULATOR_SECRET_KEY", description="secret; generated")
    data: Path | None = Field(
        None, alias="SIMULATOR_DATA", description="CSV or Parquet of daily bars; empty: bokeh_sampledata"
    )
    minutes: Path | None = Field(
        None, alias="SIMULATOR_MINUTES", description="CSV or Parquet of minute bars; empty: it has none"
    )
    start: str = Field(
        "2012-11-30", alias="SIMULATOR_START", description="session its clock stands at when first started"
    )
    cash: float = Field(100_000.0, gt=0, alias="SIMULATOR_CASH", description="opening cash of its account, USD")


class Web(_Section):
    """Ports of the services and of the web layer, and who may call them."""

    bind: str = Field("127.0.0.1", alias="TRADING_BIND_HOST", description="address everything listens on")
    data_ingestion: Port = Field(8001, alias="DATA_INGESTION_PORT", description="/health of data ingestion")
    strategy_engine: Port = Field(8002, alias="STRATEGY_ENGINE_PORT", description="/health of the strategy engine")
    execution: Port = Field(8003, alias="EXECUTION_PORT", description="/health of execution")
    risk_management: Port = Field(8004, alias="RISK_MANAGEMENT_PORT", description="/health of risk management")
    analytics: Port = Field(8005, alias="ANALYTICS_PORT", description="/health of analytics")
    notification: Port = Field(8006, alias="NOTIFICATION_PORT", description="/health of notification")
    api: Port = Field(8000, alias="WEB_SERVER_PORT", description="the api")
    dashboard: Port = Field(8501, alias="DASHBOARD_PORT", description="the dashboard")
    token: SecretStr = Field(SecretStr(""), alias="TRADING_API_TOKEN", description="bearer token; generated")

    def service(self, name: str) -> int:
        """Return the health port of one of `SERVICES`."""
        port: int = getattr(self, name)
        return port


class Logging(_Section):
    """How much is written down and for how long."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", alias="LOG_LEVEL", description="least severe level that is written"
    )
    retention_days: int = Field(30, ge=1, le=3650, alias="LOG_RETENTION_DAYS", description="days logs are kept")


class Notification(_Section):
    """Where messages go besides the inbox in the database."""

    urls: SecretStr = Field(
        SecretStr(""),
        alias="NOTIFICATION_URLS",
        description="Apprise addresses (mailto://, slack://, ...), separated by spaces; empty: inbox only",
    )


class Warm(_Section):
    """How patient the in-process workers of the trading path are."""

    grace_seconds: float = Field(
        30.0, ge=0, alias="TRADING_WARM_GRACE_SECONDS", description="seconds a stopping worker lets its runs finish"
    )
    stuck_seconds: float = Field(
        10.0, gt=0, alias="TRADING_WARM_STUCK_SECONDS", description="seconds until a cancelled run counts as stuck"
    )
    preload: bool = Field(
        True, alias="TRADING_WARM_PRELOAD", description="import the pool's flows at start, for quick first runs"
    )


class Reconciliation(_Section):
    """Up to which difference with the broker the books are corrected; a larger one halts trading."""

    shares: float = Field(
        0.001, ge=0, alias="RECONCILE_SHARES_TOLERANCE", description="shares of a symbol that are corrected"
    )
    cash: float = Field(1.0, ge=0, alias="RECONCILE_CASH_TOLERANCE", description="USD of cash that are corrected")


class BrokerLogin(BaseModel):
    """Where orders go, and the keys that are shown there."""

    model_config = ConfigDict(frozen=True)

    url: str
    key: SecretStr
    secret: SecretStr

    def headers(self) -> dict[str, str]:
        """Return the login as Alpaca's headers, in clear; never log them."""
        return {
            "APCA-API-KEY-ID": self.key.get_secret_value(),
            "APCA-API-SECRET-KEY": self.secret.get_secret_value(),
        }


class Settings(BaseModel):
    """All sections together; `Settings.load()` is how they are made."""

    model_config = ConfigDict(frozen=True)

    postgres: Postgres
    redis: Redis
    prefect: Prefect
    alpaca: Alpaca
    simulator: Simulator
    web: Web
    logging: Logging
    notification: Notification
    warm: Warm
    reconciliation: Reconciliation
    home: Path

    @classmethod
    def load(cls, state: Path | None = None) -> Settings:
        """Read every section; `state` overrides the state directory.

        Raises
        ------
        ConfigurationError
            A value does not fit; the message names the variable.
        """
        state = state or home()
        sources: Any = (state / "secrets.env", Path(".env"))
        try:
            sections = {name: kind(_env_file=sources) for name, kind in SECTIONS.items()}
        except ValidationError as error:
            first = error.errors()[0]
            raise ConfigurationError(
                f"{first['loc'][0]}: {first['msg']} (got {_shown(first)}); set it in the environment or in .env"
            ) from None
        return cls.model_validate({**sections, "home": state})

    @property
    def simulated(self) -> bool:
        """Whether the broker is the simulator."""
        return self.alpaca.api_key is None

    @property
    def broker(self) -> BrokerLogin:
        """The broker in use: Alpaca where a key is set, else the simulator."""
        if self.alpaca.api_key is None:
            own = self.simulator
            return BrokerLogin(url=f"http://127.0.0.1:{own.port}", key=own.api_key, secret=own.secret_key)
        secret = self.alpaca.secret_key or SecretStr("")
        return BrokerLogin(url=self.alpaca.base_url.rstrip("/"), key=self.alpaca.api_key, secret=secret)

    def masked(self) -> list[tuple[str, str, str]]:
        """Return (variable, effective value, meaning) for every setting, secrets masked."""
        rows = [("TRADING_HOME", str(self.home), "state directory: databases, logs, generated secrets")]
        for name, kind in SECTIONS.items():
            section = getattr(self, name)
            for field_name, field in kind.model_fields.items():
                value = getattr(section, field_name)
                shown = str(value) if value is not None else ""  # SecretStr prints as asterisks
                rows.append((str(field.alias), shown, field.description or ""))
        return rows


SECTIONS: dict[str, type[_Section]] = {
    "postgres": Postgres,
    "redis": Redis,
    "prefect": Prefect,
    "alpaca": Alpaca,
    "simulator": Simulator,
    "web": Web,
    "logging": Logging,
    "notification": Notification,
    "warm": Warm,
    "reconciliation": Reconciliation,
}
"""Section name to its class, in the order they are shown."""


def _shown(problem: Any) -> str:
    secret = any(word in str(problem["loc"][0]) for word in ("PASSWORD", "SECRET", "KEY", "TOKEN", "URL", "AUTH"))
    return "a secret value" if secret else repr(problem["input"])


@lru_cache(maxsize=1)
def settings() -> Settings:
    """Return the settings of this process, read once."""
    return Settings.load()
