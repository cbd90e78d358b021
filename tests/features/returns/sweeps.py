"""Returns in the tests over all pages, acts and commands."""

from playwright.sync_api import Browser

from tests.features.returns.made import make_returns
from tests.running import Server

RECENT = {"returns.end_force_key", "returns.make_return", "returns.register_key"}
WITHOUT_ENTRY = {
    "returns forces list": "reads",
    "returns keys make": "writes a file of this machine, before anything is signed with it",
    "returns keys show": "reads a file",
}


def make_by_pages(_browser: Browser, server: Server) -> dict[str, str]:
    """A return of the force's own, a comparison, and a force that is registered."""
    return make_returns(server.instance)


MAKE_BY_PAGES = (make_by_pages,)
