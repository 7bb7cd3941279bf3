/**
 * A consortium laid out as deploy/systemd does it: configuration, keys and certificates where the
 * nodes can write nothing, and one directory of data and one of signer state for each node.
 *
 * Where the tests run as root, nodes run as nobody, as a mode stops everybody but root.
 */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { reissueCertificate } from "../../src/pki/certificate-authority.js";
import { readInitAuthority } from "./init-authority.js";

const nobody = 65_534;

export type Sandboxed = {
  readonly role: "manager" | "storage";
  readonly id: string;
  readonly configFile: string;
  /** Written by its operator only. */
  readonly certificateFile: string;
  readonly dataDirectory: string;
  readonly renewedCertificateFile: string;
  readonly metricsPort: number;
};

/** Who runs the nodes; undefined for whoever runs the tests. */
export function nodeUser(mainFile: string): number | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const as = { uid: nobody, gid: nobody };
  const tried = spawnSync(process.execPath, [mainFile, "--version"], { ...as, cwd: "/" });
  return tried.status === 0 ? nobody : undefined;
}

/**
 * Copies the nodes of a directory that `bss init` made. Their certificates are those of an operator
 * who has put them in place a while ago: they live for `lifetimeMs` from `issuedMs` on.
 */
export async function sandbox(
  parent: string,
  directory: string,
  certificates: { readonly issuedMs: number; readonly lifetimeMs: number },
  user: number | undefined,
): Promise<readonly Sandboxed[]> {
  const authority = await readInitAuthority(directory, "manager-1");
  const nodes: Sandboxed[] = [];
  for (const [kind, role] of [
    ["managers", "manager"],
    ["storage", "storage"],
  ] as const) {
    for (const id of readdirSync(join(directory, kind))) {
      const from = join(directory, kind, id);
      const etc = join(parent, "etc", id);
      cpSync(from, etc, { recursive: true });
      rmSync(join(etc, "data"), { recursive: true });
      for (const name of ["genesis.json", "ca-bundle.pem"]) {
        cpSync(join(directory, name), join(etc, name));
      }
      const certificateFile = join(etc, "tls.crt");
      const { issuedMs: nowMs, lifetimeMs } = certificates;
      const subject = { role, id, nowMs, lifetimeMs };
      const former = readFileSync(certificateFile, "latin1");
      writeFileSync(certificateFile, await reissueCertificate(authority, former, subject));
      const dataDirectory = join(parent, "var", "data", id);
      const state = join(parent, "var", "signer", id);
      const configFile = join(etc, "config.yaml");
      const config = readFileSync(configFile, "utf8")
        .replaceAll("../../", "")
        .replace(
          "data_directory: data",
          `data_directory: ${dataDirectory}\nsigner_state: ${state}`,
        );
      writeFileSync(configFile, config);
      for (const path of [dataDirectory, state]) makeOwn(path, user);
      makeReadOnly(etc, user);
      const metricsPort = Number(/metrics:\n.*\n +port: (\d+)/.exec(config)?.[1]);
      const files = { configFile, certificateFile, dataDirectory };
      const renewedCertificateFile = join(state, "renewed-tls.crt");
      nodes.push({ role, id, ...files, renewedCertificateFile, metricsPort });
    }
  }
  return nodes;
}

function makeOwn(path: string, user: number | undefined): void {
  mkdirSync(path, { recursive: true });
  chmodSync(path, 0o700);
  if (user !== undefined) chownSync(path, user, user);
}

/** Keys as service managers hand them over: root's, and the node's group may read them. */
function makeReadOnly(directory: string, user: number | undefined): void {
  for (const name of readdirSync(directory)) {
    const file = join(directory, name);
    const isSecret = /\.(key|wrap)$/.test(name);
    if (user !== undefined) chownSync(file, 0, user);
    if (isSecret) chmodSync(file, user === undefined ? 0o400 : 0o440);
    else chmodSync(file, 0o444);
  }
  chmodSync(directory, 0o555);
}
