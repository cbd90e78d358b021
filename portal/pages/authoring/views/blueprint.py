"""The blueprint that every page of the desk hangs on, and the keys that its addresses hold.

No key begins with an underscore, so the desk's own words in addresses do: nothing can be named like them.
"""

from flask import Blueprint
from flask.blueprints import BlueprintSetupState
from werkzeug.routing import BaseConverter

bp = Blueprint("authoring", __name__, url_prefix="/authoring", template_folder="../templates")


class ModuleKey(BaseConverter):
    """The key of a module."""

    regex = "(?!_)[^/]+"
    part_isolating = True


class GuideKey(BaseConverter):
    """The key of a guide's draft, such as ``_guides/who-to-call``."""

    regex = "_guides/(?!_)[^/]+"
    part_isolating = False


class DraftKey(BaseConverter):
    """Either of the two."""

    regex = f"(?:{ModuleKey.regex}|{GuideKey.regex})"
    part_isolating = False


@bp.record_once
def _add_converters(state: BlueprintSetupState) -> None:
    """Before any address is added."""
    state.app.url_map.converters |= {"module": ModuleKey, "guide": GuideKey, "draft": DraftKey}
