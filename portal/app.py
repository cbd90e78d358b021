"""create_app(): the one file that knows every room."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from flask import Blueprint, Flask, current_app, request

from config import Config, current_settings, read_settings_from
from portal.commands import accounts as accounts_commands
from portal.commands import backup as backup_commands
from portal.commands import backups as backups_commands
from portal.commands import content as content_commands
from portal.commands import directives as directives_commands
from portal.commands import doctor as doctor_commands
from portal.commands import imports as imports_commands
from portal.commands import jobs as jobs_commands
from portal.commands import modules as modules_commands
from portal.commands import people as people_commands
from portal.commands import records as records_commands
from portal.commands import release, upgrade
from portal.commands import reminders as reminders_commands
from portal.commands import report as report_commands
from portal.commands import tokens as tokens_commands
from portal.commands import units as units_commands
from portal.demo import create as demo_commands
from portal.domain import access_tokens, cases
from portal.domain.accounts import models as accounts_models
from portal.domain.assessment import models as assessment_models
from portal.domain.audit_desk.services import raise_alerts
from portal.domain.authoring import models as authoring_models
from portal.domain.authoring import reviews
from portal.domain.catalogue import models as catalogue_models
from portal.domain.catalogue import upkeep
from portal.domain.decisions import models as decisions_models
from portal.domain.directives import models as directives_models
from portal.domain.directives.applies import reconcile_assignments
from portal.domain.imports import models as imports_models
from portal.domain.imports import services as imports_services
from portal.domain.people import models as people_models
from portal.domain.people.staff_numbers import reserve_numbers
from portal.domain.records import models as records_models
from portal.domain.reminders import models as reminders_models
from portal.domain.reminders import notices
from portal.domain.reminders import tasks as reminders_tasks
from portal.domain.reports import export_files
from portal.domain.reports import models as reports_models
from portal.domain.retention import models as retention_models
from portal.domain.retention import services as retention_services
from portal.domain.status import models as status_models
from portal.domain.status import tasks as status_tasks
from portal.domain.status.projector import project_status
from portal.feature import Feature, list_features
from portal.pages.account import views as account_views
from portal.pages.api import views as api_views
from portal.pages.assessment import views as assessment_views
from portal.pages.audit import views as audit_views
from portal.pages.authoring import views as authoring_views
from portal.pages.catalogue import views as catalogue_views
from portal.pages.decisions import views as decisions_views
from portal.pages.desk import views as desk_views
from portal.pages.directives import views as directives_views
from portal.pages.grants import views as grants_views
from portal.pages.guides import views as guides_views
from portal.pages.health import views as health_views
from portal.pages.imports import views as imports_views
from portal.pages.jobs import views as jobs_views
from portal.pages.layout import error_pages, item_kinds, setup
from portal.pages.layout.access import limiter, refuse_undeclared_routes
from portal.pages.layout.compression import register_compression
from portal.pages.layout.pdf_files import register_busy_files
from portal.pages.layout.proxies import register_origin
from portal.pages.layout.query_arguments import refuse_control_characters
from portal.pages.layout.request_log import make_figures, register_request_log
from portal.pages.layout.sessions.request_guard import register_refused_forms, register_sessions
from portal.pages.layout.sessions.step_up import register_step_up
from portal.pages.layout.setup import register_frame, register_release_guard
from portal.pages.learning import views as learning_views
from portal.pages.monitoring import views as monitoring_views
from portal.pages.people import views as people_views
from portal.pages.records import views as records_views
from portal.pages.reminders import views as reminders_views
from portal.pages.retention import views as retention_views
from portal.pages.sign_in import views as sign_in_views
from portal.pages.statements import views as statements_views
from portal.pages.tokens import views as tokens_views
from portal.pages.units import views as units_views
from portal.platform import audit
from portal.platform.audit import AuditEvent, current_origin
from portal.platform.backups import tasks as backups_tasks
from portal.platform.db import db, subscribe
from portal.platform.engines import POOL, prepare_engine, replica_engines
from portal.platform.jobs import models as jobs_models
from portal.platform.jobs.registry import Task, set_tasks
from portal.platform.observability.logs import configure_logs
from portal.platform.observability.statements import log_slower_than
from portal.platform.operations.readiness import SchemaWatch

NUMBER = "<staff_number>"  # in the address of a page about a person
TABLES = (
    people_models,
    audit,
    accounts_models,
    access_tokens,
    jobs_models,
    catalogue_models,
    records_models,
    directives_models,
    assessment_models,
    cases,
    status_models,
    authoring_models,
    reminders_models,
    decisions_models,
    reports_models,
    imports_models,
    retention_models,
)

VIEWS = (
    sign_in_views,
    account_views,
    desk_views,
    grants_views,
    people_views,
    learning_views,
    assessment_views,
    catalogue_views,
    guides_views,
    records_views,
    directives_views,
    decisions_views,
    monitoring_views,
    reminders_views,
    authoring_views,
    imports_views,
    jobs_views,
    health_views,
    units_views,
    audit_views,
    statements_views,
    tokens_views,
    retention_views,
    api_views,
)

COMMANDS = (
    accounts_commands,
    modules_commands,
    content_commands,
    demo_commands,
    directives_commands,
    doctor_commands,
    imports_commands,
    jobs_commands,
    report_commands,
    backup_commands,
    backups_commands,
    people_commands,
    records_commands,
    reminders_commands,
    tokens_commands,
    units_commands,
)

TASKS = (
    *status_tasks.TASKS,
    *reminders_tasks.TASKS,
    *reminders_tasks.INVITATION_TASKS,
    *imports_services.TASKS,
    *export_files.TASKS,
    *upkeep.TASKS,
    *reviews.TASKS,
    *reviews.SCHEDULE_TASKS,
    *backups_tasks.TASKS,
    *retention_services.TASKS,
)
MOST_BYTES = 2 * 1024 * 1024  # of one request at the authors' desk


class Portal(Flask):
    """Flask without asynchronous views: it does not ask of 29 functions a request whether they are any."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function as it is."""
        return func


def create_app(config: Config | None = None) -> Flask:
    """The application, its settings read from the environment unless given.

    Raises:
        ConfigError: A setting is missing or wrong.
        RuntimeError: A route does not say who may call it.
    """
    config = config or Config()
    app = Portal(__name__, static_folder=None, template_folder=None, instance_path=str(config.instance))
    if config.mode == "production":
        config.unmark_demo()
    app.config.update(
        PORTAL=config,
        SECRET_KEY=config.secret_key,
        SQLALCHEMY_DATABASE_URI=config.sqlalchemy_url,
        SQLALCHEMY_ENGINE_OPTIONS=POOL,
        SQLALCHEMY_BINDS=replica_engines(config.replica_url),
        MAX_CONTENT_LENGTH=768 * 1024,
        MAX_FORM_MEMORY_SIZE=MOST_BYTES,
        MAX_FORM_PARTS=500,
    )
    configure_logs(lambda: current_origin().request_id)
    log_slower_than(config.seeing.slow_seconds)
    _prepare_database(app, config)
    _prepare_pages(app, config)
    for views in VIEWS:
        app.register_blueprint(views.bp)
    for commands in COMMANDS:
        _register(app, commands.bp)
    for feature in config.features_on:
        if feature.models:
            feature.load(feature.models)
        for name in feature.blueprints:
            _register(app, feature.load(name))
    upgrade.replace_upgrade()
    refuse_undeclared_routes(app)
    reserve_numbers(_list_pages_beside_people(app))
    make_figures(app)
    setup.wrap(app, https=config.secure, trusted=config.trusted_networks)
    return app


def list_tasks(features: Iterable[Feature]) -> list[Task]:
    """The kinds of job of the core and of these features."""
    of_features = (feature.load(name) for feature in features for name in feature.tasks)
    return [*TASKS, *(task for tasks in of_features for task in tasks)]


def list_commands() -> list[Blueprint]:
    """The commands of the core and of every feature, on or off."""
    names = ((feature, name) for feature in list_features() for name in feature.blueprints)
    of_features = [feature.load(name) for feature, name in names if name == "commands:bp"]
    return [*(commands.bp for commands in COMMANDS), *of_features]


def _register(app: Flask, blueprint: Blueprint) -> None:
    """Register the pages or commands of one room."""
    release.refuse_other_releases(blueprint.cli)
    release.state_command_origins(blueprint.cli)
    app.register_blueprint(blueprint)


def _list_pages_beside_people(app: Flask) -> set[str]:
    """The words in addresses of pages that take the place of a staff number, such as ``accounts``."""
    addresses = [tuple(rule.rule.split("/")) for rule in app.url_map.iter_rules()]
    starts = {parts[: parts.index(NUMBER)] for parts in addresses if NUMBER in parts}
    beside = {
        parts[len(start)]
        for start in starts
        for parts in addresses
        if parts[: len(start)] == start and len(parts) > len(start)
    }
    return {name for name in beside if "<" not in name}


def _prepare_database(app: Flask, config: Config) -> None:
    read_settings_from(lambda: current_app.config["PORTAL"])
    db.init_app(app)
    release.migrate.init_app(app, db)
    subscribe(reconcile_assignments, project_status, announcer=_announce_acts)
    set_tasks(list_tasks(config.features_on))
    with app.app_context():
        for engine in db.engines.values():
            prepare_engine(engine)


def _forget_connections(app: Flask) -> Callable[[], None]:
    def forget_connections() -> None:
        with app.app_context():
            for engine in db.engines.values():
                engine.dispose()

    return forget_connections


def _announce_acts(acts: Sequence[AuditEvent]) -> None:
    notices.queue_notices([*acts, *raise_alerts(acts)])
    for feature in current_settings().features_on:
        for name in feature.hears:
            feature.load(name)(acts)
    closed = [act.subject_id for act in acts if act.action == "account.closed" and act.subject_id]
    if closed:
        retention_services.erase_own_data(closed, spare_held=True)


def _prepare_pages(app: Flask, config: Config) -> None:
    register_request_log(app)
    register_compression(app)
    register_origin(app)
    register_release_guard(app, SchemaWatch(config.sqlalchemy_url, config.instance, _forget_connections(app)))
    register_refused_forms(app)
    register_busy_files(app)
    app.before_request(refuse_control_characters)
    setup.register(app, brand_colour=config.brand_colour)
    error_pages.tell_in_forms_of(app, config.features_on)
    item_kinds.register_templates(app)
    limiter.init_app(app)
    app.before_request(_allow_long_texts)
    register_sessions(app, config)
    register_step_up(app)
    register_frame(app, force_name=config.force_name)


def _allow_long_texts() -> None:
    """Accept larger requests at the authors' desk, so that a text too long for its field is explained."""
    if request.blueprint == authoring_views.bp.name:
        request.max_content_length = max(MOST_BYTES, request.max_content_length or 0)  # an upload has more
