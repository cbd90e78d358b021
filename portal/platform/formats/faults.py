"""What is wrong with a package: every fault, with its file, its line and what to write instead."""

from dataclasses import dataclass

from portal.platform.errors import BadInputError


@dataclass(frozen=True)
class Fault:
    """One thing that stops a package from being published."""

    path: str  # as the author knows it, from the folder that was given
    line: int | None  # counts from 1; None where the fault is of the whole file
    reason: str  # a sentence that says what to write instead

    def __str__(self) -> str:
        place = self.path if self.line is None else f"{self.path}, line {self.line}"
        return f"{place}: {self.reason}"


class Faults:
    """Collects faults, so that an author sees all of them at once."""

    def __init__(self) -> None:
        self._found: list[Fault] = []

    def add(self, path: str, line: int | None, reason: str) -> None:
        """Note one fault; the same one twice is one."""
        fault = Fault(path, line, reason)
        if fault not in self._found:
            self._found.append(fault)

    def __len__(self) -> int:
        return len(self._found)

    def listed(self) -> list[Fault]:
        """Every fault, by file and line."""
        return sorted(self._found, key=lambda fault: (fault.path, fault.line or 0, fault.reason))

    def sentences(self) -> list[str]:
        """Every fault as a line for a page or a terminal."""
        return [str(fault) for fault in self.listed()]

    def refuse(self) -> None:
        """Refuse what has faults.

        Raises:
            BadInputError: There are some; it lists all of them.
        """
        if self._found:
            raise BadInputError(self.sentences())
