"""Signing in with the force's own identity provider by SAML 2.0.

The provider's page sends its answer as a form from another site, so the browser's cookies do not come with
it. ``/saml/acs`` checks the answer, keeps whom it names under a token, and redirects the browser to
``/sign-in/saml/answer``, where its cookies say whether this browser asked.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from portal.domain.accounts import services
from portal.features.saml import assertions
from portal.features.saml.assertions import AssertionReplayedError
from portal.features.saml.settings import SamlSettings, read_own_settings
from portal.pages.layout.access import public
from portal.pages.layout.forms import takes_secret
from portal.pages.layout.query_arguments import safe_next
from portal.pages.layout.sessions import cookies
from portal.pages.layout.sessions.request_guard import accepts_other_sites
from portal.pages.layout.sessions.step_up import RECENT
from portal.pages.sign_in import opening, provider_answers
from portal.pages.sign_in.opening import BegunSignIn
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.openid.claims import (
    LEEWAY,
    PROVIDER,
    ClockError,
    ProviderUnavailableError,
    TokenRefusedError,
)
from portal.platform.write_lock import BUSY_SECONDS

if TYPE_CHECKING:
    from portal.features.saml.provider import SamlProvider

bp = Blueprint("saml", __name__)


def _settings() -> SamlSettings:
    """The settings; without a provider the pages are not there."""
    settings = read_own_settings()
    return settings if settings.is_set else abort(404)


def _provider() -> "SamlProvider":
    return _make_provider(_settings(), cookies.current_settings().address)


@lru_cache(maxsize=4)
def _make_provider(settings: SamlSettings, address: str) -> "SamlProvider":
    # 16 MiB and an optional package, which a portal without a provider does without.
    from portal.features.saml.provider import SamlProvider

    return SamlProvider(settings, address)


@bp.get("/saml/metadata")
@public
def describe_saml() -> ResponseReturnValue:
    """The portal's metadata, for the provider's administrator."""
    return Response(_provider().describe_service(), mimetype="application/samlmetadata+xml")


@bp.get("/sign-in/saml")
@takes_secret  # where the provider cannot be used, the page offers the password
@public
def begin_saml() -> ResponseReturnValue:
    """Send the browser to the provider."""
    provider, next_page = _provider(), request.args.get("next")
    again = current_user.is_authenticated and bool(request.args.get("again"))
    if current_user.is_authenticated and not again:
        return redirect(safe_next(next_page), 303)
    try:
        address, pending = provider.begin_sign_in(clock.now(), again=again)
    except ProviderUnavailableError as error:
        provider_answers.log_unavailable(error)
        return provider_answers.show_unavailable(next_page)
    is_file = bool(request.args.get("file"))
    opening.remember(BegunSignIn(pending, next_page, again, is_file), clock.now())
    return redirect(address, 303)


@bp.post("/saml/acs")
@accepts_other_sites
@public
def receive_assertion() -> ResponseReturnValue:
    """Check what the provider's page sends, and have the browser come for it with its cookies."""
    provider, now = _provider(), clock.now()
    state = request.form.get("RelayState", "")
    if not re.fullmatch(r"[\w-]{1,100}", state, re.ASCII):
        return _send_on(problem="elsewhere")  # not asked for here
    try:
        statement = provider.read_response(request.form.get("SAMLResponse", ""), now)
        with transaction(wait_seconds=BUSY_SECONDS):
            token = assertions.keep_assertion(
                statement.subject,
                statement.assertion_id,
                statement.request_id,
                signed_in_at=statement.signed_in_at,
                at=now,
            )
    except AssertionReplayedError:
        provider_answers.log_token_refusal(TokenRefusedError("replayed"))
        return _send_on(state=state, problem="unchecked")
    except ProviderUnavailableError as error:
        provider_answers.log_unavailable(error)
        return _send_on(state=state, problem="unavailable")
    except ClockError as error:
        provider_answers.log_token_refusal(error)
        return _send_on(state=state, problem="clock", seconds=str(error.seconds))
    except TokenRefusedError as error:
        provider_answers.log_token_refusal(error)
        unfinished = error.reason.startswith("provider_")
        return _send_on(state=state, problem="unfinished" if unfinished else "unchecked")
    return _send_on(state=state, token=token)


def _send_on(**values: str) -> ResponseReturnValue:
    return redirect(f"{url_for('saml.finish_saml')}?{urlencode(values)}", 303)


@bp.get("/sign-in/saml/answer")
@takes_secret
@public
def finish_saml() -> ResponseReturnValue:
    """Sign in whom the answer names, if this browser asked for it."""
    settings, now = _settings(), clock.now()
    begun = opening.take(request.args.get("state", ""), now)
    if begun is None:
        if current_user.is_authenticated:  # the Back button
            return redirect("/", 303)
        return provider_answers.show_refusal(provider_answers.ELSEWHERE, 400)
    next_page = begun.next_page
    if problem := request.args.get("problem"):
        return _show_problem(problem, next_page)
    with transaction(wait_seconds=BUSY_SECONDS):
        token = request.args.get("token", "")
        answer = assertions.take_subject(token, settings.issuer, begun.pending.nonce, now)
    if answer is None:
        return provider_answers.show_refusal(provider_answers.ELSEWHERE, 400, next_page)
    subject, signed_in_at = answer
    return provider_answers.sign_in_subject(
        subject,
        settings.match_field,
        begun,
        method=services.SAML,
        factor=PROVIDER,  # which is trusted to ask for one
        is_new=-LEEWAY <= now - signed_in_at <= RECENT,
    )


def _show_problem(problem: str, next_page: str | None) -> ResponseReturnValue:
    """The page for an answer that was not believed."""
    if problem == "unavailable":
        return provider_answers.show_unavailable(next_page)
    if problem == "clock" and re.fullmatch(r"-?[0-9]{1,4}", request.args.get("seconds", "")):
        return provider_answers.show_token_refusal(ClockError(int(request.args["seconds"])), next_page)
    reason = "provider_unfinished" if problem == "unfinished" else "unchecked"
    return provider_answers.show_token_refusal(TokenRefusedError(reason), next_page)


def collect_ends() -> Iterator[Metric]:
    """When a certificate, or the provider's metadata, ends."""
    ends = read_own_settings().read_ends()
    gauge = GaugeMetricFamily(
        "portal_certificate_end_timestamp_seconds",
        "When a certificate, or the provider's metadata, ends.",
        labels=["certificate"],
    )
    for name, end in ends.items():
        gauge.add_metric([name], end.timestamp())
    yield gauge
