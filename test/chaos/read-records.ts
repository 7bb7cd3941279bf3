/** Reads records, receipts and proofs back, each from the nodes that ought to have them. */
import { equalBytes, toHex } from "../../src/base/bytes.js";
import { type BssClient, verifyReceipt } from "../../src/client/index.js";
import type { Connection } from "../../src/client/manager-connections.js";
import { checkConsistencyProof } from "../../src/client/verify/answers.js";
import { QueryService } from "../../src/gen/bss/v1/query_pb.js";
import { type Record, TradeTermsSchema, ValueQuality } from "../../src/gen/bss/v1/record_pb.js";
import type { GenesisState } from "../../src/ledger/genesis.js";
import { strictDecode } from "../../src/ledger/strict-decode.js";
import type { Random } from "../simulation/random.js";
import { type Book, describePlace, samePlace } from "./book.js";
import type { ListedRecord, NodeLedger } from "./findings.js";

const timeoutMs = 30_000;
const concurrentMax = 16;
const pageSize = 500;

export type Reader = { readonly id: string; readonly connection: Connection };

/**
 * All records that a participant owns, as one manager lists them to it. (A buyer's list has the
 * seller's trades too.)
 */
export async function listRecords(client: BssClient, book: Book): Promise<ListedRecord[]> {
  const records: ListedRecord[] = [];
  const ownerId = client.profile.id;
  for await (const record of client.listRecords({ participantId: ownerId, pageSize })) {
    const hash = toHex(record.hash);
    const made = book.made.get(hash);
    const bytes = record.content?.bytes;
    if (made !== undefined && made.ownerId !== ownerId) continue;
    const payload = record.content?.record.payload;
    const measured = payload && measuredIn(payload);
    const terms =
      payload?.case === "energyTrade"
        ? strictDecode(TradeTermsSchema, payload.value.terms)
        : undefined;
    records.push({
      hash,
      ownerId,
      height: record.height,
      position: record.position,
      parent: toHex(record.content?.record.parent ?? new Uint8Array()),
      ...(terms?.ok === true && {
        trade: {
          sellerId: terms.value.sellerId,
          deliveryStartS: Number(terms.value.deliveryStartUnixS),
          energyWh: Number(terms.value.energyWh),
        },
      }),
      ...(measured !== undefined && { measured }),
      asMade: made !== undefined && bytes !== undefined && equalBytes(made.record, bytes),
    });
  }
  return records;
}

function measuredIn(payload: Record["payload"]): ListedRecord["measured"] {
  if (payload.case === "meterReading") {
    const { meterId, intervalStartUnixS } = payload.value;
    return { meterId, startsS: [Number(intervalStartUnixS)] };
  }
  if (payload.case !== "loadProfile") return undefined;
  const { meterId, startUnixS, intervalS, runs } = payload.value;
  const present = runs.flatMap(({ count, quality }) =>
    new Array<boolean>(count).fill(quality !== ValueQuality.ABSENT),
  );
  const startsS = present.flatMap((is, i) => (is ? [Number(startUnixS) + i * intervalS] : []));
  return { meterId, startsS };
}

/** Fetches receipts and verifies them offline; returns what does not hold. */
export async function checkReceipts(
  asked: readonly { readonly reader: Reader; readonly hash: string }[],
  book: Book,
  genesis: GenesisState,
): Promise<readonly string[]> {
  const wrong: string[] = [];
  await eachConcurrently(asked, async ({ reader, hash }) => {
    const request = { recordHash: Buffer.from(hash, "hex") };
    const { getReceipt } = QueryService.method;
    const answer = await reader.connection
      .unary(getReceipt, request, { timeoutMs })
      .catch((error: unknown) => void wrong.push(`${reader.id}: no receipt of ${hash}: ${error}`));
    if (!answer) return;
    const place = book.acknowledged.get(hash);
    const record = book.made.get(hash)?.record;
    const receipt = answer.receipt;
    if (receipt === undefined || place === undefined || record === undefined) {
      wrong.push(`${reader.id}: an empty receipt of ${hash}`);
      return;
    }
    const verified = verifyReceipt(receipt, genesis, { record });
    if (!verified.ok) {
      wrong.push(`${reader.id}: the receipt of ${hash}: ${verified.error.message}`);
      return;
    }
    const { height, position, blockId } = verified.value;
    const named = { height, position, blockId: toHex(blockId) };
    if (!samePlace(named, place)) {
      const places = `${describePlace(named)}, acknowledged at ${describePlace(place)}`;
      wrong.push(`${reader.id}: the receipt of ${hash} names ${places}`);
    }
  });
  return wrong;
}

/** Proofs between sizes at which blocks ended, drawn at random, from one node. */
export async function checkProofs(
  reader: Reader,
  { blocks }: NodeLedger,
  count: number,
  random: Random,
): Promise<readonly string[]> {
  const heads = blocks
    .filter(({ treeSize }) => treeSize > 0)
    .map(({ treeSize, computedRoot }) => ({ treeSize, root: Buffer.from(computedRoot, "hex") }));
  if (heads.length === 0) return [];
  const pairs = Array.from({ length: count }, () => {
    const [a, b] = [random.pick(heads), random.pick(heads)];
    return a.treeSize <= b.treeSize ? { from: a, to: b } : { from: b, to: a };
  });
  const wrong: string[] = [];
  await eachConcurrently(pairs, async ({ from, to }) => {
    const request = { fromTreeSize: BigInt(from.treeSize), toTreeSize: BigInt(to.treeSize) };
    const { getConsistencyProof } = QueryService.method;
    try {
      const proof = await reader.connection.unary(getConsistencyProof, request, { timeoutMs });
      checkConsistencyProof(proof, from, to);
    } catch (error) {
      wrong.push(`${reader.id}: proof from ${from.treeSize} to ${to.treeSize}: ${error}`);
    }
  });
  return wrong;
}

async function eachConcurrently<T>(
  items: readonly T[],
  work: (item: T) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async () => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) await work(item);
  };
  await Promise.all(Array.from({ length: concurrentMax }, worker));
}
