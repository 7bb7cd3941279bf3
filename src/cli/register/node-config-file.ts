/** The config.yaml of a new storage node. Only the addresses where it listens change later. */
import { readFileSync } from "node:fs";
import { parseDocument, stringify } from "yaml";
import { toHex } from "../../base/bytes.js";
import { type HostPort, joinHostPort } from "../../base/host-port.js";
import { replacePublicFile } from "../../config/durable-file.js";
import { loadNodeConfig, type TlsPaths } from "../../config/node-config.js";
import type { Checkpoint } from "../../gen/bss/v1/genesis_pb.js";
import type { Listening, WantedListening } from "./readiness.js";

type NewNode = {
  readonly id: string;
  readonly listening: Listening;
  /** Paths relative to the file. */
  readonly files: { readonly genesis: string; readonly signingKey: string; readonly tls: TlsPaths };
  /** The checkpoint in the invitation. */
  readonly checkpoint: Checkpoint | undefined;
};

export function nodeConfigText({ id, listening, files, checkpoint }: NewNode): string {
  const { listen, metrics } = listening;
  const config = {
    role: "storage",
    id,
    consortium: files.genesis,
    listen,
    ...(metrics && { metrics }),
    tls: files.tls,
    signing_key: files.signingKey,
    data_directory: "data",
    ...(checkpoint && {
      checkpoint: { height: Number(checkpoint.height), block_id: toHex(checkpoint.blockId) },
    }),
    log: { level: "info" },
  };
  return `# Storage node ${id}. Start it with: bss start --config config.yaml
# Paths are relative to this file.
${stringify(config)}`;
}

/** Throws `ConfigError`. */
export function readListening(configFile: string): Listening {
  const { listen, metrics } = loadNodeConfig(configFile);
  return { listen, metrics };
}

/** Changes where the node listens; all else in the file, comments too, stays as it is. */
export function writeListening(configFile: string, { listen, metrics }: Listening): void {
  const document = parseDocument(readFileSync(configFile, "utf8"));
  const set = (key: string, { host, port }: HostPort) => {
    document.setIn([key, "host"], host);
    document.setIn([key, "port"], port);
  };
  set("listen", listen);
  if (metrics !== undefined) set("metrics", metrics);
  replacePublicFile(configFile, document.toString());
}

export function sameListening(a: WantedListening, b: WantedListening): boolean {
  const textOf = (address: HostPort | undefined) => address && joinHostPort(address);
  return textOf(a.listen) === textOf(b.listen) && textOf(a.metrics) === textOf(b.metrics);
}
