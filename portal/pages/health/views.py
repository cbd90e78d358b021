"""Liveness, readiness and metrics, for monitoring."""

import hmac
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from ipaddress import IPv6Address, ip_address
from itertools import accumulate
from typing import Any

from flask import Blueprint, Response, abort, current_app, jsonify, request
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from config import current_settings
from portal.domain.reminders.sending import mail_hours, read_outbox_figures, relay_is_set
from portal.pages.layout.access import public
from portal.pages.layout.proxies import STRANGER, Network, parse_networks
from portal.pages.layout.request_log import figures_of
from portal.platform import clock, presence
from portal.platform.backups.making import read_backup_status
from portal.platform.db import db
from portal.platform.jobs.services import read_job_figures
from portal.platform.jobs.worker import list_due_tasks
from portal.platform.observability.request_figures import BUCKETS
from portal.platform.operations import readiness

# The figures of ``/metrics``, as Prometheus reads them.
#
# Requests are counted by this server's processes; all else is read as it stands. Where the database does
# not answer, what needs none is given all the same, so that whoever watches sees that and nothing else is
# wrong.

UPPER_BOUNDS = [*map(str, BUCKETS), "+Inf"]


def write_metrics() -> bytes:
    """All figures as text; those that cannot be read are left out."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_PortalFigures())
    return generate_latest(registry)


class _PortalFigures(Collector):
    """Collects the figures once, for one answer."""

    def collect(self) -> Iterator[Metric]:
        """Every figure; of those that are read, none if the database does not answer."""
        yield from _collect_requests()
        yield from _collect_machine()
        needed = readiness.run_checks(readiness.NEEDED, log=False)
        watched = readiness.run_checks(readiness.WATCHED, log=False) if all(needed.values()) else {}
        checks = needed | watched
        if needed["database"] and needed["migrations"]:
            checks["figures"] = True
            for collect in (*READ_FIGURES, *_list_feature_figures()):
                try:
                    yield from list(collect())
                except (SQLAlchemyError, sqlite3.Error, OSError, ValueError):
                    db.session.rollback()
                    checks["figures"] = False
        yield _gauge_of("portal_check_passed", "Whether a check passes: 1, or 0.", "check", checks)


def _collect_requests() -> Iterator[Metric]:
    requests = CounterMetricFamily("portal_requests", "Requests answered.", labels=["endpoint", "status"])
    durations = HistogramMetricFamily(
        "portal_request_duration_seconds",
        "From the first guard to the last byte.",
        labels=["endpoint"],
    )
    statements = CounterMetricFamily("portal_statements", "Statements to the database.", labels=["endpoint"])
    slow = CounterMetricFamily("portal_slow_statements", "Those that were slow.", labels=["endpoint"])
    for figures in figures_of(current_app).read():
        for status, count in figures.by_status.items():
            requests.add_metric([figures.endpoint, status], count)
        buckets = list(zip(UPPER_BOUNDS, accumulate(figures.by_bucket), strict=True))
        durations.add_metric([figures.endpoint], buckets, figures.seconds)
        statements.add_metric([figures.endpoint], figures.statements)
        slow.add_metric([figures.endpoint], figures.slow_statements)
    yield from (requests, durations, statements, slow)


def _collect_machine() -> Iterator[Metric]:
    disk = readiness.read_disk_space()
    yield _gauge("portal_disk_bytes", "The disk of the instance folder.", disk.total)
    yield _gauge("portal_disk_free_bytes", "What is free of it.", disk.free)


def _collect_workers() -> Iterator[Metric]:
    yield _gauge_of(
        "portal_worker_seen_timestamp_seconds",
        "When a worker last ran on each machine.",
        "worker",
        presence.read_workers(current_settings().instance),
    )


def _collect_database() -> Iterator[Metric]:
    yield _gauge("portal_database_bytes", "The database with its indexes.", readiness.read_database_bytes())
    if readiness.has_replica():
        lag = readiness.read_replica_lag(clock.now())
        yield _gauge("portal_replica_up", "Whether the replica answers.", lag is not None)
        if lag is not None:
            yield _gauge("portal_replica_lag_seconds", "For how long it has lacked its oldest lack.", lag)


def _collect_backups() -> Iterator[Metric]:
    status = read_backup_status(current_settings().backup, clock.now())
    due = GaugeMetricFamily(
        "portal_rehearsal_due_timestamp_seconds",
        "When a restore is to be rehearsed next.",
    )
    if status.rehearsal_due_at:
        due.add_metric([], status.rehearsal_due_at.timestamp())
    yield due
    if backup := status.backup:
        yield _gauge(
            "portal_last_backup_timestamp_seconds",
            "Of when the last backup is, in seconds since 1970.",
            backup.taken_at.timestamp(),
        )
        yield _gauge("portal_last_backup_bytes", "Its size.", backup.size)


def _collect_jobs() -> Iterator[Metric]:
    now = clock.now()
    jobs = GaugeMetricFamily("portal_jobs", "Jobs that wait or run.", labels=["kind", "state"])
    age = GaugeMetricFamily(
        "portal_job_oldest_seconds",
        "For how long the oldest waits or runs.",
        labels=["kind", "state"],
    )
    failed = GaugeMetricFamily("portal_jobs_failed", "Jobs that failed within a day.", labels=["kind"])
    done = GaugeMetricFamily(
        "portal_job_last_done_timestamp_seconds", "When the last one was done.", labels=["kind"]
    )
    for figures in read_job_figures(now):
        for state, count, oldest_at in (
            ("waiting", figures.waiting, figures.oldest_waiting_at),
            ("running", figures.running, figures.oldest_running_at),
        ):
            jobs.add_metric([figures.kind, state], count)
            oldest = (now - oldest_at).total_seconds() if oldest_at else 0
            age.add_metric([figures.kind, state], max(0, oldest))
        failed.add_metric([figures.kind], figures.failed)
        if figures.last_done_at:
            done.add_metric([figures.kind], figures.last_done_at.timestamp())
    due = {task.kind: 1 for task in list_due_tasks(now)}
    yield from (jobs, age, failed, done)
    yield _gauge_of("portal_job_due", "Kinds of which a worker has a job to start.", "kind", due)


def _collect_outbox() -> Iterator[Metric]:
    now = clock.now()
    waiting = GaugeMetricFamily("portal_mail_waiting", "Messages that may be sent.", labels=["kind"])
    postponed = GaugeMetricFamily("portal_mail_postponed", "Those tried in vain.", labels=["kind"])
    age = GaugeMetricFamily(
        "portal_mail_oldest_seconds", "For how long the oldest could have been sent today.", labels=["kind"]
    )
    for figures in read_outbox_figures(now, mail_hours()):
        waiting.add_metric([figures.kind], figures.waiting)
        postponed.add_metric([figures.kind], figures.postponed)
        age.add_metric([figures.kind], figures.oldest_seconds)
    yield _gauge("portal_mail_relay_set", "Whether a relay is set; without one, mail waits.", relay_is_set())
    yield from (waiting, postponed, age)


READ_FIGURES: tuple[Callable[[], Iterator[Metric]], ...] = (
    _collect_database,
    _collect_backups,
    _collect_jobs,
    _collect_outbox,
    _collect_workers,
)


def _list_feature_figures() -> list[Callable[[], Iterator[Metric]]]:
    return [feature.load(name) for feature in current_settings().features_on for name in feature.figures]


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(name, meaning, value=float(value))


def _gauge_of(name: str, meaning: str, label: str, values: Mapping[str, float]) -> Metric:
    gauge = GaugeMetricFamily(name, meaning, labels=[label])
    for key, value in values.items():
        gauge.add_metric([key], float(value))
    return gauge


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
