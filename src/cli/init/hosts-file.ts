/**
 * `--hosts FILE`: where the nodes are to run when it is not this machine.
 *
 *     manager-1: grid-a.example.org        # the port is the one that loopback would use
 *     manager-2: 10.0.0.2:7400
 *     storage-1: pc-17.example.org         # optional: storage nodes dial, nobody has to dial them
 */
import * as z from "zod";
import * as field from "../../config/fields.js";
import { readYamlFile } from "../../config/yaml-file.js";

const expected = "a host name or an IP address, with :port or without";

export type NodeHost = { readonly host: string; readonly port?: number };

/** Reads a hosts file; every manager must be in it. Throws `ConfigError`. */
export function readHostsFile(
  file: string,
  nodes: { readonly managerIds: readonly string[]; readonly storageIds: readonly string[] },
): ReadonlyMap<string, NodeHost> {
  const host = z
    .string({ error: expected })
    .refine((text) => parseHost(text) !== undefined, { error: expected });
  const schema = field.mapping({
    ...Object.fromEntries(nodes.managerIds.map((id) => [id, host])),
    ...Object.fromEntries(nodes.storageIds.map((id) => [id, host.optional()])),
  });
  const hosts = new Map<string, NodeHost>();
  for (const [id, text] of Object.entries(readYamlFile(file, schema))) {
    const parsed = text === undefined ? undefined : parseHost(text);
    if (parsed !== undefined) hosts.set(id, parsed);
  }
  return hosts;
}

function parseHost(text: string): NodeHost | undefined {
  return field.isHost(text) ? { host: text } : field.splitHostPort(text);
}
