"""Settings of the force and its mail."""

from portal.platform.setting_texts import SettingGroup, SettingText

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
            SettingText(
                "REPORT_MAIL_FILES",
                "`on`: whoever has a directive’s report emailed may attach its rows as CSV ([saved "
                "reports](saved-reports.md))",
                "off: links alone",
                "`on`",
            ),
        ),
    ),
    SettingGroup(
        "Returns",
        "What a force tells the unit that coordinates all of them ([returns](../returns.md)).",
        (
            SettingText(
                "RETURN_KEY_FILE",
                "path of the private key that signs returns, for the portal’s user alone; "
                "`flask returns keys make` writes one",
                "no return can be made; in the demo, `return-key.pem` in `INSTANCE_DIR`",
                "`/etc/portal/return-key.pem`",
            ),
            SettingText(
                "RETURN_FORCE",
                "the force’s short name at the coordinating unit",
                "made of `FORCE_NAME`, such as `westshire-police`",
                "`westshire`",
            ),
            SettingText(
                "COORDINATOR_KEY",
                "public key of the coordinating unit, by which its comparisons are checked",
                "no comparison is taken",
                "44 characters that the unit gives",
            ),
            SettingText(
                "COORDINATOR",
                "`on`: this portal receives the returns of all forces, and has the pages for it",
                "off; on in the demo",
                "`on`",
            ),
        ),
    ),
)
