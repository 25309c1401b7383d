"""The style sheet of cards, for a light and a dark page.

The attribute `style` of each element holds the structure, since front ends remove `<style>` from notebooks that are not
trusted. The sheet refines: colours of the theme, drawn marks, narrow pages, the notice that a card is not followed.
A sheet applies to the whole page, also to cards of other versions; so all rules are below a class whose name changes
with the rules.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from functools import cache

from proactive_jupyter_kernel.workflow.display.tokens import DARK, LIGHT, MARKS

__all__ = ["DARK_PAGES", "scope", "style_sheet"]

#: Where front ends say that the page is dark; what the operating system prefers does not matter in a notebook.
DARK_PAGES = (
    "body[data-jp-theme-light=false]",
    "body.vscode-dark",
    "body.vscode-high-contrast:not(.vscode-high-contrast-light)",
    "[data-theme=dark]",
)

_PLACEHOLDER = "PAK"

_RULES = """
.PAK{container-type:inline-size;color:var(--pak-ink);background:var(--pak-bg);border-color:var(--pak-line)!important;
font-family:var(--jp-ui-font-family,system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif);
font-variant-numeric:tabular-nums;text-align:left}
.PAK *{box-sizing:border-box}
.PAK .s{border-color:var(--pak-line)!important}
.PAK .h{display:flex;flex-wrap:wrap;align-items:center;gap:0 8px}
.PAK .h .g{margin-left:auto}
.PAK .q{color:var(--pak-soft);opacity:1!important}
.PAK .i{display:inline-block;width:16px;height:16px;flex:none;vertical-align:-3px;overflow:hidden;font-size:0;
background:currentColor;-webkit-mask:var(--m) center/contain no-repeat;mask:var(--m) center/contain no-repeat}
.PAK .b{gap:2px;background-color:var(--pak-off-t)!important}
.PAK .tl{background:linear-gradient(var(--pak-line),var(--pak-line)) left center/100% 1px no-repeat!important}
.PAK .mb{background-color:var(--pak-off-t)!important}
.PAK .b i,.PAK .mb i,.PAK .tl i{min-width:2px;border-radius:2px}
.PAK .n{color:var(--pak-soft)}
.PAK .n .t-bad,.PAK .n .t-attention{font-weight:600}
.PAK .f{background-color:var(--pak-bad-t)!important}
.PAK .a{background-color:var(--pak-attention-t)!important}
.PAK .k{background-color:var(--pak-raise)!important;color:var(--pak-soft)}
.PAK .e{font-family:MONO!important;color:var(--pak-bad)}
.PAK .x{font-family:MONO!important}
.PAK.PAK.PAK code{font:12px/18px MONO;color:inherit;background:none;padding:0}
.PAK.PAK.PAK a{color:var(--pak-run);text-decoration:underline;text-underline-offset:2px}
.PAK.PAK.PAK pre{font:12px/18px MONO;color:inherit;background:none;margin:0;padding:0;border:0}
.PAK.PAK .l{border-collapse:collapse;border:0;margin:0;font:inherit;color:inherit}
.PAK.PAK .l>*>tr>:nth-child(n){background:none;font-size:13px;line-height:20px;max-width:none}
.PAK.PAK .l>thead:nth-child(n){border:0}
.PAK.PAK .l>thead>tr>:nth-child(n){color:var(--pak-soft);font-size:12px}
.PAK.PAK .l>*>tr>.z:nth-child(n){width:100%}
.PAK.PAK .l>*>tr>:last-child{padding-right:0!important}
.PAK.PAK .o>*>tr>:nth-child(n){font:12px/18px MONO}
.PAK.PAK .o>*>tr>:first-child.q{color:var(--pak-soft)}
.PAK .r img{max-width:100%}
.PAK img{display:block;margin:0}
.PAK summary{cursor:pointer;color:var(--pak-soft)}
.PAK summary:hover{color:var(--pak-ink)}
.PAK summary:focus-visible,.PAK a:focus-visible{outline:2px solid var(--pak-focus);outline-offset:2px;border-radius:3px}
.PAK details[open]>summary{margin-bottom:6px}
.PAK .live{animation:PAK-off 0s 15s forwards}
.PAK .lv:before{content:"live, "}
.PAK .old{max-height:0;overflow:hidden;visibility:hidden;animation:PAK-on 0s 15s forwards}
.PAK .old.now{max-height:none;visibility:visible;animation:none}
@keyframes PAK-on{to{max-height:400px;visibility:visible}}
@keyframes PAK-off{to{font-size:0;visibility:hidden}}
.PAK .c-run{animation:PAK-pulse 1.6s ease-in-out infinite alternate}
@keyframes PAK-pulse{to{opacity:.55}}
@media (prefers-reduced-motion:reduce){.PAK .c-run{animation:none}}
@container (max-width:560px){.PAK .wide{display:none}.PAK.PAK .l .y:nth-child(n){padding-right:0!important}
.PAK .h .g{margin-left:0}}
"""
_MONO = "var(--jp-code-font-family,ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace)"
_TONES = ("ok", "run", "bad", "attention", "off")


def _variables(tokens: Mapping[str, str]) -> str:
    return ";".join(f"--pak-{name}:{value}" for name, value in tokens.items())


def _icon(path: str) -> str:
    return (
        "url(\"data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
        f"%3Cpath fill-rule='evenodd' d='{path}'/%3E%3C/svg%3E\")"
    )


@cache
def _template() -> str:
    dark = ",".join(f"{page} .PAK" for page in DARK_PAGES)
    rules = [
        f".PAK{{{_variables(LIGHT)}}}",
        f"{dark}{{{_variables(DARK)}}}",
        *(f".PAK .i-{name}{{--m:{_icon(path)}}}" for name, path in MARKS.items()),
        *(f".PAK .t-{tone}{{color:var(--pak-{tone})}}" for tone in _TONES),
        *(f".PAK .i.t-{tone}{{color:var(--pak-{tone})!important}}" for tone in _TONES),
        re.sub(r"\n(?=\.|@)|\n", "", _RULES).replace("MONO", _MONO),
    ]
    return "".join(rules)


@cache
def scope() -> str:
    """The class of this version of the rules."""
    digest = hashlib.sha256(_template().encode("utf-8")).hexdigest()
    return f"pak{digest[:5]}"


@cache
def style_sheet() -> str:
    """The element `<style>`."""
    return f"<style>{_template().replace(_PLACEHOLDER, scope())}</style>"
