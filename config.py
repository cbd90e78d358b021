"""Settings, read once from the environment; nothing else reads it."""

import os
import secrets
from dataclasses import dataclass, field
from datetime import date, time
from pathlib import Path
from urllib.parse import urlsplit

from portal.web import brand, proxies

ROOT = Path(__file__).resolve().parent
FEWEST_DAYS_KEPT = 7  # what a job made is there for a day, and its page is looked for after a long weekend
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class ConfigError(Exception):
    """A setting is missing or wrong; the text says which and what to write."""


def _env(name: str, default: str = "") -> str:
    return os.environ.get(name, default).strip()


@dataclass(frozen=True)
class Config:
    """Every setting of one running portal."""

    mode: str = field(default_factory=lambda: _env("PORTAL_MODE", "production"))
    database_url: str = field(default_factory=lambda: _env("DATABASE_URL"))
    bind: str = field(default_factory=lambda: _env("BIND", "127.0.0.1"))
    port: int = field(default_factory=lambda: int(_env("PORT", "8000")))
    public_url: str = field(default_factory=lambda: _env("PUBLIC_URL"))
    trusted_proxies: str = field(default_factory=lambda: _env("TRUSTED_PROXIES"))
    secret_key: str = field(default_factory=lambda: _env("SECRET_KEY"))
    demo_password: str = field(default_factory=lambda: _env("DEMO_PASSWORD"))
    instance: Path = field(default_factory=lambda: Path(_env("INSTANCE_DIR") or ROOT / "instance"))
    force_name: str = field(default_factory=lambda: _env("FORCE_NAME", "Westshire Police"))
    sign_in_help: str = field(
        default_factory=lambda: _env(
            "SIGN_IN_HELP", "Ask the learning and development team of your force for a new sign-in link."
        )
    )
    brand_colour: str = field(default_factory=lambda: _env("BRAND_COLOUR") or brand.DEFAULT)
    idle_minutes: int = field(default_factory=lambda: int(_env("SESSION_IDLE_MINUTES", "60")))
    absolute_hours: int = field(default_factory=lambda: int(_env("SESSION_ABSOLUTE_HOURS", "12")))

    line_manager_sight: str = field(default_factory=lambda: _env("LINE_MANAGER_SIGHT"))

    jobs: str = field(default_factory=lambda: _env("JOBS", "embedded"))
    jobs_url: str = field(default_factory=lambda: _env("JOBS_URL"))
    jobs_workers: int = field(default_factory=lambda: int(_env("JOBS_WORKERS", "1")))
    jobs_lost_seconds: int = field(default_factory=lambda: int(_env("JOBS_LOST_SECONDS", "30")))
    jobs_kept_days: int = field(default_factory=lambda: int(_env("JOBS_KEPT_DAYS", "90")))

    smtp_host: str = field(default_factory=lambda: _env("SMTP_HOST"))
    smtp_port: int = field(default_factory=lambda: int(_env("SMTP_PORT", "587")))
    smtp_tls: str = field(default_factory=lambda: _env("SMTP_TLS", "starttls"))
    smtp_user: str = field(default_factory=lambda: _env("SMTP_USER"))
    smtp_password: str = field(default_factory=lambda: _env("SMTP_PASSWORD"))
    smtp_from: str = field(default_factory=lambda: _env("SMTP_FROM"))
    smtp_authorities: str = field(default_factory=lambda: _env("SMTP_CA_FILE"))
    smtp_per_minute: int = field(default_factory=lambda: int(_env("SMTP_PER_MINUTE", "60")))
    smtp_seconds: int = field(default_factory=lambda: int(_env("SMTP_TIMEOUT_SECONDS", "30")))
    mail_from_time: str = field(default_factory=lambda: _env("MAIL_FROM_TIME", "07:00"))
    mail_until_time: str = field(default_factory=lambda: _env("MAIL_UNTIL_TIME", "20:00"))
    mail_bank_holidays: str = field(default_factory=lambda: _env("MAIL_ON_BANK_HOLIDAYS", "no"))
    mail_days_off: str = field(default_factory=lambda: _env("MAIL_DAYS_OFF"))

    def __post_init__(self) -> None:
        if self.mode not in {"demo", "production"}:
            raise ConfigError("PORTAL_MODE is 'demo' or 'production'.")
        if self.mode == "demo":
            self._keep("secret_key", secrets.token_hex(32))
            self._keep("demo_password", "-".join(secrets.token_hex(3) for _ in range(4)))
        if self.mode == "production":
            missing = [
                name
                for name, value in (("SECRET_KEY", self.secret_key), ("PUBLIC_URL", self.public_url))
                if not value
            ]
            if missing:
                raise ConfigError(f"Set {' and '.join(missing)} before the portal starts in production.")
            if len(self.secret_key) < 32:
                raise ConfigError("SECRET_KEY is too short: give it at least 32 random characters.")
        self._check_address()
        self._check_jobs()
        self._check_mail()
        if self.line_manager_sight not in {"on", "off", ""}:
            raise ConfigError("LINE_MANAGER_SIGHT is 'on' or 'off'.")
        try:
            object.__setattr__(self, "brand_colour", brand.checked(self.brand_colour))
        except brand.BrandColourError as error:
            raise ConfigError(f"BRAND_COLOUR: {error}") from error

    def _check_address(self) -> None:
        parts = urlsplit(self.address)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ConfigError("PUBLIC_URL is an address such as https://learning.example.police.uk")
        if parts.scheme == "http" and parts.hostname not in LOOPBACK:
            raise ConfigError("PUBLIC_URL must be https, except on a loopback host.")
        try:
            self.trusted_networks  # noqa: B018 - read, so that a wrong one stops the start
        except proxies.NetworkError as error:
            raise ConfigError(
                f"TRUSTED_PROXIES lists networks such as 10.1.0.0/16, with commas between them: {error}."
            ) from error

    def _check_jobs(self) -> None:
        if self.jobs not in {"embedded", "separate"}:
            raise ConfigError("JOBS is 'embedded' or 'separate'.")
        if urlsplit(self.jobs_address).scheme not in {"sqlite", "postgresql", "redis", "rediss"}:
            raise ConfigError("JOBS_URL begins with sqlite:///, postgresql:// or redis://")
        if self.jobs_workers < 1:
            raise ConfigError("JOBS_WORKERS is 1 or more.")
        if self.jobs_lost_seconds < 1:
            raise ConfigError("JOBS_LOST_SECONDS is 1 or more; 30 where nothing speaks against it.")

        if self.jobs_kept_days < FEWEST_DAYS_KEPT:
            raise ConfigError(
                f"JOBS_KEPT_DAYS is {FEWEST_DAYS_KEPT} or more: people still ask what came of a job."
            )

    def _check_mail(self) -> None:
        if self.smtp_tls not in {"starttls", "tls", "none"}:
            raise ConfigError("SMTP_TLS is 'starttls', 'tls' or 'none'.")
        if self.smtp_host and "@" not in self.smtp_from:
            raise ConfigError("Set SMTP_FROM, such as 'Learning portal <learning@example.police.uk>'.")
        if self.smtp_per_minute < 1 or self.smtp_seconds < 1:
            raise ConfigError("SMTP_PER_MINUTE and SMTP_TIMEOUT_SECONDS are 1 or more.")
        if self.mail_bank_holidays not in {"yes", "no"}:
            raise ConfigError("MAIL_ON_BANK_HOLIDAYS is 'yes' or 'no'.")
        try:
            first, last = self.mail_times
            self.days_off  # noqa: B018 - read, so that a wrong one stops the start
        except ValueError as error:
            raise ConfigError(
                "MAIL_FROM_TIME and MAIL_UNTIL_TIME are times such as 07:00, MAIL_DAYS_OFF are days "
                "such as 2026-12-24."
            ) from error
        if first >= last:
            raise ConfigError("MAIL_FROM_TIME lies before MAIL_UNTIL_TIME.")

    @property
    def line_managers_see(self) -> bool:
        """Whether line managers see direct reports without a grant; only the demo says so by itself."""
        return (self.line_manager_sight or ("on" if self.mode == "demo" else "off")) == "on"

    @property
    def mail_times(self) -> tuple[time, time]:
        """From and until when mail may go, in London."""
        return time.fromisoformat(self.mail_from_time), time.fromisoformat(self.mail_until_time)

    @property
    def days_off(self) -> list[date]:
        """Days of the force's own on which no mail goes."""
        return [date.fromisoformat(day) for day in self.mail_days_off.replace(",", " ").split()]

    def _keep(self, name: str, fresh: str) -> None:
        """What the demo makes up is kept in the instance folder, for its owner alone."""
        if getattr(self, name):
            return
        self.instance.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = self.instance / name
        try:
            with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as made:
                made.write(fresh)
        except FileExistsError:
            fresh = file.read_text().strip()
        object.__setattr__(self, name, fresh)

    @property
    def address(self) -> str:
        """Where people reach the portal, without a slash at its end."""
        return (self.public_url or f"http://127.0.0.1:{self.port}").rstrip("/")

    @property
    def trusted_networks(self) -> tuple[proxies.Network, ...]:
        """Networks of the proxies whose word on a sender's address is believed; none unless set."""
        return proxies.networks(self.trusted_proxies)

    @property
    def secure(self) -> bool:
        """Whether people reach the portal by https: decides cookies and HSTS."""
        return urlsplit(self.address).scheme == "https"

    @property
    def sqlalchemy_url(self) -> str:
        """The database: embedded SQLite where nothing else is set; PostgreSQL through psycopg 3."""
        url = self.database_url or f"sqlite:///{self.instance / 'portal.sqlite'}"
        for prefix in ("postgres://", "postgresql://"):
            if url.startswith(prefix):
                return "postgresql+psycopg://" + url.removeprefix(prefix)
        return url

    @property
    def jobs_address(self) -> str:
        """What carries jobs to workers: PostgreSQL where the database is there, else a file of its own."""
        url = self.jobs_url or self.sqlalchemy_url
        if not self.jobs_url and url.startswith("sqlite"):
            return f"sqlite:///{self.instance / 'jobs.sqlite'}"
        return "postgresql://" + url.split("://", 1)[1] if url.startswith("postgres") else url
