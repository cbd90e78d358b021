"""Which row of a question or of the outcomes a line of a file belongs to, as an author counts them. Pure."""

from functools import lru_cache

from portal.domain.authoring.editing.field_tables import ROW_NOUNS
from portal.platform.formats.toml_tables import Trail, line_numbers


def row_name(text: str, line: int) -> str:
    r"""The row that a line stands in, such as “choice 2 of scene 1”; empty: in none.

    >>> text = "[[item]]\n[[item.step]]\ntext = 'a'\n[[item.step]]\ntext = ''"
    >>> row_name(text, 5), row_name(text, 1)
    ('step 2', '')
    """
    above = max((at for at in _header_lines(text) if at[0] <= line), default=(0, ()))
    rows = [f"{ROW_NOUNS[name]} {number + 1}" for name, number in above[1] if name in ROW_NOUNS]
    return " of ".join(reversed(rows))


@lru_cache(maxsize=4)
def _header_lines(text: str) -> list[tuple[int, Trail]]:
    """The headers of tables by their lines; kept, since a file may have many faults."""
    return [(at, trail) for (trail, key), at in line_numbers(text).items() if not key]
