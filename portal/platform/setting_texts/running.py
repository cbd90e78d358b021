"""Settings of the server: what production needs, its data, the watched folder."""

from portal.platform.setting_texts import SettingGroup, SettingText

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
            SettingText(
                "WEBHOOK_NETWORKS",
                "networks to which webhooks may send although they are not public ([webhooks](webhooks.md))",
                "none",
                "`10.20.0.0/16`",
            ),
        ),
    ),
    SettingGroup(
        "The watched folder",
        "Files that other systems put on this machine each night ([the watched folder](watched-folder.md)).",
        (
            SettingText(
                "IMPORT_FOLDER", "whole path of the folder", "no folder is watched", "`/srv/portal-imports`"
            ),
            SettingText(
                "IMPORT_FOLDER_OWNERS",
                "names of users of this machine whose files are taken",
                "the portal’s own user alone",
                "`portal-drop`",
            ),
            SettingText(
                "IMPORT_FOLDER_MAIL_TO",
                "staff numbers of the people who get mail about files that were not imported",
                "everybody who may import rosters for the whole force",
                "`D9001`",
            ),
            SettingText(
                "IMPORT_FOLDER_MOST_ENDED",
                "per cent of posts that a file may end before a person has to confirm it",
                "5",
                "`2`",
            ),
            SettingText(
                "IMPORT_FOLDER_SETTLE_SECONDS",
                "seconds without a change after which a file counts as complete",
                "120",
                "`300`",
            ),
            SettingText(
                "IMPORT_FOLDER_KEPT_DAYS",
                "for how many days files stay in `done` and `quarantine`",
                "30",
                "`14`",
            ),
        ),
    ),
)
