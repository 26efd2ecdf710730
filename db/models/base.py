"""The declarative base, naming conventions and the column types every schema shares."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    Dialect,
    Identity,
    MetaData,
    Numeric,
    Text,
    TypeDecorator,
    func,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column

MICRO = 1_000_000
"""Millionths of a dollar in a dollar: what a stored bar's prices count."""


class MicroDollars(TypeDecorator[Decimal]):
    """A price in USD, stored as a whole number of its millionths: exact, and as wide in every row."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Any, _dialect: Dialect) -> int | None:
        """Return the millionths of a price, to the nearest."""
        return None if value is None else int((Decimal(str(value)) * MICRO).to_integral_value())

    def process_result_value(self, value: int | None, _dialect: Dialect) -> Decimal | None:
        """Return the price of a number of millionths, with six decimals."""
        return None if value is None else Decimal(value).scaleb(-6)


BarPrice = Annotated[Decimal, mapped_column(MicroDollars)]
Ratio = Annotated[Decimal, mapped_column(Numeric(24, 12))]
Key = Annotated[int, mapped_column(BigInteger, Identity(always=True), primary_key=True)]
Price = Annotated[Decimal, mapped_column(Numeric(18, 6))]
Quantity = Annotated[Decimal, mapped_column(Numeric(20, 9))]
Money = Annotated[Decimal, mapped_column(Numeric(20, 6))]
Moment = Annotated[datetime, mapped_column(DateTime(timezone=True))]
RecordedAt = Annotated[datetime, mapped_column(DateTime(timezone=True), server_default=func.now())]
Document = Annotated[dict[str, Any], mapped_column(JSONB)]
FlowRun = Annotated[UUID | None, mapped_column(default=None)]


class Base(DeclarativeBase):
    """Base of all tables; constraint names are derived, so that migrations can name them."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {str: Text}
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def one_of(column: str, *values: str) -> CheckConstraint:
    """Return a check that a text column holds one of `values`."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def positive(column: str) -> CheckConstraint:
    """Return a check that a number is above zero."""
    return CheckConstraint(f"{column} > 0", name=f"{column}_positive")
