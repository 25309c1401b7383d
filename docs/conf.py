"""How Sphinx builds the site.

`make docs` runs tools/docs_site.py, which copies the pages, builds them and checks the links. Nothing is fetched
while it builds, and a page of the site needs no other host.
"""

from pathlib import Path

from cell_lexer import CellLexer
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

from proactive_jupyter_kernel.version import __version__

project = "ProActive Jupyter kernel"
version = release = __version__
html_title = f"{project} {__version__}"
language = "en"

extensions = ["myst_nb", "sphinx_copybutton"]
exclude_patterns = ["_build"]
#: The notebooks of examples/ hold the outputs of a run; the tests run them.
nb_execution_mode = "off"
#: Messages stand on the pages as they are shown, so that a search finds them.
smartquotes = False
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


class ThemedPictures(SphinxTransform):
    """A picture NAME.png with a NAME-dark.png beside it: each theme of the site shows its own."""

    default_priority = 200

    def apply(self, **_: object) -> None:
        folder = Path(self.env.doc2path(self.env.docname)).parent
        for picture in list(self.document.findall(nodes.image)):
            path = Path(picture["uri"])
            dark = path.with_name(f"{path.stem}-dark{path.suffix}")
            if (folder / dark).is_file():
                other = picture.deepcopy()
                picture["classes"].append("only-light")
                other["classes"].append("only-dark")
                other["uri"] = dark.as_posix()
                picture.parent.insert(picture.parent.index(picture) + 1, other)


def setup(app: Sphinx) -> None:
    """Blocks that a notebook's cell could hold are coloured as cells; pictures follow the theme."""
    app.add_transform(ThemedPictures)
    for name in ("python", "ipython3", "javascript"):
        app.add_lexer(name, CellLexer)
