"""The application object for a server and for ``flask --app wsgi``."""

from portal.app import create_app

app = create_app()
