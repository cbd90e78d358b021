"""Unit paths: names from the force down, joined by ``/``; a ``/`` inside a name is written ``//``."""

from collections.abc import Iterable

from portal.platform.errors import RuleError


def join(names: Iterable[str]) -> str:
    """The path of a unit whose own name is the last of ``names``.

    >>> join(["Westshire Police", "Serious/Organised"])
    'Westshire Police/Serious//Organised'
    """
    return "/".join(name.replace("/", "//") for name in names)


def split(path: str) -> tuple[str, ...]:
    """The names of a path, from the force down.

    >>> split("Westshire Police/Serious//Organised")
    ('Westshire Police', 'Serious/Organised')

    Raises:
        RuleError: A name is empty, or begins or ends with white space or a slash.
    """
    names = tuple(part.replace("\0", "/") for part in path.replace("//", "\0").split("/"))
    for name in names:
        if not name or name != name.strip().strip("/"):
            raise RuleError(
                f"The unit path {path!r} has an empty name, or one with a space or slash at its ends. "
                "Write names from the force down, joined by '/', with '//' for a slash inside a name."
            )
    return names
