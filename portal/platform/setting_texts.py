"""What each setting means; ``make data-model`` writes docs/operating/settings.md from it."""

from typing import NamedTuple


class SettingText(NamedTuple):
    """A setting: its name, its meaning, what holds where it is not set, and an example; as Markdown."""

    name: str
    meaning: str
    default: str
    example: str


class SettingGroup(NamedTuple):
    """Settings that belong together, with a sentence before them; "" for none."""

    title: str
    intro: str
    settings: tuple[SettingText, ...]


# Settings of the force and its mail.

PEOPLE = (
    SettingGroup(
        "The force",
        "",
        (
            SettingText(
                "FORCE_NAME",
                "name of the force, on pages and in files",
                "`Westshire Police`",
                "`Westshire Police`",
            ),
            SettingText(
                "BRAND_COLOUR",
                "colour of the bar at the top; refused where white text on it cannot be read",
                "a dark blue",
                "`#14284b`",
            ),
            SettingText(
                "LINE_MANAGER_SIGHT",
                "`on`: line managers of today’s roster see their direct reports without a grant",
                "off; on in the demo",
                "`on`",
            ),
            SettingText(
                "SMALL_NUMBER",
                "from 5 to 100: a number of people below it, but 0, cannot be told in packs for freedom of "
                "information requests ([packs](packs.md))",
                "5",
                "`10`",
            ),
            SettingText(
                "SECURITY_CONTACT",
                "where to report a weakness: `mailto:` and an address, or an https address",
                "no `/.well-known/security.txt`",
                "`mailto:security@example.police.uk`",
            ),
        ),
    ),
    SettingGroup(
        "Mail",
        "What they do, and what to do when mail stops: [mail](../runbook/mail.md).",
        (
            SettingText(
                "SMTP_HOST",
                "the force’s relay",
                "nothing is sent: messages wait",
                "`relay.example.police.uk`",
            ),
            SettingText("SMTP_PORT", "port of the relay", "587", "`465`"),
            SettingText(
                "SMTP_FROM",
                "the sender",
                "needed with a host",
                "`Learning portal <learning@example.police.uk>`",
            ),
            SettingText("SMTP_TLS", "`starttls`, `tls` or `none`", "`starttls`", "`tls`"),
            SettingText("SMTP_USER", "name at a relay that needs a sign-in", "no sign-in", "`portal`"),
            SettingText(
                "SMTP_PASSWORD", "password at a relay that needs a sign-in", "no sign-in", "from the relay"
            ),
            SettingText(
                "SMTP_CA_FILE",
                "certificates trusted beside the system’s",
                "the system’s",
                "`/etc/ssl/certs/force.pem`",
            ),
            SettingText("SMTP_PER_MINUTE", "messages a minute at most", "60", "`300`"),
            SettingText(
                "SMTP_TIMEOUT_SECONDS",
                "seconds of silence after which a relay counts as stalled",
                "30",
                "`60`",
            ),
            SettingText("MAIL_FROM_TIME", "time in London from which mail goes", "`07:00`", "`06:00`"),
            SettingText("MAIL_UNTIL_TIME", "time in London until which mail goes", "`20:00`", "`22:00`"),
            SettingText("MAIL_ON_BANK_HOLIDAYS", "`yes` or `no`", "`no`", "`yes`"),
            SettingText("MAIL_DAYS_OFF", "further days without mail", "none", "`2026-12-24 2026-12-31`"),
        ),
    ),
)


# Settings of the server: what production needs, its data.

RUNNING = (
    SettingGroup(
        "Needed in production",
        "",
        (
            SettingText(
                "PORTAL_MODE",
                "`production` or `demo`",
                "`production`; `demo` in a folder that `make run` marked",
                "`production`",
            ),
            SettingText(
                "SECRET_KEY",
                "at least 32 random characters; signs cookies and encrypts what must be read again",
                "the start is refused in production; the demo makes one up",
                "`openssl rand -hex 32` makes one",
            ),
            SettingText(
                "PUBLIC_URL",
                "the address that people open; https, except on a loopback host",
                "the start is refused in production",
                "`https://learning.example.police.uk`",
            ),
        ),
    ),
    SettingGroup(
        "The server and its data",
        "",
        (
            SettingText(
                "BIND", "address of this machine on which the server listens", "`127.0.0.1`", "`10.20.30.40`"
            ),
            SettingText("PORT", "port on which the server listens", "8000", "`8443`"),
            SettingText(
                "DATABASE_URL",
                "`postgresql://…`, or `sqlite:///` and the path of a file",
                "`portal.sqlite` in `INSTANCE_DIR`",
                "`postgresql:///portal`",
            ),
            SettingText(
                "REPLICA_URL",
                "`postgresql://…` of a streaming replica of that database: reports are read there "
                "([nodes](nodes.md))",
                "reports are read from the database",
                "`postgresql://reader@replica.example.police.uk/portal`",
            ),
            SettingText(
                "INSTANCE_DIR",
                "folder for the SQLite file and for what the demo makes up",
                "`instance` in the checkout; with a wheel, where the command is typed",
                "`/var/lib/portal`",
            ),
            SettingText(
                "TRUSTED_PROXIES",
                "networks whose forwarded addresses are believed ([sign-in](../runbook/sign-in.md))",
                "nobody’s",
                "`10.1.2.3`",
            ),
            SettingText(
                "NETWORK_NAMES",
                "names shown beside addresses where people are signed in ([sign-in](../runbook/sign-in.md))",
                "addresses alone",
                "`10.1.0.0/16=Headquarters; 10.2.0.0/16=North`",
            ),
            SettingText(
                "STATUS_NETWORKS",
                "networks that may read the details of `/readyz`",
                "this machine",
                "`10.1.2.0/24`",
            ),
            SettingText(
                "JOBS",
                "`embedded`: a worker beside the server; `separate`: you start workers "
                "([jobs](../runbook/jobs.md))",
                "`embedded`",
                "`separate`",
            ),
            SettingText(
                "JOBS_WORKERS",
                "how many jobs at once in one worker process, beside a file of a report",
                "1",
                "`2`",
            ),
            SettingText("JOBS_KEPT_DAYS", "for how many days a job is listed after it ended", "90", "`30`"),
            SettingText(
                "JOBS_LOST_SECONDS", "seconds of silence after which a job counts as cut off", "30", "`60`"
            ),
            SettingText(
                "FEATURES",
                "`all`, or the names of the features that are on, with spaces between; empty is not set. "
                "Switched off, a feature has no page, link, command or job; its data stays",
                "`all`",
                "`webhooks`",
            ),
            SettingText(
                "OUTBOUND_PROXY",
                "HTTP proxy to the public internet, for webhooks and OpenID Connect "
                "([webhooks](webhooks.md#through-a-proxy))",
                "none",
                "`http://proxy.example.police.uk:3128`",
            ),
            SettingText(
                "LINK_CHECK",
                "`on`: once a week the portal asks each page of the web that a published text links "
                "to whether it is still there; never a private address. Authors see what is broken",
                "off",
                "`on`",
            ),
        ),
    ),
)


# Settings of signing in.

SIGN_IN = (
    SettingGroup(
        "Sign-in",
        "",
        (
            SettingText(
                "SIGN_IN_HELP",
                "one line: where people get help to sign in",
                "the learning and development team",
                "`Call the service desk on 5000.`",
            ),
            SettingText(
                "SESSION_IDLE_MINUTES", "minutes without a page after which a session ends", "60", "`30`"
            ),
            SettingText(
                "SESSION_ABSOLUTE_HOURS", "hours after which a session ends in any case", "12", "`10`"
            ),
            SettingText(
                "OIDC_ISSUER",
                "address of the force’s own sign-in ([Entra ID](entra-id.md))",
                "passwords only",
                "`https://login.example.police.uk/tenant/v2.0`",
            ),
            SettingText(
                "OIDC_CLIENT_ID",
                "the portal’s id at the provider",
                "needed with an issuer",
                "`learning-portal`",
            ),
            SettingText(
                "OIDC_CLIENT_SECRET",
                "the portal’s secret at the provider",
                "needed with an issuer",
                "from the provider",
            ),
            SettingText(
                "OIDC_MATCH_CLAIM", "which claim names a person", "needed with an issuer", "`employee_id`"
            ),
            SettingText(
                "OIDC_MATCH_FIELD",
                "the field of the roster with which that claim is compared",
                "needed with an issuer",
                "`staff_number`",
            ),
            SettingText(
                "OIDC_LABEL",
                "what the button says after “Sign in with”",
                "`your force account`",
                "`your Westshire account`",
            ),
            SettingText(
                "LOCAL_SIGN_IN",
                "`everyone` or `administrators`: who may use a password beside the force’s sign-in",
                "`administrators`",
                "`everyone`",
            ),
            SettingText(
                "SECOND_FACTOR",
                "`required` or `offered`: whether whoever sees others’ data needs a passkey or codes "
                "beside a password ([second factors](second-factor.md))",
                "`required`; `offered` in the demo",
                "`required`",
            ),
            SettingText(
                "OIDC_ACR",
                "values of the claim `acr` by which the provider shows a second factor ([second "
                "factors](second-factor.md))",
                "the provider is trusted",
                "`urn:example:mfa`",
            ),
            SettingText(
                "OIDC_AMR",
                "values of the claim `amr` by which the provider shows a second factor",
                "the provider is trusted",
                "`mfa`",
            ),
            SettingText(
                "DEMO_PASSWORD",
                "password of the demo’s accounts",
                "the demo makes one up",
                "`four-words-of-your-own`",
            ),
        ),
    ),
)


# Settings of figures, logs and backups.

WATCHING = (
    SettingGroup(
        "Seeing",
        "What they open and where it is read: [seeing how the portal is](seeing.md).",
        (
            SettingText("METRICS_NETWORKS", "networks that may read `/metrics`", "nobody", "`10.1.2.3`"),
            SettingText(
                "METRICS_TOKEN",
                "at least 32 random characters: whoever sends them as a bearer token may read `/metrics`",
                "nobody",
                "`openssl rand -hex 32` makes one",
            ),
            SettingText(
                "LOG_REQUESTS",
                "`all`: a line in the log for each request; `refused`: for those with status 400 and above",
                "`all`; `refused` in the demo",
                "`refused`",
            ),
            SettingText(
                "SLOW_STATEMENT_MS",
                "milliseconds from which a statement to the database is logged as slow",
                "500",
                "`250`",
            ),
        ),
    ),
    SettingGroup(
        "Backups",
        "How to set them up, and what to do when one fails: [backups](backup.md).",
        (
            SettingText(
                "BACKUP_DIR",
                "folder in which a job backs up the database each day",
                "the portal makes no backups",
                "`/var/backups/portal`",
            ),
            SettingText("BACKUP_AT", "time of day in London", "`02:15`", "`03:30`"),
            SettingText(
                "BACKUP_KEEP_DAYS", "of how many days with a backup the newest is kept", "14", "`30`"
            ),
            SettingText(
                "BACKUP_KEEP_WEEKS", "of how many weeks with a backup the newest is kept", "8", "`12`"
            ),
            SettingText(
                "BACKUP_KEEP_MONTHS", "of how many months with a backup the newest is kept", "6", "`24`"
            ),
            SettingText(
                "BACKUP_PUBLIC_KEYS",
                "public keys of age (`age1…`), with spaces between them: whoever has the identity of "
                "one can open a backup",
                "backups are not encrypted",
                "`backups new-key` makes one",
            ),
            SettingText(
                "BACKUP_COPY_TO",
                "a folder on another machine’s disk, or `s3://BUCKET/PREFIX`",
                "no copy",
                "`s3://portal-backups/nightly`",
            ),
            SettingText(
                "BACKUP_S3_ENDPOINT",
                "the storage’s https address",
                "Amazon’s own",
                "`https://storage.example.police.uk`",
            ),
            SettingText("BACKUP_S3_REGION", "the storage’s region", "`eu-west-2`", "`eu-west-1`"),
            SettingText(
                "BACKUP_S3_KEY_ID", "name of the storage’s key", "needed with a bucket", "`portal-backups`"
            ),
            SettingText(
                "BACKUP_S3_SECRET_KEY", "the storage’s key", "needed with a bucket", "from the storage"
            ),
            SettingText(
                "BACKUP_REHEARSAL_DAYS", "days between two rehearsals of a restore; 0: none", "7", "`14`"
            ),
            SettingText(
                "BACKUP_IDENTITY_FILE",
                "path of the identity that opens encrypted backups for rehearsals",
                "they are rehearsed by hand",
                "`/etc/portal/backup.identity`",
            ),
            SettingText(
                "BACKUP_MAIL_TO",
                "email addresses that hear of rehearsals and of what fails",
                "nobody is written to",
                "`it@example.police.uk`",
            ),
        ),
    ),
)
