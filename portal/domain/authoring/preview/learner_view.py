"""Converts a draft to the objects that learners' pages are rendered from; nothing is stored."""

from portal.domain.authoring.queries import DraftState, check_draft_hashes
from portal.domain.catalogue.queries import shared_key
from portal.domain.catalogue.sources.module_source import SHEET_NAMES
from portal.domain.catalogue.sources.validation import (
    CheckedModule,
    RenderedItem,
    RenderedPage,
    version_fields,
)
from portal.domain.catalogue.version_cache import (
    PublishedActivity,
    PublishedItem,
    PublishedLesson,
    PublishedVersion,
    VersionContent,
)
from portal.domain.learning.queries import ModuleProgress
from portal.platform.errors import NotFoundError


def draft_module(state: DraftState) -> ModuleProgress:
    """The draft as a module that the learner has not started.

    Raises:
        NotFoundError: Its details cannot be parsed.
    """
    return ModuleProgress(
        version=draft_version(state),
        shared=shared_key(),
        progress=None,
        passed=False,
        archived=False,
        open_attempt=None,
        attempts_begun=0,
    )


def link_to_previews(key: str, html: str) -> str:
    """Point the links to lessons in rendered text at the lessons' previews."""
    return html.replace(f'href="/learning/modules/{key}/lessons/', f'href="/authoring/{key}/preview/lessons/')


def draft_version(state: DraftState) -> PublishedVersion:
    """The draft as a published version with the next number, dated at its last save.

    Raises:
        NotFoundError: Its details cannot be parsed.
    """
    checked = _check_draft(state)
    content = VersionContent(
        {position: rendered.html for position, rendered in enumerate(checked.lessons, 1)},
        tuple(_published_item(position, rendered) for position, rendered in enumerate(checked.items, 1)),
        {position: rendered.case for position, rendered in enumerate(checked.lessons, 1) if rendered.case},
    )
    return PublishedVersion(
        id=0,
        number=(state.published_number or 0) + 1,
        **version_fields(checked),
        published_at=state.last_saved_at,
        activity=PublishedActivity(0, "module", state.key),
        lessons=tuple(
            _published_lesson(position, rendered) for position, rendered in enumerate(checked.lessons, 1)
        ),
        load_content=lambda: content,
    )


def draft_sheet(state: DraftState, place: str) -> str:
    """The text of the draft's job aid or briefing.

    Raises:
        NotFoundError: It has none, or its details cannot be parsed.
    """
    sheet = _check_draft(state).sheets.get(place)
    if sheet is None:
        raise NotFoundError(f"This draft has no {SHEET_NAMES[place].lower()}.")
    return sheet.html


def _check_draft(state: DraftState) -> CheckedModule:
    reading = check_draft_hashes(state.key, state.files)
    if not reading.modules:
        raise NotFoundError("The details of this draft cannot be read.")
    return reading.modules[0]


def _published_lesson(position: int, rendered: RenderedPage) -> PublishedLesson:
    page = rendered.page
    case_kind = page.case.kind.name if page.case else None
    return PublishedLesson(position, position, page.key, page.title, page.minutes, page.outcomes, case_kind)


def _published_item(position: int, rendered: RenderedItem) -> PublishedItem:
    item = rendered.item
    return PublishedItem(
        id=position,
        position=position,
        key=item.key,
        outcome=item.outcome,
        kind=item.kind.name,
        prompt_html=rendered.prompt_html,
        stimulus_html=rendered.stimulus_html,
        explanation_html=rendered.explanation_html,
        content=rendered.content,
        source=item.source,
        retired=item.retired,
    )
