"""Settings, read once from the environment; nothing else reads it."""

import os
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from portal.feature import Feature, ProviderSettings, SignInProvider, choose_features, list_feature_faults
from portal.pages.layout import brand, proxies
from portal.platform.backups.settings import BackupSettings, read_backup_settings
from portal.platform.engines import list_database_faults, with_driver
from portal.platform.mail import MailSettings
from portal.platform.network_names import list_faults
from portal.platform.observability.logs import SeeingSettings, read_seeing_settings
from portal.platform.openid.settings import OpenIdSettings
from portal.platform.outbound import list_proxy_faults
from portal.platform.secret_values import list_secret_faults, read_secret, weakness_of_secret
from portal.platform.signing.settings import ReturnSettings, read_return_settings

ROOT = Path(__file__).resolve().parent
# Where the instance folder is unless a setting names another: installed from a wheel, below where one works.
BASE = Path.cwd() if ROOT.name in {"site-packages", "dist-packages"} else ROOT
DEMO_MARK = "demo"  # the file by which ``make run`` marks an instance folder; holds the port served
PRODUCTION_SIGNS = ("SECRET_KEY", "PUBLIC_URL", "DATABASE_URL", "SMTP_HOST")  # no demo where one is set
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
ON_OFF = {"on", "off", ""}
NO_NUMBER = -1  # stands in for text that is not a number; below every limit
LONGEST_LINE = 500  # characters of a text that people read
CONTACT = re.compile(r"mailto:[^@\s]+@[^@\s]+|https://[^\s/]+\S*", re.ASCII)
RETIRED = {  # settings of earlier releases, and what to do about each
    "JOBS_URL": "JOBS_URL is no longer used and can be removed: workers find jobs in the portal's database.",
}
LIMITS = {  # the least and the most of each number
    "PORT": (1, 65_535),
    "SESSION_IDLE_MINUTES": (1, 24 * 60),
    "SESSION_ABSOLUTE_HOURS": (1, 7 * 24),
    "JOBS_WORKERS": (1, 64),
    "JOBS_LOST_SECONDS": (1, 24 * 60 * 60),
    "JOBS_KEPT_DAYS": (7, 3_650),  # its page is looked for after a long weekend
    "SMALL_NUMBER": (5, 100),  # below it a number of people is hidden in what the public gets
    "SMTP_PORT": (1, 65_535),
    "SMTP_PER_MINUTE": (1, 1_000_000),
    "SMTP_TIMEOUT_SECONDS": (1, 600),
}
# Each by its field, such as idle_minutes and smtp_seconds:
NUMBERS = {name.lower().replace("session_", "").replace("timeout_", ""): name for name in LIMITS}


class ConfigError(Exception):
    """Settings that are missing or wrong: a sentence for each, which says what to write.

    Attributes:
        sentences: One for each setting; none repeats a value, which may be a secret.
    """

    def __init__(self, *sentences: str) -> None:
        self.sentences = sentences
        super().__init__("\n".join(sentences))


def _env(name: str, default: str = "") -> str:
    return os.environ.get(name, default).strip()


_secret = partial(read_secret, environment=_env)


def list_retired_settings() -> list[str]:
    """A sentence for each setting in the environment that the portal no longer reads."""
    return [sentence for name, sentence in RETIRED.items() if _env(name)]


def _number_setting(name: str, default: str) -> int:
    return _parse_digits(_env(name) or default)


def _parse_digits(text: str) -> int:
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else NO_NUMBER


@dataclass(frozen=True)
class Config:
    """Every setting of one running portal."""

    mode: str = field(default_factory=lambda: _env("PORTAL_MODE"))
    database_url: str = field(default_factory=lambda: _secret("DATABASE_URL"))
    replica_url: str = field(default_factory=lambda: _secret("REPLICA_URL"))
    bind: str = field(default_factory=lambda: _env("BIND", "127.0.0.1"))
    port: int = field(default_factory=lambda: _number_setting("PORT", "8000"))
    public_url: str = field(default_factory=lambda: _env("PUBLIC_URL"))
    trusted_proxies: str = field(default_factory=lambda: _env("TRUSTED_PROXIES"))
    secret_key: str = field(default_factory=lambda: _secret("SECRET_KEY"))
    demo_password: str = field(default_factory=lambda: _secret("DEMO_PASSWORD"))
    instance: Path = field(default_factory=lambda: Path(_env("INSTANCE_DIR") or BASE / "instance"))
    force_name: str = field(default_factory=lambda: _env("FORCE_NAME", "Westshire Police"))
    sign_in_help: str = field(
        default_factory=lambda: _env(
            "SIGN_IN_HELP", "Ask the learning and development team of your force for a new sign-in link."
        )
    )
    security_contact: str = field(default_factory=lambda: _env("SECURITY_CONTACT"))
    status_networks: str = field(default_factory=lambda: _env("STATUS_NETWORKS", "127.0.0.0/8 ::1"))
    metrics_networks: str = field(default_factory=lambda: _env("METRICS_NETWORKS"))
    seeing: SeeingSettings = field(default_factory=lambda: read_seeing_settings(_env, _secret))
    network_names: str = field(default_factory=lambda: _env("NETWORK_NAMES"))
    brand_colour: str = field(default_factory=lambda: _env("BRAND_COLOUR") or brand.DEFAULT)
    idle_minutes: int = field(default_factory=lambda: _number_setting("SESSION_IDLE_MINUTES", "60"))
    absolute_hours: int = field(default_factory=lambda: _number_setting("SESSION_ABSOLUTE_HOURS", "12"))

    oidc_issuer: str = field(default_factory=lambda: _env("OIDC_ISSUER"))
    oidc_client_id: str = field(default_factory=lambda: _env("OIDC_CLIENT_ID"))
    oidc_client_secret: str = field(default_factory=lambda: _secret("OIDC_CLIENT_SECRET"))
    oidc_match_claim: str = field(default_factory=lambda: _env("OIDC_MATCH_CLAIM"))
    oidc_match_field: str = field(default_factory=lambda: _env("OIDC_MATCH_FIELD"))
    oidc_label: str = field(default_factory=lambda: _env("OIDC_LABEL", "your force account"))
    oidc_acr: str = field(default_factory=lambda: _env("OIDC_ACR"))
    oidc_amr: str = field(default_factory=lambda: _env("OIDC_AMR"))
    local_sign_in: str = field(default_factory=lambda: _env("LOCAL_SIGN_IN"))
    second_factor: str = field(default_factory=lambda: _env("SECOND_FACTOR"))

    features: str = field(default_factory=lambda: _env("FEATURES", "all"))
    feature_settings: Mapping[str, Any] = field(default_factory=dict, hash=False)  # by feature that is on
    webhook_networks: str = field(default_factory=lambda: _env("WEBHOOK_NETWORKS"))
    outbound_proxy: str = field(default_factory=lambda: _secret("OUTBOUND_PROXY"), repr=False)

    small_number: int = field(default_factory=lambda: _number_setting("SMALL_NUMBER", "5"))
    link_check: str = field(default_factory=lambda: _env("LINK_CHECK"))
    line_manager_sight: str = field(default_factory=lambda: _env("LINE_MANAGER_SIGHT"))
    returns: ReturnSettings = field(default_factory=lambda: read_return_settings(_env))

    jobs: str = field(default_factory=lambda: _env("JOBS", "embedded"))
    jobs_workers: int = field(default_factory=lambda: _number_setting("JOBS_WORKERS", "1"))
    jobs_lost_seconds: int = field(default_factory=lambda: _number_setting("JOBS_LOST_SECONDS", "30"))
    jobs_kept_days: int = field(default_factory=lambda: _number_setting("JOBS_KEPT_DAYS", "90"))

    backup: BackupSettings = field(default_factory=lambda: read_backup_settings(_env, _secret))

    smtp_host: str = field(default_factory=lambda: _env("SMTP_HOST"))
    smtp_port: int = field(default_factory=lambda: _number_setting("SMTP_PORT", "587"))
    smtp_tls: str = field(default_factory=lambda: _env("SMTP_TLS", "starttls"))
    smtp_user: str = field(default_factory=lambda: _env("SMTP_USER"))
    smtp_password: str = field(default_factory=lambda: _secret("SMTP_PASSWORD"))
    smtp_from: str = field(default_factory=lambda: _env("SMTP_FROM"))
    smtp_authorities: str = field(default_factory=lambda: _env("SMTP_CA_FILE"))
    smtp_per_minute: int = field(default_factory=lambda: _number_setting("SMTP_PER_MINUTE", "60"))
    smtp_seconds: int = field(default_factory=lambda: _number_setting("SMTP_TIMEOUT_SECONDS", "30"))
    mail_from_time: str = field(default_factory=lambda: _env("MAIL_FROM_TIME", "07:00"))
    mail_until_time: str = field(default_factory=lambda: _env("MAIL_UNTIL_TIME", "20:00"))
    mail_bank_holidays: str = field(default_factory=lambda: _env("MAIL_ON_BANK_HOLIDAYS", "no"))
    mail_days_off: str = field(default_factory=lambda: _env("MAIL_DAYS_OFF"))

    def __post_init__(self) -> None:
        """Settle what depends on other settings.

        Raises:
            ConfigError: Some are missing or wrong: all of them are named.
        """
        if not self.mode:
            self._take_mark()
        self._read_feature_settings()
        faults = [*list_secret_faults(_env), *self._folder_faults(), *self._mode_faults()]
        if self.mode == "demo" and not faults:
            self._keep("secret_key", secrets.token_hex(32))
            self._keep("demo_password", "-".join(secrets.token_hex(3) for _ in range(4)))
        for check in (
            self._number_faults, self._text_faults, self._address_faults, self._sign_in_faults,
            self._access_faults, self._database_faults, self._jobs_faults, self.mail.list_faults,
            self.seeing.list_faults, self.backup.list_faults,
            self.returns.list_faults,
        ):  # fmt: skip
            faults += check()
        if faults:
            raise ConfigError(*faults)

    def _set_field(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    def _read_feature_settings(self) -> None:
        """Read the settings of the features that are on; those that were given stay."""
        with_settings = (feature for feature in self.features_on if feature.read_settings)
        read = {feature.name: feature.load(feature.read_settings)(_env) for feature in with_settings}
        self._set_field("feature_settings", {**read, **self.feature_settings})

    def _take_mark(self) -> None:
        """Set the mode: demo if ``make run`` marked the folder and no setting is meant for production."""
        mark = self.instance / DEMO_MARK
        marked = mark.is_file() and not any(map(_secret, PRODUCTION_SIGNS))
        self._set_field("mode", "demo" if marked else "production")
        if marked and not _env("PORT"):
            self._set_field("port", _parse_digits(mark.read_text().strip()))

    def mark_demo(self) -> None:
        """Mark the instance folder as a demo, so that commands without settings use this demo."""
        (self.instance / DEMO_MARK).write_text(f"{self.port}\n")

    def unmark_demo(self) -> None:
        """Remove the mark, so that a folder used for production is never taken for a demo."""
        (self.instance / DEMO_MARK).unlink(missing_ok=True)

    def _folder_faults(self) -> Iterator[str]:
        try:
            self.instance.mkdir(parents=True, exist_ok=True, mode=0o700)
            writable = os.access(self.instance, os.R_OK | os.W_OK | os.X_OK)
        except OSError:
            writable = False
        if not writable:
            yield f"INSTANCE_DIR: {self.instance} is no folder that the portal can make and write to."

    def _mode_faults(self) -> Iterator[str]:
        if self.mode not in {"demo", "production"}:
            yield "PORTAL_MODE is 'demo' or 'production'."
        if self.mode != "production":
            return
        if not self.secret_key:
            yield "SECRET_KEY is missing: production needs at least 32 random characters."
        elif weakness := weakness_of_secret(self.secret_key):
            yield f"SECRET_KEY {weakness}: give it at least 32 random characters."
        if not self.public_url:
            yield "PUBLIC_URL is missing: production needs the address that people open."

    def _number_faults(self) -> Iterator[str]:
        for attribute, name in NUMBERS.items():
            least, most = LIMITS[name]
            if not least <= getattr(self, attribute) <= most:
                yield f"{name} is {least} or more, up to {most}, in digits."

    def _text_faults(self) -> Iterator[str]:
        for name, text in (("FORCE_NAME", self.force_name), ("SIGN_IN_HELP", self.sign_in_help)):
            if not text or not text.isprintable() or len(text) > LONGEST_LINE:
                yield f"{name} is one line of 1 to {LONGEST_LINE} characters."
        if not re.fullmatch(r"[A-Za-z0-9.:_-]+", self.bind):
            yield "BIND is an address of this machine such as 127.0.0.1, without a port."
        if self.security_contact and not CONTACT.fullmatch(self.security_contact):
            yield "SECURITY_CONTACT is mailto: and an email address, or an address that begins with https://"
        try:
            self._set_field("brand_colour", brand.check_colour(self.brand_colour))
        except brand.BrandColourError as error:
            yield f"BRAND_COLOUR: {error}"

    def _address_faults(self) -> Iterator[str]:
        if not self.public_url:
            return
        try:
            parts = urlsplit(self.address)
            is_address = parts.port != 0 and parts.scheme in {"http", "https"} and parts.hostname
        except ValueError:  # also of a port that is none
            is_address = False
        if not is_address:
            yield "PUBLIC_URL is an address such as https://learning.example.police.uk"
        elif parts.scheme == "http" and parts.hostname not in LOOPBACK:
            yield "PUBLIC_URL must be https, except on a loopback host."

    def _sign_in_faults(self) -> Iterator[str]:
        yield from self.openid.list_faults()
        for feature in self.features_on:
            if feature.name in self.feature_settings:
                yield from self.feature_settings[feature.name].list_faults()
        if self.oidc_issuer and self._other_provider:
            both = f"OIDC_ISSUER and {self._other_provider[0].setting}"
            yield f"{both} are both set: remove the settings of one of the two."
        if self.second_factor not in {"required", "offered", ""}:
            yield "SECOND_FACTOR is 'required' or 'offered'."
        if self.local_sign_in not in {"administrators", "everyone", ""}:
            yield "LOCAL_SIGN_IN is 'administrators' or 'everyone'."
        elif self.local_sign_in == "administrators" and not self._provider_set:
            yield "LOCAL_SIGN_IN is 'everyone' without a provider (OIDC or SAML): nobody else could sign in."

    def _access_faults(self) -> Iterator[str]:
        switches = {"LINE_MANAGER_SIGHT": self.line_manager_sight, "LINK_CHECK": self.link_check}
        yield from (f"{name} is 'on' or 'off'." for name, text in switches.items() if text not in ON_OFF)
        for name in ("TRUSTED_PROXIES", "STATUS_NETWORKS", "METRICS_NETWORKS", "WEBHOOK_NETWORKS"):
            try:
                proxies.parse_networks(getattr(self, name.lower()))
            except proxies.NetworkError as error:
                yield f"{name} lists networks such as 10.1.0.0/16, with commas between them: {error}."
        yield from list_faults(self.network_names)
        yield from list_feature_faults(self.features)
        yield from list_proxy_faults(self.outbound_proxy)

    def _database_faults(self) -> Iterator[str]:
        yield from list_database_faults(self.sqlalchemy_url, self.replica_url)

    def _jobs_faults(self) -> Iterator[str]:
        if self.jobs not in {"embedded", "separate"}:
            yield "JOBS is 'embedded' or 'separate'."

    @property
    def openid(self) -> OpenIdSettings:
        """The force's own sign-in; its issuer is empty where there is none."""
        return OpenIdSettings(
            self.oidc_issuer, self.oidc_client_id, self.oidc_client_secret,
            self.oidc_match_claim, self.oidc_match_field, self.oidc_label,
            frozenset(self.oidc_acr.split()), frozenset(self.oidc_amr.split()),
        )  # fmt: skip

    @property
    def _other_provider(self) -> tuple[SignInProvider, ProviderSettings] | None:
        """The force's own sign-in that a feature reaches, with its settings; None where there is none."""
        for feature in self.features_on:
            if feature.provider and self.feature_settings[feature.name].is_set:
                return feature.provider, self.feature_settings[feature.name]
        return None

    @property
    def _provider_set(self) -> bool:
        return bool(self.oidc_issuer or self._other_provider)

    @property
    def provider_issuer(self) -> str:
        """Under which issuer people are bound to the force's own sign-in; empty where there is none."""
        return self._other_provider[1].issuer if self._other_provider else self.oidc_issuer

    @property
    def provider_label(self) -> str:
        """What the button of the force's own sign-in says after "Sign in with"; empty where there is none."""
        if self._other_provider:
            return self._other_provider[1].label
        return self.oidc_label if self.oidc_issuer else ""

    @property
    def provider_claim(self) -> str:
        """The claim or attribute by which the force's own sign-in names a person."""
        return self._other_provider[1].claim if self._other_provider else self.oidc_match_claim

    @property
    def provider_begins_at(self) -> str:
        """The endpoint of the page that begins a sign-in at the force's own."""
        return self._other_provider[0].begins_at if self._other_provider else "sign_in.begin_sign_in"

    @property
    def passwords_for_everyone(self) -> bool:
        """Whether everyone may sign in with a password; beside the force's own sign-in, administrators."""
        return not self._provider_set or self.local_sign_in == "everyone"

    @property
    def second_factor_required(self) -> bool:
        """Whether whoever sees or changes other people's data needs a second factor; not in the demo."""
        return (self.second_factor or ("offered" if self.mode == "demo" else "required")) == "required"

    @property
    def line_managers_see(self) -> bool:
        """Whether line managers see direct reports without a grant; the default only in the demo."""
        return (self.line_manager_sight or ("on" if self.mode == "demo" else "off")) == "on"

    @property
    def mail(self) -> MailSettings:
        """The force's relay, and when mail may go."""
        return MailSettings(
            self.smtp_host, self.smtp_tls, self.smtp_from, self.smtp_authorities,
            self.mail_from_time, self.mail_until_time, self.mail_bank_holidays, self.mail_days_off,
        )  # fmt: skip

    def _keep(self, name: str, fresh: str) -> None:
        """What the demo makes up is kept in the instance folder, for its owner alone."""
        if getattr(self, name):
            return
        file = self.instance / name
        try:
            with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as made:
                made.write(fresh)
        except FileExistsError:
            fresh = file.read_text().strip()
        self._set_field(name, fresh)

    @property
    def address(self) -> str:
        """Where people reach the portal, without a slash at its end."""
        return (self.public_url or f"http://127.0.0.1:{self.port}").rstrip("/")

    @property
    def trusted_networks(self) -> tuple[proxies.Network, ...]:
        """Networks of proxies trusted to give a client's address in ``X-Forwarded-For``; none by default."""
        return proxies.parse_networks(self.trusted_proxies)

    @property
    def watching_networks(self) -> tuple[proxies.Network, ...]:
        """Networks that may read the details of ``/readyz``; this machine alone unless set."""
        return proxies.parse_networks(self.status_networks)

    @property
    def allowed_networks(self) -> tuple[proxies.Network, ...]:
        """Networks to which webhooks may send although they are not public; none by default."""
        return proxies.parse_networks(self.webhook_networks)

    @property
    def features_on(self) -> tuple[Feature, ...]:
        """The features that are switched on."""
        return choose_features(self.features)

    @property
    def secure(self) -> bool:
        """Whether people reach the portal by https: decides cookies and HSTS."""
        return urlsplit(self.address).scheme == "https"

    @property
    def sqlalchemy_url(self) -> str:
        """The database: embedded SQLite where nothing else is set; PostgreSQL through psycopg 3."""
        return with_driver(self.database_url or f"sqlite:///{self.instance / 'portal.sqlite'}")


_readers: list[Callable[[], Config]] = []


def read_settings_from(reader: Callable[[], Config]) -> None:
    """Have ``current_settings`` call ``reader``. The application does this once, at its start."""
    _readers[:] = [reader]


def current_settings() -> Config:
    """The settings of the running application, for code that knows nothing of the web framework.

    Raises:
        RuntimeError: No application has said where its settings are.
    """
    if not _readers:
        raise RuntimeError("No application runs.")
    return _readers[0]()
