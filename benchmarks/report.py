"""Figures, and how they are shown."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """A measured value and the limit of the same run, in the same unit (None: no limit)."""

    name: str
    value: float
    unit: str
    limit: float | None = None
    note: str = ""


def show(figures: list[Figure]) -> None:
    """One line a figure: value, limit, ratio."""
    for figure in figures:
        line = f"{figure.name:<52} {figure.value:>12,.1f} {figure.unit:<11}"
        if figure.limit:
            line += f" limit {figure.limit:>12,.1f}  ratio {figure.value / figure.limit:6.3f}"
        print(f"{line}  {figure.note}".rstrip(), flush=True)
