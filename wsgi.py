"""The application object for a server and for ``flask --app wsgi``."""

import click

from config import ConfigError
from portal.app import create_app, list_commands
from portal.commands.release import application_without_settings
from portal.pages.layout.setup import WATCH

try:
    app = create_app()
    if click.get_current_context(silent=True) is None:  # a server's: a restore is not to happen under it
        app.extensions[WATCH].watch_for_server()
except ConfigError as error:
    app = application_without_settings(error, list_commands())
