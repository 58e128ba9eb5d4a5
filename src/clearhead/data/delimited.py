"""From a CSV or TSV file to rows of strings, none lost and none joined.

A tab-separated file often holds bare quotation marks (``" brilliant``); a
reader that takes them for quoting swallows lines up to the next one. Here, a
TSV whose every line has the header's number of tabs is read line by line, and
quotes are undone only when the file is written with them.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from clearhead.data.labels import listed
from clearhead.data.source import Table
from clearhead.errors import DataError

__all__ = ["Rows", "decode", "read_delimited", "read_table"]

_QUOTED = re.compile(r'"(?:[^"]|"")*"', re.DOTALL)
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_FIELD_LIMIT = 2**31 - 1
_limit_lock = threading.Lock()

_Record = tuple[int, list[str]]


@dataclass(frozen=True)
class Rows:
    """A table of strings.

    Parameters
    ----------
    header : list of str
        Names of the columns.
    rows : list of list of str
        Each as long as the header.
    lines : list of int
        The line of the file, from 1, on which each row begins.
    """

    header: list[str]
    rows: list[list[str]]
    lines: list[int]


def read_delimited(path: Path) -> Rows:
    """Read a CSV or TSV file with a header.

    Raises
    ------
    DataError
        The file is empty or not UTF-8, or a row does not fit the header.
    """
    text = decode(path)
    if not text.strip():
        raise DataError(f"{path} is empty. It needs a header line and at least one row.")
    delimiter = _delimiter(path, text)
    (_, header), *rest = _records(path, text, delimiter)
    header = [name.strip() for name in header]
    for line, row in rest:
        if len(row) != len(header):
            raise DataError(
                f"{path} line {line} has {len(row)} columns, and the header has {len(header)} "
                f"({', '.join(header)}). Mend the line: a text that holds the separator "
                f"({delimiter!r}) or a line break must stand in double quotes."
            )
    return Rows(header, [row for _, row in rest], [line for line, _ in rest])


def decode(path: Path) -> str:
    """Read a file as UTF-8, or UTF-16 with its mark.

    Raises
    ------
    DataError
        It cannot be read, or the line that has another encoding.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error
    try:
        if data.startswith(_UTF16):
            return data.decode("utf-16", "surrogatepass")
        return data.removeprefix(codecs.BOM_UTF8).decode("utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{path} line {line} is not {error.encoding.upper()} (at byte {error.start:,}). "
            "Save the file as UTF-8, for example with "
            f"'iconv -f latin1 -t utf-8 {path.name}'."
        ) from error


def _delimiter(path: Path, text: str) -> str:
    if path.suffix.lower() != ".csv":
        return "\t"
    # Spreadsheets of many countries write semicolons into a .csv.
    first = text[: text.index("\n")] if "\n" in text else text
    return max(",;\t", key=first.count)


def _records(path: Path, text: str, delimiter: str) -> list[_Record]:
    """Rows with the lines on which they begin, the header first."""
    plain = _plain_lines(text, delimiter) if delimiter == "\t" else None
    if plain is None:
        return _quoted_records(path, text, delimiter)
    quoted = [field for _, row in plain for field in row if field.startswith('"')]
    whole = [field for field in quoted if _QUOTED.fullmatch(field)]
    header = all(_QUOTED.fullmatch(field) for field in plain[0][1])
    if not header and not any('""' in field[1:-1] for field in whole):
        return plain
    # Doubled quotes inside quotes, or quotes round the header's names, are a writer's work.
    try:
        records = _quoted_records(path, text, delimiter)
    except DataError:
        return plain
    return records if len({len(row) for _, row in records}) == 1 else plain


def _plain_lines(text: str, delimiter: str) -> list[_Record] | None:
    """One row a line; None if some line does not fit the header."""
    # Not splitlines(): it also breaks at characters that belong to the text.
    records = [
        (number, line.removesuffix("\r").split(delimiter))
        for number, line in enumerate(text.split("\n"), start=1)
        if line.strip("\r")
    ]
    width = len(records[0][1])
    return records if all(len(row) == width for _, row in records) else None


def _quoted_records(path: Path, text: str, delimiter: str) -> list[_Record]:
    """Rows by the rules of RFC 4180."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    records: list[_Record] = []
    begin = 1
    try:
        with _limit_lock:
            limit = csv.field_size_limit(_FIELD_LIMIT)
            try:
                for begin, row in _numbered(reader):
                    if row:
                        records.append((begin, row))
            finally:
                csv.field_size_limit(limit)
    except csv.Error as error:
        begin = records[-1][0] + 1 if records else 1
        raise DataError(
            f"{path} cannot be read as a table from about line {begin} on ({error}). A text that "
            "begins with a double quote must be quoted as a whole, its own quotes doubled "
            '("" for ").'
        ) from error
    return records


def _numbered(reader: Iterator[list[str]]) -> Iterator[_Record]:
    begin = 1
    for row in reader:
        yield begin, row
        begin = reader.line_num + 1  # type: ignore[attr-defined]


def read_table(path: Path) -> Table:
    """Read a CSV or TSV file as a table.

    Raises
    ------
    DataError
        As :func:`read_delimited`; or a column's name is there twice, or there are no rows.
    """
    rows = read_delimited(path)
    header = rows.header
    repeated = sorted({name for name in header if name and header.count(name) > 1})
    if repeated:
        raise DataError(
            f"{path} has more than one column named {listed(repeated)}. Give every column its "
            "own name."
        )
    if not rows.rows:
        raise DataError(f"{path} has a header and no rows. Add at least one row.")
    columns = dict(zip(header, map(list, zip(*rows.rows, strict=True)), strict=True))
    # A column without a name is the row number that pandas writes.
    columns.pop("", None)
    where = [f"{path.name} line {line}" for line in rows.lines]
    return Table(str(path), columns, where, written=True, folder=path.parent)
