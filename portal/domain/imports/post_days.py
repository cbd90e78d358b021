"""Days for posts of rosters that say neither since when somebody has them nor when somebody has left.

What such a file says counts from the day of the import, and only where it is something new. What it has no
column for, a last day or a line manager, stays as the portal has it.
"""

from collections.abc import Iterable, Iterator, Sequence

from portal.domain.imports.columns import TODAY, ColumnMapping
from portal.domain.imports.values import ENDS
from portal.domain.people.roster_plan import PostValues, RosterBaseline
from portal.platform.db import OPEN_END
from portal.platform.tables.table_files import SourceRow

_MANAGER = "line_manager_staff_number"


def date_posts(
    rows: Iterable[SourceRow], mapping: ColumnMapping, baseline: RosterBaseline
) -> Iterator[SourceRow]:
    """The rows with days: those of posts that the portal knows where nothing else changes, else today's.

    The row of somebody who has left ends their post today, and changes nothing else of it. It is left out if
    they have no post that goes on. Other rows with days of their own stay as they are.
    """
    for row in rows:
        values = row.values
        post = _find_post(baseline, values["staff_number"], values["post_key"])
        if values.get("employment") == ENDS:
            if post and post.valid_from <= baseline.today < post.valid_to:
                ends = {"valid_to": baseline.today.isoformat()}
                yield SourceRow(row.line, values | _values_of(post, baseline) | ends)
        elif values["valid_from"] == TODAY:
            yield SourceRow(row.line, values | _days_of(values, post, mapping, baseline))
        else:
            yield row


def _find_post(baseline: RosterBaseline, number: str, key: str) -> PostValues | None:
    """The post that somebody has today, else their next one."""
    posts: Sequence[PostValues] = [known.values for known in baseline.posts.get((number, key), ())]
    current = [post for post in posts if post.valid_to >= baseline.today]
    return min(current, key=lambda post: post.valid_from, default=None)


def _values_of(post: PostValues, baseline: RosterBaseline) -> dict[str, str]:
    """The post as the row of a file says it; its unit by the path of today, or of the unit's last day."""
    unit = post.unit
    return {
        "rank_or_grade": post.rank_or_grade,
        "designated_role": post.designated_role,
        "unit_path": baseline.tree.last_path_on(unit, baseline.today) if isinstance(unit, int) else "",
        _MANAGER: post.manager or "",
        "valid_from": post.valid_from.isoformat(),
        "valid_to": "" if post.valid_to == OPEN_END else post.valid_to.isoformat(),
    }


def _days_of(
    values: dict[str, str], post: PostValues | None, mapping: ColumnMapping, baseline: RosterBaseline
) -> dict[str, str]:
    """The days of a row without any, and what the file has no column for."""
    today = baseline.today.isoformat()
    if post is None:
        return {"valid_from": today}
    known = _values_of(post, baseline)
    kept = {target: known[target] for target in (_MANAGER, "valid_to") if mapping.columns.get(target) is None}
    compared = values | kept
    names = ("rank_or_grade", "designated_role", "unit_path", _MANAGER)
    is_same = all(compared[name] == known[name] for name in names)
    begins = known["valid_from"] if is_same or post.valid_from > baseline.today else today
    return kept | {"valid_from": begins}
