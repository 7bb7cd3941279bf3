/**
 * What the nodes of a directory say about themselves (QueryService.GetStatus), asked in the name of
 * its auditor.
 */
import { join, resolve } from "node:path";
import { joinHostPort } from "../../base/host-port.js";
import { readOwnTls } from "../../client/client-profile.js";
import { readGenesis } from "../../config/genesis-file.js";
import type { NodeConfig } from "../../config/node-config.js";
import { loadProfile } from "../../config/profile.js";
import { type GetStatusResponse, QueryService } from "../../gen/bss/v1/query_pb.js";
import { createChannel, type RpcChannel } from "../../rpc/channels/channel.js";
import { createClient } from "../../rpc/channels/typed-client.js";
import { RpcError } from "../../rpc/rpc-error.js";
import { waitsFor } from "../text/status-words.js";

const timeoutMs = 2000;

export type NodeStatus = {
  readonly height: number;
  /** Records on the ledger. */
  readonly treeSize: number;
  /** 32 bytes: HASH1 of a manager, HASH2 of a storage node. */
  readonly root: Uint8Array;
  /** Peers that are connected now. */
  readonly peers: number;
  readonly syncing: boolean;
  readonly round: number;
  /** Managers: what the ring is doing; empty on storage nodes. */
  readonly step: string;
  /** Managers: whose signatures have been missing for a while; empty otherwise. */
  readonly waitsFor: string;
  /** Managers: why this one signs nothing; empty otherwise. */
  readonly abstaining: string;
  /** Why it has halted for good; empty otherwise. */
  readonly halted: string;
};

export type StatusSource = {
  /** Undefined when the node does not answer. */
  statusOf(config: NodeConfig): Promise<NodeStatus | undefined>;
  close(): void;
};

/** Reads the auditor's profile in a directory that `bss init` made. Throws `ConfigError`. */
export function openStatusSource(directory: string): StatusSource {
  const profile = loadProfile(join(resolve(directory), "auditors", "auditor-1", "profile.yaml"));
  const tls = readOwnTls(profile);
  const { name: consortiumName } = readGenesis(profile.genesisFile);
  const channels = new Map<string, RpcChannel>();
  const channelTo = ({ id, role, listen }: NodeConfig) => {
    const expected = { consortiumName, role, id };
    const channel = createChannel({ address: dialled(listen), tls, expected });
    channels.set(id, channel);
    return channel;
  };
  return {
    async statusOf(config) {
      const client = createClient(QueryService, channels.get(config.id) ?? channelTo(config));
      try {
        return nodeStatus(await client.getStatus({}, { timeoutMs }));
      } catch (error) {
        if (error instanceof RpcError) return undefined;
        throw error;
      }
    },
    close() {
      for (const channel of channels.values()) channel.close();
    },
  };
}

function nodeStatus(response: GetStatusResponse): NodeStatus {
  return {
    height: Number(response.height),
    treeSize: Number(response.treeSize),
    root: response.root,
    peers: response.peers.filter(({ connected }) => connected).length,
    syncing: response.syncing,
    round: response.round,
    step: response.step,
    waitsFor: waitsFor(response.waiting) ?? "",
    abstaining: response.abstaining,
    halted: response.halted,
  };
}

/** Where to dial a node of this machine that listens on every address. */
function dialled({ host, port }: NodeConfig["listen"]): string {
  const loopback: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1" };
  return joinHostPort({ host: loopback[host] ?? host, port });
}
