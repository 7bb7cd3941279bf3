/**
 * How many connections a server holds, and for how long those that do nothing. Each group
 * has places of its own: however many others there are, a manager finds one.
 */
export type ConnectionLimits = {
  /** Connections that have not made a call as somebody known yet. */
  readonly strangersMax: number;
  /** Of these, those from one address. */
  readonly strangersPerAddressMax: number;
  /** New connections from one address: as many each second, and at once after a rest. */
  readonly newPerAddressPerSecond: number;
  readonly newPerAddressBurst: number;
  /** Connections of participants, auditors, operators and holders of invitations. */
  readonly clientsMax: number;
  /** Of these, those of holders of invitations, who count as one. */
  readonly invitedMax: number;
  /** Of the others, those of one identity. */
  readonly perClientMax: number;
  /** Connections of managers and storage nodes. */
  readonly peersMax: number;
  /** Of these, those of managers. */
  readonly managersMax: number;
  /** Connections of one manager or storage node. */
  readonly perPeerMax: number;
  /** Within this time a connection makes its first call as somebody known. */
  readonly strangerSeconds: number;
  /** A connection that was ended is cut when the other end has not let go of it by then. */
  readonly endedSeconds: number;
  /** A message to the other end is taken within this time, or its connection is cut. */
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
 * Shares of a total: a quarter each for strangers and clients, the rest for peers. Of the clients'
 * an eighth is for those who are invited, of the peers' a quarter for managers.
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
  // All storage nodes of an office have one address, and come back at once after an outage.
  newPerAddressPerSecond: 100,
  newPerAddressBurst: 2_000,
  perClientMax: 64,
  perPeerMax: 32,
  strangerSeconds: 20,
  endedSeconds: 5,
  unreadSeconds: 120,
};

/** Why a connection was refused or ended. */
export type ConnectionEnd =
  /** Its address makes too many. */
  | "rate"
  /** A newer one took its place, as its address or identity held most. */
  | "crowded"
  /** Its address or identity has as many as it may have, or all have together. */
  | "share"
  /** Its caller went on calling after many refusals. */
  | "calls"
  /** It made no call as somebody known. */
  | "silent"
  /** It took nothing of what it was sent. */
  | "unread"
  /** Its certificate has run out; a renewed one makes a new connection. */
  | "expired"
  /** It was ended, and the other end did not let go. */
  | "abandoned"
  /** The process has no descriptor left. */
  | "descriptors";
