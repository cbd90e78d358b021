"""The board: the answers on one screen, the week's changes and the year; and all of it on one sheet."""

from io import BytesIO

from flask import current_app, render_template, send_file
from flask.typing import ResponseReturnValue
from flask_login import current_user

from config import Config
from portal.domain.assurance.board import board_words
from portal.domain.assurance.board.board import read_board
from portal.domain.assurance.board.sheet import board_pdf
from portal.domain.reports.parameters import Position
from portal.pages.assurance.blueprint import bp
from portal.pages.assurance.desk_words import PARENT, template_values_of
from portal.pages.layout.access import limiter, requires
from portal.pages.layout.report_position import at_position
from portal.platform import clock
from portal.platform.audit.services import log_file
from portal.platform.db import transaction
from portal.platform.permissions import Permission


@bp.get("/assurance")
@requires(Permission.ASSURANCE_VIEW)
@at_position(PARENT)
def show_board(position: Position) -> ResponseReturnValue:
    """Show every recommendation as at a date, as known on an instant."""
    return render_template(
        "assurance/board.html", board=read_board(position), say=board_words, **template_values_of(position)
    )


@bp.get("/assurance/board.pdf")
@requires(Permission.ASSURANCE_VIEW)
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
