"""What the addresses of pages name, made on a server through its pages."""

from uuid import UUID, uuid4

from playwright.sync_api import Browser, Page

from tests.feature_sweeps import list_sweeps
from tests.journeys.events_held import PEOPLE, hold_event
from tests.journeys.places import ADMINISTRATOR, AUTHOR, LEARNER, MANAGER, OWNER
from tests.journeys.prepared import file_asked
from tests.journeys.walking import (
    answer_by_forms,
    ask,
    change,
    follow,
    pass_by_forms,
    press,
    reach_assessment,
    send,
    sign_in,
    take_new_values,
    token_in,
    visitor,
)
from tests.platform.tables.written_workbooks import xlsx
from tests.running import Server


def made(browser: Browser, server: Server) -> dict[str, str]:
    """What the addresses name, made once on this server."""
    attempts = attempts_made(browser, server)
    of_features: dict[str, str] = {}
    for make in (make for sweeps in list_sweeps() for make in getattr(sweeps, "MAKE_BY_PAGES", ())):
        of_features |= make(browser, server)
    return (
        attempts
        | of_features
        | draft_made(browser, server)
        | type_proposed(browser, server)
        | job_made(browser, server)
        | report_saved(browser, server)
        | {"file": file_asked(server, MANAGER)}
        | imports_made(browser, server)
        | requests_made(browser, server)
        | retention_made(browser, server)
        | event_held(server)
    )


def event_held(server: Server) -> dict[str, str]:
    """An event under way, and the booking of somebody whom another facilitator signed off."""
    event = hold_event(server.instance)
    return {"event": event.reference, "signed_off": str(event.bookings[PEOPLE[-1]])}


ROSTER = """staff_number,surname,forenames,email,rank_or_grade,designated_role,unit_path,\
line_manager_staff_number,valid_from,valid_to
N1,Hale,Robin,n1@westshire.example,Constable,response,Westshire Police/New Command/Team 1,,{},{}
"""


def imports_made(browser: Browser, server: Server) -> dict[str, str]:
    """Three rosters: in one every row is good, in one none, and in one it must be said what the day is."""
    found = {}
    with visitor(browser, server) as tab:
        sign_in(tab, ADMINISTRATOR)
        days = {"good": ("2026-01-05", ""), "bad": ("2026-01-05", "someday"), "unsure": ("5/1/2026", "")}
        for name, first_and_last in days.items():
            tab.goto("/imports/roster/new")
            content = ROSTER.format(*first_and_last).encode()
            tab.set_input_files("#file", {"name": f"{name}.csv", "mimeType": "text/csv", "buffer": content})
            press(tab, "Continue")
            press(tab, "Check the file")
            if name != "unsure":
                take_new_values(tab)
            found[name] = tab.url.removesuffix("/values").split("/")[-1]
        return found | sheets_made(tab) | kept_row_made(tab)


def sheets_made(tab: Page) -> dict[str, str]:
    """A roster of which it must be said in which sheet it is."""
    lists = {name: [["staff_number", "surname"], ["N1", "Hale"]] for name in ("April", "May")}
    tab.goto("/imports/roster/new")
    book = {"name": "several.xlsx", "mimeType": "application/octet-stream", "buffer": xlsx(lists)}
    tab.set_input_files("#file", book)
    press(tab, "Continue")
    return {"several": tab.url.removesuffix("/sheet").split("/")[-1]}


def kept_row_made(tab: Page) -> dict[str, str]:
    """A kept completion of somebody who is not on the roster."""
    content = b"Staff number,Course,Completed on\nN404,recognise,2026-01-05\n"
    tab.goto("/imports/completions/new")
    tab.set_input_files("#file", {"name": "export.csv", "mimeType": "text/csv", "buffer": content})
    tab.check("input[value=completion]", force=True)
    press(tab, "Continue")
    tab.fill("#fixed_source_system", "Old system")
    tab.check("#keeps_unknown", force=True)
    tab.fill("#save_as", "Old system, nightly")
    press(tab, "Check the file")
    press(tab, "Apply the import")
    tab.goto("/imports/kept")
    address = tab.get_by_role("link", name="N404").get_attribute("href") or ""
    return {"kept": address.split("/")[-2]}


def job_made(browser: Browser, server: Server) -> dict[str, str]:
    """A job that the administrator started."""
    with visitor(browser, server) as tab:
        sign_in(tab, ADMINISTRATOR)
        tab.goto("/jobs")
        press(tab, "Start: Check of all assignments")
        return {"job": tab.url.split("/")[-1]}


def report_saved(browser: Browser, server: Server) -> dict[str, str]:
    """A report that a manager saved and scheduled."""
    with visitor(browser, server) as tab:
        sign_in(tab, MANAGER)
        tab.goto("/saved-reports/new?directive=OIC-2026&status=late")
        tab.fill("#name", "Overdue in my unit")
        press(tab, "Save the report")
        tab.check("#every")
        press(tab, "Email the report")
        return {"saved": tab.url.split("/")[-2]}


def attempts_made(browser: Browser, server: Server) -> dict[str, str]:
    """The learner's attempts: one passed, with its record, one failed, one under way."""
    instance = server.instance
    with visitor(browser, server) as tab:
        sign_in(tab, LEARNER)
        passed = pass_by_forms(tab.context, instance, "protect").split("/")[-2]
        failed = reach_assessment(tab.context, instance, "recognise")
        token = token_in(tab.context.request.get("/learning").text())
        answer_by_forms(tab.context, instance, failed, token, right=False)
        send(tab.context, f"/assessment/{failed}/submission", token)
        under_way = reach_assessment(tab.context, instance, "respond")
    query = "SELECT r.reference FROM record r JOIN pass_record p ON p.record_id = r.id WHERE attempt_id = ?"
    ((reference,),) = ask(instance, query, UUID(passed).hex)
    return {"passed": passed, "failed": failed, "under_way": under_way, "reference": reference}


def requests_made(browser: Browser, server: Server) -> dict[str, str]:
    """The owner's requests of a day to come: one that waits, one granted, one that waits for two people."""
    with visitor(browser, server) as tab:
        sign_in(tab, OWNER)
        for person in ("D1001", "D2002"):
            tab.goto(f"/people/{person}/ask/exemption")
            tab.check("[name=about][value='OIC-2026']")
            tab.fill("#from_on", "1 June 2030")
            tab.check("[name=reason][value='secondment']")
            press(tab, "Send request")
        press(tab, "Grant")
        joint = _joint_request_made(tab)
    rows = ask(
        server.instance,
        "SELECT r.uuid FROM decision_request r LEFT JOIN decision d ON d.request_id = r.id"
        " WHERE r.joint_uuid IS NULL ORDER BY d.id",
    )
    return {"asked": str(UUID(rows[0][0])), "granted": str(UUID(rows[1][0])), "joint": joint}


def retention_made(browser: Browser, server: Server) -> dict[str, str]:
    """A disposal of one old email that waits, a hold on the manager, and two requests of the learner."""
    change(
        server.instance,
        "INSERT INTO message (reference, person_id, kind, state, created_at, not_before, tries, reason)"
        " SELECT ?, person_id, 'notice', 'sent', ?, ?, 1, '' FROM person_name WHERE staff_number = ?",
        uuid4().hex,
        *["2015-01-01 09:00:00.000000"] * 2,
        MANAGER,
    )
    with visitor(browser, server) as tab:
        sign_in(tab, ADMINISTRATOR)
        tab.goto("/retention/classes/mail")
        tab.fill("#reason", "Yearly disposal")
        press(tab, "Ask for the disposal")
        found = {"disposal": tab.url.split("/")[-1]}
        for kind in ("correction", "erasure"):
            tab.goto("/retention/requests")
            tab.fill("#staff_number", LEARNER)
            tab.check(f"[name=kind][value={kind}]")
            tab.fill("#received", "today")
            tab.fill("#reason", "By letter")
            press(tab, "Note the request")
            found[kind] = tab.url.split("/")[-1]
        tab.goto("/retention/holds")
        tab.check("[name=scope][value=person]")
        tab.fill("#staff_number", MANAGER)
        tab.fill("#reason", "Case 7")
        press(tab, "Place the hold")
        follow(tab, "Lift it")
        return found | {"hold": tab.url.split("/")[-2]}


def _joint_request_made(tab: Page) -> str:
    tab.goto("/decisions/directives/OIC-2026/exemption")
    for box in tab.locator("[name=people]").all()[:2]:
        box.check()
    tab.fill("#from_on", "1 July 2030")
    tab.check("[name=reason][value='secondment']")
    press(tab, "Continue")
    press(tab, "Send request for 2 people")
    return tab.url.split("/")[-1]


def draft_made(browser: Browser, server: Server) -> dict[str, str]:
    """Drafts of the author's: a module and a guide being written, and a module sent for review."""
    with visitor(browser, server) as tab:
        sign_in(tab, AUTHOR)
        for key in ("protect", "report", "_guides/who-to-call"):
            tab.goto(f"/authoring/{key}")
            press(tab, "Edit")
        tab.goto("/authoring/report/job-aid")
        tab.fill("#title", "Reporting, on one page")
        press(tab, "Save and preview")
        tab.goto("/authoring/report/review/send")
        tab.fill("#note", "A shorter title.")
        press(tab, "Send for review")
    return {"draft": "protect", "sent": "report", "guide": "who-to-call"}


def type_proposed(browser: Browser, server: Server) -> dict[str, str]:
    """A proposal of the author's for the next version of the event type, which waits."""
    with visitor(browser, server) as tab:
        sign_in(tab, AUTHOR)
        tab.goto("/events/types/oic-hydra/change")
        tab.fill("#minutes", "270")
        tab.fill("#note", "Longer, with a break.")
        press(tab, "Send to a publisher")
        return {"type_proposal": tab.url.split("/")[-1]}


def lessons(server: Server) -> list[str]:
    """Every published lesson."""
    rows = ask(
        server.instance,
        "SELECT DISTINCT a.key, l.key FROM lesson l JOIN module_version v ON v.id = l.module_version_id"
        " JOIN activity a ON a.id = v.activity_id ORDER BY 1, 2",
    )
    return [f"/learning/modules/{slug}/lessons/{key}" for slug, key in rows]


def longest_lessons(server: Server) -> list[str]:
    """Of each module the published lesson that has most to show."""
    rows = ask(
        server.instance,
        "SELECT a.key, l.key, max(length(l.html)) FROM lesson l JOIN module_version v"
        " ON v.id = l.module_version_id JOIN activity a ON a.id = v.activity_id GROUP BY a.key ORDER BY 1",
    )
    return [f"/learning/modules/{slug}/lessons/{key}" for slug, key, _ in rows]
