"""How Sphinx builds the site.

`make docs` runs tools/docs_site.py, which copies the pages, builds them and checks the links. Nothing is fetched
while it builds, and a page of the site needs no other host.
"""

from cell_lexer import CellLexer
from sphinx.application import Sphinx

from proactive_jupyter_kernel.version import __version__

project = "ProActive Jupyter kernel"
version = release = __version__
html_title = f"{project} {__version__}"
language = "en"

extensions = ["myst_nb", "sphinx_copybutton"]
exclude_patterns = ["_build"]
#: The notebooks of examples/ hold the outputs of a run; the tests run them.
nb_execution_mode = "off"
#: Depth of the headings that can be linked to.
myst_heading_anchors = 4
myst_enable_extensions = ["attrs_block", "attrs_inline", "colon_fence"]
nb_mime_priority_overrides = [("html", "text/latex", 200)]

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = ["notebook-theme.js"]
html_show_sphinx = False
html_show_copyright = False
html_copy_source = False
#: Prompts are no part of what one copies.
copybutton_exclude = ".linenos, .gp, .go"


def setup(app: Sphinx) -> None:
    """Blocks that a notebook's cell could hold are coloured as cells."""
    for name in ("python", "ipython3", "javascript"):
        app.add_lexer(name, CellLexer)
