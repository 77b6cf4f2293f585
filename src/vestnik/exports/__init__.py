"""How rows become a file: every format, by its name."""

from vestnik.exports.base import Format
from vestnik.exports.csv import CSV
from vestnik.exports.xlsx import XLSX

FORMATS: dict[str, Format] = {format.name: format for format in (CSV, XLSX)}
