"""What is wrong with the lines of a file that is read to its end all the same."""

from dataclasses import dataclass, field

KEPT = 20  # lines that are told in words


@dataclass(slots=True)
class Complaints:
    """How many lines were read and how many of them were wrong; the words of the first ones."""

    lines: int = 0
    wrong_lines: int = 0
    wrong: list[str] = field(default_factory=list)

    def complain(self, line: int, words: object) -> None:
        """A line cannot be read."""
        self.wrong_lines += 1
        if len(self.wrong) < KEPT:
            self.wrong.append(f"line {line}: {words}")
