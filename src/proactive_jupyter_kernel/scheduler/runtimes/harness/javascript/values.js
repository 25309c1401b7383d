// Values between the wire form of workflow/values.py and JavaScript.
//
// The files of this folder are joined and put into one function by their host, host.py (QuickJS) or host.js (Node.js),
// in the order values, java, bindings, life. Plain ECMAScript: what needs the system goes through `host(name, …)`.

const host = (name, ...given) => {
  const [fine, answer] = JSON.parse(call(JSON.stringify([name, ...given])));
  if (!fine) throw new Error(answer);
  return answer;
};

const MAX_DEPTH = 100;
const LONG = 2n ** 63n;
const TAG = "$type";

// Define members that loops over `target` do not see.
const hide = (target, members) => {
  for (const name of Reflect.ownKeys(members)) {
    Object.defineProperty(target, name, {
      value: members[name], writable: true, configurable: true, enumerable: false,
    });
  }
};

// --- values ------------------------------------------------------------------------------------------------------

// A value of Java that JavaScript has no form for: it keeps its text and travels on as it came.
class JavaValue {
  #wire;
  constructor(wire) { this.#wire = wire; }
  get wire() { return this.#wire; }
  toString() { return this.#wire.value; }
  valueOf() { return this.#wire[TAG] === "decimal" ? Number(this.#wire.value) : this.#wire.value; }
  toJSON() { return this.valueOf(); }
}

// A map of Java: its entries are properties, its methods stand beside them.
class JavaMap {}
const mapMethods = {
  get(key) { const found = own(this, key) ? this[key] : null; return found === undefined ? null : found; },
  getOrDefault(key, other) { return own(this, key) ? this[key] : other; },
  put(key, value) { const old = mapMethods.get.call(this, key); this[key] = value; return old; },
  putAll(other) { for (const key of Object.keys(other)) this[key] = other[key]; },
  remove(key) { const old = mapMethods.get.call(this, key); delete this[key]; return old; },
  clear() { for (const key of Object.keys(this)) delete this[key]; },
  containsKey(key) { return own(this, key); },
  containsValue(value) { return Object.values(this).includes(value); },
  size() { return Object.keys(this).length; },
  isEmpty() { return Object.keys(this).length === 0; },
  keySet() { return Object.keys(this); },
  values() { return Object.values(this); },
  entrySet() {
    return Object.entries(this).map(([key, value]) => ({ key, value, getKey: () => key, getValue: () => value }));
  },
  toString() { return text(this); },
};
hide(JavaMap.prototype, mapMethods);
// What the arrays of JavaScript lack of the lists of Java.
hide(Array.prototype, {
  get(index) { return this[index]; },
  size() { return this.length; },
  isEmpty() { return this.length === 0; },
  contains(value) { return this.includes(value); },
  add(value) { this.push(value); return true; },
});

function own(target, key) { return Object.prototype.hasOwnProperty.call(target, key); }

function setOwn(target, key, value) {
  Object.defineProperty(target, key, { value, writable: true, configurable: true, enumerable: true });
}

const READERS = {
  bytes: (value) => Int8Array.from(atob(value), (char) => char.charCodeAt(0)),
  set: (value) => new Set(value.map(fromWire)),
  float: (value) => Number(value),
  long: (value) => BigInt(value),
  dict: (value) => new Map(value.map(([key, item]) => [fromWire(key), fromWire(item)])),
};

function fromWire(wire) {
  if (wire === null || typeof wire !== "object") return wire;
  if (Array.isArray(wire)) return wire.map(fromWire);
  if (own(wire, TAG)) return own(READERS, wire[TAG]) ? READERS[wire[TAG]](wire.value) : new JavaValue(wire);
  const map = new JavaMap();
  for (const key of Object.keys(wire)) setOwn(map, key, fromWire(wire[key]));
  return map;
}

class NotPortable extends Error {
  constructor(path, kind, reason, remedy) {
    super(`${path} (${kind}) cannot travel between tasks: ${reason}; ${remedy}`);
    this.name = "NotPortableValue";
  }
}

function checkedText(value, path) {
  if (value.isWellFormed()) return value;
  throw new NotPortable(path, "string", "it holds half a surrogate pair, no real text", "use .toWellFormed()");
}

function numberWire(value) {
  if (Object.is(value, -0)) return { [TAG]: "float", value: "-0.0" };
  if (Number.isSafeInteger(value) || (Number.isFinite(value) && !Number.isInteger(value))) return value;
  if (Number.isFinite(value) && Math.abs(value) >= 1e21) return value;  // JSON has it with an exponent
  // Not finite, or an integer too large to be exact: JSON has no form for the one and takes the other for an int.
  return { [TAG]: "float", value: String(value) };
}

function bytesWire(value) {
  let raw = "";
  const bytes = value instanceof ArrayBuffer
    ? new Uint8Array(value) : new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  for (const byte of bytes) raw += String.fromCharCode(byte);
  return { [TAG]: "bytes", value: btoa(raw) };
}

function wireOf(value, path, around) {
  switch (typeof value) {
    case "undefined": return null;
    case "boolean": return value;
    case "number": return numberWire(value);
    case "string": return checkedText(value, path);
    case "bigint":
      if (value >= -LONG && value < LONG) return { [TAG]: "long", value: String(value) };
      throw new NotPortable(path, "bigint", "it needs more than 64 bits", "use String(…) or Number(…)");
    case "object": return value === null ? null : objectWire(value, path, around);
    default:
      throw new NotPortable(path, typeof value, "no such type has a form in the other languages",
        "build it of null, booleans, numbers, strings, arrays and objects");
  }
}

function objectWire(value, path, around) {
  if (value instanceof JavaValue || value instanceof TaskResult) return value.wire;
  if (value instanceof String || value instanceof Number || value instanceof Boolean) {
    return wireOf(value.valueOf(), path, around);
  }
  if (value instanceof ArrayBuffer || value instanceof Int8Array || value instanceof Uint8Array ||
      value instanceof Uint8ClampedArray) return bytesWire(value);
  if (around.includes(value)) {
    throw new NotPortable(path, "object", "it contains itself", "take the cycle out");
  }
  if (around.length >= MAX_DEPTH) {
    throw new NotPortable(path, "object", `it lies more than ${MAX_DEPTH} levels deep`,
      "flatten it, or pass JSON.stringify(…) as text");
  }
  return containerWire(value, path, [...around, value]);
}

function containerWire(value, path, around) {
  const inner = (key, item) => wireOf(item, `${path}[${shown(key)}]`, around);
  if (Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView))) {
    return Array.from(value, (item, index) => inner(index, item));
  }
  if (value instanceof Set) {
    return { [TAG]: "set", value: Array.from(value, (item) => inner(item, item)) };
  }
  if (value instanceof Map) {
    return { [TAG]: "dict", value: Array.from(value, ([key, item]) => [inner(key, key), inner(key, item)]) };
  }
  const prototype = Object.getPrototypeOf(value);
  if (value instanceof JavaMap || prototype === Object.prototype || prototype === null) {
    return entriesWire(Object.keys(value).map((key) => [checkedText(key, path), inner(key, value[key])]));
  }
  const kind = (value.constructor && value.constructor.name) || "object";
  const remedy = value instanceof Date ? "use .toISOString()" : value instanceof Error
    ? "use its .message" : "build it of null, booleans, numbers, strings, arrays and objects";
  throw new NotPortable(path, kind, "no such type has a form in the other languages", remedy);
}

function entriesWire(entries) {
  if (entries.some(([key]) => key === TAG)) return { [TAG]: "dict", value: entries };
  const wire = {};
  for (const [key, item] of entries) setOwn(wire, key, item);
  return wire;
}

function shown(key) {
  const found = typeof key === "string" ? `'${key}'` : String(key);
  return found.length <= 40 ? found : `${found.slice(0, 39)}…`;
}

const toWire = (value, path) => wireOf(value, path, []);

// What Java's toString gives.
function text(value) {
  if (value === null || value === undefined) return "null";
  if (Array.isArray(value)) return `[${value.map(text).join(", ")}]`;
  if (value instanceof Set) return `[${Array.from(value, text).join(", ")}]`;
  const entries = value instanceof Map ? [...value] : value instanceof JavaMap ? Object.entries(value) : null;
  if (entries) return `{${entries.map(([key, item]) => `${text(key)}=${text(item)}`).join(", ")}}`;
  return String(value);
}

