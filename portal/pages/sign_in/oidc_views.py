"""Signing in and out with the force's own identity provider (OpenID Connect)."""

from functools import lru_cache
from typing import TYPE_CHECKING

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.accounts import identities, services
from portal.domain.accounts.identities import LogoutReplayedError
from portal.pages.layout.access import public
from portal.pages.layout.forms import takes_secret
from portal.pages.layout.query_arguments import safe_next
from portal.pages.layout.sessions import cookies
from portal.pages.layout.sessions.request_guard import csrf
from portal.pages.layout.sessions.step_up import RECENT
from portal.pages.sign_in import opening, provider_answers
from portal.pages.sign_in.opening import BegunSignIn
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.observability.logs import get_logger
from portal.platform.openid.claims import (
    PROVIDER,
    ProviderUnavailableError,
    TokenRefusedError,
    is_fresh,
    shows_second_factor,
    subject_of_claims,
)
from portal.platform.openid.settings import OpenIdSettings

if TYPE_CHECKING:
    from portal.platform.openid.provider import Provider

_log = get_logger("portal.sign_in")


def add_oidc_pages(bp: Blueprint) -> None:
    """Add the pages below ``/sign-in/oidc``; without a provider they are not there."""
    for path, view in (("", begin_sign_in), ("/callback", finish_sign_in), ("/sign-out", leave_provider)):
        bp.add_url_rule(f"/sign-in/oidc{path}", view.__name__, view, methods=["GET"])
    bp.add_url_rule("/sign-in/oidc/back-channel-logout", view_func=end_by_provider, methods=["POST"])
    csrf.exempt(end_by_provider)  # no browser sends it; what it carries is signed by the provider


def _settings() -> OpenIdSettings:
    settings = cookies.current_settings().openid
    return settings if settings.issuer else abort(404)


def _provider() -> "Provider":
    settings = _settings()
    proxy = cookies.current_settings().outbound_proxy
    return _make_provider(settings.issuer, settings.client_id, settings.client_secret, proxy)


@lru_cache(maxsize=4)
def _make_provider(issuer: str, client_id: str, client_secret: str, proxy: str) -> "Provider":
    # 12 MiB, which a portal without a provider does without.
    from portal.platform.openid.provider import Provider

    return Provider(issuer, client_id, client_secret, proxy=proxy)


def _callback_address() -> str:
    return f"{cookies.current_settings().address}{url_for('sign_in.finish_sign_in')}"


@takes_secret  # where the provider does not answer, the page offers the password
@public
def begin_sign_in() -> ResponseReturnValue:
    """Send the browser to the provider."""
    provider, next_page = _provider(), request.args.get("next")
    again = current_user.is_authenticated and bool(request.args.get("again"))
    if current_user.is_authenticated and not again:
        return redirect(safe_next(next_page), 303)
    acr_values = " ".join(sorted(_settings().factor_acr))
    try:
        address, pending = provider.begin_sign_in(_callback_address(), again=again, acr_values=acr_values)
    except ProviderUnavailableError as error:
        provider_answers.log_unavailable(error)
        return provider_answers.show_unavailable(next_page)
    is_file = bool(request.args.get("file"))
    opening.remember(BegunSignIn(pending, next_page, again, is_file), clock.now())
    return redirect(address, 303)


@takes_secret
@public
def finish_sign_in() -> ResponseReturnValue:
    """Sign in whom the provider names."""
    provider, settings = _provider(), _settings()
    begun = opening.take(request.args.get("state", ""), clock.now())
    if begun is None:
        if current_user.is_authenticated:  # the Back button
            return redirect("/", 303)
        return provider_answers.show_refusal(provider_answers.ELSEWHERE, 400)
    next_page = begun.next_page
    try:
        claims = provider.finish_sign_in(
            request.args.to_dict(),
            begun.pending,
            _callback_address(),
            needed_claim=settings.match_claim,
            at=clock.now(),
        )
        subject = subject_of_claims(claims, settings.issuer, settings.match_claim)
    except ProviderUnavailableError as error:
        provider_answers.log_unavailable(error)
        return provider_answers.show_unavailable(next_page)
    except TokenRefusedError as error:
        provider_answers.log_token_refusal(error)
        return provider_answers.show_token_refusal(error, next_page)
    return provider_answers.sign_in_subject(
        subject,
        settings.match_field,
        begun,
        method=services.OPENID,
        factor=PROVIDER if shows_second_factor(claims, settings) else None,
        is_new=is_fresh(claims, clock.now(), RECENT),
    )


@public
def end_by_provider() -> ResponseReturnValue:
    """End the sessions that a logout token of the provider names: OpenID Connect Back-Channel Logout 1.0.

    Not throttled by address: behind a proxy that is not named, anybody could keep the provider's tokens out.
    What costs time, fetching keys for an unknown one, is done once in half a minute.
    """
    provider, now = _provider(), clock.now()
    try:
        claims = provider.read_logout_token(request.form.get("logout_token", ""), now)
        with transaction():
            ended = identities.end_provider_sessions(
                provider.issuer,
                claims["jti"],
                subject=claims.get("sub"),
                provider_sid=claims.get("sid"),
                at=now,
            )
    except (TokenRefusedError, LogoutReplayedError) as error:
        reason = error.reason if isinstance(error, TokenRefusedError) else "replayed"
        address = cookies.request_origin().address
        _log.warning("logout_token.refused", reason=reason, address=address)
        return {"error": "invalid_request"}, 400
    except ProviderUnavailableError as error:
        _log.error("provider.unavailable", reason=error.reason)
        return {"error": "temporarily_unavailable"}, 503
    _log.info("sessions.ended_by_provider", sessions=ended)
    return "", 200


@public
def leave_provider() -> ResponseReturnValue:
    """Send the browser on to end its session at the provider too, where that can be done."""
    return_to = f"{cookies.current_settings().address}{url_for('sign_in.sign_in')}"
    address = _provider().sign_out_address(return_to)
    if address is None:
        return redirect(url_for("sign_in.sign_in"), 303)
    page = render_template("sign_in/leaving.html", address=address, provider_label=_settings().label)
    # Not a redirect: this follows a form, and the policy lets forms lead nowhere but here.
    return page, {"Refresh": f"0; url={address}"}
