"""What the models of all resources share."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from db.results.rows import Page


class Answer(BaseModel):
    """Part of an answer, read from a row's columns."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, from_attributes=True, populate_by_name=True)

    @classmethod
    def of(cls, row: object) -> Self:
        """Return the model of one row, whose columns are its attributes."""
        return cls.model_validate(row)

    @classmethod
    def each(cls, rows: Iterable[object]) -> list[Self]:
        """Return the models of some rows."""
        return [cls.model_validate(row) for row in rows]


class Question(BaseModel):
    """The body of a request; unknown fields are refused."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="forbid")


class Listing[Item: Answer](Answer):
    """A page of items, newest first; `next` is the cursor of the page after it."""

    items: list[Item]
    next: str | None

    @classmethod
    def page(cls, kind: type[Item], page: Page) -> Self:
        """Return a page of rows as items of one kind."""
        return cls(items=kind.each(page.rows), next=page.next)


class Failure(Answer):
    """What went wrong, in one line."""

    error: str
