/**
 * A chain of six blocks with every kind of content, as managers append it and as storage nodes do.
 */
import { defined } from "../../../../src/base/assert.js";
import { checkFinal } from "../../../../src/consensus/attestation/attestor.js";
import type { ControlOperation } from "../../../../src/gen/bss/v1/genesis_pb.js";
import type { BlockFacts } from "../../../../src/ledger/blocks/block-facts.js";
import { parseBlock } from "../../../../src/ledger/blocks/block-parsing.js";
import type { Members } from "../../../../src/ledger/members/members.js";
import type { ParsedSubmission } from "../../../../src/ledger/records/submissions.js";
import { genesisStorageHead } from "../../../../src/ledger/storage-nodes/storage-head.js";
import type { AppendedBlock } from "../../../../src/store/manager-store.js";
import { type AppendedStorageBlock, appendedOf } from "../../../../src/store/storage-node-store.js";
import { Chain, certify } from "../../ledger/support/chain.js";
import {
  consortiumId,
  genesis,
  policy,
  quarterS,
  startS,
} from "../../ledger/support/consortium.js";
import { admissionOf, registrationOf } from "../../ledger/support/invitations.js";
import { accepted } from "../../ledger/support/outcome.js";
import {
  documentBytes,
  hashOf,
  readingBytes,
  sessionBytes,
  submitted,
  tradeBytes,
} from "../../ledger/support/records.js";

const imports = { owner: "participant-2", meter: "meter-2", imported: 200, exported: 0 };

/** The records of the chain that tests ask for by name. */
export const records = {
  reading: readingBytes({ exported: 200, imported: 0 }),
  nextReading: readingBytes({ exported: 150, imported: 0, start: startS + quarterS }),
  buyersReading: readingBytes(imports),
  trade: tradeBytes({ id: "first trade", energy: 50 }),
  session: sessionBytes(),
  document: documentBytes(),
  /** Of the first quarter, but added last. */
  lateReading: readingBytes({
    owner: "participant-3",
    meter: "meter-3",
    timeMs: startS * 1000 + 900_000,
  }),
};

export const updates = {
  second: readingBytes({ exported: 210, imported: 0, parent: hashOf(records.reading) }),
};

const third = readingBytes({ exported: 220, imported: 0, parent: hashOf(updates.second) });

export const versions = [records.reading, updates.second, third] as const;

export const submissions = {
  first: submitted([records.reading, records.nextReading, records.buyersReading], "head-end"),
  trade: submitted([records.trade, records.session]),
  update: submitted([updates.second]),
  third: submitted([third]),
  late: submitted([records.document]),
  other: submitted([records.lateReading], "participant-3"),
};

export const operations = [admissionOf("storage-5"), registrationOf("participant-5")];

type Step = {
  readonly candidates?: readonly ParsedSubmission[];
  readonly control?: readonly ControlOperation[];
};

const steps: readonly Step[] = [
  { candidates: [submissions.first] },
  { control: operations },
  {},
  { candidates: [submissions.trade, submissions.update] },
  { candidates: [submissions.third] },
  { candidates: [submissions.late, submissions.other] },
];

/**
 * The blocks as a manager appends them. Its own certificates have one COMMIT more than the
 * canonical ones.
 */
export const blocks: readonly AppendedBlock[] = build();

function build(): AppendedBlock[] {
  const chain = new Chain();
  return steps.map((step) => {
    const { block, executed } = chain.extend(step);
    return { block, executed, certificates: ownCertificates(executed.facts) };
  });
}

function ownCertificates(facts: BlockFacts) {
  const { managers } = genesis.members;
  return certify(facts, { managers, quorum: managers.length } as Members);
}

export function blockAt(height: number): AppendedBlock {
  return defined(blocks[height - 1], `block ${height} exists`);
}

/** The same blocks as a storage node appends them. */
export const storageBlocks: readonly AppendedStorageBlock[] = followed();

function followed(): AppendedStorageBlock[] {
  let head = genesisStorageHead(genesis);
  return blocks.map(({ block, executed, certificates }) => {
    const parts = {
      block: accepted(parseBlock(defined(block.block, "a block has its public part"))),
      sealedRecords: executed.sealed,
      certificates,
    };
    const check = accepted(checkFinal(parts, { consortiumId, policy, head }));
    if (!("append" in check)) throw new Error(check.contradiction.message);
    const { append } = check;
    head = append.head;
    return appendedOf(append);
  });
}
