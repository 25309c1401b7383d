"""The templates: whole pages, and parts of them. Whatever a template shows is escaped."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from proactive_jupyter_kernel.scheduler.portals.widgets import GLOBALS

__all__ = ["page", "parts"]


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals.update(GLOBALS)
    return environment


def page(name: str, values: Mapping[str, Any]) -> str:
    """A whole page."""
    return _environment().get_template(name).render(values)


def parts(name: str, wanted: Iterable[str], values: Mapping[str, Any]) -> str:
    """Blocks of a page, or of what it extends, each in a ``<template data-part=NAME>``; KeyError for an unknown one."""
    template, base = (_environment().get_template(each) for each in (name, "base.html"))
    found = [
        f'<template data-part="{escape(part)}">{_block(template, base, part, values)}</template>' for part in wanted
    ]
    return Markup("\n").join(map(Markup, found))


def _block(template: Template, base: Template, part: str, values: Mapping[str, Any]) -> str:
    owner = template if part in template.blocks else base
    return "".join(owner.blocks[part](owner.new_context(dict(values))))
