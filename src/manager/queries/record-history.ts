/**
 * GetRecordHistory: every version of a record, oldest first, by the hash of any of them.
 *
 * A record names the version that it updates, and the state names the one that updates it. So an
 * answer goes down from a version at no more than its own cost; but the oldest one has to be looked
 * for first, up from the version that was asked for. One answer goes up a bounded way; if that does
 * not suffice it holds no versions, and its token says from where to go on.
 *
 * Which record updates which stands in the records. Who may not read the one that it asks for gets
 * its place, and no other version: all versions have one owner and the same parties. A token is no
 * secret and not signed, so the version that it names is held to the same.
 */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { fromHex, toHex } from "../../base/bytes.js";
import type {
  GetRecordHistoryRequest,
  GetRecordHistoryResponseSchema,
} from "../../gen/bss/v1/query_pb.js";
import { recordHashBytes } from "../../ledger/records/record-hash.js";
import { answerPage } from "../../query/answer-page.js";
import { RpcError } from "../../rpc/rpc-error.js";
import type { Identity } from "../../rpc/tls/tls-identity.js";
import { pagePosition, pageSize, pageToken, requireBytes } from "../../rpc/validation.js";
import type { ManagerStore } from "../../store/manager-store.js";
import { seesMetadata } from "./record-rights.js";
import type { RecordEntries } from "./unsealed-records.js";

const versionsPerPage = { defaultSize: 1_000, sizeMax: 1_000 };
/**
 * Versions that one answer goes up, and what they may have together: unsealing takes time. It is so
 * little that the caller's rest after the answer is worth it (rpc/bounds/answer-turns.ts).
 */
export const climbMax = { versions: 250, bytes: 8 * 2 ** 20 };

/** Where an answer begins: it goes up from a version, or down from it. */
type Place = { readonly direction: "up" | "down"; readonly hash: Uint8Array };

/** @throws RpcError FIELD_INVALID, PAGE_TOKEN_INVALID, RECORD_UNKNOWN */
export async function recordHistory(
  store: Pick<ManagerStore, "successor">,
  records: RecordEntries,
  request: GetRecordHistoryRequest,
  reader: Identity,
): Promise<MessageInitShape<typeof GetRecordHistoryResponseSchema>> {
  const asked = requireBytes(request.recordHash, recordHashBytes, "record_hash");
  const sizeMax = pageSize(request.pageSize, versionsPerPage);
  const listing = `history/${toHex(asked)}`;
  const named = placeOfToken(listing, request.pageToken);
  const [entry] = await records.entry(asked, reader);
  if (entry.record === undefined && !seesMetadata(reader)) return { entries: [entry] };
  if (named !== undefined) await requireReadable(records, named, reader);
  const start: Place = named ?? { direction: "up", hash: asked };
  const from = start.direction === "up" ? await climb(records, start.hash) : start;
  if (from.direction === "up") return { entries: [], nextPageToken: tokenOf(listing, from) };
  const { items, next } = await answerPage(versionsFrom(store, from.hash), sizeMax, (hash) =>
    records.entry(hash, reader),
  );
  if (next === undefined) return { entries: items };
  return { entries: items, nextPageToken: tokenOf(listing, { direction: "down", hash: next }) };
}

/** A made-up token could name a version of another record. @throws RpcError PAGE_TOKEN_INVALID */
async function requireReadable(
  records: RecordEntries,
  { hash }: Place,
  reader: Identity,
): Promise<void> {
  if (seesMetadata(reader)) return;
  const [entry] = await records.entry(hash, reader);
  if (entry.record === undefined) throw noVersion();
}

/** Up from a version to the oldest, or as far as one answer goes. */
async function climb(records: RecordEntries, from: Uint8Array): Promise<Place> {
  let hash = from;
  let byteCount = 0;
  for (let versions = 0; versions < climbMax.versions && byteCount < climbMax.bytes; versions++) {
    const version = await records.parentOf(hash);
    if (version.parent === undefined) return { direction: "down", hash };
    byteCount += version.byteCount;
    hash = version.parent;
  }
  return { direction: "up", hash };
}

async function* versionsFrom(
  store: Pick<ManagerStore, "successor">,
  first: Uint8Array,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let hash: Uint8Array | undefined = first; hash !== undefined; ) {
    yield hash;
    hash = await store.successor(hash);
  }
}

function tokenOf(listing: string, { direction, hash }: Place): string {
  return pageToken(listing, `${direction},${toHex(hash)}`);
}

function placeOfToken(listing: string, token: string): Place | undefined {
  const position = pagePosition(listing, token);
  if (position === undefined) return undefined;
  const [direction = "", hex = ""] = position.split(",");
  const hash = fromHex(hex);
  if ((direction === "up" || direction === "down") && hash?.length === recordHashBytes) {
    return { direction, hash };
  }
  throw noVersion();
}

function noVersion(): RpcError {
  const message = "the page token names no version of this record";
  return new RpcError("PAGE_TOKEN_INVALID", message, { field: "page_token" });
}
