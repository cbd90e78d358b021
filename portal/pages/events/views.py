"""Pages of events: their views are in the files beside this one."""

from portal.pages.events import register_views, room_code_views, sign_off_views, syndicate_views
from portal.pages.events.blueprint import bp

__all__ = ["bp", "register_views", "room_code_views", "sign_off_views", "syndicate_views"]
