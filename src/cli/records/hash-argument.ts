/**
 * The hash of a record on the command line: 64 hex digits, or base64 as in protobuf JSON, or the
 * first digits of it. A beginning is looked up among what the profile may list: a participant's own
 * records, and for others all records, whose hashes are in the public blocks.
 */
import { InvalidArgumentError } from "commander";
import { toHex } from "../../base/bytes.js";
import type { BssClient } from "../../client/bss-client.js";
import { parseHashBytes } from "../arguments.js";
import { CliError } from "../text/cli-error.js";

/** The whole hash, or its beginning as lower-case hex. */
export type HashArgument = Uint8Array | string;

/** For the help of commands. */
export const hashForms =
  "64 hex digits, or their beginning (8 or more) if no other record has it; or base64";

const digitsMin = 8;
const digitsWhole = 64;
/** Each takes part of an answer: a beginning is no way to search a large ledger. */
const searchedMaxDefault = 100_000;
const shownMax = 3;
const pageSize = { records: 1000, blocks: 100 } as const;

export function parseHashArgument(text: string): HashArgument {
  const hash = parseHashBytes(text);
  if (hash !== undefined) return hash;
  const isBeginning = /^[0-9a-fA-F]+$/.test(text) && text.length < digitsWhole;
  if (isBeginning && text.length >= digitsMin) return text.toLowerCase();
  throw new InvalidArgumentError(
    `A hash has 64 hex digits, or 44 characters of base64; at least its first ${digitsMin} digits.`,
  );
}

/** The whole hash. Throws `CliError` if no record, or more than one, begins like that. */
export async function wholeHash(
  client: BssClient,
  argument: HashArgument,
  searchedMax = searchedMaxDefault,
): Promise<Uint8Array> {
  if (typeof argument !== "string") return argument;
  const found = new Map<string, Uint8Array>();
  let searched = 0;
  for await (const hash of hashesFor(client)) {
    if (searched === searchedMax) {
      const what = `more than ${searchedMax} records would have to be searched for ${argument}`;
      throw new CliError(what, "give the whole hash");
    }
    searched++;
    const hex = toHex(hash);
    if (hex.startsWith(argument)) found.set(hex, hash);
  }
  const [first, second] = found.values();
  if (first !== undefined && second === undefined) return first;
  if (first === undefined) {
    const whose = client.profile.role === "participant" ? ` of ${client.profile.id}` : "";
    const what = `no record${whose} has a hash that begins with ${argument}`;
    throw new CliError(what, "give the whole hash; 'bss list' shows hashes");
  }
  const shown = [...found.keys()].slice(0, shownMax).join(" ");
  const what = `${found.size} records have a hash that begins with ${argument}: ${shown}`;
  throw new CliError(what, "give more digits");
}

async function* hashesFor(client: BssClient): AsyncGenerator<Uint8Array> {
  const { id, role } = client.profile;
  if (role === "participant") {
    const query = { participantId: id, pageSize: pageSize.records };
    for await (const { hash } of client.listRecords(query)) yield hash;
    return;
  }
  for await (const { block } of client.listBlocks({ pageSize: pageSize.blocks })) {
    for (const { recordHash } of block?.leaves ?? []) yield recordHash;
  }
}
