"""The pages from which answer packs are made, and the pages of those that a job makes or has made."""

from typing import Any
from uuid import UUID

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.people.visibility import visibility_of
from portal.domain.reports import sentences
from portal.domain.reports.export_files import remove_expired_files
from portal.domain.reports.models import PreparedFile
from portal.domain.reports.parameters import FIELDS, Position, PositionError
from portal.features.assurance.feature import VIEW
from portal.features.assurance.forms import PARENT, template_values_of
from portal.features.packs import services as packs
from portal.features.packs.services import ALL, EDITIONS, FOI, read_answered_recommendations, refuse_forecast
from portal.pages.layout.access import requires
from portal.pages.layout.pdf_files import act_on_prepared, say_gone, send_prepared, show_prepared
from portal.pages.layout.query_arguments import QueryArguments, address
from portal.pages.layout.report_position import (
    parse_position_now,
    redirect_to_iso_days,
    refuse_position,
    requested_position,
)
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import ForbiddenError
from portal.platform.permissions import Permission

bp = Blueprint("packs", __name__, template_folder="templates")

CONTENTS = {False: "Answer pack, which names people", True: "FOI edition, which names nobody"}
MAY_NOT = "An answer pack holds completions of the whole force. Your roles do not let you download them."


@bp.get("/assurance/pack")
@requires(VIEW)
def show_packs_of_all() -> ResponseReturnValue:
    """What is in each edition of the answer to every recommendation, and a button for each."""
    return _show_packs(ALL)


@bp.get("/assurance/<key>/pack")
@requires(VIEW)
def show_packs(key: str) -> ResponseReturnValue:
    """What is in each edition of the answer to one recommendation, and a button for each."""
    return _show_packs(key)


@bp.post("/assurance/pack/<any(answer, foi):edition>")
@requires(VIEW)
def request_pack_of_all(edition: str) -> ResponseReturnValue:
    """Have a job make the answer to every recommendation."""
    return _request_pack(ALL, edition)


@bp.post("/assurance/<key>/pack/<any(answer, foi):edition>")
@requires(VIEW)
def request_pack(key: str, edition: str) -> ResponseReturnValue:
    """Have a job make the answer to one recommendation."""
    return _request_pack(key, edition)


def link_from_board(position: Position) -> tuple[str, str]:
    """The address and the text of the link from the board."""
    times: dict[str, Any] = position.address
    href = url_for("packs.show_packs_of_all", **times)
    return href, "Make the answer to the inspection as a pack (ZIP)"


def link_from_recommendation(key: str, position: Position) -> tuple[str, str]:
    """The address and the text of the link from the page of a recommendation."""
    times: dict[str, Any] = position.address
    return url_for("packs.show_packs", key=key, **times), "Make the answer as a pack (ZIP)"


def _show_packs(key: str) -> ResponseReturnValue:
    arguments = QueryArguments(request.args)
    arguments.only(FIELDS)
    arguments.raise_faults()
    try:
        position = requested_position()
        refuse_forecast(position)
    except PositionError as error:
        return refuse_position(error, PARENT)
    if current_address := redirect_to_iso_days():
        return current_address
    recommendations = read_answered_recommendations(key, position)
    return render_template(
        "packs/packs.html",
        key=key,
        recommendations=recommendations,
        title=recommendations[0].version.title if key != ALL else "Every recommendation",
        times=sentences.both_times(position),
        small=current_app.config["PORTAL"].small_number,
        may_make=_may_make(),
        may_not=MAY_NOT,
        actions={edition: _button_address(key, edition, position) for edition in EDITIONS},
        back=_subject_address(key, position.address),
        **template_values_of(position),
    )


def _button_address(key: str, edition: str, position: Position) -> str:
    """The address to which the button of an edition posts."""
    path = (
        url_for("packs.request_pack_of_all", edition=edition)
        if key == ALL
        else url_for("packs.request_pack", key=key, edition=edition)
    )
    return address(path, position.address.items())


def _subject_address(key: str, position: dict[str, str]) -> str:
    """The address of the page that the pack answers from."""
    if key == ALL:
        return address(url_for("assurance.show_board"), position.items())
    return address(url_for("assurance.show_recommendation", key=key), position.items())


def _may_make() -> bool:
    """Whether the person may have the annexes: completions of the whole force."""
    sees_everyone = visibility_of(current_user.viewer).everyone
    return sees_everyone and Permission.COMPLETION_EXPORT in current_user.permissions


def _request_pack(key: str, edition: str) -> ResponseReturnValue:
    if not _may_make():
        raise ForbiddenError(MAY_NOT)
    position = parse_position_now(request.args.get("as_at", ""), request.args.get("as_known_on", ""))
    remove_expired_files()
    with transaction():  # so that two requests at once start one job
        file_id = packs.request_pack(key, EDITIONS[edition], position, current_user.viewer, at=clock.now())
    return redirect(url_for("packs.show_pack_file", uuid=file_id), 303)


@bp.get("/assurance/pack/files/<uuid:uuid>")
@requires(VIEW)
def show_pack_file(uuid: UUID) -> ResponseReturnValue:
    """The progress of a pack; once it is ready, its download."""
    row = _get_own_pack(uuid)
    if row is None:
        return say_gone(PARENT)
    return show_prepared(row, "packs/file.html", **_describe_file(row))


def _describe_file(row: PreparedFile) -> dict[str, Any]:
    key, foi = row.directive, row.name == FOI
    return {
        "of_what": "All recommendations" if key == ALL else key,
        "contents": CONTENTS[foi],
        "times": sentences.both_times(parse_position_now(**row.position)),
        "back": _subject_address(key, row.position),
    }


@bp.get("/assurance/pack/files/<uuid:uuid>/download")
@requires(VIEW)
def download_pack(uuid: UUID) -> ResponseReturnValue:
    """Download a pack: only who requested it may, and only while they may see everyone in it."""
    return send_prepared(_get_own_pack(uuid), packs.record_pack_download, PARENT)


@bp.post("/assurance/pack/files/<uuid:uuid>/<any(cancel, again):what>")
@requires(VIEW)
def act_on_pack(uuid: UUID, what: str) -> ResponseReturnValue:
    """Cancel the job that makes a pack, or let it try again."""
    row = _get_own_pack(uuid)
    if row is None:
        return say_gone(PARENT)
    act_on_prepared(row.job_id, what)
    return redirect(url_for("packs.show_pack_file", uuid=uuid), 303)


def _get_own_pack(file_id: UUID) -> PreparedFile | None:
    remove_expired_files()
    return packs.get_own_pack(file_id, current_user.person_id, clock.now())
