"""The application object for a server and for ``flask --app wsgi``."""

from config import ConfigError
from portal.app import COMMANDS, create_app
from portal.operations.release import application_without_settings

try:
    app = create_app()
except ConfigError as error:
    app = application_without_settings(error, [feature.bp for feature in COMMANDS])
