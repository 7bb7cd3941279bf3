/**
 * Compares a store with one that was made anew from the same chain. Both must have exactly the
 * values that follow from the chain. What a node keeps besides (votes, candidates, submissions,
 * evidence) does not follow from it, and is left out.
 */
import { emptyBytes, equalBytes, fromHex, toHex, utf8 } from "../../base/bytes.js";
import { buckets } from "../buckets.js";
import { chainKeys } from "../chain/chain-writes.js";
import { bucketKey, bucketRange, KeyReader } from "../key-codec.js";
import type { KeyValueStore } from "../key-value-store.js";
import type { StoreError } from "../store-error.js";
import { isDamage } from "../store-error.js";
import { tolerantGetMany } from "./tolerant-reads.js";

/** What is wrong and where, in words. */
export type Finding = { readonly where: string; readonly what: string };

/** What a check of a whole store takes. */
export type StoreCheckPorts = {
  /** Read only. */
  readonly stored: KeyValueStore;
  /** Empty. */
  readonly scratch: KeyValueStore;
  readonly found: (finding: Finding) => void;
  readonly onHeight: (height: number, top: number) => void;
};

const names = {
  blockByHeight: "block",
  heightByBlockId: "index of blocks",
  segment: "sealed records",
  sealedApart: "sealed record",
  logTile: "tile of the Merkle log",
  recordPlace: "place of a record",
  state: "state",
  certificate: "certificates",
  ownerIndex: "index by owner",
  meterIndex: "index by meter",
  ownerRun: "index by owner",
  meterRun: "index by meter",
  ownerRunCost: "index by owner",
  meterRunCost: "index by meter",
  storageBlock: "block",
  membership: "change of members",
  lastAttested: "last attestation",
  participantSpki: "participant's key",
} as const satisfies Partial<Record<keyof typeof buckets, string>>;

type Compared = keyof typeof names;
const compared = Object.keys(names) as Compared[];

/** Buckets whose keys begin with a number that says where a value stands. */
const numbered = new Map<Compared, string>([
  ["blockByHeight", "height"],
  ["certificate", "height"],
  ["storageBlock", "height"],
  ["membership", "height"],
  ["segment", "position"],
  ["sealedApart", "position"],
]);

/** Buckets of which later blocks never change a value. */
const immutable: readonly Compared[] = [
  ...(["blockByHeight", "heightByBlockId", "segment", "sealedApart", "recordPlace"] as const),
  ...(["storageBlock", "membership", "participantSpki"] as const),
  ...(["ownerIndex", "meterIndex", "ownerRun", "meterRun"] as const),
];

/**
 * Makes the chain anew from the stored blocks, up to height `top` or to the first block that cannot
 * be appended, and compares the stores. `appendNext` appends the block of a height, or says what
 * keeps it from doing so.
 *
 * @returns the height up to which the chain holds
 */
export async function checkAnew(
  { stored, scratch, found, onHeight }: StoreCheckPorts,
  made: { readonly head: { readonly height: number } },
  top: number,
  appendNext: (height: number) => Promise<string | undefined>,
): Promise<number> {
  while (made.head.height < top) {
    const height = made.head.height + 1;
    onHeight(height, top);
    const problem = await appendNext(height);
    if (problem === undefined) continue;
    found({ where: `height ${height}`, what: problem });
    break;
  }
  const { height } = made.head;
  await compareStores(scratch, stored, height === top, found);
  return height;
}

/**
 * @param complete whether the chain was made anew up to the store's head. If not, only what later
 * blocks do not change can be compared.
 */
async function compareStores(
  made: KeyValueStore,
  stored: KeyValueStore,
  complete: boolean,
  found: (finding: Finding) => void,
): Promise<void> {
  for (const name of complete ? compared : immutable) {
    await compareBucket(name, made, stored, found);
    if (complete) await findSurplus(name, made, stored, found);
  }
  if (!complete) return;
  for (const [key, what] of [
    [chainKeys.head, "head"],
    [bucketKey(buckets.meta, utf8("identity")), "identity"],
  ] as const) {
    const [right] = await tolerantGetMany(made, [key]);
    const [value] = await tolerantGetMany(stored, [key]);
    if (right && value && equalBytes(right, value)) continue;
    found({ where: what, what: value === undefined ? "missing or unreadable" : "not right" });
  }
}

async function compareBucket(
  name: Compared,
  made: KeyValueStore,
  stored: KeyValueStore,
  found: (finding: Finding) => void,
): Promise<void> {
  for await (const page of pages(made, name)) {
    const values = await tolerantGetMany(
      stored,
      page.map(([key]) => key),
    );
    for (const [i, [key, right]] of page.entries()) {
      const value = values[i];
      if (value !== undefined && equalBytes(value, right)) continue;
      const what =
        value === undefined ? "missing or unreadable" : "not what follows from the chain";
      found({ where: placeOf(name, key), what });
    }
  }
}

/** What is stored and does not follow from the chain. */
async function findSurplus(
  name: Compared,
  made: KeyValueStore,
  stored: KeyValueStore,
  found: (finding: Finding) => void,
): Promise<void> {
  try {
    for await (const page of pages(stored, name)) {
      const values = await made.getMany(page.map(([key]) => key));
      for (const [i, [key]] of page.entries()) {
        if (values[i] !== undefined) continue;
        found({ where: placeOf(name, key), what: "does not follow from the chain" });
      }
    }
  } catch (error) {
    // compareBucket has found by its key what cannot be read.
    if (!isDamage(error)) throw error;
  }
}

const pageEntries = 512;

async function* pages(kv: KeyValueStore, name: Compared) {
  let page: (readonly [Uint8Array, Uint8Array])[] = [];
  for await (const entry of kv.scan({ ...bucketRange(buckets[name]), pageEntries })) {
    page.push(entry);
    if (page.length < pageEntries) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}

/** What an error says is damaged and where, without what to do about it. */
export function damageOf({ what }: StoreError): string {
  return what.replace(/the value under key 0x([0-9a-f]+)/, (text, hex: string) => {
    const key = fromHex(hex) ?? emptyBytes;
    const name = compared.find((each) => buckets[each] === key[0]);
    return name === undefined ? text : `the ${placeOf(name, key)}`;
  });
}

function placeOf(name: Compared, key: Uint8Array): string {
  // A read may begin at the bucket's beginning.
  if (key.length === 1) return `first ${names[name]}`;
  const by = key.length < 9 ? undefined : numbered.get(name);
  if (by === undefined) return `${names[name]} ${toHex(key.subarray(1))}`;
  return `${names[name]} at ${by} ${new KeyReader(key, buckets[name]).u64()}`;
}
