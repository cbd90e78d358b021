"""What follows a sign-in at the force's provider: a session, or a page that says why there is none."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.accounts import identities
from portal.domain.accounts.errors import FactorMissingError
from portal.domain.accounts.identities import BindingRefusedError
from portal.pages.layout.sessions import cookies
from portal.pages.layout.sessions.step_up import SIGN_IN_AGAIN, person_needs_factor
from portal.pages.sign_in import opening, step_up_views
from portal.pages.sign_in.forms import SignInForm
from portal.pages.sign_in.opening import BegunSignIn
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.observability.logs import get_logger
from portal.platform.openid.claims import (
    ClockError,
    ProviderSubject,
    ProviderUnavailableError,
    TokenRefusedError,
)
from portal.platform.wording import minutes_words
from portal.platform.write_lock import BUSY_SECONDS

_log = get_logger("portal.sign_in")
ELSEWHERE = "This sign-in was begun too long ago, or in another browser."


def sign_in_subject(
    subject: ProviderSubject,
    match_field: str,
    begun: BegunSignIn,
    *,
    method: str,
    factor: str | None,
    is_new: bool,
) -> ResponseReturnValue:
    """Sign in whom the provider names, or say why they are not let in; in an open session, go on there.

    Args:
        subject: Who signed in there.
        match_field: By what a person is found in the roster the first time.
        begun: What was begun here.
        method: How the provider was asked.
        factor: The second factor that the provider vouches for, if any.
        is_new: Whether the person showed who they are just now, rather than being signed in there.
    """
    if begun.again:
        return step_up_views.renew_by_provider(subject, begun, method=method, factor=factor, is_new=is_new)
    now = clock.now()
    try:
        # A reader's request, which must write.
        with transaction(wait_seconds=BUSY_SECONDS, early_release=True):
            person_id = identities.admit_subject(subject, match_field, now)
            if factor is None and person_needs_factor(person_id):
                raise FactorMissingError
            opened = opening.open_session_here(
                person_id, now, method=method, provider_sid=subject.provider_sid, factor=factor
            )
    except FactorMissingError as error:
        return show_refusal(str(error), 403, begun.next_page)
    except BindingRefusedError as error:
        with transaction(wait_seconds=BUSY_SECONDS):
            identities.record_refusal(subject, error, now)
        return show_refusal(str(error), 403, begun.next_page, signed_in_there=True)
    return opening.respond_signed_in(opened, begun.next_page, now)


def log_unavailable(error: ProviderUnavailableError) -> None:
    """Tell the operator why the provider cannot be used."""
    _log.error("provider.unavailable", reason=error.reason)


def show_unavailable(next_page: str | None) -> ResponseReturnValue:
    """The sign-in page, which says why the force's own sign-in is not possible; a password still is."""
    label = cookies.current_settings().provider_label
    problem = f"Signing in with {label} does not work at the moment. Try again in a few minutes."
    if current_user.is_authenticated:
        return _return_to_again(problem, next_page)
    answer = opening.render_sign_in(SignInForm(formdata=None), next_page, problem=problem, status=503)
    answer.headers["Retry-After"] = "60"
    return answer


def log_token_refusal(error: TokenRefusedError) -> None:
    """Tell the operator why a provider's answer was not believed; whoever sent it is not told."""
    address = cookies.request_origin().address
    _log.warning("sign_in.refused_by_provider", reason=error.reason, address=address)
    if isinstance(error, ClockError):
        _log.error("provider.clock_ahead", seconds=error.seconds)


def show_token_refusal(error: TokenRefusedError, next_page: str | None) -> ResponseReturnValue:
    """The page that says that nobody was signed in: by the provider's own word, a clock, or a forgery."""
    label = cookies.current_settings().provider_label
    if isinstance(error, ClockError):
        apart = minutes_words(max(1, round(abs(error.seconds) / 60)))
        return show_refusal(f"The clocks of the portal and of {label} are {apart} apart.", 503, next_page)
    if error.reason.startswith("provider_"):
        return show_refusal(f"You did not finish signing in with {label}.", 400, next_page)
    return show_refusal(f"What {label} sent could not be checked.", 400, next_page)


def show_refusal(
    reason: str, status: int, next_page: str | None = None, *, signed_in_there: bool = False
) -> ResponseReturnValue:
    """The page that says why somebody is not signed in, and what to do."""
    if current_user.is_authenticated:  # who was to sign in again; they stay signed in
        return _return_to_again(reason, next_page)
    settings = cookies.current_settings()
    page = render_template(
        "sign_in/refused.html",
        reason=reason,
        next=next_page,
        provider_label=settings.provider_label,
        provider_endpoint=opening.provider_endpoint(),
        can_leave=bool(settings.oidc_issuer),
        signed_in_there=signed_in_there,
        sign_in_help=settings.sign_in_help,
    )
    return page, status


def _return_to_again(problem: str, next_page: str | None) -> ResponseReturnValue:
    flash(problem, "error")
    return redirect(url_for(SIGN_IN_AGAIN, next=next_page), 303)
