"""The fictional force on paper: who is where from when to when, before a single fact is written."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from portal.platform.db import OPEN_END

# Words the fictional force is made of: common names joined at random, units, ranks and their weights.

FORCE = "Westshire Police"

SURNAMES = tuple(
    """
    Abbott Achebe Adeyemi Ahmed Ainsworth Alder Ashdown Banerjee Barlow Beckett Begum Birch Blackwood
    Brennan Brook Calder Castell Chaudhry Clay Cohen Conway Cooper Cross Dale Davies Desai Dhillon Doyle
    Drake Dunn Easton Ellis Evans Farrow Fenwick Finch Fletcher Forde Gallagher Ghosh Gill Goodwin
    Grainger Greene Hale Harper Hartley Hussain Ibrahim Iqbal Jarvis Jones Joshi Kaur Keane Khan
    Kowalski Lam Lindqvist Lowe Malik Marsh Mbeki Mercer Mistry Moran Nash Nguyen North Nwosu Oakley Obi
    Okafor Osei Owens Parry Patel Pearce Pritchard Quigley Rahman Reid Rees Rowan Sandhu Shah Silva
    Singh Stone Sutton Swift Thorne Tran Turner Underhill Vance Walsh Ward Wells Whitlock Winter Wong
    Wren Yates Young
    """.split()
)

FORENAMES = tuple(
    """
    Aisha Alan Amina Andrew Anita Arjun Beth Bilal Carys Charlotte Chloe Daniel David Dylan Elin Emeka
    Emma Eve Farah Fatima Fiona Gareth George Grace Gwen Hannah Harpreet Harry Hugh Imogen Imran Isla
    Jack James Jasmine Joanna John Karen Kofi Leah Liam Lucy Maria Mark Maya Megan Michael Mina Nadia
    Naomi Neil Nia Noah Olivia Omar Owen Paul Peter Priya Rachel Ravi Rhys Rosa Ruth Ryan Samira Sarah
    Sean Siobhan Sofia Sunil Tara Thomas Tom Uma Victor Wen Will Yusuf Zara Zoe
    """.split()
)

# (command, unit, teams, designated role, share of the force)
UNITS = (
    ("Response", "Response North", 4, "response", 15),
    ("Response", "Response South", 4, "response", 15),
    ("Response", "Roads Policing", 1, "roads policing", 5),
    ("Neighbourhoods", "Neighbourhood North", 2, "neighbourhood", 9),
    ("Neighbourhoods", "Neighbourhood South", 2, "neighbourhood", 9),
    ("Investigation", "CID", 3, "investigation", 13),
    ("Investigation", "Public Protection", 1, "investigation", 6),
    ("Contact and Custody", "Contact Centre", 3, "contact", 12),
    ("Contact and Custody", "Custody", 2, "custody", 7),
    ("Headquarters", "Learning and Development", 0, "learning and development", 2),
    ("Headquarters", "Professional Standards", 0, "professional standards", 3),
    ("Headquarters", "Corporate Services", 0, "corporate services", 4),
)

RANKS = {
    "response": ("Constable", "Constable", "Constable", "Constable", "Special Constable"),
    "roads policing": ("Constable",),
    "neighbourhood": ("Constable", "PCSO", "PCSO"),
    "investigation": ("Detective Constable", "Detective Constable", "Police Staff"),
    "contact": ("Police Staff", "Police Staff", "Police Staff", "Constable"),
    "custody": ("Constable", "Police Staff"),
}

SERGEANT = {"investigation": "Detective Sergeant"}
REASONS = ("maternity_or_parental", "not_available_for_duty", "secondment", "role_not_affected", "leaving")

# staff number, surname, forenames, rank, designated role, unit path below the force, grant, unit of the grant
AccountRow = tuple[str, str, str, str, str, str, str | None, str | None]
ACCOUNTS: tuple[AccountRow, ...] = (
    ("D1001", "Shah", "Priya", "Constable", "response", "Response/Response North/Team A", None, None),
    (
        "D2001", "Okafor", "Daniel", "Sergeant", "response", "Response/Response North/Team A",
        "manager", "Response/Response North/Team A",
    ),
    (
        "D2002", "Hale", "Ruth", "Chief Inspector", "investigation", "Investigation",
        "manager", "Investigation",
    ),
    (
        "D3001", "Rees", "Carys", "Police Staff", "learning and development",
        "Headquarters/Learning and Development", "author", None,
    ),
    (
        "D3002", "Mercer", "Hugh", "Police Staff", "learning and development",
        "Headquarters/Learning and Development", "publisher", None,
    ),
    (
        "D4001", "Adeyemi", "Grace", "Superintendent", "learning and development",
        "Headquarters/Learning and Development", "directive-owner", None,
    ),
    (
        "D5001", "Lindqvist", "Tom", "Sergeant", "learning and development",
        "Headquarters/Learning and Development", "facilitator", None,
    ),
    (
        "D6001", "Walsh", "Fiona", "Police Staff", "professional standards",
        "Headquarters/Professional Standards", "auditor", None,
    ),
    (
        "D9001", "Ghosh", "Neil", "Police Staff", "corporate services", "Headquarters/Corporate Services",
        "administrator", None,
    ),
)  # fmt: skip

# What the fictional force entered under "Your force's details". 01632 is kept for drama: nobody answers.
FORCE_VALUES = {
    "nccu_contact": "ring 01632 960101, day and night (a made-up number)",
    "intelligence_document": "form W-12 “Report to NCCU” (made up), under Forms on the intranet",
    "intelligence_route": "the mailbox “NCCU documents”, read day and night (made up)",
    "crime_recording": "Westlog (a made-up system)",
    "safeguarding_contact": "safeguarding desk, 01632 960102, day and night (a made-up number)",
    "no_attendance": "duty inspector, 01632 960103; bus and beds: council night desk, 01632 960104 (made up)",
    "arrest_guidance": "instruction W-30 “People found” (made up); if in doubt, the duty inspector",
    "interpreter_line": "ring 01632 960105 and give the code WEST (made up)",
    "lone_child_process": "Westshire has signed up (made up); children’s night desk, 01632 960106",
    "device_guidance": "instruction W-31 “Devices” (made up); on-call inspector, 01632 960107",
    "migrant_victims": "instruction W-32 (made up); the service to offer is Harbour House, 01632 960108",
    "intelligence_report": "form W-20 in Westintel, to the intelligence desk; labels as here (made up)",
    "source_unit": "source desk, 01632 960109, through your sergeant (a made-up number)",
    "sharing_plan": "plan W-40 “What to ask, who reads it” (made up), on the intranet",
    "regional_contact": "intelligence desk, 01632 960110, makes the contact for you (a made-up number)",
    "accessibility_contact": "training.access@westshire.example or 01632 960111 (made up)",
    "accessibility_answer": "within 10 working days (made up)",
    "accessibility_content": "none (made up)",
    "accessibility_burden": "nothing (made up)",
    "accessibility_reviewed": "2 November 2026 (made up)",
    "privacy_lawful_basis": "as decided by the data protection officer of Westshire (made up)",
    "privacy_officer": "dpo@westshire.example or 01632 960112 (made up)",
    "privacy_sharing": "nobody (made up)",
    "privacy_retention": "as the Westshire schedule W-50 “Training records” says (made up)",
}

DAYS = 450  # of history before the day of creation
DUE = date(2026, 4, 30)  # of the directive


@dataclass
class PlannedPost:
    """A post as it will be recorded; ``unit`` is a path below the force."""

    unit: str
    role: str
    rank: str
    since: date
    until: date = OPEN_END
    learned_late_days: int = 0  # recorded that long after its end became true


@dataclass
class PlannedPerson:
    """A person with their posts, in order."""

    staff_number: str
    surname: str
    forenames: str
    posts: list[PlannedPost] = field(default_factory=list)
    manager: str | None = None  # staff number


def unit_paths() -> list[str]:
    """Every unit below the force, parents first."""
    paths: dict[str, None] = {}
    for command, unit, teams, _, _ in UNITS:
        paths[command] = None
        paths[f"{command}/{unit}"] = None
        for letter in "ABCDEF"[:teams]:
            paths[f"{command}/{unit}/Team {letter}"] = None
    return list(paths)


def plan_people(people: int, today: date, random: Random) -> list[PlannedPerson]:
    """The nine with accounts and enough others to make ``people``."""
    start = today - timedelta(days=DAYS)
    planned = [_plan_account(row, start, today) for row in ACCOUNTS]
    sergeants: dict[str, str] = {"Response/Response North/Team A": "D2001"}
    weights = [u[4] for u in UNITS]
    for number in range(people - len(planned)):
        command, unit, teams, role, _ = random.choices(UNITS, weights)[0]
        path = f"{command}/{unit}" + (f"/Team {random.choice('ABCDEF'[:teams])}" if teams else "")
        person = PlannedPerson(f"W{3001 + number}", random.choice(SURNAMES), random.choice(FORENAMES))
        rank = random.choice(RANKS.get(role, ("Police Staff",)))
        if path not in sergeants:
            sergeants[path], rank = person.staff_number, SERGEANT.get(role, "Sergeant")
        else:
            person.manager = sergeants[path]
        person.posts.append(PlannedPost(path, role, rank, start - timedelta(days=random.randint(30, 3000))))
        _plan_career(person, start, today, random, teams)
        planned.append(person)
    planned[0].manager = "D2001"
    return planned


def _plan_account(
    row: tuple[str, str, str, str, str, str, str | None, str | None], start: date, today: date
) -> PlannedPerson:
    staff_number, surname, forenames, rank, role, unit, _, _ = row
    since = today - timedelta(days=10) if staff_number == "D1001" else start - timedelta(days=400)
    return PlannedPerson(staff_number, surname, forenames, [PlannedPost(unit, role, rank, since)])


def _plan_career(person: PlannedPerson, start: date, today: date, random: Random, teams: int) -> None:
    """What happens to some: they join late, move, or leave."""
    first = person.posts[0]
    fate = random.random()
    if fate < 0.08:
        first.since = start + timedelta(days=random.randint(20, DAYS - 5))
    elif fate < 0.13 and teams:
        moved = start + timedelta(days=random.randint(60, DAYS - 20))
        command, unit, count, role, _ = random.choice([u for u in UNITS if u[2]])
        rank = random.choice(RANKS[role])
        path = f"{command}/{unit}/Team {random.choice('ABCDEF'[:count])}"
        first.until = moved - timedelta(days=1)
        first.learned_late_days = random.choice((0, 0, 9))
        person.posts.append(PlannedPost(path, role, rank, moved))
    elif fate < 0.17:
        first.until = min(today, start + timedelta(days=random.randint(90, DAYS - 10)))
