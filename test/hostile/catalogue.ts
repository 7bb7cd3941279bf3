/** Every attack, in the order in which they run. */
import type { Attack } from "./attack.js";
import { borrowedNames } from "./attacks/borrowed-names.js";
import { emptyEntries } from "./attacks/empty-entries.js";
import { participantFloods } from "./attacks/floods.js";
import { gzipBombs } from "./attacks/gzip-bombs.js";
import { halfOpen } from "./attacks/half-open.js";
import { heavyReads } from "./attacks/heavy-reads.js";
import { loadProfiles } from "./attacks/load-profiles.js";
import { oddIds } from "./attacks/odd-ids.js";
import { pageTokens } from "./attacks/page-tokens.js";
import { haltNotices, mismatches, wrongStorageHeads } from "./attacks/storage-noise.js";
import { tooFewStorageNodes } from "./attacks/too-few-storage-nodes.js";
import { unreadStreams } from "./attacks/unread-streams.js";
import { uploads } from "./attacks/uploads.js";
import { vanishingClients } from "./attacks/vanishing-clients.js";
import { wrongHeads } from "./attacks/wrong-heads.js";

export const attacks: readonly Attack[] = [
  ...emptyEntries,
  ...gzipBombs,
  ...uploads,
  // Before what reads the ledger, so that there is more to read.
  ...participantFloods,
  ...loadProfiles,
  ...heavyReads,
  ...unreadStreams,
  vanishingClients,
  halfOpen,
  pageTokens,
  haltNotices,
  wrongStorageHeads,
  mismatches,
  wrongHeads,
  borrowedNames,
  oddIds,
  tooFewStorageNodes,
];

/** "all", or names with commas between them. Throws for a name that is none. */
export function chooseAttacks(text: string): readonly Attack[] {
  if (text === "all") return attacks;
  return text.split(",").map((name) => {
    const found = attacks.find((attack) => attack.name === name);
    if (found !== undefined) return found;
    throw new Error(`no attack ${name}; there are ${attacks.map((each) => each.name).join(", ")}`);
  });
}
