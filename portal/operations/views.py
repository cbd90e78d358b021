"""Liveness and readiness, for whoever watches the machine."""

import tempfile

from flask import Blueprint, current_app, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from portal.access import public
from portal.operations import checks

bp = Blueprint("operations", __name__)


@bp.get("/healthz")
@public
def healthz() -> ResponseReturnValue:
    """The process answers."""
    return jsonify(status="ok")


@bp.get("/readyz")
@public
def readyz() -> ResponseReturnValue:
    """The database is reachable and at the newest migration, and the disk can be written.

    Also whether workers take up jobs, which pages can do without for a while.
    """
    found = {"database": _holds(checks.database), "migrations": _holds(checks.migrations), "disk": _disk()}
    ready = all(found.values())
    jobs = ready and _holds(checks.jobs)
    return jsonify(status="ready" if ready else "not ready", checks=found, jobs=jobs), 200 if ready else 503


def _holds(check: checks.Check) -> bool:
    try:
        return check()
    except SQLAlchemyError:
        current_app.logger.exception("readiness check failed: %s", check.__name__)
        return False


def _disk() -> bool:
    try:
        with tempfile.TemporaryFile(dir=current_app.instance_path) as probe:
            probe.write(b"ready")
    except OSError:
        current_app.logger.exception("readiness check failed: disk")
        return False
    return True
