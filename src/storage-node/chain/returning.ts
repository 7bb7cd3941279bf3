/**
 * A node that was suspended as unreachable and is there again says so to all managers, until a
 * block takes it back: once its wait is over and it is level with them.
 */
import { create } from "@bufbuild/protobuf";
import type { Policy } from "../../gen/bss/v1/genesis_pb.js";
import { type ReturnStorageNode, ReturnStorageNodeSchema } from "../../gen/bss/v1/genesis_pb.js";
import { returnDigest } from "../../ledger/certificates/vote-digests.js";
import { resumePossibleAtMs } from "../../ledger/members/suspensions.js";
import type { StorageHead } from "../../ledger/storage-nodes/storage-head.js";

export type ReturningPorts = {
  readonly nodeId: string;
  /** 32 bytes. */
  readonly consortiumId: Uint8Array;
  readonly policy: Policy;
  readonly head: () => StorageHead;
  /** Level with the managers, and able to attest. */
  readonly isReady: () => boolean;
  readonly sign: (digest: Uint8Array) => Uint8Array;
  readonly tell: (statement: ReturnStorageNode) => void;
  readonly monotonicMs: () => number;
  readonly wallMs: () => number;
};

const intervalMs = 1_000;

export class Returning {
  readonly #ports: ReturningPorts;
  #saidAtMs = Number.NEGATIVE_INFINITY;

  constructor(ports: ReturningPorts) {
    this.#ports = ports;
  }

  /** A block has been appended: the next `tick` says what is held now. */
  onAppended(): void {
    this.#saidAtMs = Number.NEGATIVE_INFINITY;
  }

  /** To be called at intervals. */
  tick(): void {
    const { nodeId, consortiumId, policy, head, isReady, sign, tell } = this.#ports;
    const nowMs = this.#ports.monotonicMs();
    if (nowMs - this.#saidAtMs < intervalMs) return;
    const { height: heldHeight, members } = head();
    const node = members.storageNode(nodeId);
    if (node?.suspension !== "unreachable" || !isReady()) return;
    if (this.#ports.wallMs() < resumePossibleAtMs(node, policy)) return;
    this.#saidAtMs = nowMs;
    const suspendedHeight = node.changedHeight;
    const claim = { consortiumId, nodeId, suspendedHeight, heldHeight };
    tell(
      create(ReturnStorageNodeSchema, {
        nodeId,
        suspendedHeight: BigInt(suspendedHeight),
        heldHeight: BigInt(heldHeight),
        signature: sign(returnDigest(claim)),
      }),
    );
  }
}
