"""The manifest of the watched folder."""

from portal.feature import ActText, Feature, MailKind, Part, Setting, SettingSection

_PEOPLE = "people"  # the group of acts on people and imports

FEATURE = Feature(
    name="watched_folder",
    title="Watched folder: files that other systems write are imported by a job",
    blueprints=("views:bp",),
    models="models",
    tasks=("importing:TASKS",),
    routines=("importing:ROUTINES",),
    parts=(
        Part("imports.index", "views:show_status"),
        Part("imports.check", "views:show_reasons"),
        Part("retention.removals", "disposals:list_removals"),
    ),
    acts={
        "folder.waiting": ActText(
            _PEOPLE,
            "Held a file for a person to look at: {kind}",
            outbox="Watched folder: a file waits for a person",
        ),
        "folder.quarantined": ActText(
            _PEOPLE,
            "Set a file aside, without importing it: {kind}",
            outbox="Watched folder: a file was set aside",
        ),
        "folder.repeated": ActText(_PEOPLE, "Skipped a file that was imported already: {kind}"),
    },
    hears=("mails:queue_folder_mails",),
    mails=(MailKind("folder", "mails:compose_folder_mail", ""),),
    not_personal={
        "folder_file": "files of the watched folder, and what became of them",
        "folder_look": "when the watched folder was looked at",
    },
    more_stores={"imports": "disposals:STORES"},
    setting_sections=(
        SettingSection(
            "The server and its data",
            "The watched folder",
            "Files that other systems put on this machine each night "
            "([the watched folder](watched-folder.md)).",
            (
                Setting(
                    "",
                    "IMPORT_FOLDER",
                    "whole path of the folder",
                    "no folder is watched",
                    "`/srv/portal-imports`",
                ),
                Setting(
                    "",
                    "IMPORT_FOLDER_OWNERS",
                    "names of users of this machine whose files are taken",
                    "the portal’s own user alone",
                    "`portal-drop`",
                ),
                Setting(
                    "",
                    "IMPORT_FOLDER_MAIL_TO",
                    "staff numbers of the people who get mail about files that were not imported",
                    "everybody who may import rosters for the whole force",
                    "`D9001`",
                ),
                Setting(
                    "",
                    "IMPORT_FOLDER_MOST_ENDED",
                    "per cent of posts that a file may end before a person has to confirm it",
                    "5",
                    "`2`",
                ),
                Setting(
                    "",
                    "IMPORT_FOLDER_SETTLE_SECONDS",
                    "seconds without a change after which a file counts as complete",
                    "120",
                    "`300`",
                ),
                Setting(
                    "",
                    "IMPORT_FOLDER_KEPT_DAYS",
                    "for how many days files stay in `done` and `quarantine`",
                    "30",
                    "`14`",
                ),
            ),
        ),
    ),
    read_settings="folder:read_folder_settings",
    set_up=("importing:examine_folder",),
)
