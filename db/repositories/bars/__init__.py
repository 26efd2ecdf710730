"""Raw bars: bulk writes by COPY, reads from the table and the archive alike, and what the rules say of them."""

from db.repositories.bars.judging import first_unchecked, judge
from db.repositories.bars.reading import latest, neighbours, newest, oldest, read, stored
from db.repositories.bars.writing import put_back, write

__all__ = [
    "first_unchecked",
    "judge",
    "latest",
    "neighbours",
    "newest",
    "oldest",
    "put_back",
    "read",
    "stored",
    "write",
]
