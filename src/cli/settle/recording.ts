/** Documents of settlements on their way to the ledger. */
import { equalBytes } from "../../base/bytes.js";
import type { BssClient } from "../../client/bss-client.js";
import { documentOf } from "../../client/settlement.js";
import { document } from "../../client/submit/records.js";
import { recordHash } from "../../ledger/records/record-hash.js";
import { canonicalJson, type StatementDocument } from "../../settlement/settlement-documents.js";
import { CliError } from "../text/cli-error.js";
import { formatBytes } from "../text/output.js";

/** Ids, salt, time, media type, name and lengths of such a record have less than this. */
const envelopeBytes = 1024;
const pageSize = 1000;
const yearMs = 366 * 86_400_000;

/** How much content a record of the consortium holds. */
export function longestContent({ genesis }: BssClient): number {
  return genesis.policy.recordBytesMax - envelopeBytes;
}

/** The first of some forms of a statement that fits. Throws `CliError` if none does. */
export function statementBytes(forms: readonly StatementDocument[], bytesMax: number): Uint8Array {
  const contents = forms.map(canonicalJson);
  const content = contents.find(({ length }) => length <= bytesMax);
  if (content !== undefined) return content;
  const [bytes, limit] = [Math.min(...contents.map(({ length }) => length)), bytesMax];
  throw new CliError(
    `the statement has ${formatBytes(bytes)}, and a record of this consortium holds ${formatBytes(limit)}`,
    "record statements of shorter periods",
  );
}

type Parts = { readonly mediaType: string; readonly name: string; readonly content: Uint8Array };
type Place = { readonly hash: Uint8Array; readonly height: number };

/** Puts a document of the profile's on the ledger. */
async function recordDocument(client: BssClient, parts: Parts): Promise<Place> {
  const bytes = document({ ownerId: client.profile.id, timeMs: Date.now(), ...parts });
  await client.submit(client.sign([bytes]));
  const hash = recordHash(client.consortiumId, bytes);
  const { height } = await client.getRecord(hash);
  return { hash, height };
}

/**
 * The same, unless a document of this type and content of the participant's stands on the ledger
 * that is at most a year old: then that is the answer. So a command that is repeated records
 * nothing twice.
 */
export async function recordOnce(
  client: BssClient,
  parts: Parts,
): Promise<Place & { readonly isNew: boolean }> {
  const fromMs = Math.max(0, Date.now() - yearMs);
  const query = { participantId: client.profile.id, fromMs, pageSize };
  for await (const record of client.listRecords(query)) {
    const found = documentOf(record);
    if (found?.mediaType !== parts.mediaType || !equalBytes(found.content, parts.content)) continue;
    if (record.content?.successor !== undefined) continue;
    return { hash: record.hash, height: record.height, isNew: false };
  }
  return { ...(await recordDocument(client, parts)), isNew: true };
}
