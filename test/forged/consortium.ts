/**
 * The consortiums of the corpus. Every key follows from its holder's id, so `other` and `former`
 * have the managers of `own` under other genesis files, and what is signed for one of them is
 * signed with keys that the next one knows.
 */
import { clone, create, toJsonString } from "@bufbuild/protobuf";
import { defined } from "../../src/base/assert.js";
import { utf8 } from "../../src/base/bytes.js";
import { type Genesis, GenesisSchema, SuspensionMode } from "../../src/gen/bss/v1/genesis_pb.js";
import { type GenesisState, parseGenesis } from "../../src/ledger/genesis.js";
import { genesisMessage } from "../unit/ledger/support/consortium.js";
import { accepted } from "../unit/ledger/support/outcome.js";
import { publicKeyOf, seedOf } from "../unit/ledger/support/records.js";

export type Consortium = { readonly file: Uint8Array; readonly genesis: GenesisState };

export const managerIds = ["manager-1", "manager-2", "manager-3", "manager-4"] as const;
export const storageIds = Array.from({ length: 7 }, (_, i) => `storage-${i + 1}`);

function consortiumOf(change: (genesis: Genesis) => void): Consortium {
  const message = clone(GenesisSchema, genesisMessage);
  change(message);
  const file = utf8(toJsonString(GenesisSchema, message));
  return { file, genesis: accepted(parseGenesis(file)) };
}

function withStorage(genesis: Genesis): void {
  const policy = defined(genesis.policy, "the genesis has a policy");
  policy.suspension = SuspensionMode.FLOOR;
  policy.suspendAfterMs = 500;
  policy.resumeWaitMs = 1_000;
  policy.resumeWaitMaxMs = 8_000;
  policy.unreachableAfterMs = 1_000;
  policy.matchReward = 1_000n;
  policy.storageReward = 10n ** 12n;
  policy.auditsPerBlock = 2;
  const others = storageIds.slice(4).map((nodeId, i) => ({
    case: "admitStorageNode" as const,
    value: {
      nodeId,
      signingKey: publicKeyOf(nodeId),
      tlsSpkiSha256: seedOf(`tls of ${nodeId}`),
      sponsorId: defined(managerIds[i], "there are more managers"),
    },
  }));
  const added = create(GenesisSchema, { operations: others.map((operation) => ({ operation })) });
  genesis.operations.push(...added.operations);
}

/** The one against whose genesis everything is checked. */
export const own = consortiumOf(withStorage);

/** Another one with the same managers and keys. */
export const other = consortiumOf((genesis) => {
  withStorage(genesis);
  genesis.consortiumName = "other-grid";
});

/** One of which manager-4 had another key. */
export const former = consortiumOf((genesis) => {
  withStorage(genesis);
  defined(genesis.managers[3], "there are four").signingKey = publicKeyOf("former manager-4");
});
