"""The directives desk's pages, all on one blueprint."""

from portal.pages.directives.views import issuing, listing, withdrawing
from portal.pages.directives.views.blueprint import bp

__all__ = ["bp", "issuing", "listing", "withdrawing"]
