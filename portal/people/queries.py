"""Who someone is here and now, and whom they may see."""

from dataclasses import dataclass

from portal.permissions import Permission, Role


@dataclass(frozen=True, slots=True)
class Viewer:
    """A person as the one who looks: who they are, and what their live grants let them do now."""

    person_id: int
    staff_number: str
    display_name: str  # "Constable Priya Shah", as shown in the header
    has_post: bool
    roles: frozenset[Role]
    permissions: frozenset[Permission]
