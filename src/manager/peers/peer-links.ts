/**
 * The channels that this manager opens to every other one, each with three streams: what it says
 * in the ring, what it relays, and what of that is long. They outlive connections; while one is
 * down, messages wait in a bounded queue. A lone record or a verdict does not wait for the imports
 * of others, at neither end.
 */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Time } from "../../base/time.js";
import {
  type BroadcastRequestSchema,
  type BroadcastResponse,
  BroadcastService,
} from "../../gen/bss/v1/broadcast_pb.js";
import {
  type VoteRequestSchema,
  type VoteResponse,
  VoteService,
} from "../../gen/bss/v1/vote_pb.js";
import type { Manager } from "../../ledger/members/member-lists.js";
import type { BackoffOptions } from "../../rpc/channels/backoff.js";
import { createChannel } from "../../rpc/channels/channel.js";
import { type OpenedStream, ReconnectingStream } from "../../rpc/channels/reconnecting-stream.js";
import { createClient } from "../../rpc/channels/typed-client.js";
import type { TlsCredentials } from "../../rpc/tls/tls.js";

type VoteMessage = MessageInitShape<typeof VoteRequestSchema>;
type BroadcastMessage = MessageInitShape<typeof BroadcastRequestSchema>;

/** A way to one manager. */
export type PeerChannel = {
  vote(): OpenedStream<VoteMessage, VoteResponse>;
  broadcast(): OpenedStream<BroadcastMessage, BroadcastResponse>;
  close(): void;
};

export type ManagerLinksOptions = {
  /** Every manager but this one. */
  readonly peers: readonly Manager[];
  readonly dial: (peer: Manager) => PeerChannel;
  readonly time: Time;
  readonly backoff?: BackoffOptions;
  readonly queueMessagesMax: number;
  readonly queueBytesMax: number;
  readonly onVoteResponse: (from: string, response: VoteResponse) => void | Promise<void>;
  readonly onBroadcastResponse: (from: string, response: BroadcastResponse) => Promise<void>;
  /** The stream of votes to a peer is up, or no longer. */
  readonly onLink: (peerId: string, connected: boolean, cause: string | undefined) => void;
  /** The stream of relays to a peer is up. */
  readonly onBroadcastConnected: (peerId: string) => void;
  readonly onDropped: (peerId: string, messages: number) => void;
};

/** A submission of more bytes is long: what HTTP/2 sends in one frame. */
const shortBytesMax = 16 * 1024;
/** Objections, each of some hundred bytes, of which more are long. */
const shortObjectionsMax = 64;
/** What may wait of messages that are not long, of `queueBytesMax`. */
export const shortQueueShare = 1 / 4;

type Link = {
  readonly channel: PeerChannel;
  readonly votes: ReconnectingStream<VoteMessage, VoteResponse>;
  readonly broadcasts: ReconnectingStream<BroadcastMessage, BroadcastResponse>;
  readonly longBroadcasts: ReconnectingStream<BroadcastMessage, BroadcastResponse>;
};

export class PeerLinks {
  readonly #links = new Map<string, Link>();

  constructor(options: ManagerLinksOptions) {
    for (const peer of options.peers) this.#links.set(peer.managerId, openLink(peer, options));
  }

  get peerIds(): readonly string[] {
    return [...this.#links.keys()];
  }

  get connectedIds(): readonly string[] {
    return this.peerIds.filter((id) => this.isConnected(id));
  }

  /** Messages that wait to be sent, over all peers. */
  get queueLength(): number {
    let length = 0;
    for (const link of this.#links.values()) {
      for (const stream of streamsOf(link)) length += stream.queueLength;
    }
    return length;
  }

  isConnected(peerId: string): boolean {
    return this.#links.get(peerId)?.votes.state === "connected";
  }

  /** Queues a message for one peer; false when it was dropped. */
  sendVote(peerId: string, message: VoteMessage): boolean {
    return this.#links.get(peerId)?.votes.send(message) ?? false;
  }

  sendBroadcast(peerId: string, message: BroadcastMessage): boolean {
    const link = this.#links.get(peerId);
    const stream = isLong(message) ? link?.longBroadcasts : link?.broadcasts;
    return stream?.send(message) ?? false;
  }

  async close(): Promise<void> {
    const links = [...this.#links.values()];
    await Promise.all(links.flatMap(streamsOf).map((stream) => stream.close()));
    for (const { channel } of links) channel.close();
  }
}

export type GrpcDialOptions = {
  readonly consortiumName: string;
  /** host:port by manager id, instead of the address that genesis names. */
  readonly addresses: ReadonlyMap<string, string>;
  readonly tls: TlsCredentials;
  readonly messageBytesMax: number;
};

/** Dials managers over gRPC with mutual TLS. */
export function grpcDial(options: GrpcDialOptions): ManagerLinksOptions["dial"] {
  const { consortiumName, addresses, tls, messageBytesMax } = options;
  return ({ managerId: id, address, tlsSpkiSha256: spkiSha256 }) => {
    const channel = createChannel({
      address: addresses.get(id) ?? address,
      tls,
      messageBytesMax,
      expected: { consortiumName, role: "manager", id, spkiSha256 },
    });
    const votes = createClient(VoteService, channel);
    const broadcasts = createClient(BroadcastService, channel);
    return {
      vote: () => votes.vote(),
      broadcast: () => broadcasts.broadcast(),
      close: () => channel.close(),
    };
  };
}

function openLink(peer: Manager, options: ManagerLinksOptions): Link {
  const { managerId: id } = peer;
  const { time, backoff } = options;
  const channel = options.dial(peer);
  const common = {
    time,
    queueMessagesMax: options.queueMessagesMax,
    queueBytesMax: options.queueBytesMax,
    onDropped: (messages: number) => options.onDropped(id, messages),
    ...(backoff && { backoff }),
  };
  const votes = new ReconnectingStream<VoteMessage, VoteResponse>({
    open: () => channel.vote(),
    onMessage: (message) => options.onVoteResponse(id, message),
    onStateChange: (state, cause) => options.onLink(id, state === "connected", cause?.message),
    ...common,
  });
  const relayed = {
    open: () => channel.broadcast(),
    onMessage: (message: BroadcastResponse) => options.onBroadcastResponse(id, message),
    ...common,
  };
  const broadcasts = new ReconnectingStream<BroadcastMessage, BroadcastResponse>({
    ...relayed,
    queueBytesMax: options.queueBytesMax * shortQueueShare,
    onStateChange: (state) => {
      if (state === "connected") options.onBroadcastConnected(id);
    },
  });
  const longBroadcasts = new ReconnectingStream<BroadcastMessage, BroadcastResponse>(relayed);
  return { channel, votes, broadcasts, longBroadcasts };
}

function streamsOf({ votes, broadcasts, longBroadcasts }: Link) {
  return [votes, broadcasts, longBroadcasts];
}

function isLong({ message }: BroadcastMessage): boolean {
  if (message?.case === "objections") {
    return (message.value.objections?.length ?? 0) > shortObjectionsMax;
  }
  if (message?.case !== "submission") return false;
  const { records = [] } = message.value;
  return records.reduce((sum, { length }) => sum + length, 0) > shortBytesMax;
}
