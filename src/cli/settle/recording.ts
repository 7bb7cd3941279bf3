/** Documents of settlements on their way to the ledger. */
import type { BssClient } from "../../client/bss-client.js";
import { document } from "../../client/submit/records.js";
import { recordHash } from "../../ledger/records/record-hash.js";
import { canonicalJson, type StatementDocument } from "../../settlement/settlement-documents.js";
import { CliError } from "../text/cli-error.js";
import { formatBytes } from "../text/output.js";

/** Ids, salt, time, media type, name and lengths of such a record have less than this. */
const envelopeBytes = 1024;

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

/** Puts a document of the profile's on the ledger. */
export async function recordDocument(
  client: BssClient,
  parts: { readonly mediaType: string; readonly name: string; readonly content: Uint8Array },
): Promise<{ readonly hash: Uint8Array; readonly height: number }> {
  const bytes = document({ ownerId: client.profile.id, timeMs: Date.now(), ...parts });
  await client.submit(client.sign([bytes]));
  const hash = recordHash(client.consortiumId, bytes);
  const { height } = await client.getRecord(hash);
  return { hash, height };
}
