"""Each directive in a few numbers, as far as one viewer may see its people: for desks."""

from dataclasses import dataclass

from portal.domain.people.queries import Viewer
from portal.domain.reports import sentences
from portal.domain.reports.directive_snapshot import DirectiveSnapshot, read_directives
from portal.domain.reports.parameters import Position
from portal.domain.reports.statistics import Figures, Outlook, Share
from portal.domain.reports.viewer_scope import ViewerScope
from portal.domain.status.counting import count_days_left, count_requirements
from portal.domain.status.rules import Status
from portal.platform.replica import read_as_known_on


@dataclass(frozen=True, slots=True)
class DirectiveLine:
    """One directive that applies to somebody the viewer may see."""

    directive: DirectiveSnapshot
    figures: Figures
    soon: int  # people due in 30 days

    @property
    def share(self) -> Share:
        """How many of the counted people are complete."""
        return self.figures.share

    @property
    def overdue(self) -> int:
        """People who are overdue or whose record expired."""
        return self.figures.count_people(Status.OVERDUE, Status.EXPIRED)

    @property
    def due(self) -> str:
        """The due rule in words."""
        return sentences.due_rule(self.directive)


def read_directive_lines(viewer: Viewer, position: Position) -> list[DirectiveLine]:
    """Read each directive that applies to somebody, most overdue people first.

    As many statements for many directives as for one.
    """
    viewer_scope = ViewerScope.of_viewer(viewer, position)
    read_as_known_on(position.as_known_on)
    known = {directive.id: directive for directive in read_directives(position)}
    scope = viewer_scope.scope_of(*known)
    counts = count_requirements(scope)
    figures = {key: group for key, group in Figures.by_directive(counts).items() if group.assigned}
    outlooks = Outlook.by_directive(count_days_left(scope), known)
    lines = [DirectiveLine(known[key], group, outlooks[key].soon) for key, group in figures.items()]
    return sorted(lines, key=lambda line: (-line.overdue, -line.soon, line.directive.reference))
