"""A job's XML as it is sent back."""

from __future__ import annotations

import pytest

from proactive_jupyter_kernel.scheduler.access.hidden_values import HiddenValues
from proactive_jupyter_kernel.scheduler.service.job_xml import job_xml
from proactive_jupyter_kernel.scheduler.store.base import JobFacts
from proactive_jupyter_kernel.workflow.model import Variable

HIDDEN = HiddenValues(b"k" * 32)
HEAD = (
    '<job xmlns="urn:proactive:jobdescriptor:{0}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xsi:schemaLocation="urn:proactive:jobdescriptor:{0} '
    'http://www.activeeon.com/public_content/schemas/proactive/jobdescriptor/{0}/schedulerjob.xsd" name="j" '
    'description="jobdescriptor:3.14 &gt; 3">'
)
TASKS = '<taskFlow>\n<task name="T"><scriptExecutable><script><code language="bash"><![CDATA[a < b]]></code></script></scriptExecutable></task></taskFlow></job>'  # noqa: E501
DECLARED = '<?xml version="1.0" encoding="UTF-8" standalone="no"?>'
VARIABLES = '<variables>\n    <variable name="A" value="2" model="PA:INTEGER" hidden="true"/>\n  </variables>'
INFORMATION = '<genericInformation>\n    <info name="submission.mode" value="rest-api"/>\n  </genericInformation>'
FACTS = JobFacts(
    variables=(Variable(name="A", value="2", model="PA:INTEGER", hidden=True),),
    generic_information={"submission.mode": "rest-api"},
)


@pytest.mark.parametrize(
    ("inside", "shown"),
    [
        ('<variables><variable name="A" value="1"/></variables>', VARIABLES + INFORMATION),
        ("", VARIABLES + INFORMATION),
        (
            "<description><![CDATA[d]]></description>",
            VARIABLES + "<description><![CDATA[d]]></description>" + INFORMATION,
        ),
        (
            '<variables/>\n<genericInformation><info name="submission.mode" value="x"/></genericInformation>\n',
            VARIABLES + "\n" + INFORMATION + "\n",
        ),
    ],
)
def test_what_the_submission_said_is_merged_in(inside: str, shown: str) -> None:
    """Variables and generic information as they count; the rest as it was written, in the newest namespace."""
    head = HEAD.format("3.14")
    text = f'<?xml version="1.0" encoding="ISO-8859-1"?>\n<!-- é -->{head}{inside}{TASKS}'
    wanted = head.replace("jobdescriptor:3.14 h", "jobdescriptor:dev h").replace('r:3.14" xmlns', 'r:dev" xmlns')
    wanted = wanted.replace('"urn:proactive:jobdescriptor:3.14 ', '"urn:proactive:jobdescriptor:dev ')
    wanted = wanted.replace("jobdescriptor/3.14/", "jobdescriptor/dev/")
    assert job_xml(text, FACTS, HIDDEN) == DECLARED + "<!-- é -->" + wanted + shown + TASKS


def test_hidden_values_of_tasks_are_not_shown() -> None:
    """Those of the job come as the facts have them."""
    variables = '<variables><variable name="P" value="secret" model="PA:HIDDEN"/></variables>'
    text = HEAD.format("3.14") + TASKS.replace('name="T">', f'name="T">{variables}')
    assert f'value="{HIDDEN.shown("secret")}"' in job_xml(text, JobFacts(), HIDDEN)


@pytest.mark.parametrize("text", ["", "<job", "no XML", "<job>\x00</job>"])
def test_a_text_that_is_not_xml_is_sent_back_as_it_is(text: str) -> None:
    """Nothing that was accepted once is lost."""
    assert job_xml(text, FACTS, HIDDEN) == text


def test_values_that_xml_cannot_hold() -> None:
    """Control characters are replaced, quotes and ampersands escaped."""
    facts = JobFacts(variables=(Variable(name="A", value='\x01"<&>\ud800'),))
    assert '<variable name="A" value="?&quot;&lt;&amp;&gt;?"/>' in job_xml(HEAD.format("3.14") + TASKS, facts, HIDDEN)
