"""Flask extensions, created once and bound in ``create_app``."""

from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager
from flask_wtf import CSRFProtect


class ViewLimiter(Limiter):
    """A limiter whose every limit is declared on a view, so that the other pages need not be asked about."""

    def _check_request_limit(self, callable_name: str | None = None, in_middleware: bool = True) -> None:
        if not in_middleware:
            super()._check_request_limit(callable_name, in_middleware)


csrf = CSRFProtect()
login_manager = LoginManager()
# Counted in each process's memory: these limits keep each process from making too many large files.
# What keeps somebody from guessing is counted in the database instead: sign-ins, staff numbers.
limiter = ViewLimiter(get_remote_address, storage_uri="memory://", strategy="moving-window")
