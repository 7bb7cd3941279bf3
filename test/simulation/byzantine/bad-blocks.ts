/**
 * Other blocks for one turn: one that keeps the rules, one with records sealed under a wrong key,
 * one with a wrong beacon, one that suspends somebody who is there.
 */
import { create } from "@bufbuild/protobuf";
import { defined } from "../../../src/base/assert.js";
import type { CompactBlock, ManagerBlock } from "../../../src/gen/bss/v1/block_pb.js";
import {
  type ControlOperation,
  ControlOperationSchema,
} from "../../../src/gen/bss/v1/genesis_pb.js";
import type { Submission } from "../../../src/gen/bss/v1/record_pb.js";
import type { Proposal } from "../../../src/gen/bss/v1/vote_pb.js";
import { compactOf } from "../../../src/ledger/blocks/compact-blocks.js";
import { type ParsedSubmission, parseSubmission } from "../../../src/ledger/records/submissions.js";
import { BlockProducer } from "../../../src/manager/ring/block-producer.js";
import { seedOf, vrfSeedOf } from "../signatures.js";
import { signProposal } from "../statements.js";
import type { ByzantineParts } from "./parts.js";

const kinds = ["another", "wrongly sealed", "wrong beacon", "false absence"] as const;

const compactChanges = [
  "nothing",
  "unknown submission",
  "other records",
  "a submission too often",
  "entries left out",
] as const;

const rememberedMax = 20;

export class BadBlocks {
  readonly #parts: ByzantineParts;
  readonly #submissions = new Map<string, ParsedSubmission>();
  #receivers: { readonly height: bigint; readonly round: number; readonly ids: readonly string[] } =
    { height: 0n, round: 0, ids: [] };

  constructor(parts: ByzantineParts) {
    this.#parts = parts;
  }

  remember(submission: Submission): void {
    const { consortiumId, policy } = this.#parts.world.consortium.genesis;
    const parsed = parseSubmission(consortiumId, submission, policy);
    if (!parsed.ok) return;
    this.#submissions.set(parsed.value.idHex, parsed.value);
    const [oldest] = this.#submissions.keys();
    if (this.#submissions.size > rememberedMax && oldest !== undefined) {
      this.#submissions.delete(oldest);
    }
  }

  /** Whether this one gets the other block of this turn. */
  isFor(id: string, { height, round }: Proposal): boolean {
    const receivers = this.#receivers;
    return receivers.height === height && receivers.round === round && receivers.ids.includes(id);
  }

  /** Makes another block for the same turn, and proposes it to some; its id. */
  async propose({ height, round }: Proposal): Promise<Uint8Array | undefined> {
    const { world, node, random, signer } = this.#parts;
    const others = world.consortium.managerIds.filter((id) => id !== node.id);
    const ids = others.filter(() => random.chance(0.5));
    this.#receivers = { height, round, ids };
    const kind = random.pick(kinds);
    if (node.store?.head.height !== Number(height) - 1) return undefined;
    const { block, executed } = await this.#producer(kind).build({
      round,
      absent: [],
      unattested: false,
    });
    const { blockId } = executed.facts;
    if (BigInt(executed.facts.height) !== height) return undefined;
    const at = { kind: "propose", height: Number(height), round, validRound: -1, blockId } as const;
    world.counters.count(`byzantine block: ${kind}`);
    const body = random.chance(0.4) ? { block } : { compact: this.#compact(block) };
    node.say({ case: "proposal", value: { ...signProposal(at, signer), ...body } }, ids);
    return blockId;
  }

  /** The block as it is sent to those who have its submissions, or something like it. */
  #compact(block: ManagerBlock): CompactBlock {
    const { world, random } = this.#parts;
    const compact = compactOf(block);
    const change = random.pick(compactChanges);
    const [first] = compact.entries;
    if (first === undefined) return compact;
    world.counters.count("byzantine compact block");
    world.log(() => `a compact block with ${change} changed`);
    const entries = [...compact.entries];
    if (change === "unknown submission")
      entries[0] = { ...first, submissionId: seedOf("nobody's") };
    if (change === "other records") entries[0] = { ...first, recordBits: Uint8Array.of(0x81) };
    if (change === "a submission too often") entries.push(...Array(999).fill(first));
    if (change === "entries left out") entries.length = 0;
    return { ...compact, entries };
  }

  #producer(kind: (typeof kinds)[number]): BlockProducer {
    const { world, node, random } = this.#parts;
    const { genesis, scheme, epochKey } = world.consortium;
    const store = defined(node.store, "it was looked at just now");
    const wallMs = node.clock.wallMs + random.below(500);
    return new BlockProducer({
      selfId: node.id,
      consortiumId: genesis.consortiumId,
      policy: genesis.policy,
      epochKey: kind === "wrongly sealed" ? seedOf("no key") : epochKey,
      vrfSeed: kind === "wrong beacon" ? seedOf("no seed") : vrfSeedOf(node.id),
      vrf: scheme.vrf,
      wallMs: () => wallMs,
      head: () => store.head,
      headCertificates: () => store.headCertificates,
      operations: () => (kind === "false absence" ? this.#absences() : []),
      onBuilt: () => {},
      readState: (keys) => store.state(keys),
      candidates: () => [...this.#submissions.values()].filter(() => random.chance(0.7)),
      recordsMax: () => 1_000,
      settled: () => new Set(),
    });
  }

  #absences(): readonly ControlOperation[] {
    const { world, node, random } = this.#parts;
    const others = world.consortium.managerIds.filter((id) => id !== node.id);
    const operation = {
      case: "suspendManager" as const,
      value: { managerId: random.pick(others) },
    };
    return [create(ControlOperationSchema, { operation })];
  }
}
