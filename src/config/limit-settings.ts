/**
 * Limits on what others can make a node hold or do. They protect one node and are its owner's
 * choice; what all nodes must agree on stands in the consortium's policy.
 */
import type { z } from "zod";
import { integer, mapping } from "./fields.js";

const MiB = 1024 * 1024;
/** No participant may hold more than one in so many parts of a manager's pool. */
export const participantsInPoolMin = 4;
/**
 * A participant may hold up to this part of what is free: that is a quarter of the pool when it is
 * alone, and a seventh when three others hold as much. So a few never fill the pool.
 */
export const poolShareOfFree = 1 / (participantsInPoolMin - 1);

const networkLimits = {
  message_bytes_max: integer(64 * 1024, 4 * MiB, "bytes").default(4 * MiB),
  peer_message_bytes_max: integer(1 * MiB, 32 * MiB, "bytes").default(16 * MiB),
  calls_per_peer_max: integer(1, 100_000, "calls").default(64),
  streams_per_peer_max: integer(1, 10_000, "streams").default(16),
  peer_queue_messages_max: integer(16, 1_000_000, "messages").default(10_000),
  peer_queue_bytes_max: integer(1 * MiB, 4096 * MiB, "bytes").default(64 * MiB),
  connections_max: integer(64, 1_000_000, "connections").optional(),
  connections_per_client_max: integer(1, 100_000, "connections").default(64),
  connections_per_peer_max: integer(4, 100_000, "connections").default(32),
  answer_bytes_per_client_max: integer(8 * MiB, 4096 * MiB, "bytes").default(32 * MiB),
  answer_bytes_max: integer(8 * MiB, 65_536 * MiB, "bytes").default(128 * MiB),
};

export const storageLimitsSchema = mapping(networkLimits);

export const managerLimitsSchema = mapping({
  ...networkLimits,
  pool_submissions_max: integer(1, 10_000_000, "submissions").default(10_000),
  pool_bytes_max: integer(1 * MiB, 65_536 * MiB, "bytes").default(256 * MiB),
  call_wait_ms_max: integer(1_000, 86_400_000, "ms").default(600_000),
});

export type NetworkLimits = {
  /** Longest message from a participant, auditor or operator, bytes. */
  readonly messageBytesMax: number;
  /** Longest message from a manager or storage node, bytes. */
  readonly peerMessageBytesMax: number;
  /** Unary calls of one peer in progress at a time. */
  readonly callsPerPeerMax: number;
  /** Streams of one peer, of one method, open at a time. */
  readonly streamsPerPeerMax: number;
  /** Messages that wait to be sent to one peer. */
  readonly peerQueueMessagesMax: number;
  /** The same in bytes. */
  readonly peerQueueBytesMax: number;
  /** Connections that others make; absent for as many as the process may have. */
  readonly connectionsMax?: number;
  /** Of these, those of one participant, auditor, operator or holder of an invitation. */
  readonly connectionsPerClientMax: number;
  /** Of these, those of one manager or storage node. */
  readonly connectionsPerPeerMax: number;
  /** Answers to one participant, auditor or operator that it has not taken yet, bytes. */
  readonly answerBytesPerClientMax: number;
  /** Such answers to all of them together, bytes. */
  readonly answerBytesMax: number;
};

export type ManagerLimits = NetworkLimits & {
  /** Submissions that wait to be ordered. */
  readonly poolSubmissionsMax: number;
  /** The same in bytes. */
  readonly poolBytesMax: number;
  /** A call may wait so long for a block, if its caller's deadline lets it, ms. */
  readonly callWaitMsMax: number;
};

export function networkLimitsOf(raw: z.output<typeof storageLimitsSchema>): NetworkLimits {
  return {
    messageBytesMax: raw.message_bytes_max,
    peerMessageBytesMax: raw.peer_message_bytes_max,
    callsPerPeerMax: raw.calls_per_peer_max,
    streamsPerPeerMax: raw.streams_per_peer_max,
    peerQueueMessagesMax: raw.peer_queue_messages_max,
    peerQueueBytesMax: raw.peer_queue_bytes_max,
    ...(raw.connections_max === undefined ? {} : { connectionsMax: raw.connections_max }),
    connectionsPerClientMax: raw.connections_per_client_max,
    connectionsPerPeerMax: raw.connections_per_peer_max,
    answerBytesPerClientMax: raw.answer_bytes_per_client_max,
    answerBytesMax: raw.answer_bytes_max,
  };
}

export function managerLimitsOf(raw: z.output<typeof managerLimitsSchema>): ManagerLimits {
  return {
    ...networkLimitsOf(raw),
    poolSubmissionsMax: raw.pool_submissions_max,
    poolBytesMax: raw.pool_bytes_max,
    callWaitMsMax: raw.call_wait_ms_max,
  };
}
