"""Settings of figures, logs and backups."""

from portal.platform.setting_texts import SettingGroup, SettingText

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
