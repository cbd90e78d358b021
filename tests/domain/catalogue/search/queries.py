"""What an officer types at three in the morning, and the pages of which one answers it."""

L = "/learning/modules"
WHO, DOCUMENT = "/guides/who-to-call", "/guides/intelligence-document"

QUERIES = {
    "refering victm": (f"{L}/protect/lessons/refer-or-notify",),
    "nccu number": (f"{L}/respond/lessons/call-and-record", WHO),
    "NRM": (f"{L}/protect/lessons/refer-or-notify", f"{L}/protect/lessons/may-be-a-child"),
    "s.2": (f"{L}/protect/lessons/which-offence", f"{L}/recognise/lessons/what-oic-is"),
    "section 25": (f"{L}/protect/lessons/which-offence",),
    "s45 defence": (f"{L}/protect/lessons/who-decides",),
    "interperter": (f"{L}/respond/lessons/people-first",),
    "need a translater on the phone": (f"{L}/respond/lessons/people-first", WHO),
    "lorrys": (
        f"{L}/recognise/lessons/a-lorry-at-the-services",
        f"{L}/respond/lessons/before-you-open",
    ),
    "banging in lorry": (f"{L}/recognise/lessons/a-lorry-at-the-services",),
    "sieze phone": (f"{L}/protect/lessons/whose-phone",),
    "is it a child": (f"{L}/protect/lessons/may-be-a-child", WHO),
    "age dispute": (f"{L}/protect/lessons/may-be-a-child", WHO),
    "unacompanied children": (f"{L}/protect/lessons/may-be-a-child", WHO),
    "smugling vs traficking": (f"{L}/recognise/lessons/what-oic-is",),
    "3x5x2": (f"{L}/report/lessons/grade-it", DOCUMENT, "/glossary"),
    "grading intel": (f"{L}/report/lessons/grade-it", DOCUMENT),
    "handling codes": (f"{L}/report/lessons/share-it-safely", f"{L}/report/lessons/grade-it", DOCUMENT),
    "untested source": (f"{L}/report/lessons/grade-it",),
    "anonymus tip": (f"{L}/report/lessons/grade-it", f"{L}/report/lessons/intelligence-and-evidence"),
    "chis": (f"{L}/report/lessons/if-they-offer-more", "/glossary"),
    "sham mariage": (f"{L}/recognise/lessons/what-oic-is", "/glossary"),
    "debt bondage": ("/glossary", f"{L}/recognise/lessons/who-is-harmed"),
    "modern slavery indicaters": (
        f"{L}/recognise/lessons/clusters-not-faces",
        f"{L}/recognise/lessons/who-is-harmed",
        "/glossary",
    ),
    "duty to notifiy": (f"{L}/protect/lessons/refer-or-notify",),
    "handover": (f"{L}/respond/lessons/hand-over", f"{L}/respond"),
    "power to enter vehical": (
        f"{L}/respond/lessons/before-you-open",
        f"{L}/respond/lessons/scene-vehicle-papers",
    ),
    "detain imigration": (f"{L}/respond/lessons/on-what-power", WHO),
    "false passports": (
        f"{L}/respond/lessons/scene-vehicle-papers",
        f"{L}/recognise/lessons/what-oic-is",
        WHO,
    ),
    "disclosure of material": (f"{L}/report/lessons/intelligence-and-evidence", "/glossary", f"{L}/report"),
    "hawalla": ("/glossary", f"{L}/recognise/lessons/what-oic-is"),
    "seperate people": (f"{L}/respond/lessons/people-first",),
}
