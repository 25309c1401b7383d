"""Whether a script may be followed by another one in the same Java machine.

What lives on in a machine belongs to classes: threads, properties, handlers, registries. The machine itself looks for
most of that after a script (``harness/jvm/proactive/Residue.java``), but not for all of it. Therefore only
scripts that name nothing but known classes are followed by another one: those of a table, and their own. All others end
their machine. That costs time, not correctness, so in doubt a script is one of them.

This reads words, it does not understand programs. It keeps apart scripts that mean no harm; no machine of the same user
is safe from one that does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Set

__all__ = ["leaves_nothing"]

#: Comments and texts.
_C_LIKE = re.compile(r"""//[^\n]*|/\*.*?\*/|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*\"""", re.DOTALL)
_PYTHON = re.compile(r"""#[^\n]*|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*\"""")
#: What is computed inside of a text.
_COMPUTED = re.compile(r"\$\{([^}]*)\}?")
_NO_CODE = {"groovy": _C_LIKE, "scalaw": _C_LIKE, "python": _PYTHON}
_WORD = re.compile(r"[^\W\d]\w*")
#: Names that a script makes itself: classes, variables, keys.
_OWN = re.compile(r"\b(?:class|enum|interface|trait|object|type)\s+(\w+)|\b([A-Z]\w*)\s*(?:=(?!=)|:(?!:)|->|<-)")
#: A constant of a class that is judged by its own name: ``Math.PI``.
_CONSTANT = re.compile(r"[A-Z][A-Z\d_]*")
#: Something is put into a class.
_INTO_CLASS = re.compile(r"\b([A-Z]\w*)(?:\.\w+)*\.\w+\s*[-+*/%|&^]?=(?!=)")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Ways around the names of classes, and what a table of classes does not tell.
_REACHING = _words("""
    AWT JNDI RMI URL __bases__ __builtin__ __builtins__ __class__ __dict__ __import__ __subclasses__ addProvider
    addShutdownHook chroot classLoader contextClassLoader delattr deleteOnExit eval evaluate exec execfile
    execute expando field_size_limit forName getClass getClassLoader getDeclaredField getDeclaredMethod getField
    getMetaClass getMethod globalspaceapi grape insertProviderAt invokeMethod jdk load loadClass loadLibrary
    metaClass mixin newInstance nice parseClass putenv reflect register register_dialect reload rmapi
    schedulerapi setattr setDefault setdefaultencoding setDefaultUncaughtExceptionHandler setMetaClass setpgid
    setProperty setrecursionlimit setSecurityManager setsid setURLStreamHandlerFactory signalapi sun
    synchronizationapi tzset umask unsetenv userspaceapi
""")
#: ``x.class``, but not ``class X``.
_CLASS_OF = re.compile(r"\.\s*class\b")
_JAVA = _words("""
    ArithmeticException ArrayDeque ArrayList Arrays Base64 BigDecimal BigInteger BitSet Boolean BufferedReader
    BufferedWriter Byte ByteArrayInputStream ByteArrayOutputStream Calendar CharSequence Character Charset
    ChronoUnit Collection Collections Collectors Comparable Comparator Date DateFormat DateTimeFormatter
    DayOfWeek DecimalFormat Decoder Deque Double Duration Encoder Entry Enum Error Exception File
    FileInputStream FileNotFoundException FileOutputStream FileReader FileWriter Files Float GregorianCalendar
    HashMap HashSet IOException IllegalArgumentException IllegalStateException InetAddress InputStream
    InputStreamReader Instant IntStream Integer Iterable Iterator LinkedHashMap LinkedHashSet LinkedList List
    ListIterator LocalDate LocalDateTime LocalTime Locale Long Map Matcher Math MessageDigest Month
    NullPointerException Number NumberFormat NumberFormatException Object Objects OperatingSystem
    OperatingSystemFamily Optional OutputStream Override Path Paths Pattern Period PrintStream PrintWriter
    Properties Queue Random Reader Runtime RuntimeException Scanner SelectionUtils Serializable Set Short
    SimpleDateFormat Stack StandardCharsets Stream StreamSupport String StringBuffer StringBuilder StringReader
    StringTokenizer StringWriter System Thread Throwable TimeUnit TimeZone TreeMap TreeSet UUID
    UnsupportedOperationException Vector Void Writer Year YearMonth ZoneId ZoneOffset ZonedDateTime
""")
_CLASSES: Mapping[str, Set[str]] = {
    "groovy": _JAVA
    | _words("""
    Closure CompileStatic Field GString Immutable IntRange JsonBuilder JsonOutput JsonSlurper MarkupBuilder
    Range StreamingJsonBuilder ToString Tuple Tuple2 TypeChecked XmlParser XmlSlurper XmlUtil
"""),
    "scalaw": _JAVA
    | _words("""
    Any AnyRef AnyVal Array ArrayBuffer BigInt Char Console Either Failure Function1 IndexedSeq Int Iterable
    JavaConversions JavaConverters Left ListBuffer Nil None Nothing Null Numeric Option Ordering Predef Right
    Seq Some Source Success Traversable Try Tuple2 Unit Vector
"""),
    "python": _JAVA
    | _words("""
    ArithmeticError AssertionError AttributeError BaseException Counter Decimal EOFError False IOError
    ImportError IndexError KeyError LookupError NameError None NotImplemented NotImplementedError OSError
    OrderedDict OverflowError RuntimeError StopIteration StringIO SyntaxError SystemExit True TypeError
    UnicodeDecodeError UnicodeEncodeError UnicodeError ValueError ZeroDivisionError
"""),
}
#: Modules of Jython that keep nothing beyond the interpreter of a script, and packages of Java.
_MODULES = _words("""
    __future__ array base64 binascii bisect cStringIO calendar cmath codecs collections copy csv datetime
    decimal errno fnmatch fractions functools glob hashlib heapq io itertools java json math operator os pprint
    random re shutil stat string struct sys tempfile textwrap time traceback types unicodedata uuid
""")
_IMPORTING = re.compile(r"^[ \t]*(?:from|import)\b[^\n]*", re.MULTILINE)
_IMPORTS = re.compile(r"^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+import\b|import[ \t]+([\w., \t]+))", re.MULTILINE)
#: Something is put into a module, or what stands for one. Those that Jython has in Java are the same for all scripts.
_INTO_MODULE = re.compile(r"\b([^\W\d]\w*)(?:\s*\.\s*\w+)+\s*[-+*/%|&^]?=(?!=)")
#: The environment belongs to the machine: it may be read.
_ENVIRONMENT = re.compile(r"\benviron\b")
_READ = re.compile(
    r"\benviron\s*(?:\.\s*(?:copy|get|has_key|items|keys|values)\b|\[[\w\s.]*\](?!\s*[-+*/%|&^]?=(?!=)))"
    r"|\bin\s+(?:os\s*\.\s*)?environ\b(?!\s*[.\[])"
)
_REMOVED = re.compile(r"\bdel\b[^\n]*\benviron\b")


def leaves_nothing(code: str, engine: str) -> bool:
    """Whether the script names nothing that could outlive it."""
    if engine not in _CLASSES or not _REACHING.isdisjoint(_WORD.findall(code)) or _CLASS_OF.search(code):
        return False
    text = _NO_CODE[engine].sub(_code_in, code)
    own = {name for names in _OWN.findall(text) for name in names if name}
    if not own.issuperset(_INTO_CLASS.findall(text)) or (engine == "python" and not _is_harmless_python(text)):
        return False
    known = _CLASSES[engine]
    return all(
        not word[:1].isupper() or word in known or word in own or _CONSTANT.fullmatch(word)
        for word in _WORD.findall(text)
    )


def _code_in(text: re.Match[str]) -> str:
    return f" {' '.join(_COMPUTED.findall(text[0]))} " if text[0][0] == '"' else " "


def _is_harmless_python(text: str) -> bool:
    reads = _READ.findall(text)
    if _REMOVED.search(text) or len(reads) != len(_ENVIRONMENT.findall(text)):
        return False
    return _imports_known(text) and _imported(text).isdisjoint(_INTO_MODULE.findall(text))


def _imports_known(text: str) -> bool:
    for source, names in _IMPORTS.findall(text):
        for name in (source or names).split(","):
            words = name.split()
            if words and words[0].partition(".")[0] not in _MODULES:
                return False
    return True


def _imported(text: str) -> set[str]:
    """Names that an import made, but for `sys`, which each script has for itself."""
    words = {word for line in _IMPORTING.findall(text) for word in _WORD.findall(line)}
    return words - {"import", "from", "as", "sys"}
