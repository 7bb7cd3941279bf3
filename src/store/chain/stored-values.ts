/** Stored values as messages, and the error for a value that is not what was written. */
import { type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import { encode } from "../../ledger/wire.js";
import { getManyKeysMax, type KeyValueStore, type WriteOperation } from "../key-value-store.js";
import { StoreError } from "../store-error.js";

export function putMessage<Desc extends DescMessage>(
  key: Uint8Array,
  schema: Desc,
  message: MessageShape<Desc>,
): WriteOperation {
  return { type: "put", key, value: encode(schema, message) };
}

/** @throws StoreError CORRUPT when the bytes are not such a message; `what` names the value. */
export function storedMessage<Desc extends DescMessage>(
  schema: Desc,
  bytes: Uint8Array,
  what: string,
): MessageShape<Desc> {
  try {
    return fromBinary(schema, bytes);
  } catch (cause) {
    throw damaged(what, "does not decode", cause);
  }
}

/** A value that must be there. @throws StoreError CORRUPT if it is not */
export function present<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw damaged(what, "is missing");
  return value;
}

export function damaged(value: string, how: string, cause?: unknown): StoreError {
  const what = `${value} ${how}`;
  const message = `${what}: check the store with "bss check"`;
  return new StoreError("CORRUPT", message, cause === undefined ? { what } : { what, cause });
}

/** `getMany` for any number of keys; more than `getManyKeysMax` of them are not of one moment. */
export async function getAll(
  kv: Pick<KeyValueStore, "getMany">,
  keys: readonly Uint8Array[],
): Promise<(Uint8Array | undefined)[]> {
  const values: (Uint8Array | undefined)[] = [];
  for (let from = 0; from < keys.length; from += getManyKeysMax) {
    for (const value of await kv.getMany(keys.slice(from, from + getManyKeysMax))) {
      values.push(value);
    }
  }
  return values;
}
