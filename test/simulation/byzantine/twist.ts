/** Stands between a node and the network, and says and hears in its place. */
import type { BroadcastRequest } from "../../../src/gen/bss/v1/broadcast_pb.js";
import type { VerifyIntegrityResponse } from "../../../src/gen/bss/v1/verify_integrity_pb.js";
import type { VoteRequest, VoteResponse } from "../../../src/gen/bss/v1/vote_pb.js";

export type VoteMessage = VoteRequest["message"];
export type BroadcastMessage = BroadcastRequest["message"];
export type VoteAnswer = VoteResponse["message"];
export type StorageMessage = VerifyIntegrityResponse["message"];

/** What goes out instead of what the node wants to say. */
export type Twist = {
  vote(to: string, message: VoteMessage): readonly VoteMessage[];
  broadcast(to: string, message: BroadcastMessage): readonly BroadcastMessage[];
  answer(to: string, message: VoteAnswer): readonly VoteAnswer[];
  toStorage(nodeId: string, message: StorageMessage): readonly StorageMessage[];
  heardVote(from: string, message: VoteMessage): void;
  heardBroadcast(from: string, message: BroadcastMessage): void;
};
