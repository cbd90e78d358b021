"""A person's path through a module: the lessons for everybody, and those for their duties. Pure."""

from collections.abc import Collection, Mapping, Sequence

from portal.domain.people.staff_numbers import DUTIES

DutyPaths = Sequence[Mapping[str, Sequence[str]]]  # as in ``ModuleVersion.duty_paths``


def choose_path(
    lesson_keys: Sequence[str], practice: Collection[str], duty_paths: DutyPaths, duties: Collection[str]
) -> list[str]:
    """The keys of the lessons that somebody with these duties works through, in the module's order.

    The first of ``duty_paths`` that shares a duty is theirs, else the one for no duties. Every other lesson
    that is named in ``duty_paths`` or in ``practice`` is left to their own choice.

    >>> paths = [{"for": ["contact"], "lessons": ["call"]}, {"for": [], "lessons": ["yard"]}]
    >>> choose_path(["open", "call", "yard", "beach"], ["beach"], paths, ["response"])
    ['open', 'yard']
    """
    chosen: Sequence[str] = next(
        (path["lessons"] for path in duty_paths if not path["for"] or set(path["for"]) & set(duties)), ()
    )
    left_out = {key for path in duty_paths for key in path["lessons"]}.difference(chosen).union(practice)
    return [key for key in lesson_keys if key not in left_out]


# The same as an author writes it: a line for each lesson that is not for everybody.

PRACTICE_WORD, ELSE_WORD = "practice", "everybody else"


def format_parts(practice: Sequence[str], duty_paths: DutyPaths) -> str:
    """The lessons that are not for everybody, one a line, each with whom it is for.

    >>> paths = [{"for": ["contact"], "lessons": ["call"]}, {"for": [], "lessons": ["yard"]}]
    >>> print(format_parts(["beach"], paths))
    call: contact
    yard: everybody else
    beach: practice
    """
    words: dict[str, list[str]] = {}
    for path in duty_paths:
        for key in path["lessons"]:
            words.setdefault(key, []).extend(path["for"] or [ELSE_WORD])
    words |= {key: [PRACTICE_WORD] for key in practice}
    return "\n".join(f"{key}: {', '.join(names)}" for key, names in words.items())


def read_parts(text: str) -> tuple[list[str], list[dict[str, list[str]]]]:
    """The practice lessons and the paths by duty that such lines say; duties of supervisors come first.

    Raises:
        ValueError: A line says something else; the text says which.
    """
    practice: list[str] = []
    lessons_by_name: dict[str, list[str]] = {}
    for line in filter(None, map(str.strip, text.split("\n"))):
        key, colon, rest = (part.strip() for part in line.partition(":"))
        names = [name.strip().lower() for name in rest.split(",")]
        if not colon or any(name not in (*DUTIES, ELSE_WORD, PRACTICE_WORD) for name in names):
            raise ValueError(f"“{line}” is not a lesson’s name, a colon and whom it is for")
        if PRACTICE_WORD in names:
            practice.append(key)
            continue
        for name in dict.fromkeys(names):
            lessons_by_name.setdefault(name, []).append(key)
    if not lessons_by_name:
        return practice, []
    paths: list[dict[str, list[str]]] = []
    for duty in (duty for duty in reversed(DUTIES) if duty in lessons_by_name):
        same = next((path for path in paths if path["lessons"] == lessons_by_name[duty]), None)
        if same:
            same["for"].append(duty)
        else:
            paths.append({"for": [duty], "lessons": lessons_by_name[duty]})
    return practice, [*paths, {"for": [], "lessons": lessons_by_name.get(ELSE_WORD, [])}]
