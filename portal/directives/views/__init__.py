"""The directives desk's pages, all on one blueprint."""

from portal.directives.views import desk, issuing, withdrawing
from portal.directives.views.blueprint import bp

__all__ = ["bp", "desk", "issuing", "withdrawing"]
