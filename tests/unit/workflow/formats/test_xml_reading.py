"""Workflows as XML, read: every schema version, what others write, and what must be refused."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proactive_jupyter_kernel.errors import InvalidWorkflow, UnreadableWorkflow
from proactive_jupyter_kernel.workflow.formats import xml
from proactive_jupyter_kernel.workflow.formats.xml import Loaded, dumps, loads
from proactive_jupyter_kernel.workflow.model import (
    Block,
    Branch,
    ErrorPolicy,
    FileSelector,
    ForkEnvironment,
    JavaClass,
    Loop,
    Priority,
    Reference,
    Replicate,
    RestartMode,
    Script,
    SelectionScript,
    Task,
    TaskVariable,
    Topology,
    Variable,
    Workflow,
)

VERSIONS = [*(f"3.{number}" for number in range(15)), "dev"]
BODY = '<scriptExecutable><script><code language="bash">echo hello</code></script></scriptExecutable>'
HELLO = Script(language="bash", code="echo hello")


def job(inner: str, attributes: str = 'name="some"', version: str = "3.14") -> str:
    return f'<job xmlns="urn:proactive:jobdescriptor:{version}" {attributes}>\n{inner}\n</job>'


def flow(inner: str = BODY, attributes: str = 'name="T"') -> str:
    return f"<taskFlow>\n<task {attributes}>\n{inner}\n</task>\n</taskFlow>"


def read_task(inner: str = BODY, attributes: str = 'name="T"', version: str = "3.14") -> tuple[Task, tuple[str, ...]]:
    loaded = loads(job(flow(inner, attributes), version=version))
    return loaded.workflow.tasks[0], loaded.notices


def problems_of(text: str) -> list[str]:
    with pytest.raises(InvalidWorkflow) as caught:
        loads(text)
    return [str(problem) for problem in caught.value.problems]


FULL = """<?xml version="1.0" encoding="UTF-8"?>
<job xmlns="urn:proactive:jobdescriptor:3.14" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
     xsi:schemaLocation="urn:proactive:jobdescriptor:3.14 http://example.org/schedulerjob.xsd"
     name="full" priority="high" onTaskError="continueJobExecution" maxNumberOfExecution="2"
     restartTaskOnError="elsewhere" taskRetryDelay="5" projectName="Demo" tags="ETL, Nightly">
  <variables>
    <variable name="COUNT" value="3" model="PA:INTEGER[1,10]" description="How many" group="Main" advanced="false"
              hidden="false"/>
    <variable name="LABEL" value="run-${COUNT}"/>
  </variables>
  <description><![CDATA[Everything in one job]]></description>
  <genericInformation><info name="REMOVE_DELAY" value="3d 12h"/></genericInformation>
  <inputSpace url="/data/in"/> <outputSpace url="/data/out"/> <globalSpace url="/data/glob"/>
  <userSpace url="/data/user"/>
  <taskFlow>
    <task name="prepare" maxNumberOfExecution="3" onTaskError="pauseJob" restartTaskOnError="anywhere"
          taskRetryDelay="10" walltime="1:00" fork="true" runAsMe="false" preciousResult="true" preciousLogs="true">
      <description><![CDATA[First task]]></description>
      <variables>
        <variable name="STEP" value="one" inherited="false" model="PA:NOT_EMPTY_STRING"/>
        <variable name="COUNT" value="1" inherited="true"/>
      </variables>
      <genericInformation><info name="PYTHON_COMMAND" value="python3"/></genericInformation>
      <inputFiles>
        <files includes="in/*.csv" excludes="in/tmp*" accessMode="transferFromUserSpace"/>
        <files includes="shared/**" accessMode="transferFromGlobalSpace"/>
      </inputFiles>
      <parallel numberOfNodes="2"><topology><singleHost/></topology></parallel>
      <selection><script type="static"><code language="groovy"><![CDATA[selected = true]]></code></script></selection>
      <forkEnvironment javaHome="/usr" workingDir="/data/work">
        <SystemEnvironment><variable name="LANG" value="C.UTF-8"/></SystemEnvironment>
        <jvmArgs><jvmArg value="-Xmx256m"/></jvmArgs>
        <additionalClasspath><pathElement path="/opt/libs/x.jar"/></additionalClasspath>
        <envScript><script><code language="groovy"><![CDATA[preJavaHomeCmd = ""]]></code></script></envScript>
      </forkEnvironment>
      <pre><script><code language="bash"><![CDATA[echo before]]></code></script></pre>
      <scriptExecutable>
        <script>
          <code language="cpython"><![CDATA[
print("hello", variables["STEP"], args)
]]></code>
          <arguments><argument value="--n"/><argument value="$COUNT"/></arguments>
        </script>
      </scriptExecutable>
      <controlFlow block="none"/>
      <post><script><code language="bash"><![CDATA[echo after]]></code></script></post>
      <cleaning><script><code language="groovy"><![CDATA[println "cleaned"]]></code></script></cleaning>
      <outputFiles><files includes="out/*.csv" accessMode="transferToUserSpace"/></outputFiles>
      <metadata><positionTop>10</positionTop><positionLeft>20</positionLeft></metadata>
    </task>
  </taskFlow>
  <metadata><visualization><![CDATA[<html></html>]]></visualization></metadata>
</job>
"""

FULL_WORKFLOW = Workflow(
    name="full",
    priority=Priority.HIGH,
    on_error=ErrorPolicy.CONTINUE,
    max_executions=2,
    restart=RestartMode.ELSEWHERE,
    retry_delay=5,
    project="Demo",
    tags=("ETL", "Nightly"),
    variables=(
        Variable(
            name="COUNT",
            value="3",
            model="PA:INTEGER[1,10]",
            description="How many",
            group="Main",
            explicit=("advanced", "hidden"),
        ),
        Variable(name="LABEL", value="run-${COUNT}"),
    ),
    description="Everything in one job",
    generic_information={"REMOVE_DELAY": "3d 12h"},
    input_space="/data/in",
    output_space="/data/out",
    global_space="/data/glob",
    user_space="/data/user",
    visualization="<html></html>",
    tasks=(
        Task(
            name="prepare",
            max_executions=3,
            on_error=ErrorPolicy.PAUSE_JOB,
            restart=RestartMode.ANYWHERE,
            retry_delay=10,
            walltime=60,
            fork=True,
            run_as_me=False,
            precious_result=True,
            precious_logs=True,
            description="First task",
            variables=(
                TaskVariable(name="STEP", value="one", model="PA:NOT_EMPTY_STRING", explicit=("inherited",)),
                TaskVariable(name="COUNT", value="1", inherited=True),
            ),
            generic_information={"PYTHON_COMMAND": "python3"},
            input_files=(
                FileSelector(includes="in/*.csv", excludes="in/tmp*", access_mode="transferFromUserSpace"),
                FileSelector(includes="shared/**", access_mode="transferFromGlobalSpace"),
            ),
            output_files=(FileSelector(includes="out/*.csv", access_mode="transferToUserSpace"),),
            nodes=2,
            topology=Topology.SINGLE_HOST,
            selection=(SelectionScript(script=Script(language="groovy", code="selected = true"), static=True),),
            fork_environment=ForkEnvironment(
                java_home="/usr",
                working_dir="/data/work",
                environment={"LANG": "C.UTF-8"},
                jvm_arguments=("-Xmx256m",),
                classpath=("/opt/libs/x.jar",),
                script=Script(language="groovy", code='preJavaHomeCmd = ""'),
            ),
            pre=Script(language="bash", code="echo before"),
            executable=Script(
                language="cpython",
                code='\nprint("hello", variables["STEP"], args)\n',
                arguments=("--n", "$COUNT"),
            ),
            post=Script(language="bash", code="echo after"),
            clean=Script(language="groovy", code='println "cleaned"'),
            metadata=(("positionTop", "10"), ("positionLeft", "20")),
            explicit=("runAsMe", "block"),
        ),
    ),
)


def test_everything_on_one_task_is_read() -> None:
    """Each element and attribute of the schema finds its field."""
    assert loads(FULL) == Loaded(workflow=FULL_WORKFLOW)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_schema_version_is_read(version: str) -> None:
    """All namespaces from 3.0 to 3.14, and dev, are workflows."""
    loaded = loads(job(flow(), version=version))

    assert loaded == Loaded(workflow=Workflow(name="some", tasks=(Task(name="T", executable=HELLO),)))


def test_bytes_and_text_are_read_alike() -> None:
    """A file may come as text or as bytes in the encoding that it names, with or without a mark."""
    text = job(flow(f"<description>ü</description>{BODY}"))
    declared = '<?xml version="1.0" encoding="ISO-8859-1"?>\n' + text

    read = [
        loads(text),
        loads(text.encode()),
        loads(declared.encode("iso-8859-1")),
        loads(b"\xef\xbb\xbf" + text.encode()),
        loads(("\ufeff" + text).encode("utf-16-le")),
        loads(declared),
    ]

    assert {loaded.workflow.tasks[0].description for loaded in read} == {"ü"}


@pytest.mark.parametrize(
    ("attributes", "version", "policy"),
    [
        ('name="T" cancelJobOnError="true"', "3.3", ErrorPolicy.CANCEL_JOB),
        ('name="T" cancelJobOnError="false"', "3.0", None),
        ('name="T" onTaskError="none"', "3.14", ErrorPolicy.NONE),
        ('name="T" onTaskError="${P}"', "3.14", Reference("P")),
    ],
)
def test_error_policies_of_all_times_are_read(attributes: str, version: str, policy: object) -> None:
    """Up to 3.3 a policy was called cancelJobOnError."""
    task, notices = read_task(attributes=attributes, version=version)

    assert (task.on_error, notices) == (policy, ())


def test_the_fork_environment_of_old_java_tasks_is_found() -> None:
    """Up to 3.2 it stood inside of javaExecutable, and jobs had a class path that is ignored now."""
    text = job(
        '<jobClasspath><pathElement path="a.jar"/></jobClasspath>'
        + flow('<javaExecutable class="a.B"><forkEnvironment javaHome="/j"/></javaExecutable>'),
        version="3.2",
    )

    loaded = loads(text)

    assert loaded == Loaded(
        workflow=Workflow(
            name="some",
            tasks=(Task(name="T", executable=JavaClass(name="a.B"), fork_environment=ForkEnvironment(java_home="/j")),),
        ),
        notices=("Line 2: <jobClasspath> was left out. ProActive ignores it since schema 3.3.",),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '<nativeExecutable old="1"><staticCommand value="ls"/></nativeExecutable>',
            "<nativeExecutable> has no attribute old",
        ),
        (
            "<nativeExecutable><dynamicCommand/></nativeExecutable>",
            "<nativeExecutable> holds no element <dynamicCommand>. Did you mean 'staticCommand'?",
        ),
    ],
)
@pytest.mark.parametrize("version", ["3.0", "3.1", "3.5", "3.11", "3.14"])
def test_unknown_parts_of_old_schemas_are_refused_by_name(text: str, message: str, version: str) -> None:
    """Nothing that a workflow says is dropped, in any version of the schema."""
    with pytest.raises(InvalidWorkflow) as caught:
        read_task(text, version=version)

    assert message in str(caught.value)


def test_newer_attributes_under_an_older_schema_are_read_and_named() -> None:
    """They mean what they mean later, but a server would refuse them."""
    loaded = loads(job(flow(), 'name="some" tags="a"', version="3.12"))

    assert (loaded.workflow.tags, loaded.notices) == (
        ("a",),
        ("Line 1: attribute tags of <job> requires schema 3.14. A server refuses it under 3.12.",),
    )


def test_what_the_official_exporter_writes_is_read() -> None:
    """Empty models and descriptions, all retry attributes, padded durations."""
    text = job(
        '<variables><variable model="" name="A" value=""/></variables><description/>'
        + flow('<controlFlow block="none"/>'.join([BODY, ""]), 'name="T" walltime="01:30" taskRetryDelay="05"'),
        'maxNumberOfExecution="1" name="some" onTaskError="none" priority="normal" restartTaskOnError="anywhere"',
    )

    loaded = loads(text)

    assert (loaded.workflow.variables, loaded.workflow.description, loaded.notices) == (
        (Variable(name="A", value="", explicit=("model",)),),
        "",
        (),
    )
    assert (loaded.workflow.tasks[0].walltime, loaded.workflow.tasks[0].retry_delay) == (90, 5)


def test_duplicates_count_once_and_are_named() -> None:
    """Of two variables or infos with one name the last counts, at the place of the first."""
    text = job(
        '<variables><variable name="A" value="1"/><variable name="B" value="2"/><variable name="A" value="3"/>'
        '</variables><genericInformation><info name="K" value="1"/><info name="K" value="2"/></genericInformation>'
        + flow()
    )

    loaded = loads(text)

    assert (loaded.workflow.variables, loaded.workflow.generic_information, loaded.notices) == (
        (Variable(name="A", value="3"), Variable(name="B", value="2")),
        {"K": "2"},
        (
            "Line 2: variable 'A' occurs twice. The last one is used.",
            "Line 2: generic information 'K' occurs twice. The last one is used.",
        ),
    )


def test_booleans_are_read_as_the_server_does() -> None:
    """Any case of true is true; the digit 1 is false, which is said."""
    task, notices = read_task(attributes='name="T" preciousResult="True" preciousLogs="1" runAsMe=" false "')

    assert (task.precious_result, task.precious_logs, task.run_as_me, notices) == (
        True,
        False,
        False,
        ('Line 3, task \'T\': preciousLogs="1" means false to ProActive. Write "true" to set it.',),
    )


@pytest.mark.parametrize(
    ("content", "code", "noticed"),
    [
        ("echo", "echo", False),
        ("", "", False),
        ("// <![CDATA[\na < b\n// ]]>\n", "// \na < b\n// \n", False),
        ("<![CDATA[a]]]]><![CDATA[>b]]>", "a]]>b", False),
        ("a&#13;&#10;b", "a\r\nb", False),
        ("a<!-- c -->", "a", False),
        ("<!-- c -->echo", "", True),
        ("one<!-- c -->two", "one", True),
        ("one<?pi x?>two", "one", True),
    ],
)
def test_code_is_the_text_up_to_the_first_comment(content: str, code: str, noticed: bool) -> None:
    """Text and CDATA are joined; what a comment cuts off is cut off here as well, and said so."""
    body = f'<scriptExecutable><script><code language="bash">{content}</code></script></scriptExecutable>'

    task, notices = read_task(body)

    assert (task.executable, bool(notices)) == (Script(language="bash", code=code), noticed)


def test_references_stay_as_they_are_written() -> None:
    """A workflow that is read can be written again with its references."""
    text = job(
        flow(BODY, 'name="T" walltime="${W}" fork="${F}" numberOfNodes="${N}"'),
        'name="${JOB}" priority="${P}"',
    )

    workflow = loads(text).workflow

    assert (workflow.name, workflow.priority) == ("${JOB}", Reference("P"))
    assert (workflow.tasks[0].walltime, workflow.tasks[0].fork, workflow.tasks[0].nodes) == (
        Reference("W"),
        Reference("F"),
        Reference("N"),
    )
    assert loads(dumps(workflow)).workflow == workflow


def test_flow_actions_are_read() -> None:
    """Branch, loop and replicate; an empty continuation is none."""
    script = '<script><code language="groovy">x</code></script>'
    code = Script(language="groovy", code="x")
    text = job(
        "<taskFlow>"
        f'<task name="A">{BODY}<controlFlow><if target="B" else="C" continuation="">{script}</if></controlFlow></task>'
        f'<task name="B">{BODY}<controlFlow block="end"><loop target="A">{script}</loop></controlFlow></task>'
        f'<task name="C">{BODY}<controlFlow block="start"><replicate>{script}</replicate></controlFlow></task>'
        "</taskFlow>"
    )

    tasks = loads(text).workflow.tasks

    assert [(task.flow, task.block) for task in tasks] == [
        (Branch(script=code, target="B", otherwise="C", explicit=("continuation",)), Block.NONE),
        (Loop(script=code, target="A"), Block.END),
        (Replicate(script=code), Block.START),
    ]


def test_scripts_from_a_url_keep_it() -> None:
    """A script at a URL is not fetched; its arguments stand inside of file."""
    url = "${PA_CATALOG_REST_URL}/buckets/b/resources/r/raw"
    body = f'<scriptExecutable><script><file url="{url}" language="groovy"><arguments><argument value="a"/></arguments>'

    task, notices = read_task(body + "</file></script></scriptExecutable>")

    assert (task.executable, notices) == (Script(language="groovy", url=url, arguments=("a",)), ())


def test_script_files_are_read_into_the_workflow() -> None:
    """A path is read through the caller, its variables resolved, its language told by the extension."""
    text = job(
        '<variables><variable name="DIR" value="scripts"/></variables>'
        + flow(
            '<pre><script><file path="${DIR}/a.py"/></script></pre>'
            '<scriptExecutable><script><file path="${DIR}/b.cpy" language="ignored"/></script></scriptExecutable>'
        )
    )

    loaded = loads(text, read_file=lambda path: f"content of {path}")

    task = loaded.workflow.tasks[0]
    assert (task.pre, task.executable) == (
        Script(language="python", code="content of scripts/a.py"),
        Script(language="cpython", code="content of scripts/b.cpy"),
    )
    assert loaded.notices == (
        "Line 4, task 'T': the text of script file 'scripts/b.cpy' is now part of the workflow",
        "Line 4, task 'T': the text of script file 'scripts/a.py' is now part of the workflow",
    )


def test_script_files_that_cannot_be_read_are_problems() -> None:
    """Without a folder, with a missing file or an unknown extension the workflow is refused, with the path."""
    text = job(flow('<scriptExecutable><script><file path="a.unknown"/></script></scriptExecutable>'))

    def missing(path: str) -> str:
        raise FileNotFoundError(2, "No such file", path)

    with pytest.raises(InvalidWorkflow) as caught:
        loads(text, read_file=missing)

    assert [str(problem) for problem in caught.value.problems] == [
        "Line 4, task 'T': the extension of script file 'a.unknown' does not imply a language. "
        "Give it one, such as .cpy for Python or .bash.",
        "Line 4, task 'T': script file 'a.unknown' cannot be read: [Errno 2] No such file: 'a.unknown'. "
        "The path is relative to the folder of the workflow file.",
    ]
    assert problems_of(text.replace("unknown", "cpy")) == [
        "Line 4, task 'T': script file 'a.cpy' cannot be read from here. "
        "Read the workflow from its own folder, or move the script's text into it."
    ]


def test_what_cannot_be_represented_is_named() -> None:
    """Foreign metadata of the job, nested metadata of a task, two numbers of nodes: each is said."""
    text = job(
        flow(
            '<parallel numberOfNodes="3"/><selection><script type="${T}"><code language="groovy">x</code></script>'
            f'</selection>{BODY}<metadata><outer a="1"><inner>1</inner></outer><x:y xmlns:x="urn:x">2</x:y></metadata>',
            'name="T" numberOfNodes="2"',
        )
        + "<metadata><author>me</author><visualization>v</visualization></metadata>"
    )

    loaded = loads(text)

    task = loaded.workflow.tasks[0]
    assert (task.nodes, task.metadata, loaded.workflow.visualization) == (3, (("inner", "1"), ("{urn:x}y", "2")), "v")
    assert loaded.notices == (
        "Line 3, task 'T': numberOfNodes is 2 on the task and 3 in <parallel>. The one in <parallel> is used.",
        'Line 4, task \'T\': type="${T}" of a selection script was changed to "dynamic"',
        "Line 4, task 'T': the attributes of metadata <outer> were left out",
        "Line 4, task 'T': metadata <outer> was left out. Its inner parts are kept.",
        "Line 6: metadata <author> of the job was left out",
    )


def test_all_structural_problems_are_named_at_once() -> None:
    """Unknown, missing, misplaced and wrong parts are all reported, with their lines and what may be meant."""
    text = job(
        """<variables/>
<genericInformation><info name="a b" value="1"/></genericInformation>
<inputspace url="/a"/>
<taskFlow>
<task name="A" walltim="5" walltime="0:30" taskRetryDelay="1:60">
<scriptExecutable><script><code>x</code></script></scriptExecutable>
<depends><task ref="Bee"/></depends>
</task>
<task name="B" maxNumberOfExecution="0" block="start">stray
<scriptExecutable><script/></scriptExecutable>
<nativeExecutable><staticCommand value="ls"/></nativeExecutable>
</task>
<task name="B" cancelJobOnError="true"><scriptExecutable><script><file/></script></scriptExecutable></task>
</taskFlow>""",
        'name="x" priority="urgent"',
    )

    assert problems_of(text) == [
        "Line 1: attribute name of <job> must have at least 2 characters",
        "Line 1: attribute priority of <job> must be one of highest, high, normal, low, lowest",
        "Line 2: <variables> lacks its element <variable>",
        "Line 3: attribute name of <info> 'a b' contains ' '; a name holds letters, digits, '.', '-' and '_' only",
        "Line 4: <job> holds no element <inputspace>. Did you mean 'inputSpace'?",
        "Line 6, task 'A': <task> has no attribute walltim. Did you mean 'walltime'?",
        "Line 6, task 'A': attribute walltime of <task> must be a time such as 90, 1:30 or 1:00:00, "
        "and its first part must not be zero",
        "Line 6, task 'A': attribute taskRetryDelay of <task> must be a time such as 90, 1:30 or 1:00:00, "
        "and its first part must not be zero",
        "Line 7, task 'A': <code> lacks its attribute language",
        "Line 8, task 'A': <depends> is in the wrong position inside of <task>. "
        "The order is <description>, <variables>, "
        "<genericInformation>, <depends>, <inputFiles>, <parallel>, <selection>, <forkEnvironment>, <pre>, "
        "<scriptExecutable>, <javaExecutable>, <nativeExecutable>, <controlFlow>, <post>, <cleaning>, <outputFiles>, "
        "<metadata>.",
        "Line 10, task 'B': attribute maxNumberOfExecution of <task> must be an integer of at least 1",
        "Line 10, task 'B': <task> has no attribute block. Known: name, onTaskError, restartTaskOnError, "
        "taskRetryDelay, "
        "maxNumberOfExecution, numberOfNodes, fork, runAsMe, walltime, preciousResult, preciousLogs, "
        "resultPreviewClass.",
        "Line 10, task 'B': text 'stray' inside of <task>, where no text is allowed",
        "Line 11, task 'B': <script> lacks its element <code> or <file>",
        "Line 12, task 'B': <task> holds more than one element <scriptExecutable> or <javaExecutable> or "
        "<nativeExecutable>",
        "Line 14, task 'B': attribute cancelJobOnError of <task> was removed in schema 3.4. "
        'Write onTaskError="cancelJob" instead of "true", and nothing instead of "false".',
        "Line 14, task 'B': <file> needs an attribute path or url",
        "Line 14, task 'B': Task names are not unique. Two tasks have this name; rename one.",
        "Line 8, task 'A': Unknown dependence: Bee. Known: A, B.",
    ]


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [("5", 5), ("05", 5), ("90", 90), ("1:00", 60), ("01:30", 90), ("100:00:00", 360_000)],
)
def test_durations_are_read(duration: str, seconds: int) -> None:
    """Seconds, minutes and seconds, or hours, minutes and seconds."""
    assert read_task(attributes=f'name="T" walltime="{duration}"')[0].walltime == seconds


@pytest.mark.parametrize("duration", ["0", "0:30", "00:30", "00:01:00", "1:60", "", "1:1", "-5", "5 ", "9" * 40])
def test_bad_durations_are_refused(duration: str) -> None:
    """What the schema's pattern excludes is excluded here."""
    assert len(problems_of(job(flow(BODY, f'name="T" walltime="{duration}"')))) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Line 1, column 1: this is not well-formed XML: Document is empty"),
        ("no xml at all", "Line 1, column 1: this is not well-formed XML: Start tag expected, '<' not found"),
        (
            "<job>\n  <a></b>\n</job>",
            "Line 2, column 10: this is not well-formed XML: Opening and ending tag mismatch: a line 2 and b",
        ),
        ("<html/>", "Line 1: this XML is not a ProActive workflow: its root is <html>."),
        (
            '<job xmlns="urn:other"/>',
            "Line 1: this XML is not a ProActive workflow: its root is <job> of namespace 'urn:other'.",
        ),
        ('<job xmlns="urn:proactive:jobdescriptor:3.15"/>', "Line 1: schema version '3.15' is not known."),
        ('<?xml version="1.0" encoding="klingon"?><a/>', "The workflow is in the encoding klingon, which is not read."),
        ("<a>\ud800</a>", "The workflow contains half of a surrogate pair"),
    ],
)
def test_what_is_not_a_workflow_is_reported(text: str, message: str) -> None:
    """The message tells what is there instead, and where."""
    data = text.encode() if "klingon" in text else text

    with pytest.raises(UnreadableWorkflow) as caught:
        loads(data)

    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("encoding", "message"),
    [
        ("punycode", "The workflow is in the encoding punycode, which is not read.\nUse UTF-8."),
        ("utf_7", "The workflow is in the encoding utf_7, which is not read.\nUse UTF-8."),
        ("unicode_escape", "The workflow is in the encoding unicode_escape, which is not read.\nUse UTF-8."),
        ("iso8859-99", "The workflow is in an unknown encoding, iso8859-99.\nUse UTF-8."),
    ],
)
def test_odd_encodings_are_refused(encoding: str, message: str) -> None:
    """Python has encodings that no XML is written in, and that take quadratic time."""
    with pytest.raises(UnreadableWorkflow) as caught:
        loads(f'<?xml version="1.0" encoding="{encoding}"?><a/>'.encode())

    assert str(caught.value) == message


@pytest.mark.parametrize(
    "prolog",
    [
        "<!DOCTYPE job>",
        '<!DOCTYPE job [<!ENTITY a "b">]>',
        '<?xml version="1.0"?>\n<!-- > --> <?x y?>\n<!DOCTYPE job SYSTEM "file:///etc/passwd">',
    ],
)
def test_a_document_type_is_refused(prolog: str) -> None:
    """No entity is ever defined, so none can grow, read a file or ask the network."""
    with pytest.raises(UnreadableWorkflow, match="document type"):
        loads(prolog + job(flow()))


def test_an_undefined_entity_is_a_syntax_error() -> None:
    """Without a document type there is nothing that an entity could stand for."""
    with pytest.raises(UnreadableWorkflow, match="Entity 'nbsp' not defined"):
        loads(job(flow(f"<description>&nbsp;</description>{BODY}")))


def test_size_depth_and_number_of_tasks_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """A text from outside cannot make the reader work without end."""
    with pytest.raises(UnreadableWorkflow, match=r"at most 67,108,864 are read"):
        loads(" " * (xml.MAX_BYTES + 1))
    with pytest.raises(UnreadableWorkflow, match="depth"):
        loads(job(flow(f"{BODY}<metadata>{'<a>' * 300}{'</a>' * 300}</metadata>")))
    monkeypatch.setattr(xml, "MAX_TASKS", 0)
    with pytest.raises(UnreadableWorkflow, match="has 1 tasks; at most 0 are read"):
        loads(job(flow()))


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_damaged_texts_end_in_a_message(data: st.DataObject) -> None:
    """A workflow with pieces cut out, doubled or changed is read or refused; nothing else ever happens."""
    text = FULL
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = min(len(text), start + data.draw(st.integers(0, 40)))
        text = (
            text[:start]
            + data.draw(st.sampled_from(["", text[start:end] * 2, "<", "&", "\0", "]]>", '"']))
            + text[end:]
        )

    with contextlib.suppress(InvalidWorkflow, UnreadableWorkflow):
        loads(text)


def test_thousands_of_unknown_dependencies_are_named_in_seconds() -> None:
    """Proposals compare a name with all others; only the first problems have one."""
    body = '<scriptExecutable><script><code language="bash"/></script></scriptExecutable></task>'
    tasks = (f'<task name="task_{n}"><depends><task ref="tsak_{n}"/></depends>{body}' for n in range(2_000))
    start = time.thread_time()

    with pytest.raises(InvalidWorkflow) as caught:
        loads(job(f"<taskFlow>{''.join(tasks)}</taskFlow>"))

    hints = ["Did you mean" in str(problem) for problem in caught.value.problems]
    assert (len(hints), sum(hints), time.thread_time() - start < 5) == (2_000, 50, True)


def test_thousands_of_unknown_attributes_are_named_in_seconds() -> None:
    """The time grows with their number, not with its square."""
    attributes = " ".join(f'nmae{n}=""' for n in range(50_000))
    text = f'<job xmlns="urn:proactive:jobdescriptor:3.14" name="many" {attributes}><taskFlow/></job>'
    start = time.thread_time()

    with pytest.raises(InvalidWorkflow) as caught:
        loads(text)

    hints = ["Did you mean" in str(problem) for problem in caught.value.problems]
    assert (len(hints) >= 50_000, sum(hints) <= 50, time.thread_time() - start < 5) == (True, True, True)
