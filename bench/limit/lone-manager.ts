/**
 * A manager without a consortium: what a record costs on its way through one, step by step. It
 * verifies no signatures and sends nothing. Every interval is a delivery interval of its own, which
 * is the most that a value can cost.
 */
import { create, toBinary, toJsonString } from "@bufbuild/protobuf";
import { defined } from "../../src/base/assert.js";
import { utf8 } from "../../src/base/bytes.js";
import type { Result } from "../../src/base/result.js";
import { meterReading } from "../../src/client/index.js";
import { vrfProofToHash, vrfProve } from "../../src/crypto/vrf.js";
import {
  BlockCertificatesSchema,
  type ManagerBlock,
  ManagerBlockSchema,
} from "../../src/gen/bss/v1/block_pb.js";

import {
  ControlOperationSchema,
  GenesisSchema,
  type Policy,
} from "../../src/gen/bss/v1/genesis_pb.js";
import {
  type Submission,
  SubmissionHeaderSchema,
  SubmissionSchema,
} from "../../src/gen/bss/v1/record_pb.js";
import {
  VerifyCandidateSchema,
  VerifyIntegrityResponseSchema,
} from "../../src/gen/bss/v1/verify_integrity_pb.js";
import { buildBlock } from "../../src/ledger/blocks/block-building.js";
import { parseContent } from "../../src/ledger/blocks/block-content.js";
import { beaconInput } from "../../src/ledger/blocks/block-hashes.js";
import { validateBlock } from "../../src/ledger/blocks/block-validation.js";
import { compactOf, rebuildBlock } from "../../src/ledger/blocks/compact-blocks.js";
import type { ExecutedBlock } from "../../src/ledger/blocks/executed-block.js";
import { BlockExecution } from "../../src/ledger/blocks/execution.js";
import {
  blockToEncode,
  managerBlockToEncode,
  withList,
} from "../../src/ledger/blocks/long-lists.js";
import { parseManagerBlock } from "../../src/ledger/blocks/manager-blocks.js";
import { parseGenesis } from "../../src/ledger/genesis.js";
import { recordHash } from "../../src/ledger/records/record-hash.js";
import { sealLeaf } from "../../src/ledger/records/records.js";
import { type ParsedSubmission, parseSubmission } from "../../src/ledger/records/submissions.js";
import { readKeysOfSubmission } from "../../src/ledger/state/effects.js";
import type { Violation } from "../../src/ledger/violation.js";
import { encode } from "../../src/ledger/wire.js";
import { Pool } from "../../src/manager/pool/pool.js";
import { encodeMessage } from "../../src/rpc/message-codec.js";
import type { ManagerStore } from "../../src/store/manager-store.js";
import { certify } from "../../test/unit/ledger/support/chain.js";
import {
  epochKey,
  genesisMessage,
  quarterS,
  ratedPowerW,
  startS,
} from "../../test/unit/ledger/support/consortium.js";
import { seedOf } from "../../test/unit/ledger/support/records.js";

const ownerId = "participant-1";
/** Meters of one participant; the first of them is the test consortium's. */
const meterIds = ["meter-1", ...Array.from({ length: 9 }, (_, i) => `meter-${i + 11}`)];

/** The test consortium's, with more meters. */
export const genesis = agreed(
  parseGenesis(
    utf8(
      toJsonString(
        GenesisSchema,
        create(GenesisSchema, {
          ...genesisMessage,
          operations: [...genesisMessage.operations, ...meterIds.slice(1).map(registration)],
        }),
      ),
    ),
  ),
);
const { consortiumId } = genesis;

function registration(meterId: string) {
  const value = { meterId, ownerId, ratedPowerW: BigInt(ratedPowerW), intervalS: quarterS };
  return create(ControlOperationSchema, { operation: { case: "registerMeter", value } });
}

export const policy: Policy = {
  ...genesis.policy,
  deliveryIntervalS: quarterS,
  blockRecordsMax: 1_000,
  blockBytesMax: 4 * 2 ** 20,
  submissionRecordsMax: 1_000,
  recordBytesMax: 65_536,
};
export const ids = { ownerId, meterId: "meter-1" };

/** Wh of an ordinary home: one byte or two. */
export const wh = (i: number) => (i * 37) % 250;

/** Intervals that a meter has had from 1970 to the first day of the tests. */
const intervalsOfMeter = startS / quarterS;
/** So many readings are there. */
export const readingsMax = meterIds.length * intervalsOfMeter;

/** Reading `i`: a meter from its last interval back to its first, then the next meter. */
export function reading(i: number): Uint8Array {
  const meterId = defined(meterIds[Math.floor(i / intervalsOfMeter)], "there are so many readings");
  return meterReading({
    ownerId,
    meterId,
    intervalStartS: startS - ((i % intervalsOfMeter) + 1) * quarterS,
    intervalS: quarterS,
    importedWh: wh(i),
    exportedWh: 0,
  });
}

export const steps = [
  "parse",
  "screen",
  "pool",
  "seal",
  "build",
  "judge",
  "keep the body",
  "to storage nodes",
  "append, RocksDB",
  "settle",
] as const;
type Step = (typeof steps)[number];
export type Costs = Record<Step, number>;

/** Long enough for every block of this program. */
const waitMs = 60_000;

export class LoneManager {
  readonly #store: ManagerStore;
  readonly #pool = new Pool({
    limits: { submissionsMax: 10_000, bytesMax: 2 ** 28 },
    verdictWaitMs: 0,
  });
  #costs: Partial<Costs> = {};
  stateBytes = 0;
  stateKeys = 0;

  constructor(store: ManagerStore) {
    this.#store = store;
  }

  /** Takes submissions in, makes a block of them, judges it, and makes it final. */
  async take(submissions: readonly (readonly Uint8Array[])[]): Promise<Costs> {
    this.#costs = {};
    const messages = submissions.map(submissionOf);
    const parsed = await this.#timed("parse", () =>
      messages.map((message) => agreed(parseSubmission(consortiumId, message, policy))),
    );
    await this.#timed("screen", async () => {
      for (const submission of parsed) await this.#screen(submission);
    });
    await this.#timed("pool", () => {
      for (const submission of parsed) this.#enter(submission);
    });
    await this.#timed("seal", () => {
      for (const { records } of parsed) {
        for (const { hashHex } of records) {
          this.#pool.seal(hashHex, (record) => sealLeaf(epochKey, record));
        }
      }
    });
    const block = await this.#build();
    const executed = await this.#timed("judge", () => this.#judge(block));
    await this.#timed("keep the body", () =>
      encode(ManagerBlockSchema, managerBlockToEncode(block)),
    );
    const publicPart = defined(block.block, "a block has its public part");
    await this.#timed("to storage nodes", () => {
      const bare = create(VerifyCandidateSchema, { block: blockToEncode(publicPart) });
      const value = withList(VerifyCandidateSchema, bare, "sealedRecords", executed.sealed);
      const down = create(VerifyIntegrityResponseSchema, { message: { case: "verify", value } });
      return encodeMessage(VerifyIntegrityResponseSchema, down);
    });
    const certificates = certify(executed.facts);
    await this.#timed("append, RocksDB", () =>
      this.#store.append({ block, executed, certificates }),
    );
    await this.#timed("settle", () =>
      this.#pool.placed(executed.placed.map(({ record }) => record.hashHex)),
    );
    for (const { key, value } of executed.stateWrites) {
      this.stateBytes += key.length + value.length;
    }
    this.stateKeys += executed.stateWrites.length;
    return this.#costs as Costs;
  }

  /** Processor time of all threads, µs. */
  async #timed<T>(step: Step, work: () => T | Promise<T>): Promise<T> {
    const before = process.cpuUsage();
    const result = await work();
    const { user, system } = process.cpuUsage(before);
    this.#costs[step] = user + system;
    return result;
  }

  async #screen(submission: ParsedSubmission): Promise<void> {
    const { members, height, timestampMs, frontier } = this.#store.head;
    const execution = new BlockExecution({
      state: await this.#store.state(readKeysOfSubmission(submission)),
      policy,
      members,
      height: height + 1,
      timestampMs: timestampMs + 1,
      firstPosition: frontier.size,
    });
    for (const record of submission.records) {
      const broken = execution.tryRecord(record, submission);
      if (broken !== undefined) throw new Error(broken.message);
    }
  }

  #enter(submission: ParsedSubmission): void {
    const causer = { kind: "caller", id: submission.participantId } as const;
    const unsettled = submission.records.map(({ hashHex }) => hashHex);
    this.#pool.add(submission, { causer, nowMs: 0, unsettled });
  }

  /** Without the proof of the beacon, which a block costs whatever it holds. */
  async #build(): Promise<ManagerBlock> {
    const { head, headCertificates } = this.#store;
    const height = head.height + 1;
    const proposerId = head.members.proposer(height, 0);
    const alpha = beaconInput({ consortiumId, height, previousBeacon: head.beacon });
    const beaconProof = vrfProve(seedOf(`vrf of ${proposerId}`), alpha);
    const beacon = vrfProofToHash(beaconProof);
    if (beacon === undefined) throw new Error("a proof has an output");
    const built = await this.#timed("build", async () => {
      const candidates = this.#pool.ripe(waitMs, [], policy.blockRecordsMax);
      const excluded = this.#pool.settledOf(candidates);
      return buildBlock({
        head,
        consortiumId,
        policy,
        proposerId,
        createdRound: 0,
        timestampMs: head.timestampMs + 1,
        beaconProof,
        beacon,
        candidates,
        excluded,
        control: [],
        epochKey,
        known: this.#pool,
        unattested: false,
        state: await this.#store.state(candidates.flatMap(readKeysOfSubmission)),
        ...(headCertificates && {
          previousCertificates: encode(BlockCertificatesSchema, headCertificates),
        }),
      });
    });
    return built.block;
  }

  /** From the compact form, as managers that did not make it. */
  async #judge(made: ManagerBlock): Promise<ExecutedBlock> {
    const known = this.#pool;
    const options = { consortiumId, policy, epochKey, known };
    const rebuilt = rebuildBlock(compactOf(made), options);
    if (rebuilt.kind !== "block") throw new Error("a block of what is known can be rebuilt");
    const parsed = agreed(parseManagerBlock(rebuilt.block, known));
    const content = agreed(parseContent(parsed, consortiumId, policy));
    const state = await this.#store.state(content.readKeys);
    const { head } = this.#store;
    const verifyBeacon = () => parsed.header.beacon;
    return agreed(validateBlock({ ...options, head, parsed, content, state, verifyBeacon }))
      .executed;
  }
}

/** Its signature, which nobody verifies here, is zeros. */
function submissionOf(records: readonly Uint8Array[]): Submission {
  const recordHashes = records.map((record) => recordHash(consortiumId, record));
  const fields = { consortiumId, participantId: ownerId, recordHashes };
  const header = toBinary(SubmissionHeaderSchema, create(SubmissionHeaderSchema, fields));
  const signature = new Uint8Array(64);
  return create(SubmissionSchema, { header, signature, records: [...records] });
}

function agreed<T>(result: Result<T, Violation>): T {
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}
