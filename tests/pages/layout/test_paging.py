from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.pages.layout.query_arguments import Page, asked_number
from portal.platform.errors import BadInputError


@given(st.integers(0, 500), st.integers(1, 60))
def test_the_pages_show_every_row_once_and_lead_to_each_other(total: int, size: int) -> None:
    shown: list[int] = []
    page = Page.of(total, "/people", [], size)
    while True:
        shown += range(page.first, page.last + 1) if total else []
        if page.next_url is None:
            break
        assert page.next_size == min(size, total - len(shown))
        arguments = parse_qsl(urlsplit(page.next_url).query)
        following = Page.of(total, "/people", arguments, size)
        assert following.previous_url == page.url(page.number)
        page = following
    assert shown == list(range(1, total + 1))


FILTERS = st.lists(st.tuples(st.sampled_from(["unit", "status", "q"]), st.text(max_size=12)), max_size=5)


@given(FILTERS)
def test_links_keep_the_filters_as_they_were(filters: list[tuple[str, str]]) -> None:
    filters = [(name, value.encode("utf-8", "ignore").decode()) for name, value in filters]
    page = Page.of(100, "/people", [*filters, ("page", "2")], 10)
    assert page.next_url is not None
    assert page.previous_url is not None
    kept = [pair for pair in filters if pair[1]]
    assert parse_qsl(urlsplit(page.next_url).query) == [*kept, ("page", "3")]
    assert parse_qsl(urlsplit(page.previous_url).query) == kept


@pytest.mark.parametrize("asked", ["0", "-1", "two", "1e3", "²", "9" * 40])
def test_what_is_no_number_of_a_page_is_refused_by_every_list(asked: str) -> None:
    for read in (lambda: asked_number({"page": asked}), lambda: Page.of(9, "/people", [("page", asked)])):
        with pytest.raises(BadInputError, match="is not a page number"):
            read()


@pytest.mark.parametrize(("asked", "number"), [("", 1), (" 3", 3), ("007", 7)])
def test_an_empty_number_asks_for_the_first_page(asked: str, number: int) -> None:
    assert asked_number({"page": asked}) == number


def test_a_page_past_the_end_is_the_last() -> None:
    page = Page.of(21, "/people", [("page", "99")], 10)
    assert (page.number, page.first, page.last, page.next_url) == (3, 21, 21, None)
