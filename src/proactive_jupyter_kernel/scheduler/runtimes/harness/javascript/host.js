// Runs a JavaScript stage under Node.js: `node host.js FOLDER`. Used where a task's process is in a container.
"use strict";
const fs = require("fs");
const os = require("os");
const path = require("path");
const vm = require("vm");

const FILES = ["values.js", "java.js", "bindings.js", "life.js"];
const request = JSON.parse(fs.readFileSync(path.join(process.argv[2], "request.json"), "utf8"));
const JAVA_ARCH = { x64: "amd64", arm64: "aarch64" };
const JAVA_OS = { linux: "Linux", darwin: "Mac OS X", win32: "Windows" };

const properties = () => ({
  "os.name": JAVA_OS[process.platform] ?? process.platform,
  "os.arch": JAVA_ARCH[process.arch] ?? process.arch,
  "os.version": os.release(),
  host: os.hostname(),
  "user.name": process.env.USER ?? null,
  "user.home": os.homedir(),
  "user.dir": process.cwd(),
  "java.io.tmpdir": os.tmpdir(),
  "file.separator": path.sep,
  "path.separator": path.delimiter,
  "line.separator": os.EOL,
});

function program(name) {
  return (process.env.PATH ?? "").split(path.delimiter).some((folder) => {
    try {
      fs.accessSync(path.join(folder, name), fs.constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function space(place) {
  const found = fs.statfsSync(place);
  return found.bavail * found.bsize;
}

const CALLS = {
  script: () => fs.readFileSync(request.script, "utf8"),
  print: (stream, text) => { fs.writeSync(stream === "err" ? 2 : 1, text); },
  read: (file) => fs.readFileSync(file, "utf8"),
  write: (file, text) => { fs.writeFileSync(file, text); },
  report(text) {
    fs.writeFileSync(`${request.report}.part`, text);
    fs.renameSync(`${request.report}.part`, request.report);
  },
  end: (code) => { process.removeAllListeners("beforeExit"); process.exit(code); },
  sleep: (milliseconds) => { Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds); },
  environment: () => ({ ...process.env }),
  property: (name) => request.nodeProperties[name] ?? properties()[name] ?? null,
  program,
  exists: (file) => fs.existsSync(file),
  memory: () => os.freemem(),
  space,
};

globalThis.__proactive = (text) => {
  const [name, ...given] = JSON.parse(text);
  try {
    return JSON.stringify([true, CALLS[name](...given) ?? null]);
  } catch (error) {
    return JSON.stringify([false, String(error.message)]);
  }
};

const frames = `
function frameOf(line) {
  if (line.startsWith(request.label + ":")) return "    at " + line;  // where a SyntaxError lies
  const place = /^    at /.test(line) && line.includes(request.label + ":");
  return place ? line.replace(/:(\\d+)(:\\d+\\)?)$/, (all, row, rest) => ":" + Math.min(Number(row), request.lines) + rest)
    : "";
}
return { start, finish, run, fail };
`;
const source = FILES.map((name) => fs.readFileSync(path.join(__dirname, name), "utf8")).join("");
const taken = "const call = globalThis.__proactive; delete globalThis.__proactive;";
const harness = vm.runInThisContext(`(function () { "use strict"; ${taken}${source}${frames}})()`, {
  filename: "harness.js",
});

const code = CALLS.script();
globalThis.require = require;
process.on("uncaughtException", (error) => harness.fail(error));
process.on("beforeExit", () => process.exit(harness.finish()));
harness.start(JSON.stringify({ ...request, lines: code.split("\n").length }));
harness.run(code, (text) => vm.runInThisContext(text, { filename: request.label }));
