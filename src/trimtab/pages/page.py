"""A page from its template: what comes from outside is escaped, and what could run is forbidden by the page itself."""

import hashlib
from base64 import b64encode
from collections.abc import Iterable, Mapping
from functools import cached_property
from importlib.resources import files
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup

from trimtab.pages import numbers
from trimtab.pages.plot import Plot
from trimtab.pages.svg import COLORS

__all__ = ["Page"]


class Page:
    """One kind of page.

    Args:
        package: Where its template is: `page.html`, which extends `base.html`; and `style.css`, if it has rules of its own.
        plots: Names of all plots that it may have.
        globals_: What the template calls.
    """

    def __init__(self, package: str, plots: Iterable[str], globals_: Mapping[str, Any]) -> None:
        self._package = package
        self._plots = tuple(plots)
        self._globals = dict(globals_)

    def render(self, plots: Mapping[str, Plot], **values: Any) -> str:
        """The page. Values are escaped; only our own drawings are inserted as they are."""
        shown: dict[str, Any] = dict.fromkeys(self._plots)
        shown |= {name: (Markup(plot.svg), plot.text) for name, plot in plots.items()}  # noqa: S704  drawn by us; Vega escapes its texts
        style = Markup(self._style)  # noqa: S704  ours
        page: str = self._template.render(plots=shown, style=style, policy=self._policy, **values)
        return page

    @cached_property
    def _template(self) -> Any:
        environment = Environment(
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            loader=DictLoader({"base.html": _resource(__package__, "base.html")}),
        )
        environment.filters |= {
            "amount": numbers.amount,
            "number": numbers.number,
            "value": numbers.value,
            "percent": numbers.percent,
            "signed": numbers.signed_percent,
            "duration": numbers.duration,
            "quantity": numbers.quantity,
        }
        environment.globals |= self._globals
        return environment.from_string(_resource(self._package, "page.html"))

    @cached_property
    def _style(self) -> str:
        own = files(self._package).joinpath("style.css")
        more = own.read_text(encoding="utf-8") if own.is_file() else ""
        return _resource(__package__, "style.css") + more + _placeholders()

    @cached_property
    def _policy(self) -> str:
        digest = b64encode(hashlib.sha256(self._style.encode()).digest()).decode()
        return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _resource(package: str, name: str) -> str:
    return files(package).joinpath(name).read_text(encoding="utf-8")


def _placeholders() -> str:
    """Rules that give the drawings the colours of the page."""
    return "".join(
        f'svg [fill="{color}"]{{fill:var(--{name})}}svg [stroke="{color}"]{{stroke:var(--{name})}}'
        for color, name in COLORS.items()
    )
