"""The manifest of saved reports."""

from portal.feature import ActText, Feature, MailKind, MenuItem, Part, Setting
from portal.platform.permissions import Permission

_MAIL = "mail"  # the group of acts on mails

FEATURE = Feature(
    name="saved_reports",
    title="Saved reports: a report with its filters, kept under a name, shared and mailed",
    blueprints=("views:bp",),
    models="models",
    tasks=("mails:TASKS",),
    navigation=(
        MenuItem(
            "Monitoring",
            "Overview",
            "Saved reports",
            "/saved-reports",
            Permission.COMPLETION_VIEW,
            "Reports with their filters, shared or sent as a link",
        ),
    ),
    parts=(
        Part("monitoring.overview", "views:show_on_overview"),
        Part("monitoring.report", "views:show_on_report"),
        Part("monitoring.changes", "views:show_on_changes"),
    ),
    acts={
        "saved_report.saved": ActText(_MAIL, "Saved a report[ of {directive}]"),
        "saved_report.shared": ActText(_MAIL, "Shared a saved report with them"),
        "saved_report.unshared": ActText(_MAIL, "Ended the sharing of a saved report with them"),
        "saved_report.scheduled": ActText(_MAIL, "Scheduled the emails of a saved report, every {every}"),
        "saved_report.schedule_stopped": ActText(_MAIL, "Stopped the emails of a saved report[: {reason}]"),
        "saved_report.mailed": ActText(
            _MAIL, "Queued the emails of a saved report for {day}, messages: {letters}"
        ),
        "saved_report.mail_turned_off": ActText(
            _MAIL, "Turned off the emails of a report that is shared with them"
        ),
        "saved_report.mail_turned_on": ActText(
            _MAIL, "Turned on the emails of a report that is shared with them"
        ),
        "saved_report.deleted": ActText(_MAIL, "Deleted a saved report"),
    },
    mails=(MailKind("report", "mails:compose_report_mail", "A saved report"),),
    of_messages=("models:ReportMail",),
    personal_data="personal_data:TABLES",
    references="personal_data:REFERENCES",
    settings=(
        Setting(
            "MAIL_DAYS_OFF",
            "REPORT_MAIL_FILES",
            "`on`: whoever has a directive’s report emailed may attach its rows as CSV ([saved "
            "reports](saved-reports.md))",
            "off: links alone",
            "`on`",
        ),
    ),
    read_settings="settings:read_settings",
)
