"""The web server: waitress, with limits on slow clients and threads set aside for what must not wait."""
