"""Which scripts may share a Java machine with the next one."""

from __future__ import annotations

import pytest

from proactive_jupyter_kernel.scheduler.runtimes.reuse import leaves_nothing

HARMLESS = {
    "groovy": [
        "result = 1",
        "// Computes the Sum; Foo\nresult = [1, 2].collect { it * 2 }.sum()",
        'println "Hello ${name}, Welcome to $place"',
        'println "Hello World"; variables.put("X", Math.PI)',
        "import groovy.json.JsonSlurper\nresult = new JsonSlurper().parseText('{\"A\": [1]}')",
        "class Point { int x }\nresult = new Point(x: 3).x",
        "def when = new Date(); Thread.sleep(1); System.getProperty('os.name')",
        "selected = SelectionUtils.checkOSName('linux')",
        "new File('a.txt').text = 'Text of It'",
        "if (runs) { throw new IllegalStateException('No') }",
        'loop = variables["PA_TASK_ITERATION"] < 3',
    ],
    "python": [
        "import os, json\nresult = json.dumps([os.getcwd()])",
        "from collections import OrderedDict\nresult = OrderedDict()",
        "from java.util import ArrayList\nresult = ArrayList()",
        "class A(object):\n    pass\nresult = True",
        "class A(object):\n    pass\na = A()\na.value = 1",
        "import os\nresult = os.environ.get('A') or 'B' in os.environ or os.environ['HOME'] == '/'",
    ],
    "scalaw": [
        "val total = List(1, 2).sum\nresult = total",
        'import scala.collection.JavaConverters._\nresult = Map("a" -> 1).asJava',
        "case class Point(x: Int)\nresult = Point(1).x",
    ],
}
LASTING = {
    "groovy": [
        "String.metaClass.shout = { 1 }",
        "x['metaClass'].shout = { 1 }",
        "result = 'x'.class.name",
        "Counter.total = 3",
        "'ls'.execute()",
        "import java.util.logging.Logger\nLogger.getLogger('').level = null",
        'println "${Server.start()}"',
        "java.util.logging.LogManager.getLogManager().reset()",
        "new URL('http://x').text",
        "Class.forName('a.b.C')",
        "sun.misc.Unsafe",
        "synchronizationapi.put('a', 'b', 1)",
        "@Grab('a:b:1')\nimport a.Thing\nresult = 1",
    ],
    "python": [
        "import __builtin__\n__builtin__.x = 1",
        "from java.util import ArrayList\nArrayList.shout = lambda self: 1",
        "import logging",
        "import os, threading",
        "from javax.swing import JFrame",
        "reload(os)",
        "import os\nos.environ['A'] = '1'",
        "import os\nos.environ[names[0]] = '1'",
        "import os\ndel os.environ['A']",
        "import os\nos.environ.update(A='1')",
        "from os import environ as e\ne['A'] = '1'",
        "import os\nos.putenv('A', '1')",
        "import os\nos.umask(0)",
        "import csv\ncsv.field_size_limit(10)",
        "import time\ntime.zone = 1",
        "import operator as o\no.add = None",
    ],
    "scalaw": ["val c = classOf[String].getClass", "akka.Actor", "scala.concurrent.Future { 1 }"],
    "ruby": ["x = 1"],
}


@pytest.mark.parametrize(("engine", "code"), [(engine, code) for engine, codes in HARMLESS.items() for code in codes])
def test_a_script_that_names_only_known_classes_is_followed_by_another(engine: str, code: str) -> None:
    """Its own classes, texts and comments do not count."""
    assert leaves_nothing(code, engine)


@pytest.mark.parametrize(("engine", "code"), [(engine, code) for engine, codes in LASTING.items() for code in codes])
def test_a_script_that_reaches_for_more_ends_its_machine(engine: str, code: str) -> None:
    """What it does may outlive it, whether or not it does."""
    assert not leaves_nothing(code, engine)
