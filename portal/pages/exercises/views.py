"""All pages of exercises: each file adds its own to the blueprint when it is imported."""

from portal.pages.exercises import lead_views, plenary_views, version_views
from portal.pages.exercises.blueprint import bp

__all__ = ["bp", "lead_views", "plenary_views", "version_views"]
