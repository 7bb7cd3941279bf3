/**
 * What storage nodes say, on the VerifyIntegrityService streams that they have dialled: where they
 * stand, what they attest, which blocks they lack, that they are back, have halted or saw a fork.
 */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type {
  VerifyIntegrityRequest,
  VerifyIntegrityResponseSchema,
} from "../../gen/bss/v1/verify_integrity_pb.js";
import type { Attestation } from "../../gen/bss/v1/vote_pb.js";
import type { CallContext, ServerStream } from "../../rpc/server/handlers.js";
import type { ManagerObserver } from "../manager-observer.js";
import type { PeerReceiver } from "../peers/peer-receiver.js";
import type { Waste } from "../peers/waste.js";
import { rangeOf, type ShippedBlocks } from "../ring/shipped-blocks.js";
import type { Supervision } from "../supervision/supervision.js";
import type { StorageLink, StorageLinks } from "./storage-links.js";
import type { StorageSupervision } from "./storage-supervision.js";

type Context = {
  readonly observer: Pick<ManagerObserver, "dropped">;
  readonly waste: Pick<Waste, "rest">;
};

export type StorageReceiverParts = {
  readonly storageLinks: StorageLinks;
  readonly blocks: Pick<ShippedBlocks, "forStorage">;
  readonly peerReceiver: Pick<PeerReceiver, "takeAttestation">;
  readonly supervision: Pick<Supervision, "takeFork">;
  readonly storageSupervision: Pick<StorageSupervision, "takeReturn">;
};

export class StorageReceiver {
  readonly #context: Context;
  readonly #parts: StorageReceiverParts;

  constructor(context: Context, parts: StorageReceiverParts) {
    this.#context = context;
    this.#parts = parts;
  }

  /** The handler of VerifyIntegrityService.VerifyIntegrity. */
  async serve(
    context: CallContext,
    stream: ServerStream<
      VerifyIntegrityRequest,
      MessageInitShape<typeof VerifyIntegrityResponseSchema>
    >,
  ): Promise<void> {
    const { storageLinks: links } = this.#parts;
    const link = links.open(context.identity.id, stream, context.peerAddress);
    try {
      await Promise.race([this.#takeAll(link), link.takenOver]);
    } finally {
      links.closed(link);
    }
  }

  async #takeAll(link: StorageLink): Promise<void> {
    for await (const { message } of link.stream.messages) {
      await this.#context.waste.rest(link.nodeId);
      await this.#take(link, message);
    }
  }

  async #take(link: StorageLink, message: VerifyIntegrityRequest["message"]): Promise<void> {
    const { storageLinks: links, supervision, storageSupervision } = this.#parts;
    const { nodeId } = link;
    switch (message.case) {
      case "head":
        return links.takeHead(link, message.value);
      case "attestation":
        return this.#takeAttestation(nodeId, message.value);
      case "fetchBlocks": {
        const range = rangeOf(message.value);
        await link.stream.writeInTurn(async () => {
          const value = await this.#parts.blocks.forStorage(...range);
          return { message: { case: "blocks", value } };
        });
        return;
      }
      case "returnNode":
        if (message.value.nodeId === nodeId) {
          return storageSupervision.takeReturn(nodeId, message.value);
        }
        return this.#context.observer.dropped(nodeId, "RETURN_OF_ANOTHER");
      case "fork":
        return supervision.takeFork(nodeId, message.value);
      case "halt":
        return links.takeHalt(link, message.value);
      default:
        return;
    }
  }

  async #takeAttestation(nodeId: string, attestation: Attestation): Promise<void> {
    if (attestation.nodeId !== nodeId) {
      return this.#context.observer.dropped(nodeId, "ATTESTATION_OF_ANOTHER");
    }
    this.#parts.storageLinks.noteAttested(nodeId, attestation);
    await this.#parts.peerReceiver.takeAttestation(nodeId, attestation);
  }
}
