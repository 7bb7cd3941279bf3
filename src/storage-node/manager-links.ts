/**
 * The streams that this node dials to managers. It dials, so that a PC behind a router needs no
 * open port. At least f+1 of them, so that one is honest; each node starts its choice at another
 * place of the ring, so that the nodes spread.
 */
import type { Time } from "../base/time.js";
import { chosenManagers } from "../consensus/public/links.js";
import {
  type VerifyIntegrityResponse,
  VerifyIntegrityService,
} from "../gen/bss/v1/verify_integrity_pb.js";
import type { Manager } from "../ledger/members/member-lists.js";
import type { Members } from "../ledger/members/members.js";
import { defaultRpcLimits } from "../rpc/bounds/limits.js";
import type { BackoffOptions } from "../rpc/channels/backoff.js";
import { createChannel } from "../rpc/channels/channel.js";
import { createClient } from "../rpc/channels/client.js";
import {
  type Connection,
  type LinkState,
  ReconnectingStream,
} from "../rpc/channels/reconnecting-stream.js";
import type { RpcError } from "../rpc/rpc-error.js";
import type { TlsFiles } from "../rpc/tls/tls.js";
import type { UpMessage } from "./up-message.js";

/** A way to one manager. */
export type ManagerChannel = {
  verifyIntegrity(): Connection<UpMessage, VerifyIntegrityResponse>;
  close(): void;
};

export type ManagerLinksOptions = {
  readonly nodeId: string;
  readonly members: Members;
  readonly dial: (manager: Manager) => ManagerChannel;
  readonly time: Time;
  readonly backoff?: BackoffOptions;
  readonly queueMessagesMax: number;
  readonly queueBytesMax: number;
  /** What a manager is told first on each new link. */
  readonly greeting: () => readonly UpMessage[];
  /** Messages of one manager come one after the other. Must not throw. */
  readonly onMessage: (managerId: string, message: VerifyIntegrityResponse) => Promise<void>;
  readonly onState: (managerId: string, state: LinkState, cause?: RpcError) => void;
  readonly onDropped: (managerId: string, messages: number) => void;
};

type Link = {
  readonly channel: ManagerChannel;
  readonly stream: ReconnectingStream<UpMessage, VerifyIntegrityResponse>;
};

export class ManagerLinks {
  readonly #links = new Map<string, Link>();

  constructor(options: ManagerLinksOptions) {
    for (const manager of chosenManagers(options.nodeId, options.members)) {
      this.#links.set(manager.managerId, openLink(manager, options));
    }
  }

  get managerIds(): readonly string[] {
    return [...this.#links.keys()];
  }

  get connectedCount(): number {
    return this.managerIds.filter((managerId) => this.isConnected(managerId)).length;
  }

  isConnected(managerId: string): boolean {
    return this.#links.get(managerId)?.stream.state === "connected";
  }

  /**
   * Sends to one manager, or to all. Nothing is kept for those that are not connected: they are
   * told what still matters when they are. False when none took it.
   */
  send(message: UpMessage, managerId?: string): boolean {
    let taken = false;
    for (const [id, { stream }] of this.#links) {
      const addressed = managerId === undefined || managerId === id;
      if (addressed && stream.state === "connected") taken = stream.send(message) || taken;
    }
    return taken;
  }

  async close(): Promise<void> {
    const links = [...this.#links.values()];
    await Promise.all(links.map(({ stream }) => stream.close()));
    for (const { channel } of links) channel.close();
  }
}

export type GrpcDialOptions = {
  readonly consortiumName: string;
  /** host:port by manager id, instead of the address that genesis names. */
  readonly addresses: ReadonlyMap<string, string>;
  readonly tls: TlsFiles;
  /** Longest message that a manager may send; a longer one ends the link. */
  readonly messageBytesMax: number;
  /** Of the consortium, this one included. */
  readonly storageNodeCount: number;
};

/**
 * All storage nodes dial a manager that comes back, and each needs some ms of its CPU for TLS: the
 * more they are, the longer each waits between attempts, so that what comes in can be served.
 */
export function reconnectMaxMs(storageNodeCount: number): number {
  return Math.min(60_000, Math.max(1_000, 10 * storageNodeCount));
}

/** Dials managers over gRPC with mutual TLS. */
export function grpcDial(options: GrpcDialOptions): ManagerLinksOptions["dial"] {
  const { consortiumName, tls, addresses, messageBytesMax, storageNodeCount } = options;
  return ({ managerId, address, tlsSpkiSha256: spkiSha256 }) => {
    const channel = createChannel({
      address: addresses.get(managerId) ?? address,
      tls,
      messageBytesMax,
      // A manager that is busy with many storage nodes answers late.
      keepaliveTimeoutMs: defaultRpcLimits.keepaliveTimeoutMs,
      reconnectMaxMs: reconnectMaxMs(storageNodeCount),
      expected: { consortiumName, role: "manager", id: managerId, spkiSha256 },
    });
    const client = createClient(VerifyIntegrityService, channel);
    return { verifyIntegrity: () => client.verifyIntegrity(), close: () => channel.close() };
  };
}

function openLink(manager: Manager, options: ManagerLinksOptions): Link {
  const { managerId } = manager;
  const { time, backoff } = options;
  const channel = options.dial(manager);
  const stream = new ReconnectingStream<UpMessage, VerifyIntegrityResponse>({
    open: () => channel.verifyIntegrity(),
    onMessage: (message) => options.onMessage(managerId, message),
    onStateChange: (state, cause) => options.onState(managerId, state, cause),
    greeting: options.greeting,
    queueMessagesMax: options.queueMessagesMax,
    queueBytesMax: options.queueBytesMax,
    onDropped: (messages) => options.onDropped(managerId, messages),
    time,
    ...(backoff && { backoff }),
  });
  return { channel, stream };
}
