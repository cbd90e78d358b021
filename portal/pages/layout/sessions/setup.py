"""Wires accounts into the application."""

from flask import Flask

from config import Config
from portal.domain.accounts.passwords import hashing
from portal.pages.layout.extensions import login_manager
from portal.pages.layout.sessions import cookies, request_guard


def register_sessions(app: Flask, config: Config) -> None:
    """Bind the login manager, the cookies, and what stands before every change."""
    cookies.prepare_form_cookie(app, config)
    hashing.password_matches(
        None, ""
    )  # makes the hash that unknown names are compared with, before anyone asks
    # The guard asks for a form's token itself, after it has seen whose session the token must be of.
    # A token lasts as long as its session, and the guard's own check of the origin replaces the referrer's.
    app.config.update(WTF_CSRF_CHECK_DEFAULT=False, WTF_CSRF_TIME_LIMIT=None, WTF_CSRF_SSL_STRICT=False)
    login_manager.session_protection = None
    login_manager.request_loader(request_guard.load_account)
    login_manager.unauthorized_handler(request_guard.handle_unauthorized)
    login_manager.init_app(app, add_context_processor=False)  # the layout is given the viewer
    app.jinja_env.globals["csrf_token"] = cookies.form_token
    app.context_processor(lambda: {"csrf_token": cookies.form_token})
    app.before_request(request_guard.guard_unsafe_request)
    app.before_request(request_guard.redirect_weak_password)
    app.after_request(request_guard.finish_request)
