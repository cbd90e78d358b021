"""The board: the answers on one screen, the week's changes and the year; and all of it on one sheet."""

from dataclasses import dataclass, field
from datetime import date
from io import BytesIO
from typing import Any

from flask import current_app, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from markupsafe import Markup

from config import Config
from portal.domain.reports.parameters import Position, read_position_today
from portal.features.assurance import board
from portal.features.assurance.board import board_pdf, read_board
from portal.features.assurance.desk import (
    EvidenceState,
    HistoryEntry,
    JudgementSnapshot,
    RecommendationSnapshot,
    find_recommendation,
    list_history,
    read_desk,
    read_recommendation,
)
from portal.features.assurance.evidence import check_evidence, list_judgements_for, list_stale
from portal.features.assurance.feature import CONFIRM, MANAGE, VIEW
from portal.features.assurance.forms import (
    PARENT,
    NarrativeForm,
    ProgressForm,
    bp,
    read_at,
    template_values_of,
)
from portal.features.assurance.narratives import (
    NarrativeField,
    check_narrative,
    field_values,
    list_fields,
    list_narratives,
    render_narrative,
    write_narrative,
)
from portal.features.assurance.recommendations import (
    describe_entry,
    list_people_of,
    name_people,
    read_version_file,
)
from portal.features.assurance.services import (
    EntryRefusedError,
    list_action_lines,
    read_own_work,
    report_progress,
)
from portal.pages.layout.access import limiter, list_parts, requires
from portal.pages.layout.forms import mark_refusal, mark_wrong, save_form
from portal.pages.layout.query_arguments import QueryArguments
from portal.pages.layout.report_position import at_position
from portal.platform import clock
from portal.platform.audit import log_file
from portal.platform.db import transaction
from portal.platform.errors import BadInputError, NotFoundError
from portal.platform.permissions import Permission
from portal.platform.wording import date as say_date
from portal.platform.wording import plural


@bp.get("/assurance")
@requires(VIEW)
@at_position(PARENT)
def show_board(position: Position) -> ResponseReturnValue:
    """Show every recommendation as at a date, as known on an instant."""
    return render_template(
        "assurance/board.html",
        board=read_board(position),
        say=board,
        links=[link_to(position) for link_to in list_parts("assurance.board")],
        **template_values_of(position),
    )


@bp.get("/assurance/board.pdf")
@requires(VIEW)
@limiter.limit("30 per minute")
@at_position(PARENT)
def download_board(position: Position) -> ResponseReturnValue:
    """The board as one sheet of A4, as tagged PDF."""
    config: Config = current_app.config["PORTAL"]
    board = read_board(position)
    with transaction():
        detail = {"format": "pdf", **position.pinned}
        log_file("assurance.board_exported", (), actor_id=current_user.person_id, **detail)
    content = board_pdf(board, force=config.force_name, at=clock.now())
    name = f"assurance-{position.as_at.isoformat()}.pdf"
    return send_file(BytesIO(content), "application/pdf", as_attachment=True, download_name=name)


# Yours to do: what a person owns at the desk, and how far they say that it is.


@bp.get("/assurance/mine")
@requires(Permission.ACCOUNT_OWN)
def show_own_work() -> ResponseReturnValue:
    """Show one's own recommendations and actions, and what one may confirm; all may see this page."""
    position = read_position_today(clock.now())
    work = read_own_work(current_user.person_id, position)
    may_confirm = CONFIRM in current_user.permissions
    return render_template(
        "assurance/mine.html",
        work=work,
        to_confirm=list_judgements_for(current_user.person_id) if may_confirm else [],
        stale=list_stale(position, current_user.person_id),
        may_view=VIEW in current_user.permissions,
        **template_values_of(position),
    )


@bp.route("/assurance/mine/<reference>", methods=["GET", "POST"])
@requires(Permission.ACCOUNT_OWN)
def report_action(reference: str) -> ResponseReturnValue:
    """Say how far one's own action is, and what was done."""
    work = read_own_work(current_user.person_id, read_position_today(clock.now()))
    line = next((line for line in work.actions if line.reference == reference), None)
    if line is None:
        raise NotFoundError("You own no such action that is still to be done.")
    form = ProgressForm(data={"state": line.state})
    form.offer_day(clock.today())
    if form.validate_on_submit():
        with save_form(form):
            report_progress(
                reference,
                form.state.data,
                form.reason.data.strip(),
                from_on=form.day,
                at=clock.now(),
                by=current_user.person_id,
            )
        if not form.errors:
            flash(f"Action {reference} is saved.", "success")
            return redirect(url_for(".show_own_work"), 303)
    html = render_template("assurance/progress.html", form=form, line=line, title=work.titles[line.key])
    return html, 400 if form.errors else 200


# How a recommendation came to be as it is: every entry, with both of its times.


@bp.get("/assurance/<key>/history")
@requires(VIEW)
@at_position(PARENT)
def show_history(position: Position, key: str) -> ResponseReturnValue:
    """Show every entry about a recommendation, the latest first, also those that were corrected."""
    recommendation = read_at(lambda at: read_recommendation(key, at), position, "This recommendation")
    entries = list_history(key, position)
    arguments = QueryArguments(request.args, request.path)
    page = arguments.page(len(entries))
    shown = entries[page.offset : page.offset + page.size]
    names = name_people({each for entry in shown for each in _people_of(entry)})
    html = render_template(
        "assurance/history.html",
        recommendation=recommendation,
        page=page,
        errors=arguments.errors(),
        entries=[(entry, describe_entry(entry, names)) for entry in shown],
        names=names,
        **template_values_of(position),
    )
    return html, arguments.status


def _people_of(entry: HistoryEntry) -> set[int | None]:
    return {
        entry.recorded_by_id,
        getattr(entry.row, "owner_id", None),
        getattr(entry.row, "person_id", None),
    }


# The page of a recommendation's narrative: as it reads at a position, and the form of its next version.


@dataclass(frozen=True)
class NarrativePage:
    """A recommendation with the fields that its narrative may have, at a position."""

    recommendation: RecommendationSnapshot
    position: Position
    fields: list[NarrativeField] = field(default_factory=list)

    @classmethod
    def read(cls, key: str, position: Position) -> "NarrativePage":
        """Read it."""
        recommendation = read_recommendation(key, position)
        states = check_evidence(recommendation.evidence, position)
        force = current_app.config["PORTAL"].force_name
        return cls(recommendation, position, list_fields(recommendation, states, position, force))

    def fill_text(self, text: str) -> Markup:
        """A text with its fields filled."""
        return render_narrative(text, field_values(self.fields))


@bp.get("/assurance/<key>/narrative")
@requires(VIEW)
@at_position(PARENT)
def show_narrative(position: Position, key: str) -> ResponseReturnValue:
    """Show the narrative as at a date, as known on an instant; today's, with the form of the next version."""
    page = read_at(lambda at: NarrativePage.read(key, at), position, "This recommendation")
    text = page.recommendation.narrative.text if page.recommendation.narrative else ""
    form = NarrativeForm(data={"text": text})
    form.offer_day(clock.today())
    return _write_page(page, form)


@bp.post("/assurance/<key>/narrative")
@requires(MANAGE)
def save_narrative(key: str) -> ResponseReturnValue:
    """Save the next version of the narrative, or show how it would read."""
    page, form = NarrativePage.read(key, read_position_today(clock.now())), NarrativeForm()
    if not form.validate_on_submit():
        return _write_page(page, form)
    if form.preview.data:
        faults = check_narrative(form.text.data, page.fields)
        for fault in faults:
            mark_wrong(form.text, fault)
        return _write_page(page, form, None if faults else page.fill_text(form.text.data))
    try:
        with transaction():
            write_narrative(
                key,
                form.text.data,
                page.fields,
                from_on=form.day,
                by=current_user.person_id,
                at=clock.now(),
            )
    except BadInputError as error:
        for fault in error.reasons:
            mark_wrong(form.text, fault)
        return _write_page(page, form)
    except EntryRefusedError as error:
        mark_refusal(form, error)
        return _write_page(page, form)
    flash("The narrative was saved.")
    return redirect(url_for("assurance.show_narrative", key=key), 303)


def _write_page(
    page: NarrativePage, form: NarrativeForm, preview: Markup | None = None
) -> ResponseReturnValue:
    narrative = page.recommendation.narrative
    versions = list_narratives(page.recommendation.id, page.position)
    html = render_template(
        "assurance/narrative.html",
        recommendation=page.recommendation,
        fields=page.fields,
        filled=page.fill_text(narrative.text) if narrative else None,
        preview=preview,
        versions=versions,
        names=name_people(version.recorded_by_id for version in versions),
        form=form,
        **template_values_of(page.position),
    )
    return html, 400 if form.errors else 200


# What the page of a recommendation shows of its evidence and of its judgement.


@dataclass(frozen=True, slots=True)
class FrozenRow:
    """A piece of evidence as a judgement keeps it, beside what it shows at the position of the page."""

    kept: EvidenceState
    now: EvidenceState | None  # None: it is withdrawn

    @property
    def has_moved(self) -> bool:
        """Whether it shows something else, or holds where it did not, or the other way round."""
        return self.now is None or (self.now.shown, self.now.holds) != (self.kept.shown, self.kept.holds)


@dataclass(frozen=True, slots=True)
class ShownJudgement:
    """A judgement with the figures that it was made on, beside those of the page."""

    judgement: JudgementSnapshot
    figures: tuple[FrozenRow, ...]

    @property
    def moved_count(self) -> int:
        """How many figures are not as they were."""
        return sum(row.has_moved for row in self.figures)


def describe_evidence(recommendation: RecommendationSnapshot, position: Position) -> dict[str, Any]:
    """Template values of a recommendation's evidence and of its judgements.

    Returns:
        ``evidence``: what each piece shows. ``judged_figures`` and ``waiting_figures``: those of the
        judgement that counts and of the one that waits; None where there is none.
    """
    states = check_evidence(recommendation.evidence, position)
    return {
        "evidence": list(states.values()),
        "judged_figures": _show_judgement(recommendation.judgement, states),
        "waiting_figures": _show_judgement(recommendation.waiting_judgement, states),
    }


def _show_judgement(
    judgement: JudgementSnapshot | None, states: dict[str, EvidenceState]
) -> ShownJudgement | None:
    if judgement is None:
        return None
    kept = [EvidenceState.from_json(each) for each in judgement.judgement.figures]
    return ShownJudgement(judgement, tuple(FrozenRow(each, states.get(each.reference)) for each in kept))


# The page of one recommendation: its state, and what the force does, decided and shows.


@bp.get("/assurance/<key>")
@requires(VIEW)
@at_position(PARENT)
def show_recommendation(position: Position, key: str) -> ResponseReturnValue:
    """Show a recommendation as at a date, as known on an instant, with all that hangs on it."""
    desk = read_at(lambda at: _read_desk_with(key, at), position, "This recommendation")
    recommendation = find_recommendation(desk, key)
    lines = list_action_lines(desk, position.as_at)  # an action may wait for one of another recommendation
    return render_template(
        "assurance/recommendation.html",
        recommendation=recommendation,
        lead=_deadline_sentence(recommendation, position.as_at),
        actions=[line for line in lines if line.key == key],
        **describe_evidence(recommendation, position),
        file=read_version_file(key, recommendation.version),
        names=name_people(list_people_of(recommendation)),
        links=[link_to(key, position) for link_to in list_parts("assurance.recommendation")],
        panes=list_parts("assurance.pane"),
        **template_values_of(position),
    )


def _read_desk_with(key: str, position: Position) -> list[RecommendationSnapshot]:
    """The desk at a position, on which a recommendation must be."""
    desk = read_desk(position)
    find_recommendation(desk, key)
    return desk


def _deadline_sentence(recommendation: RecommendationSnapshot, day: date) -> str:
    """The deadline in a sentence, seen from a day."""
    deadline = recommendation.version.deadline_on
    days = (deadline - day).days
    if days < 0:
        return f"The deadline was {say_date(deadline)}, {plural(-days, 'day')} before {say_date(day)}."
    if days == 0:
        return f"The deadline is this day, {say_date(deadline)}."
    return f"The deadline is {say_date(deadline)}, {plural(days, 'day')} after {say_date(day)}."
