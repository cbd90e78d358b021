"""Archiving of a module: what it would change, its successor, and offering it again."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.authoring.reviews.queries import count_people_under_way
from portal.domain.catalogue import archiving
from portal.domain.catalogue.models import ModuleVersion
from portal.domain.catalogue.queries import current_version
from portal.domain.directives.queries import directives_requiring
from portal.domain.records.queries import count_records
from portal.pages.authoring.forms.archive import ArchiveForm
from portal.pages.authoring.views.blueprint import bp
from portal.pages.layout.access import requires
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import NotFoundError
from portal.platform.permissions import Permission


@bp.route("/<module:key>/archive", methods=["GET", "POST"])
@requires(Permission.VERSION_PUBLISH)
def archive_module(key: str) -> ResponseReturnValue:
    """Show what archiving would change and what not, then archive; later, change the successor."""
    version = _published_version(key)
    archive = archiving.archive_of(version.activity_id)
    others = [other for other in archiving.offered_modules() if other.activity_id != version.activity_id]
    form = ArchiveForm(
        [(other.activity.key, other.title) for other in others],
        data={"successor": archive.successor_key or "" if archive else ""},
    )
    if form.validate_on_submit():
        with transaction():
            archiving.archive_module(
                key, form.successor.data or None, by=current_user.person_id, at=clock.now()
            )
        flash(f"{version.title.partition(':')[0]} is archived. Passes in it stay as they are.", "success")
        return redirect(url_for(".archive_module", key=key), 303)
    page = render_template(
        "authoring/archive.html",
        key=key,
        version=version,
        title=version.title.partition(":")[0],
        archive=archive,
        form=form,
        directives=directives_requiring(version.activity_id, clock.today()),
        under_way=sum(people for _, people in count_people_under_way(key)),
        records=count_records(version.activity_id),
    )
    return page, 400 if request.method == "POST" else 200


@bp.post("/<module:key>/restore")
@requires(Permission.VERSION_PUBLISH)
def restore_module(key: str) -> ResponseReturnValue:
    """Offer an archived module again."""
    version = _published_version(key)
    with transaction():
        archiving.restore_module(key, by=current_user.person_id)
    flash(f"{version.title.partition(':')[0]} is offered again", "success")
    return redirect(url_for(".archive_module", key=key), 303)


def _published_version(key: str) -> ModuleVersion:
    version = current_version(key)
    if version is None:
        raise NotFoundError("This module is not published.")
    return version
