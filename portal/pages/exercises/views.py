"""The pages of exercises: one file for a page or two, all on one blueprint."""

from portal.pages.exercises import version_views
from portal.pages.exercises.blueprint import bp

__all__ = ["bp", "version_views"]
