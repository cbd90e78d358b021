"""create_app(): the one file that knows every feature."""

from flask import Flask

from config import Config
from portal.accounts import models as accounts_models
from portal.assessment import models as assessment_models
from portal.audit import models as audit_models
from portal.catalogue import models as catalogue_models
from portal.db import db, prepare_engine
from portal.directives import models as directives_models
from portal.extensions import migrate
from portal.people import models as people_models
from portal.records import models as records_models
from portal.standing import models as standing_models

TABLES = (
    people_models,
    audit_models,
    accounts_models,
    catalogue_models,
    records_models,
    directives_models,
    assessment_models,
    standing_models,
)


def create_app(config: Config | None = None) -> Flask:
    """The application, its settings read from the environment unless given."""
    config = config or Config()
    app = Flask(__name__, static_folder=None, instance_path=str(config.instance))
    app.config.update(
        PORTAL=config,
        SECRET_KEY=config.secret_key,
        SQLALCHEMY_DATABASE_URI=config.sqlalchemy_url,
    )
    config.instance.mkdir(parents=True, exist_ok=True)
    db.init_app(app)
    migrate.init_app(app, db)
    with app.app_context():
        prepare_engine(db.engine)
    return app
