"""Serves the portal with a production server: ``make run``, or ``python serve.py`` with settings set."""

from granian import Granian
from granian.constants import HTTPModes, Interfaces

from config import Config


def main() -> None:
    """Run until stopped."""
    config = Config()
    Granian(
        "wsgi:app",
        address=config.bind,
        port=config.port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,  # TLS and HTTP/2 belong to the proxy in front
        workers=2,
        blocking_threads=2,
        respawn_failed_workers=True,
        log_access=False,
    ).serve()


if __name__ == "__main__":
    main()
