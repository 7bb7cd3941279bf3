/** What one peer may ask of a server. Every limit has a reason that the peer gets to see. */
export type RpcLimits = {
  /** Largest message of participants, auditors and operators. */
  readonly participantMessageBytesMax: number;
  /** Largest message of managers and storage nodes. */
  readonly peerMessageBytesMax: number;
  /** Largest message that is read from the network at all; a larger one ends the call at once. */
  readonly hardMessageBytesMax: number;
  /** Streams of one method that one identity may have open. */
  readonly streamsPerPeerMax: number;
  /** Unary calls that one identity may have in flight. */
  readonly callsPerPeerMax: number;
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

export const defaultRpcLimits: RpcLimits = {
  participantMessageBytesMax: 4 * 1024 * 1024,
  peerMessageBytesMax: 16 * 1024 * 1024,
  hardMessageBytesMax: 32 * 1024 * 1024,
  streamsPerPeerMax: 8,
  callsPerPeerMax: 256,
  streamQueueMessagesMax: 4_096,
  streamQueueBytesMax: 64 * 1024 * 1024,
  keepaliveMs: 10_000,
  keepaliveTimeoutMs: 20_000,
  idleConnectionMs: 10 * 60_000,
};
