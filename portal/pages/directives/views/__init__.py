"""Pages of directives, all on one blueprint."""

from portal.pages.directives.views import issuing, listing, withdrawing
from portal.pages.directives.views.listing import bp

__all__ = ["bp", "issuing", "listing", "withdrawing"]
