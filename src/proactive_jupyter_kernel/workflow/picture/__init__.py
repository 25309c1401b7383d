"""Pictures of workflows and jobs: as SVG, as the HTML of a notebook, as plain text, as PNG.

`draw`, `html` and `text` take a workflow and, for a job, a summary of the state of each of its tasks: by the name of
the task, or by the names of its instances (``T#1``, ``T*2``), which are then drawn together.
"""

from __future__ import annotations

from collections.abc import Mapping

from proactive_jupyter_kernel.workflow.model import Workflow
from proactive_jupyter_kernel.workflow.picture.png import png
from proactive_jupyter_kernel.workflow.picture.task_summary import TaskSummary
from proactive_jupyter_kernel.workflow.picture.tokens import DARK, LIGHT, STATES, Theme

__all__ = ["DARK", "LIGHT", "STATES", "TaskSummary", "Theme", "alt", "draw", "html", "png", "text"]


def draw(
    workflow: Workflow, *, summaries: Mapping[str, TaskSummary] | None = None, theme: Theme = LIGHT, framed: bool = True
) -> str:
    """The picture as an SVG document; without a frame to stand on a ground of that theme."""
    from proactive_jupyter_kernel.workflow.picture.layout import lay_out
    from proactive_jupyter_kernel.workflow.picture.scene import scene_of
    from proactive_jupyter_kernel.workflow.picture.svg import svg_of

    scene = scene_of(workflow, summaries)
    return svg_of(scene, lay_out(scene), theme, framed=framed)


def html(workflow: Workflow, summaries: Mapping[str, TaskSummary] | None = None, *, framed: bool = True) -> str:
    """The picture for a notebook: one ``<img>``, light and dark; without a frame to stand in a card."""
    from proactive_jupyter_kernel.workflow.picture.describe import alternative
    from proactive_jupyter_kernel.workflow.picture.image import image
    from proactive_jupyter_kernel.workflow.picture.layout import lay_out
    from proactive_jupyter_kernel.workflow.picture.scene import scene_of
    from proactive_jupyter_kernel.workflow.picture.svg import TRIMMED, svg_of

    scene = scene_of(workflow, summaries)
    layout = lay_out(scene)
    light, dark = (svg_of(scene, layout, theme, framed=framed) for theme in (LIGHT, DARK))
    return image(light, dark, alternative(scene), layout.width - (0 if framed else 2 * TRIMMED))


def alt(workflow: Workflow, summaries: Mapping[str, TaskSummary] | None = None) -> str:
    """A text description of the picture, for screen readers."""
    from proactive_jupyter_kernel.workflow.picture.describe import alternative
    from proactive_jupyter_kernel.workflow.picture.scene import scene_of

    return alternative(scene_of(workflow, summaries))


def text(workflow: Workflow, summaries: Mapping[str, TaskSummary] | None = None) -> str:
    """The picture drawn with characters."""
    from proactive_jupyter_kernel.workflow.picture.plain import text_of
    from proactive_jupyter_kernel.workflow.picture.scene import scene_of

    return text_of(scene_of(workflow, summaries))
