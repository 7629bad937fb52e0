"""Templates, styles and scripts → one self-contained HTML file that asks nothing of a network."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

_TEMPLATES = files("casestrat.reports") / "templates"


def inline(*names: str) -> Markup:
    """Return shipped styles or scripts as they stand, to be put inside the page."""
    return Markup("\n".join(_source(name) for name in names))


def render(template: str, **values: Any) -> str:
    """Return a template filled in; every value is escaped, and a missing one is an error."""
    return _environment().get_template(template).render(inline=inline, **values)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(
        loader=FunctionLoader(_source),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _source(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")
