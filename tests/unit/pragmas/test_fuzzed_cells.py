"""Cells of random text: they are read or refused with a message, quickly, and a password never shows."""

from __future__ import annotations

import contextlib
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proactive_jupyter_kernel.errors import PragmaError
from proactive_jupyter_kernel.notebook.transformer import Cells, has_pragma
from proactive_jupyter_kernel.pragmas.cells.plan import mask, plan
from proactive_jupyter_kernel.pragmas.declarations.registry import PRAGMAS
from proactive_jupyter_kernel.pragmas.draft.refusals import items_of_text
from proactive_jupyter_kernel.pragmas.grammar.cursor import code_before, locate

#: What cells are made of, right and wrong.
WORDS = st.sampled_from(
    [
        "#%",
        "#",
        "%%",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        "=",
        ":",
        "'",
        '"',
        "\\",
        "\n",
        "\t",
        "task",
        "connect",
        "submit_job",
        "job",
        "runs",
        "branch",
        "name=",
        "dep=",
        "path=",
        "language=",
        "bash",
        "password=",
        "passwort=",
        "variables=",
        "url=",
        "http://bob:pw@h:8080",
        "=",
        "=1+1",
        "x.y",
        "a-b",
        "\xe9",
        "\u65e5\u672c",
        "'''",
        '"""',
        "<<EOF",
        "EOF",
        "/*",
        "*/",
        "`",
        "\\N{",
        "\\x",
        ">>>",
        "In[1]:",
        "true",
        "on",
        "10",
        "-1",
        "loop",
        "=",
        "true;",
        "\xa0",
        "\u201c",
        "\ufeff",
        "\x00",
        "\ufffd",
    ]
)
CELLS = st.lists(WORDS | st.text(max_size=5), max_size=40).map("".join)


def everything(text: str, position: int) -> None:
    """All that reads a cell before it runs; seconds of this process, whatever else the machine does."""
    begun = time.process_time()
    has_pragma(text)
    # The ends of lines are those of Unix where something was masked.
    assert len(mask(text).replace("\r\n", "\n")) == len(text.replace("\r\n", "\n"))
    items_of_text(text)
    locate(text, min(position, len(text)), PRAGMAS.dialect)
    code_before(text, min(position, len(text)), PRAGMAS.dialect)
    program = Cells().program(text)
    assert program.python.count("\n") == text.replace("\r\n", "\n").count("\n")
    with contextlib.suppress(PragmaError):
        plan(text)
    assert time.process_time() - begun < 2


@settings(max_examples=300)
@given(CELLS, st.integers(0, 200))
def test_any_text_is_read_or_refused(cell: str, position: int) -> None:
    """No other error, wherever the cursor is, and every line stays a line."""
    everything(cell, position)
    everything("#%task(name=A, " + cell, position)


@settings(max_examples=100)
@given(st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=20), CELLS)
def test_a_password_shows_in_no_error(word: str, rest: str) -> None:
    """However broken the cell is that holds it."""
    secret = f"S3c{word.replace(chr(34), '').replace(chr(92), '').replace(chr(39), '')}R3t"
    cell = f'#%connect(host=h, login=u, password="{secret}", {rest}'
    assert secret not in mask(cell)
    said = ""
    try:
        plan(cell)
    except PragmaError as error:
        said = str(error)
    assert secret not in said


@pytest.mark.parametrize(
    "address",
    [
        "http://bob:SECRET@h/",
        "https://bob:SEC/SECRET@h:8443/rest",
        "http://bob:a@SECRET@h",
        "htp://bob:SECRET@h",
        "http://:SECRET@h:x",
    ],
)
@pytest.mark.parametrize("parameter", ["url=", "host=", "", "url='", "path=", "verify="])
def test_a_password_in_an_address_shows_nowhere(address: str, parameter: str) -> None:
    """Wherever the address stands."""
    quote = "'" if parameter.endswith("'") else ""
    cell = f"#%connect({parameter}{address}{quote}, login=x)"
    assert "SECRET" not in mask(cell)
    with pytest.raises(PragmaError) as caught:
        plan(cell)
    assert "SECRET" not in f"{caught.value} {caught.value!r}"


@pytest.mark.needs(modules=["atheris"])
def test_coverage_guides_a_fuzzer(tmp_path: Path) -> None:
    """Where the package atheris is installed, it looks for cells that end in another error."""
    script = tmp_path / "fuzz.py"
    script.write_text(
        "import sys\n"
        "sys.path.insert(0, '.')\n"
        "import atheris\n"
        "with atheris.instrument_imports(include=['proactive_jupyter_kernel.pragmas.grammar']):\n"
        "    from tests.unit.pragmas.test_fuzzed_cells import everything\n"
        "def one(data):\n"
        "    found = atheris.FuzzedDataProvider(data)\n"
        "    everything('#%task(' + found.ConsumeUnicodeNoSurrogates(300), found.ConsumeIntInRange(0, 300))\n"
        "atheris.Setup([sys.argv[0], '-runs=500', '-max_total_time=8', '-timeout=20'], one)\n"
        "atheris.Fuzz()\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, cwd=Path(__file__).parents[3])
    assert done.returncode == 0, done.stderr[-2000:]


def test_mutations_of_the_examples_are_read_or_refused() -> None:
    """Each example with characters removed, doubled and exchanged."""
    rng = random.Random(7)
    for pragma in PRAGMAS.values():
        for _ in range(10):
            text = list(pragma.example)
            for _ in range(rng.randint(1, 4)):
                at = rng.randrange(len(text))
                text[at : at + rng.randint(0, 2)] = rng.choice(["", "(", "]", "'", ",", "=", "\n", text[at] * 2])
                text = text or [" "]
            everything("".join(text), rng.randrange(len(text) + 1))
