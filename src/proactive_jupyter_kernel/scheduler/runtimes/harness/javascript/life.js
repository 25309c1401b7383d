// A script's life: its globals are made, it runs, its report is written.

let request = null;
const maps = {};
let environment = null;
// What came of the script: its own value, globals that it declared with let or const, its error.
const outcome = { value: undefined, declared: {}, failed: null };

function plain(value) {
  if (typeof value === "symbol") return value.toString();
  const java = value instanceof JavaMap || value instanceof Map || value instanceof Set;
  return java ? text(value) : String(value);
}

function detailed(value) {
  const kind = value !== null && typeof value === "object" ? Object.getPrototypeOf(value) : undefined;
  return kind === Object.prototype || kind === Array.prototype ? JSON.stringify(value) : plain(value);
}

function output() {
  const line = (stream, shownAs) => (...given) => { host("print", stream, `${given.map(shownAs).join(" ")}\n`); };
  const console = {};
  for (const name of ["log", "info", "debug", "trace"]) console[name] = line("out", detailed);
  for (const name of ["warn", "error"]) console[name] = line("err", detailed);
  return { print: line("out", plain), println: line("out", plain), echo: line("out", plain), console };
}

function absent(name) {
  return new Proxy({}, {
    get(target, key) {
      if (typeof key === "symbol") return undefined;
      throw new Error(CHANNELS.includes(name)
        ? `${name} is not in JavaScript scripts of the embedded scheduler; write the script in Groovy or Python`
        : `${name} is a Java client of a ProActive server; the embedded scheduler has none`);
    },
  });
}

const OPTIONAL = {
  results: (found) => ({ results: found.map((parent) => new TaskResult(parent, request.variables.PA_JOB_ID ?? "")) }),
  result: (found) => ({ result: found.failure ? new TaskFailed(failureText(found.failure)) : fromWire(found.value) }),
  resultMetadata: (found) => ({ resultMetadata: fromWire(found) }),
  nodesurl: (found) => ({ nodesurl: found, allnodesurl: request.allnodesurl }),
  progressFile: (found) => ({ progress: progress(found) }),
  forkEnvironment(found) {
    environment = forkEnvironment(found);
    return { forkEnvironment: environment.object };
  },
};

function start(requestText) {
  request = JSON.parse(requestText);
  const globals = {
    genericInformation: fromWire(request.genericInformation),
    credentials: fromWire(request.credentials),
    // Without arguments a server has no such names.
    ...(request.args.length ? { args: request.args, arguments: request.args } : {}),
    ...request.spaces,
    ...request.node,
    ...output(),
    ...javaGlobals(),
    exit: leave,
    quit: leave,
    load: (path) => (0, eval)(host("read", String(path))),
    readFully: (path) => host("read", String(path)),
  };
  addJavaMethods();
  for (const name of JAVA_CLIENTS) globals[name] = absent(name);
  for (const name of ["variables", "resultMap"]) {
    if (request[name] === null) continue;
    maps[name] = tracked(name, request[name]);
    globals[name] = maps[name].proxy;
  }
  for (const name of Object.keys(OPTIONAL)) {
    if (request[name] !== null && request[name] !== "") Object.assign(globals, OPTIONAL[name](request[name]));
  }
  for (const name of Object.keys(globals)) setOwn(globalThis, name, globals[name]);
}

// Run the script. `evaluate` takes its text and gives its value; the text ends with lines that pick up what it declared
// in a way that leaves no property of the global object, and do not change its value.
function run(code, evaluate) {
  const names = request.returns;
  const picked = names.map((name) => `${name}: typeof ${name} === "undefined" ? undefined : [${name}]`);
  hide(globalThis, { __proactiveEnd: (declared) => { outcome.declared = declared; } });
  try {
    outcome.value = evaluate(`${code}\n;var __proactiveEnded = __proactiveEnd({${picked.join(", ")}});`);
    settle(outcome.value, (value) => { outcome.value = value; });
    for (const name of names) settle(outcome.declared[name]?.[0], (value) => { outcome.declared[name] = [value]; });
  } catch (error) {
    fail(error);
  }
}

// A promise stands for what it comes to; the host lets all jobs run before it finishes.
function settle(value, take) {
  if (value instanceof Promise) value.then(take, fail);
}

function fail(error) {
  const described = describe(error);
  outcome.failed ??= described;
  host("print", "err", `${described.trace}\n`);
}

function describe(error) {
  if (!(error instanceof Error)) {
    const message = `${plain(error)} was thrown`;
    return { type: "", message, trace: message };
  }
  const head = error.message ? `${error.name}: ${error.message}` : error.name;
  const frames = String(error.stack ?? "").split("\n").map(frameOf).filter((frame) => frame !== "");
  const cause = error.cause === undefined ? [] : [`Caused by: ${describe(error.cause).trace}`];
  return { type: String(error.name), message: String(error.message), trace: [head, ...frames, ...cause].join("\n") };
}

// End now. No report: on a ProActive server, too, that is the end of the process and not of the script.
function leave(code = 0) {
  host("end", Number(code) & 0xff);
}

// Write the report of the script that ended; returns the exit code of the process.
function finish() {
  const report = {};
  if (outcome.failed) report.error = outcome.failed;
  try {
    if (maps.variables) [report.variablesSet, report.variablesRemoved] = maps.variables.changes();
    if (maps.resultMap) [report.resultMap] = maps.resultMap.changes();
    if (environment) report.forkEnvironment = environment.state;
    const metadata = globalThis.resultMetadata;
    if (request.resultMetadata !== null && metadata instanceof Object) {
      const entries = Object.keys(metadata).map((key) => [key, text(metadata[key])]);
      report.resultMetadata = entriesWire(entries);
    }
    if (!report.error) report.values = collected();
  } catch (error) {
    const message = String(error.message);
    host("print", "err", `${message}\n`);
    report.error = { type: "", message, trace: message };
    for (const name of ["variablesSet", "resultMap", "values"]) delete report[name];
  }
  // An integer beyond what JavaScript has exactly is written as JSON has it.
  const json = JSON.stringify(report).replace(/\{"\$type":"long","value":"(-?\d+)"\}/g, "$1");
  host("report", json);
  return report.error ? 1 : 0;
}

function collected() {
  const found = {};
  for (const name of request.returns) {
    if (!outcome.declared[name]) continue;
    setOwn(found, name, unchanged(name) ? request.result.value : toWire(outcome.declared[name][0], name));
  }
  if (request.stage === "main" && !own(found, "result")) {
    const wire = ownValue();
    if (wire !== null) found.result = wire;
  }
  return found;
}

// A post script that leaves a number alone leaves it what it was: 1.0 is not 1 elsewhere.
function unchanged(name) {
  const before = name === "result" && request.result ? request.result.value : undefined;
  return typeof before === "number" && Object.is(before, outcome.declared[name][0]);
}

// The script's own value; null where it cannot travel, for then the result is true.
function ownValue() {
  try {
    return toWire(outcome.value, "result");
  } catch (error) {
    if (error instanceof NotPortable) return null;
    throw error;
  }
}
