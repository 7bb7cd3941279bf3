import type { HoldingsOptions } from "../../base/holdings.js";
import type { RateLimit } from "../../base/rate-limits.js";

/** Callers whose messages are counted together while they arrive: none can crowd out another. */
export type UploadClass = "manager" | "storage" | "member" | "invited";

/** Callers who may call equally often. Who is invited counts as one, who is unknown by address. */
export type CallClass = "peer" | "member" | "invited" | "unknown";

/** What one peer may ask of a server. Every limit has a reason that the peer gets to see. */
export type RpcLimits = {
  /** Largest message of participants, auditors and operators. */
  readonly participantMessageBytesMax: number;
  /** Largest message of managers and storage nodes. */
  readonly peerMessageBytesMax: number;
  /** Largest message of whoever holds an invitation and is no member yet. */
  readonly invitedMessageBytesMax: number;
  /**
   * The end of a message that has begun, or of a request of one message, is waited for so long, and
   * again while it goes on and its caller sends at the least rate.
   */
  readonly uploadMs: number;
  readonly uploadBytesPerSecondMin: number;
  /** Bytes of messages that arrive or are handled, for each caller and in total. */
  readonly uploads: Readonly<Record<UploadClass, HoldingsOptions>>;
  /** Streams of one method that one identity may have open. */
  readonly streamsPerPeerMax: number;
  /** Unary calls that one identity may have in flight. */
  readonly callsPerPeerMax: number;
  /** Unary calls that all who hold invitations may have in flight together. */
  readonly callsOfInvitedMax: number;
  /** Calls of one caller, answered or refused. */
  readonly callRates: Readonly<Record<CallClass, RateLimit>>;
  /** Unsent messages and bytes that a server keeps for one stream before `offer` refuses. */
  readonly streamQueueMessagesMax: number;
  readonly streamQueueBytesMax: number;
  /** A connection without a sign of life is pinged after this time. */
  readonly keepaliveMs: number;
  /**
   * A ping without an answer ends the connection after this time. One that is shorter than the time
   * for which a loaded node may be busy would end what works, and make it busier with new links.
   */
  readonly keepaliveTimeoutMs: number;
  /** A connection without a call is closed after this time. */
  readonly idleConnectionMs: number;
};

const MiB = 1024 * 1024;

export const defaultRpcLimits: RpcLimits = {
  participantMessageBytesMax: 4 * 1024 * 1024,
  peerMessageBytesMax: 16 * 1024 * 1024,
  invitedMessageBytesMax: 256 * 1024,
  uploadMs: 60_000,
  uploadBytesPerSecondMin: 8 * 1024,
  uploads: {
    manager: { perCauserMax: 64 * MiB, totalMax: 256 * MiB, reservedPerCauser: 2 * MiB },
    storage: { perCauserMax: 1 * MiB, totalMax: 64 * MiB },
    member: { perCauserMax: 64 * MiB, totalMax: 256 * MiB },
    invited: { perCauserMax: 8 * MiB, totalMax: 8 * MiB },
  },
  streamsPerPeerMax: 8,
  callsPerPeerMax: 256,
  callsOfInvitedMax: 256,
  callRates: {
    peer: { perSecond: 1_000, burst: 4_000 },
    member: { perSecond: 1_000, burst: 10_000 },
    invited: { perSecond: 100, burst: 1_000 },
    // 1,000 storage nodes of one address, each every 1.5 s, may ask a manager that has yet to learn
    // who they are.
    unknown: { perSecond: 700, burst: 2_000 },
  },
  streamQueueMessagesMax: 4_096,
  streamQueueBytesMax: 64 * 1024 * 1024,
  keepaliveMs: 10_000,
  keepaliveTimeoutMs: 20_000,
  idleConnectionMs: 10 * 60_000,
};
