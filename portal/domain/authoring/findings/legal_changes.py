"""The statements of law that a draft changed since its published version; a solicitor reads them again."""

from dataclasses import dataclass

from portal.domain.authoring.content_types import subject_of
from portal.domain.catalogue.sources.module_source import Package, parse_package
from portal.domain.content_checks.legal_statements import (
    LegalStatement,
    changed_statements,
    list_statements,
)
from portal.platform.formats.faults import Faults


@dataclass(frozen=True, slots=True)
class LegalChanges:
    """What a solicitor has not seen, and what is no longer there."""

    added: list[LegalStatement]  # new, or with other words
    removed: list[LegalStatement]


def list_legal_changes(package: Package, version_id: int) -> LegalChanges:
    """Compare the statements of a draft's package with those of a published version of its module.

    A version that can no longer be parsed counts as one without statements, so all of the draft's are new.
    """
    files = subject_of(package.key).version_files(version_id)
    published = parse_package(package.key, files, Faults())
    old = list_statements(published, {}) if published is not None else []
    return LegalChanges(*changed_statements(list_statements(package, {}), old))
