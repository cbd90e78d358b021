"""What an application needs in order to look like the portal: one call for templates, one for WSGI."""

from flask import Flask
from jinja2 import ChoiceLoader, PackageLoader, PrefixLoader, Template
from jinja2.environment import TemplateModule
from jinja2.runtime import Context
from werkzeug.routing import IntegerConverter, Map

from portal.pages.layout import assets, brand, error_pages, form_widgets, headers, proxies
from portal.platform import wording

# The functions of ``portal.platform.wording`` that templates use as filters.
FILTERS = (
    "date",
    "month_words",
    "instant",
    "clock_time",
    "minutes_words",
    "days_words",
    "percent_cut",
    "percent_exact",
    "marks_words",
    "number",
    "plural",
)


LARGEST_NUMBER = 2**31 - 1


class AddressNumber(IntegerConverter):
    """A number in an address: a larger one than any row has leads to no page, and not into the database."""

    def __init__(self, routes: Map) -> None:
        super().__init__(routes, max=LARGEST_NUMBER)


class SharedModule(Template):
    """A template that others import macros from: one module for all, as no page adds globals of its own."""

    def _get_default_module(self, ctx: Context | None = None) -> TemplateModule:
        return super()._get_default_module()


def register(app: Flask, *, brand_colour: str = brand.DEFAULT) -> None:
    """Give ``app`` the layouts, the components, the GOV.UK macros, the filters and the error pages.

    Raises:
        BrandColourError: White text on ``brand_colour`` could not be read.
    """
    loaders = [
        PackageLoader("portal.pages.layout"),
        PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")}),
    ]
    if app.jinja_loader is not None:
        loaders.insert(0, app.jinja_loader)
    app.jinja_loader = ChoiceLoader(loaders)
    app.jinja_options = {**app.jinja_options, "trim_blocks": True, "lstrip_blocks": True}
    app.jinja_env.template_class = SharedModule
    app.url_map.converters["int"] = AddressNumber
    colour = app.config["BRAND_COLOUR"] = brand.check_colour(brand_colour)
    if colour != brand.DEFAULT:
        app.jinja_env.globals.update(brand_colour=colour, brand_sheet=f"/brand.css?{colour[1:]}")
    for part in (assets, form_widgets, error_pages):
        part.register(app)
    for name in FILTERS:
        app.add_template_filter(getattr(wording, name))


def wrap(app: Flask, *, https: bool, trusted: tuple[proxies.Network, ...] = ()) -> None:
    """Serve the compiled files in front of ``app`` and put the headers around all of it; call it last."""
    assets.wrap_static(app)
    proxies.wrap_senders(app, trusted)
    headers.wrap_headers(app, https=https)
