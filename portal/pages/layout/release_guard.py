"""Answers that the portal is being upgraded while the database is of another release than this server."""

from flask import Flask, current_app, g, request
from flask_login import AnonymousUserMixin

from portal.pages.layout.error_pages import UpgradingError
from portal.platform.operations.schema_watch import SchemaWatch

WATCH = "schema_watch"
# What monitoring asks, and the force's colour on the page that is shown instead.
SERVED = frozenset({"operations.healthz", "operations.metrics", "operations.readyz", "statements.brand"})


def register_release_guard(app: Flask, watch: SchemaWatch) -> None:
    """Refuse pages of ``app`` while ``watch`` has a reason; call it before whatever reads the database."""
    app.extensions[WATCH] = watch
    app.before_request(refuse_other_release)


def refuse_other_release() -> None:
    """Refuse a request, unless it is one of ``SERVED``, if the database cannot be used by this release.

    Raises:
        UpgradingError: It cannot.
    """
    if request.endpoint in SERVED:
        return
    watch: SchemaWatch = current_app.extensions[WATCH]
    if watch.reason_to_wait():
        g._login_user = AnonymousUserMixin()  # or the frame of the page would look for the session
        raise UpgradingError
