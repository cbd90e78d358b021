"""Flask extensions, created once and bound in ``create_app``."""

from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager
from flask_migrate import Migrate
from flask_wtf import CSRFProtect

csrf = CSRFProtect()
login_manager = LoginManager()
migrate = Migrate(directory="migrations", render_as_batch=False)
# Counted in each process's memory: a limit protects the machine, it is no fact.
limiter = Limiter(get_remote_address, storage_uri="memory://", strategy="moving-window")
