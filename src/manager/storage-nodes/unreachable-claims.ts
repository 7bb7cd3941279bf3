/**
 * Claims that a storage node cannot be reached ([R5.2.4]): this manager's own, signed anew on each
 * head, and those of the others. With f+1 of them a proposer suspends the node. Each manager says
 * its own claims again for as long as the node is silent.
 *
 * The next block may carry a MATCH of the node for the head, and then holds no claim of an earlier
 * one. If nothing becomes final without the suspension, there is no other head to come.
 */
import { create } from "@bufbuild/protobuf";
import { equalBytes } from "../../base/bytes.js";
import {
  type ControlOperation,
  ControlOperationSchema,
  type UnreachableClaim,
  UnreachableClaimSchema,
} from "../../gen/bss/v1/genesis_pb.js";
import { type UnreachableNotice, UnreachableNoticeSchema } from "../../gen/bss/v1/vote_pb.js";
import { described } from "../../ledger/certificates/signature-check.js";
import { unreachableDigest } from "../../ledger/certificates/vote-digests.js";
import { compareIds } from "../../ledger/ids.js";
import { oldestClaim } from "../../ledger/members/manager-suspensions.js";
import type { StorageNode } from "../../ledger/members/member-lists.js";
import { safeInteger } from "../../ledger/wire.js";
import { Testimonies, type TestimonyContext, type TestimonyParts } from "./testimonies.js";

/** A peer may be so far ahead of this manager. */
const blocksAheadMax = 16;
/** Own claims that are said in one second; of more they take turns. */
const saidAtOnceMax = 500;
/** A claim that was not repeated for so long is withdrawn. */
const withdrawnAfterMs = 30_000;

export class UnreachableClaims {
  readonly #context: TestimonyContext;
  readonly #parts: TestimonyParts;
  readonly #claims = new Testimonies<UnreachableClaim>();
  #sayFrom = 0;

  constructor(context: TestimonyContext, parts: TestimonyParts) {
    this.#context = context;
    this.#parts = parts;
  }

  /** A claim from its author. */
  async take(from: string, { nodeId, claim }: UnreachableNotice): Promise<void> {
    const { consortiumId, head, signatures, observer, monotonicMs } = this.#context;
    if (claim?.managerId !== from) return observer.dropped(from, "CLAIM_OF_ANOTHER");
    const { members, height: headHeight } = head();
    const node = members.storageNode(nodeId);
    const manager = members.manager(from);
    const height = safeInteger(claim.height);
    if (node === undefined || manager === undefined || height === undefined) {
      return observer.dropped(from, "OPERATION_INVALID");
    }
    // Others may be a few blocks further, or behind.
    if (!this.#fits(node, height) || height > headHeight + blocksAheadMax) return;
    const known = this.#claims.get(nodeId, from);
    if (known === undefined || !equalBytes(known.signature, claim.signature)) {
      const digest = unreachableDigest({ consortiumId, nodeId, height });
      const invalid = await signatures.firstInvalid([
        {
          publicKey: manager.signingKey,
          digest,
          signature: claim.signature,
          ...described("claim", from, height),
        },
      ]);
      if (invalid !== undefined) return observer.dropped(from, invalid.violation.reason);
    }
    this.#claims.add(nodeId, from, claim, monotonicMs());
    if (this.#claimsFor(nodeId) !== undefined) this.#parts.trigger.check();
  }

  /** Says of these nodes that they are silent, and of no others any more. */
  async say(silent: readonly string[]): Promise<void> {
    const { selfId, monotonicMs } = this.#context;
    this.#claims.dropSilent(monotonicMs() - withdrawnAfterMs);
    const first = this.#sayFrom < silent.length ? this.#sayFrom : 0;
    const some = silent.slice(first, first + saidAtOnceMax);
    this.#sayFrom = first + some.length;
    for (const nodeId of some) {
      const claim = await this.#own(nodeId);
      if (claim === undefined) return;
      this.#claims.add(nodeId, selfId, claim, monotonicMs());
      const value = create(UnreachableNoticeSchema, { nodeId, claim });
      this.#parts.peers.tell({ case: "unreachable", value });
    }
    if (this.isComplete) this.#parts.trigger.check();
  }

  /** Whether a node can be suspended now. */
  get isComplete(): boolean {
    return this.#claims.subjects.some((nodeId) => this.#claimsFor(nodeId) !== undefined);
  }

  /** Nodes of which this manager or others say that they are silent. */
  get count(): number {
    return this.#claims.subjects.length;
  }

  operations(): readonly ControlOperation[] {
    return this.#claims.subjects.flatMap((nodeId) => {
      const claims = this.#claimsFor(nodeId);
      if (claims === undefined) return [];
      const value = { nodeId, claims: [...claims] };
      const operation = { case: "suspendStorageNode" as const, value };
      return [create(ControlOperationSchema, { operation })];
    });
  }

  onAppended(): void {
    const { members } = this.#context.head();
    for (const nodeId of this.#claims.subjects) {
      const node = members.storageNode(nodeId);
      if (node === undefined || node.suspension !== undefined) this.#claims.delete(nodeId);
    }
  }

  /** f+1 claims that fit the next block, or undefined while there are fewer. */
  #claimsFor(nodeId: string): readonly UnreachableClaim[] | undefined {
    const { members, height } = this.#context.head();
    const node = members.storageNode(nodeId);
    if (node === undefined) return undefined;
    const fitting = this.#claims
      .of(nodeId)
      .filter((claim) => Number(claim.height) <= height && this.#fits(node, Number(claim.height)));
    const needed = members.faultsMax + 1;
    if (fitting.length < needed) return undefined;
    // An older one may not fit what the block settles.
    const latest = fitting.toSorted((a, b) => Number(b.height - a.height)).slice(0, needed);
    return latest.sort((a, b) => compareIds(a.managerId, b.managerId));
  }

  #fits(node: StorageNode, height: number): boolean {
    const nextHeight = this.#context.head().height + 1;
    return node.suspension === undefined && height >= oldestClaim(node, nextHeight);
  }

  /** Undefined while nothing can be signed. */
  async #own(nodeId: string): Promise<UnreachableClaim | undefined> {
    const { selfId: managerId, consortiumId, head } = this.#context;
    const { height } = head();
    const known = this.#claims.get(nodeId, managerId);
    if (known?.height === BigInt(height)) return known;
    const digest = unreachableDigest({ consortiumId, nodeId, height });
    const signature = await this.#parts.statements.sign("unreachable", height, digest);
    if (signature === undefined) return undefined;
    return create(UnreachableClaimSchema, { managerId, height: BigInt(height), signature });
  }
}
