"""Wires accounts into the application."""

from flask import Flask

from config import Config
from portal.accounts import browser, guard, passwords
from portal.extensions import login_manager


def register(app: Flask, config: Config) -> None:
    """Bind the login manager, the cookies, and what stands before every change."""
    browser.prepare(app, config)
    passwords.matches(None, "")  # makes the hash that unknown names are compared with, before anyone asks
    # The guard asks for a form's token itself, after it has seen whose session the token must be of.
    # A token lasts as long as its session, and the guard's own check of the origin replaces the referrer's.
    app.config.update(WTF_CSRF_CHECK_DEFAULT=False, WTF_CSRF_TIME_LIMIT=None, WTF_CSRF_SSL_STRICT=False)
    login_manager.session_protection = None
    login_manager.request_loader(guard.load_account)
    login_manager.unauthorized_handler(guard.unauthorized)
    login_manager.init_app(app, add_context_processor=False)  # the layout is given the viewer
    app.jinja_env.globals["csrf_token"] = browser.form_token
    app.context_processor(lambda: {"csrf_token": browser.form_token})
    app.before_request(guard.before_change)
    app.before_request(guard.redirect_weak_password)
    app.after_request(guard.after_request)
