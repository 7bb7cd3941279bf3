/**
 * Messages of the schema for `--json`, in the same types as everything else that is printed there:
 * names as in the schema, byte strings and integers as `toJson` of output.ts writes them. (The JSON
 * of Protobuf itself has base64 and puts integers of 64 bits into strings.)
 */
import type { DescEnum, DescMessage, MessageShape } from "@bufbuild/protobuf";
import { type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";

/** Every field of a message; what is not there is null, and of a oneof only what is set. */
export function messageJson<Desc extends DescMessage>(
  schema: Desc,
  message: MessageShape<Desc>,
): object {
  return jsonOf(reflect(schema, message));
}

function jsonOf(message: ReflectMessage): object {
  const entries: [name: string, value: unknown][] = [];
  for (const field of message.fields) {
    if (field.oneof !== undefined && !message.isSet(field)) continue;
    switch (field.fieldKind) {
      case "message":
        entries.push([field.name, message.isSet(field) ? jsonOf(message.get(field)) : null]);
        break;
      case "list":
        entries.push([
          field.name,
          [...message.get(field)].map((value) => {
            if (field.listKind === "message") return jsonOf(value as ReflectMessage);
            return field.listKind === "enum" ? enumName(field.enum, value) : value;
          }),
        ]);
        break;
      case "enum":
        entries.push([field.name, enumName(field.enum, message.get(field))]);
        break;
      default:
        entries.push([field.name, message.get(field)]);
    }
  }
  return Object.fromEntries(entries);
}

/** The number of a value that only a newer node knows. */
function enumName(schema: DescEnum, value: unknown): unknown {
  return schema.value[Number(value)]?.name ?? value;
}
