"""Who may import what: a file names people of the whole force, so a role that ends at a unit does not do."""

from portal.domain.people.queries import Viewer, viewer_of
from portal.domain.people.visibility.authorised_units import units_allowing
from portal.platform.errors import ForbiddenError
from portal.platform.permissions import Permission

MAY = {"roster": Permission.ROSTER_IMPORT, "completions": Permission.RECORD_IMPORT}


def kinds_for(viewer: Viewer) -> list[str]:
    """The kinds of file that the person may import by a role without a unit."""
    return [
        kind for kind, act in MAY.items() if act in viewer.permissions and units_allowing(viewer, act) is None
    ]


def refuse_lost_role(kind: str, by: int | None) -> None:
    """Hold a job to what its asker may do when it runs; None: a command, which may do all.

    Raises:
        ForbiddenError: They may not import this any more.
    """
    viewer = viewer_of(by) if by is not None else None
    if by is not None and (viewer is None or not viewer.has_post or kind not in kinds_for(viewer)):
        raise ForbiddenError("Whoever asked for this import may not import such files any more.")
