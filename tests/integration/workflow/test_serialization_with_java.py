"""Java's own serialization judges ours: it reads what we write, and we read what it writes."""

from __future__ import annotations

import base64
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.required import need

from proactive_jupyter_kernel.workflow.java.serialization import JavaObject, dumps, loads
from proactive_jupyter_kernel.workflow.values import text

PROGRAM = """
import java.io.*;
import java.math.*;
import java.util.*;

public class Echo {
    static String write(Object value) throws Exception {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        ObjectOutputStream stream = new ObjectOutputStream(bytes);
        stream.writeObject(value);
        stream.flush();
        return Base64.getEncoder().encodeToString(bytes.toByteArray());
    }

    public static void main(String[] arguments) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        String line;
        while ((line = in.readLine()) != null) {
            byte[] bytes = Base64.getDecoder().decode(line);
            Object value = new ObjectInputStream(new ByteArrayInputStream(bytes)).readObject();
            String text = Base64.getEncoder().encodeToString(String.valueOf(value).getBytes("UTF-8"));
            String name = value == null ? "null" : value.getClass().getName();
            System.out.println(name + " " + text + " " + write(value));
        }
        System.out.println("--");
        Object[] others = {
            List.of(1, 2), Map.of("a", 1), Set.of("x"), new TreeMap<>(Map.of("k", "v")), new TreeSet<>(Set.of("x")),
            new LinkedList<>(List.of(1)), new Vector<>(List.of(1, 2)), Arrays.asList(1, 2), new Stack<Object>(),
            new ArrayDeque<>(List.of(1)), new LinkedHashMap<>(Map.of("a", 1)), new Hashtable<>(Map.of("a", 1)),
            new java.util.concurrent.ConcurrentHashMap<>(Map.of("a", 1)), new LinkedHashSet<>(List.of(2, 1)),
            Collections.unmodifiableList(new ArrayList<>(List.of(3))), Collections.singletonMap("a", 1),
            Collections.synchronizedList(new ArrayList<>(List.of(9))), Collections.emptyList(),
            new BigInteger("-12345678901234567890123"), (short) 3, (byte) 4, 1.5f, 'c', new int[]{1, 2},
            new Object[]{"a", 1}, new char[]{'a', 'b'}, new HashSet<>(List.of(List.of(1))),
        };
        for (Object value : others) System.out.println(write(value));
        System.out.println("--");
        for (Object value : new Object[]{new RuntimeException("boom"), Thread.State.NEW, new File("/a")})
            System.out.println(write(value));
    }
}
"""

VALUES: list[Any] = [
    None,
    True,
    1,
    -(2**40),
    1.5,
    1e300,
    1e-5,
    123456789.0,
    "hé\0😀",
    "x" * 70_000,
    b"abc",
    Decimal("1.50"),
    Decimal("-1E+5"),
    Decimal("0.00"),
    [1, [2, "a"], None, [Decimal("1.1"), Decimal("1.1")]],
    {1, (3, 4)},
    {"a": 1, 2: {"b": [1]}, Decimal("2"): {1}},
    {str(number): number for number in range(40)},
]


@pytest.fixture(scope="module")
def echoed(tmp_path_factory: pytest.TempPathFactory) -> list[list[str]]:
    """The program's output: for each value class, text and stream; then Java's own values."""
    need("java")
    program: Path = tmp_path_factory.mktemp("java") / "Echo.java"
    program.write_text(PROGRAM, "utf-8")
    streams = "\n".join(base64.b64encode(dumps(value)).decode() for value in VALUES)
    done = subprocess.run(["java", str(program)], input=streams, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    return [part.split("\n") for part in done.stdout.strip().split("\n--\n")]


def test_java_reads_what_we_write(echoed: list[list[str]]) -> None:
    """Java finds equal values in our streams, shows them as `text` does, and writes what we read as the same."""
    for value, line in zip(VALUES, echoed[0], strict=True):
        name, shown, stream = line.split(" ")
        assert loads(base64.b64decode(stream)) == value
        if not isinstance(value, bytes | dict | set):
            assert (name, base64.b64decode(shown).decode()) == (name, text(value))


def test_our_streams_are_java_s_own(echoed: list[list[str]]) -> None:
    """Where Java keeps the order, its stream of the same value has the same bytes."""
    for value, line in zip(VALUES, echoed[0], strict=True):
        if not isinstance(value, dict | set):
            assert base64.b64decode(line.split(" ")[2]) == dumps(value)


def test_collections_and_numbers_of_java_are_read(echoed: list[list[str]]) -> None:
    """Whatever class a list, set, map or number has in Java, it is one in Python."""
    assert [loads(base64.b64decode(line)) for line in echoed[1]] == [
        *([1, 2], {"a": 1}, {"x"}, {"k": "v"}, {"x"}),
        *([1], [1, 2], [1, 2], []),
        *([1], {"a": 1}, {"a": 1}),
        *({"a": 1}, {1, 2}),
        *([3], {"a": 1}),
        *([9], []),
        *(-12345678901234567890123, 3, 4, 1.5, "c", [1, 2]),
        *(["a", 1], "ab", {(1,)}),
    ]


def test_other_objects_keep_class_and_text(echoed: list[list[str]]) -> None:
    """An exception shows class and message, an enum its constant, anything else its class."""
    read = [loads(base64.b64decode(line)) for line in echoed[2]]

    assert all(isinstance(value, JavaObject) for value in read)
    assert list(map(str, read)) == ["java.lang.RuntimeException: boom", "NEW", "java.io.File"]
