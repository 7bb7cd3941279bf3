/** Settings of a CometBFT node: a few lines of its config.toml, the rest as `testnet` writes it. */

/** By "section.key"; keys before the first section have no dot. Values as TOML writes them. */
export type Settings = Readonly<Record<string, string>>;

/** What four nodes on loopback need to find each other, and nothing more. */
export function networkSettings(ports: {
  readonly p2p: number;
  readonly rpc: number;
  readonly persistentPeers: readonly string[];
}): Settings {
  return {
    proxy_app: '"kvstore"',
    log_level: '"error"',
    "rpc.laddr": `"tcp://127.0.0.1:${ports.rpc}"`,
    "p2p.laddr": `"tcp://127.0.0.1:${ports.p2p}"`,
    "p2p.persistent_peers": `"${ports.persistentPeers.join(",")}"`,
    "p2p.addr_book_strict": "false",
    "p2p.allow_duplicate_ip": "true",
  };
}

/** What makes it fast on one machine: no pause between blocks, no index, gossip without waiting. */
export const tunedSettings: Settings = {
  "consensus.timeout_commit": '"0s"',
  "consensus.skip_timeout_commit": "true",
  "consensus.create_empty_blocks": "false",
  "consensus.peer_gossip_sleep_duration": '"10ms"',
  "p2p.flush_throttle_timeout": '"10ms"',
  "p2p.send_rate": "51200000",
  "p2p.recv_rate": "51200000",
  "mempool.size": "50000",
  "mempool.cache_size": "100000",
  "tx_index.indexer": '"null"',
};

/** The text with these settings. Throws for one that is not in it. */
export function withSettings(toml: string, settings: Settings): string {
  const missing = new Map(Object.entries(settings));
  let section = "";
  const lines = toml.split("\n").map((line) => {
    section = /^\[([\w.]+)\]/.exec(line)?.[1] ?? section;
    const key = /^(\w[\w-]*)\s*=/.exec(line)?.[1];
    if (key === undefined) return line;
    const name = section === "" ? key : `${section}.${key}`;
    const value = missing.get(name);
    missing.delete(name);
    return value === undefined ? line : `${key} = ${value}`;
  });
  const [first] = missing.keys();
  if (first !== undefined) throw new Error(`config.toml has no setting ${first}`);
  return lines.join("\n");
}
