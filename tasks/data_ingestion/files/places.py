"""From a path, folder or fsspec URL to the files in it, and to their bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Literal, cast

from trading.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

Format = Literal["csv", "parquet"]
PACKED = (".gz", ".bz2", ".xz", ".zip", ".zst")
ENDINGS: dict[Format, tuple[str, ...]] = {"csv": (".csv", ".txt", ".tsv"), "parquet": (".parquet", ".pq")}
MAGIC = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bz2",
    b"\xfd7zXZ": "xz",
    b"PK\x03\x04": "zip",
    b"\x28\xb5\x2f\xfd": "zstd",
}
"""How packed files begin: many have no ending that says so."""


@dataclass(frozen=True, slots=True)
class Place:
    """A file: the address a person reads, and how to open it."""

    path: str
    format: Format
    size: int
    system: Any

    def open(self) -> IO[bytes]:
        """Open it for reading; DataError when that fails."""
        try:
            return cast("IO[bytes]", self.system.open(self.path, "rb"))
        except (OSError, ValueError) as error:
            raise DataError(f"{self.path}: cannot be opened: {_line(error)}") from None


def find(path: str, *, source: Format | None) -> list[Place]:
    """Return the files of a path in order of name; `source` None: as each file's ending, else its content, says.

    Raises
    ------
    DataError
        Nothing is there, it cannot be reached, or a folder has no file of bars.
    """
    import fsspec

    try:
        system, location = fsspec.core.url_to_fs(path)
        if not system.exists(location):
            raise DataError(f"{path}: no such file; give the path of a CSV or Parquet file, or of a folder of them")
        if not system.isdir(location):
            return [_place(system, location, source)]
        found = sorted(system.find(location, detail=True).items())
    except (OSError, ImportError, ValueError) as error:
        raise DataError(f"{path}: cannot be reached: {_line(error)}") from None
    kinds = {name: _by_ending(name) for name, _ in found if not _hidden(name)}
    places = [
        Place(name, kind, int(facts.get("size") or 0), system)
        for name, facts in found
        if (kind := kinds.get(name)) is not None and source in (None, kind)
    ]
    if not places:
        wanted = source or "CSV or Parquet"
        raise DataError(f"{path}: no {wanted} file in this folder ({len(found)} other files); give a folder that has")
    return places


def packing(beginning: bytes) -> str | None:
    """Return how a file is packed, from its first bytes; None when it is not."""
    return next((name for magic, name in MAGIC.items() if beginning.startswith(magic)), None)


def _place(system: Any, location: str, source: Format | None) -> Place:
    size = int(system.info(location).get("size") or 0)
    kind = source or _by_ending(location)
    if kind is None:
        with system.open(location, "rb") as file:
            kind = "parquet" if file.read(4) == b"PAR1" else "csv"
    return Place(location, kind, size, system)


def _by_ending(name: str) -> Format | None:
    plain = name.lower()
    for ending in PACKED:
        plain = plain.removesuffix(ending)
    return next((kind for kind, endings in ENDINGS.items() if plain.endswith(endings)), None)


def _hidden(name: str) -> bool:
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return last.startswith((".", "_"))


def total_size(places: Sequence[Place]) -> int:
    """Return the bytes of all files."""
    return sum(place.size for place in places)


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
