"""Liveness, readiness and metrics, for monitoring."""

import hmac
from collections.abc import Iterable
from ipaddress import IPv6Address, ip_address
from typing import Any

from flask import Blueprint, Response, abort, current_app, jsonify, request
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_LATEST

from portal.pages.health.metrics import write_metrics
from portal.pages.layout.access import public
from portal.pages.layout.proxies import STRANGER, Network, parse_networks
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
    is_trusted = _is_sent_from(current_app.config["PORTAL"].watching_networks)
    details: dict[str, Any] = {"checks": needed, **watched} if is_trusted else {}
    if details and needed["database"] and not needed["migrations"]:
        details["reason"] = readiness.reason_against_database()
    return jsonify(**body, **details), 200 if ready else 503


@bp.get("/metrics")
@public
def metrics() -> ResponseReturnValue:
    """Figures for Prometheus, to a network in ``METRICS_NETWORKS`` or with ``METRICS_TOKEN``; else to nobody.

    Everybody else is told what an address is told that does not exist.
    """
    config = current_app.config["PORTAL"]
    if not _is_sent_from(parse_networks(config.metrics_networks)) and not _has_token(config.seeing.token):
        abort(404)
    return Response(write_metrics(), content_type=CONTENT_TYPE_LATEST)


def _has_token(token: str) -> bool:
    sent = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
    return bool(token) and hmac.compare_digest(sent.encode(), token.encode())


def _is_sent_from(networks: Iterable[Network]) -> bool:
    """Whether the request comes from one of these networks, directly or by a trusted proxy's word."""
    if request.environ.get(STRANGER):
        return False
    try:
        address = ip_address(request.remote_addr or "")
    except ValueError:  # a socket of the file system has no address
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return any(address in network for network in networks)
