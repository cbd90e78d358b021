"""People of the demo who meet the pages in the sweep, and how a page is named there.

The pages are in ``places.py``; those of the assurance desk in ``assurance_places.py``.
"""

from dataclasses import dataclass

from portal.platform.permissions import Role

ROLES: dict[str, frozenset[Role]] = {
    "D1001": frozenset(),
    "D2001": frozenset({Role.MANAGER}),
    "D2002": frozenset({Role.MANAGER}),
    "D3001": frozenset({Role.AUTHOR}),
    "D3002": frozenset({Role.PUBLISHER}),
    "D4001": frozenset({Role.DIRECTIVE_OWNER}),
    "D5001": frozenset({Role.FACILITATOR}),
    "D6001": frozenset({Role.AUDITOR}),
    "D9001": frozenset({Role.ADMINISTRATOR}),
}
LEARNER, MANAGER, AUTHOR, PUBLISHER, ADMINISTRATOR = "D1001", "D2001", "D3001", "D3002", "D9001"
FACILITATOR = "D5001"
OWNER, AUDITOR = "D4001", "D6001"  # of directives; of the whole force


@dataclass(frozen=True)
class Place:
    """The addresses of a page, the plainest first, and who meets all of them."""

    paths: tuple[str, ...]
    owner: str = LEARNER
