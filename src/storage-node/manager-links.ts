/**
 * The streams that this node dials to managers. It dials, so that a PC behind a router needs no
 * open port. At least f+1 of them, so that one is honest; each node starts its choice at another
 * place of the ring, so that the nodes spread.
 */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { Time } from "../base/time.js";
import { chosenManagers } from "../consensus/attestation/links.js";
import {
  VerifyIntegrityRequestSchema,
  type VerifyIntegrityResponse,
  VerifyIntegrityService,
} from "../gen/bss/v1/verify_integrity_pb.js";
import type { Manager } from "../ledger/members/member-lists.js";
import type { Members } from "../ledger/members/members.js";
import { defaultRpcLimits } from "../rpc/bounds/server-limits.js";
import type { BackoffOptions } from "../rpc/channels/backoff.js";
import { createChannel } from "../rpc/channels/channel.js";
import {
  type LinkState,
  type OpenedStream,
  ReconnectingStream,
} from "../rpc/channels/reconnecting-stream.js";
import { createClient } from "../rpc/channels/typed-client.js";
import type { RpcError } from "../rpc/rpc-error.js";
import type { TlsCredentials } from "../rpc/tls/tls.js";

/** What a storage node says on its link to a manager, not yet encoded. */
export type MessageToManager = MessageInitShape<typeof VerifyIntegrityRequestSchema>;

/** A way to one manager. */
export type ManagerChannel = {
  verifyIntegrity(): OpenedStream<MessageToManager, VerifyIntegrityResponse>;
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
  readonly observe: LinksObserver;
};

/** Told of what happens, for metrics and logs. */
export type LinksObserver = {
  /** `connected`: links that are, all together. */
  changed(managerId: string, state: LinkState, connected: number, cause?: RpcError): void;
  dropped(messages: number): void;
};

/** Who talks to the managers. */
export type LinkHandlers = {
  /** What a manager is told first on each new link. */
  readonly greeting: () => readonly MessageToManager[];
  /** Messages of one manager come one after the other. Must not throw. */
  readonly onMessage: (managerId: string, message: VerifyIntegrityResponse) => Promise<void>;
  readonly onDisconnected: (managerId: string) => void;
};

type Link = {
  readonly channel: ManagerChannel;
  readonly stream: ReconnectingStream<MessageToManager, VerifyIntegrityResponse>;
};

export class ManagerLinks {
  readonly managerIds: readonly string[];
  readonly #options: ManagerLinksOptions;
  readonly #managers: readonly Manager[];
  readonly #links = new Map<string, Link>();

  /** Dials nobody before `start`: until then nobody is connected, and nothing is sent. */
  constructor(options: ManagerLinksOptions) {
    this.#options = options;
    this.#managers = chosenManagers(options.nodeId, options.members);
    this.managerIds = this.#managers.map(({ managerId }) => managerId);
  }

  start(handlers: LinkHandlers): void {
    for (const manager of this.#managers) {
      this.#links.set(manager.managerId, this.#open(manager, handlers));
    }
  }

  get connectedIds(): readonly string[] {
    return this.managerIds.filter((managerId) => this.isConnected(managerId));
  }

  isConnected(managerId: string): boolean {
    return this.#links.get(managerId)?.stream.state === "connected";
  }

  /**
   * Sends to one manager, or to all. Nothing is kept for those that are not connected: they are
   * told what still matters when they are. False when none took it.
   */
  send(message: MessageToManager, managerId?: string): boolean {
    let taken = false;
    // Made once, so it is encoded once for all managers.
    const request = create(VerifyIntegrityRequestSchema, message);
    for (const [id, { stream }] of this.#links) {
      const addressed = managerId === undefined || managerId === id;
      if (addressed && stream.state === "connected") taken = stream.send(request) || taken;
    }
    return taken;
  }

  async close(): Promise<void> {
    const links = [...this.#links.values()];
    await Promise.all(links.map(({ stream }) => stream.close()));
    for (const { channel } of links) channel.close();
  }

  #open(manager: Manager, { greeting, onMessage, onDisconnected }: LinkHandlers): Link {
    const { managerId } = manager;
    const { dial, time, backoff, queueMessagesMax, queueBytesMax, observe } = this.#options;
    const channel = dial(manager);
    const stream = new ReconnectingStream<MessageToManager, VerifyIntegrityResponse>({
      open: () => channel.verifyIntegrity(),
      onMessage: (message) => onMessage(managerId, message),
      onStateChange: (state, cause) => {
        observe.changed(managerId, state, this.connectedIds.length, cause);
        if (state === "disconnected") onDisconnected(managerId);
      },
      greeting,
      queueMessagesMax,
      queueBytesMax,
      onDropped: (messages) => observe.dropped(messages),
      time,
      ...(backoff && { backoff }),
    });
    return { channel, stream };
  }
}

export type GrpcDialOptions = {
  readonly consortiumName: string;
  /** host:port by manager id, instead of the address that genesis names. */
  readonly addresses: ReadonlyMap<string, string>;
  readonly tls: TlsCredentials;
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
