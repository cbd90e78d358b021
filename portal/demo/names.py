"""Words the fictional force is made of: common names joined at random, units, ranks and their weights."""

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
