/** A manager without a network: what reaches its handlers, and what it says on its links. */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { pino } from "pino";
import { systemTime } from "../../../../src/base/time.js";
import { CertifiedManagerBlockSchema } from "../../../../src/gen/bss/v1/block_pb.js";
import {
  ManagerBlocksSchema,
  SignedHeadSchema,
  type VoteRequest,
  VoteRequestSchema,
  VoteResponseSchema,
} from "../../../../src/gen/bss/v1/vote_pb.js";
import { headDigest } from "../../../../src/ledger/certificates/vote-digests.js";
import { rootOf } from "../../../../src/ledger/merkle/frontier.js";
import type { LedgerHead } from "../../../../src/ledger/state/head.js";
import { Manager } from "../../../../src/manager/manager.js";
import { managerObserver } from "../../../../src/manager/manager-observer.js";
import { createMetrics } from "../../../../src/metrics/metrics.js";
import { HeadSignal } from "../../../../src/query/head-signal.js";
import type { CallContext } from "../../../../src/rpc/server/handlers.js";
import { consortiumId, epochKey, genesis } from "../../ledger/support/consortium.js";
import { seedOf, sign } from "../../ledger/support/records.js";
import type { FinalBlock, LedgerWorld } from "./ledger-world.js";
import { memorySigner } from "./signers.js";

export const selfId = "manager-1";
export const peer = "manager-2";

export class LoneManager {
  readonly world: LedgerWorld;
  readonly said: (readonly [to: string, message: VoteRequest["message"]])[] = [];
  readonly blamed: string[] = [];
  readonly fatal: Error[] = [];
  manager: Manager | undefined;

  private constructor(world: LedgerWorld) {
    this.world = world;
  }

  /** Unless `hears` is false, its peers show it at once that they are where it is. */
  static async start(world: LedgerWorld, { hears = true } = {}): Promise<LoneManager> {
    const node = new LoneManager(world);
    const metrics = createMetrics({
      role: "manager",
      nodeId: selfId,
      consortium: genesis.name,
      processMetrics: false,
    });
    const peerIds = [peer, "manager-3", "manager-4"];
    const links = {
      peerIds,
      connectedIds: peerIds,
      isConnected: () => true,
      sendVote: (to: string, request: MessageInitShape<typeof VoteRequestSchema>) => {
        node.said.push([to, create(VoteRequestSchema, request).message]);
        return true;
      },
      sendBroadcast: () => true,
    };
    node.manager = await Manager.open({
      selfId,
      genesis,
      epochKey,
      store: world.store,
      links: () => links,
      vrfSeed: seedOf(`vrf of ${selfId}`),
      signer: await memorySigner(selfId),
      poolLimits: { submissionsMax: 10, bytesMax: 1_000_000 },
      heads: new HeadSignal(),
      observer: {
        ...managerObserver(pino({ level: "silent" }), metrics),
        blamed: (from: string, _reason: string, detail: string) =>
          node.blamed.push(`${from}: ${detail}`),
      },
      onFatal: (error) => node.fatal.push(error),
      time: systemTime,
    });
    await node.manager.start();
    if (hears)
      for (const from of peerIds)
        await node.hear({ case: "head", value: signedHead(world.store.head, from) }, from);
    return node;
  }

  /** A message on the stream that a peer has dialled. */
  async hear(message: VoteRequest["message"], from = peer): Promise<void> {
    const messages = (async function* () {
      yield create(VoteRequestSchema, { message });
    })();
    const context = { identity: { role: "manager", id: from } } as CallContext;
    const write = async () => true;
    const stream = { messages, write, writeInTurn: write, offer: () => true, end: () => {} };
    await this.manager?.peers.serve(context, stream);
  }

  /** The peer's answer to a request for blocks. */
  async answer(...blocks: readonly FinalBlock[]): Promise<void> {
    const shipped = blocks.map(({ block, certificates }) =>
      create(CertifiedManagerBlockSchema, { block, certificates }),
    );
    const value = create(ManagerBlocksSchema, { blocks: shipped });
    const response = create(VoteResponseSchema, { message: { case: "blocks", value } });
    await this.manager?.peers.onResponse(peer, response);
  }

  asked(): boolean {
    return this.said.some(([to, message]) => to === peer && message.case === "fetchBlocks");
  }

  /** What it has told everybody, or one, of one kind. */
  told<C extends VoteRequest["message"]["case"]>(kind: C, receiver?: string) {
    return this.said.flatMap(([to, message]) => {
      const meant = message.case === kind && (receiver === undefined || to === receiver);
      return meant ? [message.value as (VoteRequest["message"] & { case: C })["value"]] : [];
    });
  }
}

/** The peer's head after all blocks that were made. */
export function headOf({ chain }: LedgerWorld, managerId = peer) {
  return signedHead(chain.head, managerId);
}

function signedHead({ height, blockId, frontier, stateDigest }: LedgerHead, managerId: string) {
  const claim = { consortiumId, height, blockId, hash1: rootOf(frontier), stateDigest };
  return create(SignedHeadSchema, {
    height: BigInt(height),
    blockId,
    hash1: claim.hash1,
    stateDigest,
    managerId,
    signature: sign(managerId, headDigest(claim)),
  });
}
