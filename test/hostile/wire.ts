/** Protobuf's wire format as somebody writes it who has no need of a schema. */

/** Field `number` of the wire type "length-delimited". */
export function field(number: number, content: Uint8Array): Buffer {
  return Buffer.concat([varint(number * 8 + 2), varint(content.length), content]);
}

/** The field again and again, each time empty: two bytes each. */
export function emptyFields(number: number, times: number): Buffer {
  const [tag = 0] = field(number, new Uint8Array());
  return Buffer.alloc(2 * times, Buffer.from([tag, 0]));
}

/** A field that no message of this API has. */
export function unknownField(bytes: number): Buffer {
  return field(15, Buffer.alloc(bytes));
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.push((rest % 128) + (rest >= 128 ? 128 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return Buffer.from(bytes);
}
