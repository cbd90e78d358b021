"""Words of retention: states, and what the portal removes by itself."""

from config import Config
from portal.domain.accounts import retention as sign_in_rows
from portal.domain.imports.kept_rows import KEPT_FOR
from portal.domain.imports.queries import FILE_RETENTION
from portal.domain.reports.completion.export_files import KEEP_FOR
from portal.domain.retention.data_requests import DataRequestRow
from portal.domain.retention.periods import period_words
from portal.domain.retention.queries import DisposalRow
from portal.domain.webhooks import retention as webhook_rows
from portal.platform.watched_folder.settings import FolderSettings
from portal.platform.wording import date, instant, number, plural

STATE_WORDS = {
    "waiting": "Waits for a second person",
    "running": "Approved, being removed",
    "done": "Done",
    "refused": "Refused",
    "withdrawn": "Withdrawn",
}


def list_automatic_removals(settings: Config) -> list[tuple[str, str]]:
    """What the portal removes without being asked, and when."""
    return [
        (
            "Sessions that ended",
            f"{sign_in_rows.SESSION_RETENTION.days} days after they can no longer be used",
        ),
        ("Links to set a password", "When they run out"),
        ("Refused sign-ins, counted to slow guessing", "After 2 hours"),
        (
            "Browsers that a person signed in from",
            f"After {sign_in_rows.BROWSER_RETENTION.days} days without use",
        ),
        (
            "Force accounts that were refused at sign-in",
            f"After {sign_in_rows.REFUSAL_RETENTION.days} days",
        ),
        ("Forms kept after a session ended", "After an hour"),
        (
            "Uploaded files of imports",
            f"When cancelled, or {FILE_RETENTION.days} days after upload or import",
        ),
        *_list_folder_files(settings.import_folder),
        ("Rows kept for people who are not on the roster", f"After {KEPT_FOR.days} days"),
        ("Files made for download", f"After {KEEP_FOR.days * 24} hours"),
        (
            "Messages to webhooks",
            f"{webhook_rows.DELIVERED_RETENTION.days} days after delivery,"
            f" {webhook_rows.FAILED_RETENTION.days} after a failure",
        ),
        ("Background jobs", f"{settings.jobs_kept_days} days after their end"),
        (
            "Recall answers, and what a learner found clear",
            "When their account is closed, unless under a hold",
        ),
    ]


def _list_folder_files(folder: FolderSettings) -> list[tuple[str, str]]:
    return (
        [("Files of the watched folder", f"{folder.kept_days} days after they were imported or set aside")]
        if folder.path
        else []
    )


def certificate_rows(row: DisposalRow) -> list[dict[str, str]]:
    """The certificate of a disposal as pairs of a name and a value, on its page and in its document."""
    words = row.words or {}
    pairs = [
        ("Class", words.get("title", row.kept_class.title)),
        ("What went", words.get("goes", "")),
        ("What stays", words.get("stays", "")),
        ("Period", f"{period_words(row.months)} from {words.get('runs_from', '')}"),
        ("Reason for the period", words.get("reason", "")),
        ("Rows from", f"{date(row.oldest_on)} to {date(row.through_on)}"),
        ("Asked by", f"{row.asked_by}, at {instant(row.asked_at)}"),
        ("Reason for the disposal", row.reason),
        ("Approved by", f"{row.decided_by or 'Erased'}, at {instant(row.decided_at)}"),
        ("Began", instant(row.began_at)),
        ("Ended", instant(row.ended_at)),
        ("Due when it was asked for", plural(row.rows, "row")),
        ("Removed", plural(row.disposed_rows or 0, "row")),
        ("Left because of a legal hold", plural(row.held_rows or 0, "row")),
        ("Reference", str(row.uuid)),
    ]
    if ended_early := words.get("ended_early"):
        pairs.insert(-1, ("Ended early", ended_early))
    counts = [(f"Removed: {name}", number(count)) for name, count in sorted((row.counts or {}).items())]
    return [{"key": key, "value": value} for key, value in [*pairs[:-1], *counts, pairs[-1]]]


def request_state(row: DataRequestRow) -> str:
    """Where a request about data is, in words."""
    if row.outcome is None:
        return f"Answer due by {date(row.due_on)}"
    return "Done" if row.outcome == "done" else "Refused"
