"""The table of script languages: the pragma's name, the engine's name in the XML, aliases, file extensions.

Follows ProActive's lookup (``org.ow2.proactive.scripting.Script``): engine names and aliases, ignoring case, then file
extensions. In ProActive's XML ``python`` means Jython and ``cpython`` means Python; in pragmas ``Python`` means Python.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from proactive_jupyter_kernel.workflow.variable_bindings import NEVER_SET, PYTHON, VariableBinding

__all__ = ["LANGUAGES", "Language", "by_engine", "by_file", "by_pragma_name", "language_of_file", "mark_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """One script language."""

    #: The name in pragmas and messages.
    name: str
    #: The name in ``code/@language``.
    engine: str
    #: Two letters that represent it in pictures.
    mark: str
    #: Other names that pragmas accept, in lower case.
    aliases: tuple[str, ...] = ()
    #: Other engine names that the XML may contain, in lower case.
    engine_aliases: tuple[str, ...] = ()
    #: File extensions without the dot, the usual one first.
    extensions: tuple[str, ...] = ()
    #: What starts a comment to the end of the line; empty where there is none.
    comment: str = "#"
    #: False if a script cannot set a variable; such a script cannot decide a flow or select a node.
    sets_variables: bool = True
    #: How scripts import and export variables. None: only XML can use the language, not pragmas.
    binding: VariableBinding | None = None

    @property
    def in_pragmas(self) -> bool:
        """True for the languages that pragmas offer."""
        return self.binding is not None


LANGUAGES: tuple[Language, ...] = (
    Language(
        name="Linux_Bash",
        mark="sh",
        engine="bash",
        aliases=("bash", "sh", "shell", "linuxbash"),
        engine_aliases=("sh",),
        extensions=("bash", "sh"),
        sets_variables=False,
        binding=VariableBinding(import_line='$name="$$variables_$name"'),
    ),
    Language(
        name="Windows_Cmd",
        mark="cm",
        engine="cmd",
        aliases=("cmd", "bat", "batch", "windowscmd"),
        engine_aliases=("bat",),
        extensions=("bat", "cmd"),
        comment="REM",
        sets_variables=False,
        binding=VariableBinding(import_line='set "$name=%variables_$name%"'),
    ),
    Language(
        name="DockerCompose",
        mark="dc",
        engine="docker-compose",
        aliases=("docker-compose", "docker_compose", "compose"),
        engine_aliases=("fig",),
        extensions=("yml", "yaml"),
        sets_variables=False,
        binding=VariableBinding(import_line=""),
    ),
    Language(
        name="Scalaw",
        mark="sc",
        engine="scalaw",
        aliases=("scala",),
        extensions=("scalaw", "scala"),
        comment="//",
        binding=VariableBinding(
            import_line='var $name: Any = variables.get("$name")',
            export_lines='variables.put("$name", $name.asInstanceOf[Object])',
        ),
    ),
    Language(
        name="Groovy",
        mark="gv",
        engine="groovy",
        extensions=("groovy",),
        comment="//",
        binding=VariableBinding(
            import_line='$name = variables.get("$name")',
            export_lines=(
                'try { variables.put("$name", $name) } catch (MissingPropertyException missing) '
                f'{{ throw new IllegalStateException("{NEVER_SET}") }}'
            ),
        ),
    ),
    Language(
        name="Javascript",
        mark="js",
        engine="javascript",
        aliases=("js", "ecmascript", "node"),
        engine_aliases=("js", "ecmascript", "nashorn", "graal.js"),
        extensions=("js",),
        comment="//",
        binding=VariableBinding(
            import_line='var $name = variables.get("$name");',
            export_lines=(
                f'if (typeof $name === "undefined") {{ throw new Error("{NEVER_SET}"); }}\n'
                'variables.put("$name", $name);'
            ),
        ),
    ),
    Language(
        name="Jython",
        mark="jy",
        engine="python",
        engine_aliases=("jython",),
        extensions=("py",),
        binding=VariableBinding(
            import_line='$name = variables.get("$name")',
            export_lines=(
                f'try:\n    $name\nexcept NameError:\n    raise NameError("{NEVER_SET}")\nvariables.put("$name", $name)'
            ),
        ),
    ),
    Language(
        name="Python",
        mark="py",
        engine="cpython",
        aliases=("cpython", "python3", "py"),
        extensions=("cpy",),
        binding=PYTHON,
    ),
    Language(
        name="Ruby",
        mark="rb",
        engine="ruby",
        aliases=("jruby", "rb"),
        engine_aliases=("jruby",),
        extensions=("rb",),
        binding=VariableBinding(
            import_line='$name = variables.get("$name")',
            export_lines=f'raise NameError, "{NEVER_SET}" unless defined?($name)\nvariables.put("$name", $name)',
        ),
    ),
    Language(
        name="Perl",
        mark="pl",
        engine="perl",
        aliases=("pl",),
        extensions=("pl", "pm"),
        sets_variables=False,
        binding=VariableBinding(import_line='our $$$name = $$ENV{"variables_$name"};'),
    ),
    Language(
        name="PowerShell",
        mark="ps",
        engine="powershell",
        aliases=("power_shell", "pwsh", "ps1"),
        extensions=("ps1",),
        binding=VariableBinding(
            import_line="$$$name = $$variables['$name']",
            export_lines=(
                f"if (-not (Test-Path variable:$name)) {{ throw \"{NEVER_SET}\" }}\n$$variables['$name'] = $$$name"
            ),
        ),
    ),
    Language(
        name="R",
        mark="R",
        engine="R",
        aliases=("rscript",),
        engine_aliases=("rscript",),
        extensions=("R", "r"),
        binding=VariableBinding(
            import_line='$name <- variables[["$name"]]',
            export_lines=f'if (!exists("$name")) stop("{NEVER_SET}")\nvariables[["$name"]] <- $name',
            names=re.compile(r"(?:[A-Za-z]|\.(?![0-9]))[\w.]*", re.ASCII),
        ),
    ),
    Language(name="Shell", mark="sh", engine="shell", sets_variables=False),
    Language(
        name="VBScript",
        mark="vb",
        engine="vbscript",
        extensions=("vbs",),
        comment="'",
        sets_variables=False,
    ),
    Language(name="PHP", mark="ph", engine="php", extensions=("php",), comment="//", sets_variables=False),
    Language(name="DockerFile", mark="df", engine="dockerfile", sets_variables=False),
    Language(name="Kubernetes", mark="k8", engine="kubernetes", sets_variables=False),
    Language(
        name="Native",
        mark="$_",
        engine="native",
        engine_aliases=("exec", "cli", "commandline"),
        comment="",
        sets_variables=False,
    ),
)


def by_pragma_name(name: str) -> Language | None:
    """The language that pragmas call `name`, ignoring case; None if it is unknown."""
    wanted = name.lower()
    for language in LANGUAGES:
        if language.in_pragmas and (wanted == language.name.lower() or wanted in language.aliases):
            return language
    return None


def by_engine(engine: str) -> Language | None:
    """The language that the XML calls `engine`: engine names first, then extensions; None if it is unknown."""
    wanted = engine.lower()
    for language in LANGUAGES:
        if wanted == language.engine.lower() or wanted in language.engine_aliases:
            return language
    for language in LANGUAGES:
        if wanted in (extension.lower() for extension in language.extensions):
            return language
    return None


def by_file(name: str) -> Language | None:
    """The language that ProActive derives from the extension of a file or URL; None if it is unknown.

    There ``.py`` means Jython, like the engine name ``python``; the extension of Python is ``.cpy``.
    """
    extension = name.partition("?")[0].rpartition("/")[2].rpartition(".")[2].lower()
    for language in LANGUAGES:
        if extension in (known.lower() for known in language.extensions):
            return language
    return None


def mark_of(engine: str, url: str = "") -> str:
    """The letters that represent the language of a script in pictures; for an unknown language, its first letters."""
    found = by_engine(engine) if engine else by_file(url)
    return found.mark if found else engine[:2].lower()


def language_of_file(name: str) -> Language | None:
    """The language of a user's file, by its extension; None if pragmas have no language with this extension.

    ``.py`` means Python here; only ProActive uses it for Jython.
    """
    extension = name.rpartition("/")[2].rpartition(".")[2].lower() if "." in name else ""
    if extension == "py":
        return by_pragma_name("Python")
    language = by_file(name) if extension else None
    return language if language is not None and language.in_pragmas else None
