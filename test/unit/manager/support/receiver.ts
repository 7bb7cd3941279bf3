/** A receiver of what other managers say, among parts that do nothing. */

import { create } from "@bufbuild/protobuf";
import { SignatureCache } from "../../../../src/crypto/signature-cache.js";
import { ManagerBlocksSchema } from "../../../../src/gen/bss/v1/vote_pb.js";
import {
  PeerReceiver,
  type PeerReceiverParts,
} from "../../../../src/manager/peers/peer-receiver.js";
import { CandidateBlocks } from "../../../../src/manager/ring/candidate-blocks.js";
import { consortiumId, genesis } from "../../ledger/support/consortium.js";

type Options = Partial<PeerReceiverParts> & {
  readonly selfId?: string;
  readonly dropped?: (from: string, reason: string) => void;
  readonly monotonicMs?: () => number;
  readonly rest?: (from: string) => Promise<void> | undefined;
};

export function receiverOf(options: Options) {
  const { selfId = "manager-1", dropped = () => {}, monotonicMs = () => 0, ...others } = options;
  const { rest = () => undefined, ...parts } = others;
  const context = {
    selfId,
    monotonicMs,
    consortiumId,
    members: () => genesis.members,
    signatures: new SignatureCache(),
    waste: { rest },
    observer: { dropped, voteReceived: () => {}, attestationReceived: () => {} },
  };
  return new PeerReceiver(context, {
    ring: { height: 1 },
    inbox: { post: () => {} },
    candidates: new CandidateBlocks({ isBoundTo: () => false }),
    relays: { hear: () => {} },
    judge: { takeBody: async () => {}, takeCompact: async () => {} },
    compact: { keep: () => false, takeEntries: () => undefined, answer: () => undefined },
    abstention: { listening: false, hearOwn: () => {}, hearHead: () => {} },
    tip: { hear: () => {} },
    supervision: {
      isNews: () => true,
      takeHead: async () => "fits",
      take: async () => {},
      takeBlocks: async () => false,
    },
    storageSupervision: {
      wantsLate: () => false,
      noteAttestation: () => {},
      take: async () => {},
    },
    announcer: { remind: () => {} },
    blocks: { forManagers: async () => create(ManagerBlocksSchema) },
    sync: { onHeight: () => {}, take: () => {} },
    failStop: { failed: false },
    ...parts,
  });
}
