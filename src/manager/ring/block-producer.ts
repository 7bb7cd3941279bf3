/** Makes this manager's blocks: what the pool holds, ordered on top of the head. */
import { defined } from "../../base/assert.js";
import type { Task } from "../../consensus/ring/events.js";
import type { Vrf } from "../../crypto/ecvrf.js";
import { type BlockCertificates, BlockCertificatesSchema } from "../../gen/bss/v1/block_pb.js";
import type { ControlOperation, Policy } from "../../gen/bss/v1/genesis_pb.js";
import { type BuiltBlock, buildBlock } from "../../ledger/blocks/block-building.js";
import { beaconInput } from "../../ledger/blocks/block-hashes.js";
import type { KnownWork } from "../../ledger/blocks/known-work.js";
import type { ParsedSubmission } from "../../ledger/records/submissions.js";
import { readKeysOfSubmission } from "../../ledger/state/effects.js";
import type { LedgerHead } from "../../ledger/state/head.js";
import type { PrefetchedState } from "../../ledger/state/state.js";
import { readKeysOfOperation } from "../../ledger/state/state-operations.js";
import { encode } from "../../ledger/wire.js";

export type BlockProducerPorts = {
  readonly selfId: string;
  readonly consortiumId: Uint8Array;
  readonly policy: Policy;
  /** 32 bytes: the key of epoch 0. */
  readonly epochKey: Uint8Array;
  /** 32 bytes. */
  readonly vrfSeed: Uint8Array;
  /** Remembers a proof, so that one is worth making before it is needed. */
  readonly vrf: Pick<Vrf, "prove" | "proofToHash">;
  readonly wallMs: () => number;
  readonly head: () => LedgerHead;
  readonly headCertificates: () => BlockCertificates | undefined;
  /** Operations to try, in order; what does not fit is left out. `absent` are to be suspended. */
  readonly operations: (round: number, absent: readonly string[]) => readonly ControlOperation[];
  /** What has been worked out of the candidates before. */
  readonly known?: KnownWork;
  readonly onBuilt: (built: BuiltBlock) => void;
  readonly readState: (keys: readonly Uint8Array[]) => Promise<PrefetchedState>;
  /** Submissions to order, in the order of their turns (pool/fair-order.ts). */
  readonly candidates: () => readonly ParsedSubmission[];
  /** In one block. */
  readonly recordsMax: () => number;
  /** Records of these, hashes in hex, that are on the ledger or refused already. */
  readonly settled: (submissions: readonly ParsedSubmission[]) => ReadonlySet<string>;
};

/** What the ring wants a block for. */
type Wanted = Pick<Task & { kind: "build" }, "round" | "absent" | "unattested">;

export class BlockProducer {
  readonly #ports: BlockProducerPorts;

  constructor(ports: BlockProducerPorts) {
    this.#ports = ports;
  }

  /**
   * Makes the beacon of the next block now, if it is this manager's turn: it takes some ms, and
   * follows from the head alone.
   */
  prepare(): void {
    const head = this.#ports.head();
    if (head.members.proposer(head.height + 1, 0) === this.#ports.selfId) this.#beacon(head);
  }

  async build({ round, absent, unattested }: Wanted): Promise<BuiltBlock> {
    const { selfId, consortiumId, policy, epochKey, known } = this.#ports;
    const head = this.#ports.head();
    const certificates = this.#ports.headCertificates();
    const candidates = this.#ports.candidates();
    const settled = this.#ports.settled(candidates);
    const control = this.#ports.operations(round, absent);
    const state = await this.#ports.readState([
      ...candidates.flatMap((submission) => readKeysOfOpen(submission, settled)),
      ...control.flatMap(readKeysOfOperation),
    ]);
    const previous =
      certificates === undefined
        ? {}
        : { previousCertificates: encode(BlockCertificatesSchema, certificates) };
    const built = buildBlock({
      head,
      consortiumId,
      policy,
      proposerId: selfId,
      createdRound: round,
      timestampMs: Math.max(this.#ports.wallMs(), head.timestampMs + 1),
      ...this.#beacon(head),
      control,
      candidates,
      recordsMax: this.#ports.recordsMax(),
      excluded: settled,
      state,
      epochKey,
      ...(known && { known }),
      unattested,
      ...previous,
    });
    this.#ports.onBuilt(built);
    return built;
  }

  #beacon({ height, beacon: previousBeacon }: LedgerHead) {
    const { consortiumId, vrfSeed, vrf } = this.#ports;
    const alpha = beaconInput({ consortiumId, height: height + 1, previousBeacon });
    const beaconProof = vrf.prove(vrfSeed, alpha);
    const beacon = defined(vrf.proofToHash(beaconProof), "a proof just made has an output");
    return { beaconProof, beacon };
  }
}

/** Of the records that are to be ordered: of a large submission a few may be left. */
function readKeysOfOpen(
  { participantId, records }: ParsedSubmission,
  settled: ReadonlySet<string>,
): readonly Uint8Array[] {
  const open = records.filter(({ hashHex }) => !settled.has(hashHex));
  return readKeysOfSubmission({ participantId, records: open });
}
