"""The blueprint of the authoring pages, and the keys in their addresses.

Fixed words in addresses begin with an underscore, and keys never do, so no key can equal a fixed word.
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
    """The key of a module's or a guide's draft."""

    regex = f"(?:{ModuleKey.regex}|{GuideKey.regex})"
    part_isolating = False


@bp.record_once
def _add_converters(state: BlueprintSetupState) -> None:
    """Add the converters before any address is added."""
    state.app.url_map.converters |= {"module": ModuleKey, "guide": GuideKey, "draft": DraftKey}
