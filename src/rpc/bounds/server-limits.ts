/**
 * Every limit of a node's gRPC server with its default: the figures. Each is enforced elsewhere, in
 * the order in which what comes from a caller meets them:
 *
 *     accepted  ── accept.ts ──────────── no descriptor left: the connection is reported, and lost
 *               ── server-connections.ts  new ones of one address and of all that are unknown;
 *                                         strangers of one and in all
 *     record    ── first-record.ts ────── the first one of TLS is whole, before TLS is set up
 *     TLS       ── tls/tls.ts ─────────── handshake time, streams and headers of one connection
 *     headers   ── header-bounds.ts ───── bytes and binary values, before they become metadata
 *     call      ── server/admission.ts, step by step:
 *                    call-limits.ts          calls a second, of known and of unknown callers
 *                    server-connections.ts   places of the caller's group; end of its certificate
 *                    server/method-roles.ts  whether its role may call this method at all
 *                    call-limits.ts          calls and streams that are open
 *     message   ── uploads.ts ─────────── declared length, bytes that arrive or are handled, pace
 *               ── message-rates.ts ───── messages a second on the streams of a storage node
 *               ── read-ahead.ts ──────── one message of a stream before its reader takes it
 *               ── method-bounds.ts ───── elements and memory, before it is decoded
 *     answer    ── answer-turns.ts ────── when pages and long answers are read; rest of the caller
 *               ── unread-answers.ts ──── bytes that callers have not taken; who takes too little
 *                                         loses its connection
 *               ── message-writer.ts ──── messages and bytes queued on one stream
 *
 * A connection also ends without a sign of life (`keepaliveMs`), without a call
 * (`idleConnectionMs`), or if nobody known calls over it (`strangerSeconds`). Two files are tools
 * of the others: frame-reader.ts cuts a call's data into messages, and grpc-internals.ts reaches
 * into grpc-js where it has no place for a limit.
 */
import type { HoldingsOptions } from "../../base/holdings.js";
import type { RateLimit } from "../../base/rate-limits.js";

/** Callers whose incoming messages share a total, so that no class can crowd out another. */
export type UploadClass = "manager" | "storage" | "member" | "invited";

/** Callers whose answers share a total until they are taken. */
export type AnswerGroup = "clients" | "managers" | "storageNodes";

/** Callers who may call equally often. All who are invited count as one, the unknown by address. */
export type CallClass = "peer" | "member" | "invited" | "unknown";

/** Limits on messages and calls. A refused caller gets to see the reason. */
export type RpcLimits = {
  /** Largest message of participants, auditors and operators. */
  readonly participantMessageBytesMax: number;
  /** Largest message of managers and storage nodes. */
  readonly peerMessageBytesMax: number;
  /** Largest message of a caller that holds an invitation and is no member yet. */
  readonly invitedMessageBytesMax: number;
  /**
   * A message that has begun, or the request of a call that carries one, must end within this time.
   * It gets the same time again while it goes on and its caller sends at the least rate.
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
  /** Messages of one storage node on all its streams. What comes faster waits at its sender. */
  readonly storageMessages: RateLimit;
  /** Unsent messages and bytes that a server keeps for one stream before `offer` refuses. */
  readonly streamQueueMessagesMax: number;
  readonly streamQueueBytesMax: number;
  /** A connection without a sign of life is pinged after this time. */
  readonly keepaliveMs: number;
  /**
   * A ping without an answer ends the connection after this time. It must be longer than a loaded
   * node may be busy: otherwise connections that work would end, and making new ones is more load.
   */
  readonly keepaliveTimeoutMs: number;
  /** A connection without a call is closed after this time. */
  readonly idleConnectionMs: number;
};

const MiB = 1024 * 1024;

export const defaultRpcLimits: RpcLimits = {
  participantMessageBytesMax: 4 * MiB,
  peerMessageBytesMax: 16 * MiB,
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
    // A peer keeps a stream or two, and opens them again when they have ended.
    peer: { perSecond: 20, burst: 400 },
    member: { perSecond: 1_000, burst: 10_000 },
    invited: { perSecond: 100, burst: 1_000 },
    // 1,000 storage nodes behind one address, each calling every 1.5 s, may ask a manager that does
    // not know them yet.
    unknown: { perSecond: 700, burst: 2_000 },
  },
  // An attestation for each block, and four heads a second.
  storageMessages: { perSecond: 50, burst: 400 },
  streamQueueMessagesMax: 4_096,
  streamQueueBytesMax: 64 * MiB,
  keepaliveMs: 10_000,
  keepaliveTimeoutMs: 20_000,
  idleConnectionMs: 10 * 60_000,
};

/**
 * How many connections a server holds, and for how long those that do nothing. Each group has
 * places of its own: however many others there are, a manager finds one.
 */
export type ConnectionLimits = {
  /** Connections over which nobody known has called yet. */
  readonly strangersMax: number;
  /** As many of these may come from one address. */
  readonly strangersPerAddressMax: number;
  /**
   * New connections from one address over which nobody known has called: this many each second, and
   * a burst after a rest.
   */
  readonly vainPerAddressPerSecond: number;
  readonly vainPerAddressBurst: number;
  /** The same of all addresses together over which nobody known has called for a long time. */
  readonly vainPerSecond: number;
  readonly vainBurst: number;
  /** Somebody known who connects more often than this pays with the rate of the address. */
  readonly newPerCallerPerSecond: number;
  readonly newPerCallerBurst: number;
  /** Connections of participants, auditors, operators and holders of invitations. */
  readonly clientsMax: number;
  /** As many of these may be of holders of invitations, who count as one caller. */
  readonly invitedMax: number;
  /** As many of the others may be of one identity. */
  readonly perClientMax: number;
  /** Connections of managers and storage nodes. */
  readonly peersMax: number;
  /** As many of these may be of managers. */
  readonly managersMax: number;
  /** Connections of one manager or storage node. */
  readonly perPeerMax: number;
  /** Somebody known must call over a new connection within this time. */
  readonly strangerSeconds: number;
  /** A connection that was ended in order is cut if the other end has not let go of it by then. */
  readonly endedSeconds: number;
  /** The other end must take a message within this time, or its connection is cut. */
  readonly unreadSeconds: number;
};

const defaultConnectionsMax = 8_192;

type ConnectionShares = Pick<
  ConnectionLimits,
  | "strangersMax"
  | "strangersPerAddressMax"
  | "clientsMax"
  | "invitedMax"
  | "peersMax"
  | "managersMax"
>;

/**
 * Shares of a total: a quarter each for strangers and clients, the rest for peers. An eighth of the
 * clients' share is for those who are invited, a quarter of the peers' share for managers.
 */
export function connectionShares(connectionsMax: number): ConnectionShares {
  const quarter = Math.floor(connectionsMax / 4);
  const peersMax = connectionsMax - 2 * quarter;
  return {
    strangersMax: quarter,
    strangersPerAddressMax: Math.ceil(quarter / 2),
    clientsMax: quarter,
    invitedMax: Math.ceil(quarter / 8),
    peersMax,
    managersMax: Math.ceil(peersMax / 4),
  };
}

export const defaultConnectionLimits: ConnectionLimits = {
  ...connectionShares(defaultConnectionsMax),
  // All storage nodes of one office have one address, and come back together after an outage.
  vainPerAddressPerSecond: 20,
  vainPerAddressBurst: 1_024,
  // What setting up TLS for them may take of the thread: a few hundredths.
  vainPerSecond: 100,
  vainBurst: 2_048,
  // As many as a client may hold at once, and then as fast as a script calls `bss`.
  newPerCallerPerSecond: 5,
  newPerCallerBurst: 64,
  perClientMax: 64,
  perPeerMax: 32,
  strangerSeconds: 20,
  endedSeconds: 5,
  unreadSeconds: 120,
};

/** What a server holds of answers that their callers have not taken yet, in bytes. */
export type AnswerLimits = {
  /** For one participant, auditor or operator, and for all holders of invitations together. */
  readonly perClientBytesMax: number;
  readonly clientsBytesMax: number;
  /** For one manager. */
  readonly perManagerBytesMax: number;
  readonly managersBytesMax: number;
  /** For one storage node. */
  readonly perStorageNodeBytesMax: number;
  readonly storageNodesBytesMax: number;
  /**
   * Pages of listings that are read at a time: while it is read, one takes a few times its bytes.
   */
  readonly pagesAtOnceMax: number;
  /** Long answers that are read and sent at a time, to managers and to storage nodes each. */
  readonly longAnswersAtOnceMax: number;
  /** The least that a connection must take while answers wait for it. */
  readonly bytesPerSecondMin: number;
};

export const defaultAnswerLimits: AnswerLimits = {
  perClientBytesMax: 32 * MiB,
  clientsBytesMax: 128 * MiB,
  perManagerBytesMax: 160 * MiB,
  managersBytesMax: 512 * MiB,
  perStorageNodeBytesMax: 96 * MiB,
  storageNodesBytesMax: 512 * MiB,
  pagesAtOnceMax: 4,
  // A long answer has 6 MiB as a rule, and 16 MiB at most.
  longAnswersAtOnceMax: 32,
  bytesPerSecondMin: 8 * 1024,
};
