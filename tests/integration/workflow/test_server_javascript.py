"""The code behind JavaScript tasks, run by an engine with stand-ins for Java's collections and a server's refusals."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from proactive_jupyter_kernel.pragmas.draft.source_map import SourceMap
from proactive_jupyter_kernel.pragmas.jobs.server_javascript import around

#: As a server's engine is: only Java's objects may be put or be the result.
SERVER = """
class ArrayList { constructor() { this.items = []; } add(item) { this.items.push(item); }
  get [Symbol.toStringTag]() { return "java.util.ArrayList"; } }
class LinkedHashMap { constructor() { this.entries = {}; } put(key, value) { this.entries[key] = value; }
  get [Symbol.toStringTag]() { return "java.util.LinkedHashMap"; } }
const java = { util: { ArrayList, LinkedHashMap } };
const scope = { java, put: {} };
const checked = (value) => {
  if (value instanceof ArrayList) return value.items.map(checked);
  if (value instanceof LinkedHashMap)
    return Object.fromEntries(Object.entries(value.entries).map(([key, item]) => [key, checked(item)]));
  if (typeof value === "object" && value !== null) throw new Error("ClassCastException");
  return value;
};
globalThis.java = java;
globalThis.variables = {
  put(key, value) { scope.put[key] = checked(value); return null; },
  get(key) { return key in scope.put ? scope.put[key] : null; },
};
const own = (0, eval)(require("fs").readFileSync(process.argv[2], "utf8"));
const left = typeof result === "undefined" ? "none" : checked(result);
console.log(JSON.stringify([scope.put, left]));
"""


@pytest.mark.parametrize(
    ("script", "put", "result"),
    [
        ("result = [1, {a: [true, null, 'é']}]", {}, [1, {"a": [True, None, "é"]}]),
        ("result = {}", {}, {}),
        ("result = 'text'", {}, "text"),
        ("result = 0", {}, 0),
        ("var result = [2]", {}, [2]),
        ("variables.put('k', [1]); variables.put('m', {x: {}}); variables.put('n', null)", None, "none"),
        ("var list = new java.util.ArrayList(); list.add(5); result = list", {}, [5]),
        ("1 + 1", {}, "none"),
        ("var f = function () { return 1 }", {}, "none"),
        ("variables['k'] = [1]", {"k": [1]}, [1]),
        ("variables.k = {a: 1}; 0", {"k": {"a": 1}}, "none"),
        ("variables['n'] = 1\nvariables['n'] += 2\nresult = variables.get('n')", {"n": 3}, 3),
        ("var k = ['a', 'b']\nvariables[k[0]] = variables [k[1]] = [k.length]\n;0", {"a": [2], "b": [2]}, "none"),
        ("if (variables['k'] == null) { 0 }", {}, "none"),
        ("var x = 1\n;[x, [2]]", {}, [1, [2]]),
        ("var x = 1;\n({a: x}) // the result", {}, {"a": 1}),
        ("var x = [1]\nx.map(function (y) {\n  return y + 1\n})", {}, [2]),
        ("var x = [1]\nx\n  .concat([2])", {}, [1, 2]),
        ("1, [2]", {}, [2]),
        ("if (true)\n  [3]", {}, "none"),
        ("var s = 'a]b'.split(/[\\]/]/)\ns;", {}, ["a", "b"]),
        ("function f() { return [1] }\nf()", {}, [1]),
        ("a: [1]", {}, "none"),
        ("result = 5; [1]", {}, 5),
    ],
)
def test_arrays_and_objects_become_javas(tmp_path: Path, script: str, put: object, result: object) -> None:
    """As deep as they go; Java's own and plain values stay."""
    code, _ = around(SourceMap(engine="javascript", script=script), keep_last=True)
    (tmp_path / "task.js").write_text(code, encoding="utf-8")
    (tmp_path / "server.js").write_text(SERVER, encoding="utf-8")
    done = subprocess.run(
        ["node", "server.js", "task.js"], capture_output=True, text=True, cwd=tmp_path, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    expected = {"k": [1], "m": {"x": {}}, "n": None} if put is None else put
    assert json.loads(done.stdout) == [expected, result]
