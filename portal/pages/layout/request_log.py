"""What is noted of each request: one line in the log, and the figures that ``/metrics`` gives.

Neither the address nor anything a person sent is noted: the endpoint stands for the page. Of a view that
``leaves_no_trace`` nothing is noted at all, but for a fault of the portal, without its viewer.
"""

from functools import cache
from time import perf_counter
from typing import Any, cast

from flask import Flask, Response, current_app, g, request

from portal.feature import list_features
from portal.pages.layout.bearer import is_anonymous_request
from portal.platform.audit import current_origin
from portal.platform.observability import statements
from portal.platform.observability.logs import write_line, written_now
from portal.platform.observability.request_figures import UNMATCHED, RequestFigures

FIGURES = "portal_request_figures"  # among the application's extensions
QUIET = frozenset({"operations.healthz", "operations.readyz", "operations.metrics"})  # asked for all day
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def register_request_log(app: Flask) -> None:
    """Time every request of ``app`` from its first guard to its last byte; call it before other guards."""
    app.before_request(_start_clock)
    app.after_request(_note_answer)


def make_figures(app: Flask) -> None:
    """Make the memory of the figures; call it when ``app`` has all its routes and before processes fork."""
    app.extensions[FIGURES] = RequestFigures(sorted(app.view_functions))


def figures_of(app: Flask) -> RequestFigures:
    """The figures of an application."""
    figures: RequestFigures = app.extensions[FIGURES]
    return figures


def note_in_line(**values: Any) -> None:
    """Add to the line of this request: ids and words of the portal, never what somebody entered."""
    g.setdefault("in_request_line", {}).update(values)


@cache
def _list_polled() -> frozenset[str]:
    """Blueprints whose pages are asked each second: that nothing is new is not logged."""
    return frozenset(name for feature in list_features() for name in feature.polled)


def _start_clock() -> None:
    g.clock = perf_counter(), statements.start_count()


def _note_answer(response: Response) -> Response:
    """Note the answer once it was sent; a file that the server sends by itself, at once."""
    # The objects behind the proxies are looked up once: this runs for every page.
    app, sent, own = (cast(Any, proxy)._get_current_object() for proxy in (current_app, request, g))
    started, count = own.clock
    status, endpoint = response.status_code, sent.endpoint or UNMATCHED
    hides = is_anonymous_request()
    if hides and status < 500:
        return response
    figures, config = app.extensions[FIGURES], app.config["PORTAL"]
    is_quiet = endpoint in QUIET or (status == 304 and endpoint.partition(".")[0] in _list_polled())
    is_logged = status >= 400 or (not is_quiet and config.seeing.logs_every_request(config.mode))
    line = _begin_line(endpoint, sent.method, status, own, hides=hides) if is_logged else None

    def finish() -> None:
        seconds = perf_counter() - started
        figures.count(endpoint, status, seconds, count.sent, count.slow)
        if line is not None:
            line["at"] = written_now()
            line["milliseconds"] = round(1000 * seconds, 1)
            line["statements"] = count.sent
            write_line(line)

    if response.direct_passthrough:
        finish()
    else:
        response.call_on_close(finish)
    return response


def _begin_line(endpoint: str, method: str, status: int, own: Any, *, hides: bool) -> dict[str, Any]:
    """The line but for what is known at the end; whose request it was, as the database numbers them."""
    line = {
        "at": "",
        "level": "error" if status >= 500 else "info",
        "source": "portal.requests",
        "event": "request",
        "request": current_origin().request_id,
        "endpoint": endpoint,
        "method": method if method in METHODS else "other",
        "status": status,
    }
    account, token = own.get("_login_user"), own.get("access_token")
    if account is not None and account.is_authenticated and not hides:
        line["viewer"] = account.person_id
    elif token is not None:
        line["token"] = token.id
    line.update(own.get("in_request_line") or {})
    return line
