"""Answers that the portal is being upgraded while the database is of another release than this server."""

from flask import Flask, current_app, g, request
from flask_login import AnonymousUserMixin

from portal.pages.layout.error_pages import UpgradingError
from portal.platform.operations.schema_watch import SchemaWatch

WATCH = "schema_watch"
SERVED = frozenset({"operations.healthz", "operations.readyz"})  # monitoring must be able to see it


def register_release_guard(app: Flask, watch: SchemaWatch) -> None:
    """Refuse pages of ``app`` while ``watch`` has a reason; call it before whatever reads the database."""
    app.extensions[WATCH] = watch
    app.before_request(refuse_other_release)


def refuse_other_release() -> None:
    """Refuse a request, unless it asks how the portal is, if the database cannot be used by this release.

    Raises:
        UpgradingError: It cannot.
    """
    if request.endpoint in SERVED:
        return
    watch: SchemaWatch = current_app.extensions[WATCH]
    if watch.reason_to_wait():
        g._login_user = AnonymousUserMixin()  # or the frame of the page would look for the session
        raise UpgradingError
