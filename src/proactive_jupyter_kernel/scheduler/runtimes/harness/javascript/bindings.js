// The globals of a JavaScript task, in the idiom of the Nashorn engine that ProActive runs such scripts with.

const CHANNELS = ["synchronizationapi", "signalapi"];
const JAVA_CLIENTS = ["userspaceapi", "globalspaceapi", "schedulerapi", "rmapi", ...CHANNELS];

// `variables` and `resultMap`: remembers what the script put and removed, and notices what it changed in place.
function tracked(name, wires) {
  const map = new JavaMap();
  const before = {};
  for (const key of Object.keys(wires)) {
    setOwn(map, key, fromWire(wires[key]));
    if (map[key] !== null && typeof map[key] === "object") setOwn(before, key, JSON.stringify(toWire(map[key], name)));
  }
  const put = new Set();
  const removed = new Set();
  const proxy = new Proxy(map, {
    get(target, key) {
      if (typeof key === "symbol" || own(mapMethods, key) || own(target, key)) return Reflect.get(target, key);
      return null;
    },
    set(target, key, value) {
      toWire(value, `${name}[${shown(key)}]`);
      setOwn(target, key, value);
      put.add(key);
      removed.delete(key);
      return true;
    },
    deleteProperty(target, key) {
      if (own(target, key)) {
        delete target[key];
        put.delete(key);
        removed.add(key);
      }
      return true;
    },
  });
  const changes = () => {
    const found = {};
    for (const key of Object.keys(map)) {
      const changed = () => own(before, key) &&
        JSON.stringify(toWire(map[key], `${name}[${shown(key)}]`)) !== before[key];
      if (put.has(key) || changed()) setOwn(found, key, toWire(map[key], `${name}[${shown(key)}]`));
    }
    return [found, [...removed]];
  };
  return { proxy, changes };
}

const failureText = (failure) => failure.text.split(/\s+/).join(" ").trim();

class TaskFailed extends Error {
  constructor(message) { super(message); this.name = "TaskFailed"; }
  getMessage() { return this.message; }
}

class TaskResult {
  #parent; #job;
  constructor(parent, job) { this.#parent = parent; this.#job = job; }
  value() {
    const failed = this.getException();
    if (failed) throw failed;
    return fromWire(this.#parent.value);
  }
  getValue() { return this.value(); }
  // What a script that hands on the entry itself hands on: the value, or the text of the failure.
  get wire() { return this.#parent.failure ? failureText(this.#parent.failure) : this.#parent.value; }
  hadException() { return this.#parent.failure !== null; }
  getException() {
    const failure = this.#parent.failure;
    return failure && new TaskFailed(`task ${this.#parent.taskName} failed: ${failure.text}`);
  }
  getMetadata() { return fromWire(this.#parent.metadata); }
  getTaskId() {
    const { taskId, taskName } = this.#parent;
    const job = this.#job;
    return {
      value: () => String(taskId), getReadableName: () => taskName, toString: () => `${job}t${taskId}`,
    };
  }
  get metadata() { return this.getMetadata(); }
  toString() {
    if (this.#parent.failure) return failureText(this.#parent.failure);
    return this.#parent.value === null ? "Result not available" : text(this.value());
  }
}

function forkEnvironment(start) {
  const state = {
    workingDir: start.workingDir || "",
    systemEnvironment: { ...(start.systemEnvironment || {}) },
    preJavaCommand: [...(start.preJavaCommand || [])],
    jvmArguments: [...(start.jvmArguments || [])],
  };
  const classpath = [...(start.classpath || [])];
  let home = start.javaHome || "";
  const object = {
    setWorkingDir(path) { state.workingDir = String(path); },
    getWorkingDir: () => state.workingDir || null,
    addSystemEnvironmentVariable(name, value) { setOwn(state.systemEnvironment, String(name), String(value)); },
    getSystemEnvironmentVariable: (name) => own(state.systemEnvironment, name) ? state.systemEnvironment[name] : null,
    getSystemEnvironment: () => fromWire({ ...state.systemEnvironment }),
    setPreJavaCommand(words) { state.preJavaCommand = Array.from(words, String); },
    addPreJavaCommand(word) { state.preJavaCommand.push(String(word)); },
    getPreJavaCommand: () => [...state.preJavaCommand],
    setJavaHome(path) { home = String(path); },
    getJavaHome: () => home || null,
    addJVMArgument(argument) { state.jvmArguments.push(String(argument)); },
    getJVMArguments: () => [...state.jvmArguments],
    addAdditionalClasspath(...paths) { classpath.push(...paths.flat().map(String)); },
    getAdditionalClasspath: () => [...classpath],
    setDockerWindowsToLinux() {},
    isDockerWindowsToLinux: () => false,
    convertToLinuxPath: (path) => String(path),
  };
  return { object, state };
}

function progress(path) {
  return {
    set(percent) {
      if (!(percent >= 0 && percent <= 100)) throw new RangeError(`progress goes from 0 to 100, not ${percent}`);
      host("write", path, String(Math.trunc(percent)));
    },
    get: () => parseInt(host("read", path) || "0", 10) || 0,
  };
}

