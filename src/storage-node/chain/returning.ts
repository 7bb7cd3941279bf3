/**
 * A node that was suspended as unreachable and is there again says so to all managers, until a
 * block takes it back: once its wait is over and it is level with them.
 */
import { create } from "@bufbuild/protobuf";
import type { Time } from "../../base/time.js";
import { ReturnStorageNodeSchema } from "../../gen/bss/v1/genesis_pb.js";
import { returnDigest } from "../../ledger/certificates/vote-digests.js";
import type { GenesisState } from "../../ledger/genesis.js";
import { resumePossibleAtMs } from "../../ledger/members/manager-suspensions.js";
import type { StorageNodeStore } from "../../store/storage-node-store.js";
import type { ManagerLinks } from "../manager-links.js";

export type ReturningPorts = {
  readonly nodeId: string;
  readonly genesis: Pick<GenesisState, "consortiumId" | "policy">;
  readonly store: Pick<StorageNodeStore, "head">;
  readonly links: Pick<ManagerLinks, "send">;
  /** Level with the managers, and able to attest. */
  readonly isReady: () => boolean;
  /** Signs a 32-byte digest with this node's key. */
  readonly sign: (digest: Uint8Array) => Uint8Array;
  readonly time: Pick<Time, "monotonicMs" | "wallMs">;
};

const intervalMs = 1_000;

export class Returning {
  readonly #ports: ReturningPorts;
  #saidAtMs = Number.NEGATIVE_INFINITY;
  /** Of the head by which it was said. */
  #saidHeight = -1;

  constructor(ports: ReturningPorts) {
    this.#ports = ports;
  }

  /** To be called at intervals. Says it once a second, and at once after each block. */
  tick(): void {
    const { nodeId, genesis, store, links, isReady, sign, time } = this.#ports;
    const { consortiumId, policy } = genesis;
    const { height: heldHeight, members } = store.head;
    const nowMs = time.monotonicMs();
    if (heldHeight === this.#saidHeight && nowMs - this.#saidAtMs < intervalMs) return;
    const node = members.storageNode(nodeId);
    if (node?.suspension !== "unreachable" || !isReady()) return;
    if (time.wallMs() < resumePossibleAtMs(node, policy)) return;
    this.#saidAtMs = nowMs;
    this.#saidHeight = heldHeight;
    const suspendedHeight = node.changedHeight;
    const claim = { consortiumId, nodeId, suspendedHeight, heldHeight };
    const value = create(ReturnStorageNodeSchema, {
      nodeId,
      suspendedHeight: BigInt(suspendedHeight),
      heldHeight: BigInt(heldHeight),
      signature: sign(returnDigest(claim)),
    });
    links.send({ message: { case: "returnNode", value } });
  }
}
