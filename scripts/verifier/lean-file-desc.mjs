/**
 * What stands in the verifier's bundle for protobuf-es' `fileDesc`: makes the descriptors of what
 * `lean-descriptors.mjs` has written in short. Theirs reads a FileDescriptorProto, for which they
 * bring the descriptor of descriptors, and knows much that proto3 without options has no use for.
 * Each build holds what this makes against what theirs makes.
 */

/** Of google.protobuf.FieldDescriptorProto.Type, and of Edition and FieldPresence. */
const typeMessage = 11;
const typeEnum = 14;
const typeString = 9;
const typeBytes = 12;
const editionProto3 = 999;
const explicit = 1;
const implicit = 2;

/** All that were made, by their full names: a file comes after those that it imports. */
const types = new Map();

/**
 * @param file [package, messages, enums]; 0 stands for a message or an enum that is left out
 */
export function leanFileDesc([packageName, messages, enums]) {
  const file = { kind: "file", edition: editionProto3 };
  const named = (desc) => {
    desc.typeName = `${packageName}.${desc.name}`;
    types.set(desc.typeName, desc);
    return desc;
  };
  file.enums = enums.map((each) => each && named(enumOf(each, file)));
  file.messages = messages.map((each) => each && named(messageOf(each, file)));
  for (const [i, message] of messages.entries()) {
    if (message) addFields(file.messages[i], message, packageName);
  }
  return file;
}

function messageOf([name], file) {
  const lists = { fields: [], oneofs: [], members: [], nestedMessages: [] };
  return { kind: "message", name, file, field: {}, ...lists };
}

function addFields(message, [, fields, oneofs = []], packageName) {
  message.oneofs = oneofs.map((name) => {
    return { kind: "oneof", name, localName: camelCase(name), fields: [], parent: message };
  });
  for (const short of fields) {
    const field = fieldOf(short, message, packageName);
    const { oneof, localName } = field;
    message.fields.push(field);
    message.field[localName] = field;
    oneof?.fields.push(field);
    if (oneof === undefined) message.members.push(field);
    else if (!message.members.includes(oneof)) message.members.push(oneof);
  }
}

/** The type of a list is below 0. */
function fieldOf([name, number, type, typeName, oneofIndex = -1], parent, packageName) {
  const oneof = parent.oneofs[oneofIndex];
  const isList = type < 0;
  const plainType = Math.abs(type);
  const ofType = types.get(typeName?.includes(".") ? typeName : `${packageName}.${typeName}`);
  const isMessage = plainType === typeMessage;
  const kind = isMessage ? "message" : plainType === typeEnum ? "enum" : "scalar";
  const lengthDelimited = isMessage || plainType === typeString || plainType === typeBytes;
  return {
    kind: "field",
    name,
    number,
    localName: camelCase(name),
    jsonName: camelCase(name),
    parent,
    oneof,
    fieldKind: isList ? "list" : kind,
    listKind: isList ? kind : undefined,
    message: isMessage ? ofType : undefined,
    enum: kind === "enum" ? ofType : undefined,
    scalar: kind === "scalar" ? plainType : undefined,
    presence: oneof !== undefined || (isMessage && !isList) ? explicit : implicit,
    packed: isList ? !lengthDelimited : undefined,
    delimitedEncoding: isMessage ? false : undefined,
    longAsString: false,
    utf8Validation: true,
    getDefaultValue: isList ? undefined : () => undefined,
    toString: () => `field ${parent.typeName}.${name}`,
  };
}

function enumOf([name, list], file) {
  const values = list.map(([valueName, number]) => {
    return { kind: "enum_value", name: valueName, number };
  });
  return { kind: "enum", name, file, open: true, values };
}

function camelCase(name) {
  return name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
}
