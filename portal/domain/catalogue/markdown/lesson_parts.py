"""The parts of a lesson: its headings of the second level, numbered, so that readers see how far they are."""

import re
from functools import lru_cache
from itertools import count

_HEADING = re.compile(r'<h2 class="govuk-heading-m">(.*?)</h2>', re.DOTALL)  # not that of a check


@lru_cache(maxsize=256)
def number_parts(html: str) -> str:
    """The lesson's stored HTML with “Part 1 of 4” above each heading, and an id to link to.

    A lesson of one part, or of none, stays as it is.

    >>> number_parts('<h2 class="govuk-heading-m">Look</h2>')
    '<h2 class="govuk-heading-m">Look</h2>'
    """
    total = len(_HEADING.findall(html))
    if total < 2:
        return html
    numbers = count(1)

    def number_part(heading: re.Match[str]) -> str:
        number = next(numbers)
        return (
            f'<h2 class="govuk-heading-m" id="part-{number}"><span class="portal-part">'
            f'Part {number} of {total}<span class="govuk-visually-hidden">:</span></span> {heading[1]}</h2>'
        )

    return _HEADING.sub(number_part, html)
