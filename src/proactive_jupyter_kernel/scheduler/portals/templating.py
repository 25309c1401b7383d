"""The templates: whole pages, and parts of them. Whatever a template shows is escaped."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from proactive_jupyter_kernel.scheduler.portals.widgets import GLOBALS

__all__ = ["page", "parts"]


_SOURCES = FileSystemLoader(Path(__file__).parent / "templates")
_EXTENDS = re.compile(r'\{% extends "([a-z_.]+)" %\}')


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=_SOURCES,
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
    chain = _chain(name)
    found = [f'<template data-part="{escape(part)}">{_block(chain, part, values)}</template>' for part in wanted]
    return Markup("\n").join(map(Markup, found))


@functools.cache
def _chain(name: str) -> tuple[Template, ...]:
    """A template and those that it extends, one after the other."""
    environment = _environment()
    source = _SOURCES.get_source(environment, name)[0]
    extended = _EXTENDS.search(source)
    return (environment.get_template(name), *(_chain(extended[1]) if extended else ()))


def _block(chain: Iterable[Template], part: str, values: Mapping[str, Any]) -> str:
    owner = next((template for template in chain if part in template.blocks), None)
    if owner is None:
        raise KeyError(part)
    return "".join(owner.blocks[part](owner.new_context(dict(values))))
