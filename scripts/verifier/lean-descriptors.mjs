/**
 * Generated code describes every message of its file. The verifier's bundle gets those that it
 * uses and what stands in them, written so that they take a fifth of the room.
 */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { leanFileDesc } from "./lean-file-desc.mjs";

const leanFile = join(import.meta.dirname, "lean-file-desc.mjs");
const generated = /src[\\/]gen[\\/].*_pb\.js$/;
/** What protobuf-es' JSON reader knows by name; none of it stands in our messages. */
const wellKnown = /protobuf[\\/](any|struct)_pb\.js$/;

/**
 * An esbuild plugin.
 *
 * @param files compiled files of the bundle: what they import from generated code is used
 */
export async function leanDescriptors(files) {
  const shorten = shortener(await typesOf(files));
  const onLoad = ({ path }) => leanSource(path, shorten);
  return {
    name: "lean-descriptors",
    setup(build) {
      build.onLoad({ filter: generated }, onLoad);
      build.onLoad({ filter: wellKnown }, onLoad);
    },
  };
}

/** The full names of the messages and enums that the files name, and of all that stand in them. */
async function typesOf(files) {
  const wanted = new Set();
  for (const file of files.filter((each) => !generated.test(each))) {
    const source = await readFile(file, "utf8");
    for (const [, names, from] of source.matchAll(/import \{([^}]*)\} from "([^"]*_pb\.js)"/g)) {
      const module = await import(new URL(from, pathToFileURL(file)).href);
      for (const name of names.split(",")) addType(wanted, module[name.trim().split(" as ")[0]]);
    }
  }
  return wanted;
}

function addType(wanted, type) {
  if (!["message", "enum"].includes(type?.kind) || wanted.has(type.typeName)) return;
  wanted.add(type.typeName);
  for (const field of type.fields ?? []) addType(wanted, field.message ?? field.enum);
}

async function leanSource(path, shorten) {
  const module = await import(pathToFileURL(path).href);
  const short = shorten(Object.values(module).find(({ kind }) => kind === "file"));
  const source = await readFile(path, "utf8");
  // What it imports remains, so that those files' descriptors are made before these.
  const contents = source.replace(
    /\bfileDesc\("[^"]*"/,
    () => `leanFileDesc(${JSON.stringify(short)}`,
  );
  assert.notEqual(contents, source, `${path} describes its messages in another way`);
  return { contents: `import { leanFileDesc } from ${JSON.stringify(leanFile)};\n${contents}` };
}

/** Gives the short form of a file, which was held against what protobuf-es makes of it. */
function shortener(wanted) {
  const known = new Map();
  const shorten = (file) => {
    if (known.has(file.name)) return known.get(file.name);
    file.dependencies.forEach(shorten);
    const short = shortFile(file, wanted);
    known.set(file.name, short);
    checkLean(leanFileDesc(short), file);
    return short;
  };
  return shorten;
}

function shortFile({ proto, messages, enums }, wanted) {
  const short = (of) => (desc) => (wanted.has(desc.typeName) ? of(desc, proto.package) : 0);
  return [proto.package, messages.map(short(shortMessage)), enums.map(short(shortEnum))];
}

function shortMessage({ name, fields, oneofs }, packageName) {
  const shortFields = fields.map((field) => shortField(field, oneofs, packageName));
  return oneofs.length === 0
    ? [name, shortFields]
    : [name, shortFields, oneofs.map((oneof) => oneof.name)];
}

function shortField({ proto, message, enum: values, oneof, fieldKind }, oneofs, packageName) {
  const { name, number, type } = proto;
  const { typeName = "" } = message ?? values ?? {};
  const prefix = `${packageName}.`;
  const shortType = typeName.startsWith(prefix) ? typeName.slice(prefix.length) : typeName;
  const short = [name, number, fieldKind === "list" ? -type : type];
  if (shortType !== "" || oneof !== undefined) short.push(shortType);
  if (oneof !== undefined) short.push(oneofs.indexOf(oneof));
  return short;
}

function shortEnum({ name, values }) {
  return [name, values.map((value) => [value.name, value.number])];
}

/** Whether what is made of the short form is what protobuf-es makes, as far as anybody looks. */
function checkLean(lean, file) {
  for (const [i, message] of lean.messages.entries()) {
    if (message === 0) continue;
    const real = file.messages[i];
    const shown = (desc) => ({
      typeName: desc.typeName,
      nested: desc.nestedMessages.length,
      members: desc.members.map(({ kind, name }) => `${kind} ${name}`),
      byName: Object.entries(desc.field).map(([key, { name }]) => `${key} ${name}`),
      oneofs: desc.oneofs.map(({ name, localName, fields }) => {
        return { name, localName, fields: fields.map((each) => each.name) };
      }),
      fields: desc.fields.map(shownField),
    });
    assert.deepEqual(shown(message), shown(real));
  }
  for (const [i, each] of lean.enums.entries()) {
    if (each === 0) continue;
    const shown = ({ typeName, open, values }) => ({
      typeName,
      open,
      values: values.map(({ name, number }) => ({ name, number })),
    });
    assert.deepEqual(shown(each), shown(file.enums[i]));
  }
  assert.equal(lean.edition, file.edition);
}

function shownField(field) {
  const { message, enum: values, oneof, parent } = field;
  const own = Object.entries(field).filter(([key, value]) => {
    return typeof value !== "object" && typeof value !== "function" && !unused.includes(key);
  });
  const types = [message?.typeName, values?.typeName, oneof?.name, parent.typeName];
  return { ...Object.fromEntries(own), types, hasDefault: typeof field.getDefaultValue };
}

/** Of maps and options, which our messages do without, and the types compared by name. */
const unused = ["mapKind", "mapKey", "deprecated", "message", "enum", "oneof"];
