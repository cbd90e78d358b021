"""Whose data each route of the assurance desk shows: the force's, and of people the names of owners alone.

Every view holder sees the whole force, so those names too.
"""

from tests.pages.access.shown import NOBODY

ASSURANCE_ROUTES: dict[str, str] = {
    "assurance.show_board": NOBODY,
    "assurance.show_recommendation": NOBODY,
    "assurance.show_narrative": NOBODY,
    "assurance.save_narrative": NOBODY,
    "assurance.show_packs": NOBODY,
    "assurance.show_packs_of_all": NOBODY,
    "assurance.request_pack": NOBODY,
    "assurance.request_pack_of_all": NOBODY,
    "assurance.show_pack_file": NOBODY,
    "assurance.download_pack": NOBODY,
    "assurance.act_on_pack": NOBODY,
}
