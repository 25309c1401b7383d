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
  return new ReferenceError(`${path} is of Java, and Javascript scripts of the embedded scheduler run without Java; ` +
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

