/**
 * A storage node that breaks the rules: it says nothing, or something else to some, or attests
 * without looking, or comes and goes.
 */
import { create } from "@bufbuild/protobuf";
import type { VerifyIntegrityResponse } from "../../../src/gen/bss/v1/verify_integrity_pb.js";
import {
  type Attestation,
  AttestationSchema,
  AttestationVerdict,
} from "../../../src/gen/bss/v1/vote_pb.js";
import { parseBlock } from "../../../src/ledger/blocks/block-parsing.js";
import { attestationDigest } from "../../../src/ledger/certificates/vote-digests.js";
import type { MessageToManager } from "../../../src/storage-node/manager-links.js";
import type { StorageHost } from "../nodes/storage-host.js";
import type { StorageFault } from "../plan.js";
import type { Random } from "../random.js";
import { seedOf } from "../signatures.js";
import type { World } from "../world.js";

type Claim = Parameters<typeof attestationDigest>[0];

const hangUpEveryMs = 150;

export class ByzantineStorage {
  readonly #world: World;
  readonly #node: StorageHost;
  readonly #random: Random;
  readonly #behaviour: StorageFault;

  constructor(world: World, node: StorageHost, behaviour: StorageFault, random: Random) {
    this.#world = world;
    this.#node = node;
    this.#random = random;
    this.#behaviour = behaviour;
    world.counters.count(`byzantine storage node: ${behaviour}`);
    if (behaviour === "flapping") this.#flap();
  }

  /** What it says to one manager instead of this. */
  says(message: MessageToManager): readonly MessageToManager[] {
    if (this.#behaviour === "silent") return [];
    if (message.message?.case !== "attestation" || !this.#random.chance(0.6)) return [message];
    const attestation = message.message.value as Attestation;
    if (this.#behaviour === "wrong root") {
      return [this.#lie(attestation, { hash2: seedOf("another root") })];
    }
    if (this.#behaviour === "mismatch") {
      const verdict = AttestationVerdict.MISMATCH;
      return [this.#lie(attestation, { hash2: seedOf("another root"), verdict })];
    }
    return [message];
  }

  /** What it answers at once, before it has looked at anything. */
  answers({ message }: VerifyIntegrityResponse): readonly MessageToManager[] {
    if (this.#behaviour !== "echo" || message.case !== "verify") return [];
    const { block, round } = message.value;
    const parsed = block && parseBlock(block);
    if (!parsed?.ok) return [];
    const { height, blockId, treeSize, header } = parsed.value;
    const base = { height: BigInt(height), round, blockId, treeSize: BigInt(treeSize) };
    const verdict = AttestationVerdict.MATCH;
    const echo = create(AttestationSchema, { ...base, hash2: header.hash1, verdict });
    this.#world.counters.count("byzantine echo of a root");
    return [this.#lie(echo, { audit: seedOf("no data") })];
  }

  #lie(attestation: Attestation, change: Partial<Claim>): MessageToManager {
    const { consortium, counters } = this.#world;
    const { round, blockId, hash2, verdict, audit, height, treeSize } = attestation;
    const claim: Claim = {
      consortiumId: consortium.genesis.consortiumId,
      round,
      blockId,
      hash2,
      verdict,
      audit,
      height: Number(height),
      treeSize: Number(treeSize),
      ...change,
    };
    counters.count("lie of a storage node");
    const signature = consortium.scheme.sign(this.#node.id, attestationDigest(claim));
    const value = create(AttestationSchema, {
      round,
      blockId,
      height,
      treeSize,
      nodeId: this.#node.id,
      signature,
      hash2: claim.hash2,
      verdict: claim.verdict,
      audit: claim.audit,
    });
    return { message: { case: "attestation", value } };
  }

  #flap(): void {
    this.#world.scheduler.after(this.#random.exponential(hangUpEveryMs), () => {
      this.#node.hangUp();
      if (this.#world.faulty) this.#flap();
    });
  }
}
