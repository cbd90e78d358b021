"""Checks a return as its receiver does: schema, signature, period, definitions and sums."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from portal.domain.returns.content import DEFINITIONS, ReturnContent, last_day_of
from portal.domain.returns.schema import RETURN_SCHEMA, list_schema_faults
from portal.domain.returns.sums import list_sum_faults
from portal.platform.errors import BadInputError
from portal.platform.signing.documents import is_genuine, read_document
from portal.platform.signing.settings import LONGEST_NAME, NAME

SCHEMA, SIGNATURE, PERIOD, MEANINGS, SUMS = "schema", "signature", "period", "definitions", "sums"
DIRECTIVE = "directive"
CHECKS = {  # each check in the order in which it is made, and what it asks
    SCHEMA: "Is it written as the published schema says?",
    SIGNATURE: "Did the force sign it, with a key that was valid on the day it came?",
    PERIOD: "Is it of the last day of a month that has ended?",
    MEANINGS: "Do its words mean the same as those of every force?",
    SUMS: "Do its numbers add up, and are small ones hidden where it says so?",
    DIRECTIVE: "Is it on the directive of the returns received before?",
}


@dataclass(frozen=True, slots=True)
class CheckedReturn:
    """The content of a file, as far as it could be read, and the faults of each check."""

    content: ReturnContent | None  # None: it does not fit the schema
    key_id: int | None  # of the key that verified it
    faults: tuple[tuple[str, str], ...]  # the check, of ``CHECKS``, and a sentence

    @property
    def has_passed(self) -> bool:
        """Whether every check was passed."""
        return not self.faults

    @property
    def sentences(self) -> list[str]:
        """The faults, a sentence each."""
        return [sentence for _, sentence in self.faults]

    def faults_of(self, check: str) -> list[str] | None:
        """The faults that one check found; None: the check was not made."""
        if self.content is None and check != SCHEMA:
            return None
        return [sentence for name, sentence in self.faults if name == check]


def check_return(content: bytes, keys: Mapping[int, str], on: date, *, force: str = "") -> CheckedReturn:
    """Check a return.

    Args:
        content: The file.
        keys: The public keys, valid on the day, of the force that the file names, by their ids.
        on: The London day on which it came.
        force: The short name of the force whose keys they are; "" where no such force is known.
    """
    try:
        document = read_document(content)
    except BadInputError as error:
        return CheckedReturn(None, None, tuple((SCHEMA, reason) for reason in error.reasons))
    if reasons := list_schema_faults(document, RETURN_SCHEMA):
        return CheckedReturn(None, None, tuple((SCHEMA, reason) for reason in reasons))
    read = ReturnContent.from_document(document)
    key_id = find_signer(document, keys) if read.force == force else None
    faults = [
        *((SIGNATURE, reason) for reason in _list_signature_faults(read, key_id, force)),
        *((PERIOD, reason) for reason in _list_period_faults(read, on)),
        *((MEANINGS, reason) for reason in _list_meaning_faults(read)),
        *((SUMS, reason) for reason in list_sum_faults(read)),
    ]
    return CheckedReturn(read, key_id, tuple(faults))


def read_claimed_force(content: bytes) -> str:
    """Read the short name of the force that an unchecked file names; "" where it names none."""
    try:
        force = read_document(content).get("force")
    except BadInputError:
        return ""
    key = force.get("key") if isinstance(force, dict) else None
    if not isinstance(key, str) or len(key) > LONGEST_NAME:
        return ""
    return key if NAME.fullmatch(key) else ""


def find_signer(document: dict[str, Any], keys: Mapping[int, str]) -> int | None:
    """Find the key with which a document is signed: its id; None: it is signed with none of these."""
    return next((key_id for key_id, key in keys.items() if is_genuine(document, key)), None)


def _list_signature_faults(read: ReturnContent, key_id: int | None, force: str) -> list[str]:
    if read.force != force:
        return [f"No force is registered as “{read.force}”."]
    if key_id is None:
        return ["No key that this force had on the day verifies it: it was changed, or signed with another."]
    return []


def _list_period_faults(read: ReturnContent, on: date) -> list[str]:
    faults = []
    if read.as_at != last_day_of(read.period).isoformat():
        faults.append(f"It counts on {read.as_at}, which is not the last day of {read.period}.")
    if read.as_at >= on.isoformat():
        faults.append(f"The period {read.period} has not ended.")
    faults += _list_instant_faults(read, on)
    if read.number > 1 and not read.reason.strip():
        faults.append("It is a correction, and does not say why it was made.")
    return faults


def _list_instant_faults(read: ReturnContent, on: date) -> list[str]:
    try:
        known_on = datetime.fromisoformat(read.as_known_on).date()
    except ValueError:
        return [f"There is no such time as {read.as_known_on}."]
    faults = []
    if known_on.isoformat() < read.as_at:
        faults.append("It was made before its period ended.")
    if known_on > on:
        faults.append("It says that it was made after the day on which it came.")
    return faults


def _list_meaning_faults(read: ReturnContent) -> list[str]:
    stated, expected = dict(read.definitions), dict(DEFINITIONS)
    faults = [f"“{term}” is not defined." for term in expected if term not in stated]
    faults += [
        f"“{term}” means something else here." for term in expected if stated.get(term, "") != expected[term]
    ]
    faults += [f"“{term}” is not a term that returns use." for term in stated if term not in expected]
    faults += ["A word is defined twice."] if len(stated) != len(read.definitions) else []
    undefined = {f"“{term}” means something else here." for term in expected if term not in stated}
    return [fault for fault in faults if fault not in undefined]
