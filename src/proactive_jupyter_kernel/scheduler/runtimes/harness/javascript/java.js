// Java by its names: the few classes that scripts of nodes and flows use. Every other name leads to an error that says so.
const out = (stream) => ({
  println: (value = "") => host("print", stream, `${text(value)}\n`),
  print: (value) => host("print", stream, text(value)),
  flush() {},
});
const same = (one, other) => one.toLowerCase() === String(other).toLowerCase();
const within = (name, part) => (host("property", name) ?? "").toLowerCase().includes(String(part).toLowerCase());
const matches = (value, pattern) => value !== null && new RegExp(`^(?:${pattern})$`).test(value);
const selection = {
  checkJavaProperty: (name, pattern) => matches(host("property", String(name)), pattern),
  checkOSName: (name) => within("os.name", name),
  checkOSArch: (name) => within("os.arch", name),
  checkOSVersion: (version) => same(host("property", "os.version"), version),
  checkHostName: (pattern) => within("host", pattern) || matches(host("property", "host"), pattern),
  checkExec: (program) => host("program", String(program)),
  checkFileExist: (...parts) => host("exists", parts.join("/")),
  checkFreeMemory: (bytes) => host("memory") >= Number(bytes),
  checkFreeSpaceDiskAvailable: (bytes, path = ".") => host("space", String(path)) >= Number(bytes),
  checkFreeSpaceTmpDir: (bytes) => host("space", host("property", "java.io.tmpdir")) >= Number(bytes),
};
const JAVA = {
  "java.lang.System": {
    out: out("out"),
    err: out("err"),
    getProperty: (name, other = null) => host("property", String(name)) ?? other,
    getenv: (name) => name === undefined ? fromWire(host("environment")) : host("environment")[name] ?? null,
    currentTimeMillis: () => Date.now(),
    nanoTime: () => Math.round(performance.now() * 1e6),
    lineSeparator: () => "\n",
    exit: (code) => leave(code),
  },
  "java.lang.Thread": { sleep: (milliseconds) => host("sleep", Number(milliseconds)) },
  "java.lang.Math": Math,
  "java.lang.Integer": { parseInt: (value) => whole(value), valueOf: (value) => whole(value), toString: String },
  "java.lang.Boolean": { TRUE: true, FALSE: false, parseBoolean: (value) => same("true", value) },
  "org.ow2.proactive.scripting.helper.selection.SelectionUtils": selection,
};

function whole(value) {
  if (/^[-+]?\d+$/.test(value)) return Number(value);
  throw new TypeError(`java.lang.NumberFormatException: For input string: "${value}"`);
}

function noJava(path) {
  return new ReferenceError(`${path} is of Java, and JavaScript scripts of the embedded scheduler run without Java; ` +
    "write this script in Groovy, or run the workflow on a ProActive server");
}

function javaPath(path) {
  return new Proxy(function () {}, {
    get(target, key) {
      if (typeof key === "symbol" || key === "toString") throw noJava(path);
      const inner = `${path}.${key}`;
      return own(JAVA, inner) ? JAVA[inner] : javaPath(inner);
    },
    apply() { throw noJava(path); },
    construct() { throw noJava(path); },
  });
}

function javaGlobals() {
  const type = (name) => {
    if (own(JAVA, name)) return JAVA[name];
    throw noJava(String(name));
  };
  const roots = {};
  for (const root of ["java", "javax", "org", "com"]) roots[root] = javaPath(root);
  const refuse = (name) => () => { throw noJava(name); };
  return {
    ...roots,
    Packages: new Proxy({}, { get: (target, key) => own(roots, key) ? roots[key] : javaPath(String(key)) }),
    Java: { type, from: (list) => Array.from(list), to: (list) => Array.from(list), extend: refuse("Java.extend") },
    JavaImporter: refuse("JavaImporter"),
    importClass: refuse("importClass"),
    importPackage: refuse("importPackage"),
  };
}

// Methods that Nashorn finds in Java's classes for JavaScript's own texts, numbers and booleans. A property that the
// language has itself (`length`, `startsWith`) stays the language's; `replaceAll` is Java's there, with a pattern.
const order = (one, other) => (one < other ? -1 : one > other ? 1 : 0);
const pattern = (text, flags = "") => {
  if (text instanceof RegExp) return text;
  const [start, letters = ""] = /^\(\?([ims]+)\)/.exec(text) ?? [""];
  return new RegExp(String(text).slice(start.length), flags + letters);
};
const fully = (text) => {
  const whole = pattern(text);
  return new RegExp(`^(?:${whole.source})$`, whole.flags);
};
// What Java puts in place of a match: `$1`, `${name}` and `\x`. JavaScript's own `$&` and `$$` mean nothing there.
const replacement = (text) => (match, ...found) => {
  const named = typeof found[found.length - 1] === "object" ? found.pop() : {};
  const groups = [match, ...found.slice(0, -2)];
  const bad = (why) => new TypeError(`${why} in the replacement "${text}"; write \\$ and \\\\ for the characters themselves`);
  const group = (number) => {
    let end = 1;
    while (end < number.length && Number(number.slice(0, end + 1)) < groups.length) end++;
    if (Number(number.slice(0, end)) >= groups.length) throw bad(`no group ${number.slice(0, end)}`);
    return (groups[Number(number.slice(0, end))] ?? "") + number.slice(end);
  };
  return text.replace(/\\(.)|\$(\d+)|\$\{(\w+)\}|\\$|\$/gs, (part, plain, number, name) => {
    if (plain !== undefined) return plain;
    if (number !== undefined) return group(number);
    if (name !== undefined && own(named, name)) return named[name] ?? "";
    throw bad(name === undefined ? `a single ${part}` : `no group ${name}`);
  });
};
const replaced = (text, place, flags, other) =>
  text.replace(pattern(place, flags), place instanceof RegExp ? other : replacement(String(other)));
const JAVA_METHODS = [
  [String.prototype, {
    equals(other) { return typeof other === "string" && String(this) === other; },
    equalsIgnoreCase(other) { return typeof other === "string" && same(String(this), other); },
    contains(part) { return String(this).includes(String(part)); },
    isEmpty() { return this.length === 0; },
    isBlank() { return String(this).trim() === ""; },
    compareTo(other) { return order(String(this), String(other)); },
    compareToIgnoreCase(other) { return order(String(this).toLowerCase(), String(other).toLowerCase()); },
    matches(text) { return fully(String(text)).test(String(this)); },
    replaceAll(text, other) { return replaced(String(this), text, "g", other); },
    replaceFirst(text, other) { return replaced(String(this), text, "", other); },
    subSequence(first, last) { return String(this).substring(first, last); },
    regionMatches(...how) {
      const fold = typeof how[0] === "boolean" && how.shift() ? (text) => text.toLowerCase() : String;
      const [start, other, from, count] = how;
      const part = (text, first) => first < 0 || first + count > text.length ? null : fold(text.substr(first, count));
      return part(String(this), start) !== null && part(String(this), start) === part(String(other), from);
    },
    getBytes() {
      const bytes = unescape(encodeURIComponent(String(this)));
      return Int8Array.from(bytes, (byte) => byte.charCodeAt(0));
    },
    toCharArray() { return Array.from({ length: this.length }, (none, at) => this.charAt(at)); },
    hashCode() {
      let code = 0;
      for (let at = 0; at < this.length; at++) code = (Math.imul(31, code) + this.charCodeAt(at)) | 0;
      return code;
    },
    intern() { return String(this); },
    strip() { return String(this).trim(); },
  }],
  [Number.prototype, {
    equals(other) { return typeof other === "number" && Number(this) === other; },
    compareTo(other) { return order(Number(this), Number(other)); },
    intValue() { return Math.trunc(Number(this)) | 0; },
    longValue() { return Math.trunc(Number(this)); },
    doubleValue() { return Number(this); },
    floatValue() { return Math.fround(Number(this)); },
  }],
  [Boolean.prototype, {
    equals(other) { return typeof other === "boolean" && Boolean(this.valueOf()) === other; },
    booleanValue() { return this.valueOf(); },
  }],
];

function addJavaMethods() {
  for (const [prototype, methods] of JAVA_METHODS) hide(prototype, methods);
}
