"""Liveness and readiness, for monitoring."""

from ipaddress import IPv6Address, ip_address
from typing import Any

from flask import Blueprint, current_app, jsonify, request
from flask.typing import ResponseReturnValue

from portal.pages.layout.access import public
from portal.pages.layout.proxies import STRANGER
from portal.platform.operations import readiness

bp = Blueprint("operations", __name__)


@bp.get("/healthz")
@public
def healthz() -> ResponseReturnValue:
    """Say that the process answers."""
    return jsonify(status="ok")


@bp.get("/readyz")
@public
def readyz() -> ResponseReturnValue:
    """Say whether the database is reachable and at the newest migration, and the disk can be written to.

    Networks in ``STATUS_NETWORKS`` also see each check by its name, whether workers take up jobs and whether
    the clock is right; the portal can serve pages for a while without these two. Where the database is of
    another release they read what to do about it.
    """
    needed = readiness.run_checks(readiness.NEEDED, log=True)
    ready = all(needed.values())
    body = {"status": "ready" if ready else "not ready"}
    watched = (
        readiness.run_checks(readiness.WATCHED, log=False)
        if ready
        else dict.fromkeys(readiness.WATCHED, False)
    )
    details: dict[str, Any] = {"checks": needed, **watched} if _is_trusted() else {}
    if details and needed["database"] and not needed["migrations"]:
        details["reason"] = readiness.reason_against_database()
    return jsonify(**body, **details), 200 if ready else 503


def _is_trusted() -> bool:
    """Whether the request comes directly from a network that may see details."""
    if request.environ.get(STRANGER):
        return False
    try:
        address = ip_address(request.remote_addr or "")
    except ValueError:  # a socket of the file system has no address
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return any(address in network for network in current_app.config["PORTAL"].watching_networks)
