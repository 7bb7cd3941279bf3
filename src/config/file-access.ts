/**
 * Who else on the machine may touch what a node or a command uses.
 *
 * A secret that others can read is not one, so such a file is refused instead of used. The rule is
 * PostgreSQL's for its server key: a file of our own user gives nobody else any access; one of root
 * may be read by a group (0440, 0640), because that is how service managers hand secrets to a user
 * without owning them: credentials of systemd, secrets of Docker and Kubernetes. What is no secret
 * may be read by anybody and written by our user, root or their groups: whoever writes it decides
 * whom the node trusts.
 *
 * A node's own directories give others no access, and their group no writing: RocksDB's files in
 * them are protected by the directory alone.
 */
import { type Stats, statSync } from "node:fs";
import { dirname } from "node:path";
import { fileError } from "./config-error.js";

const stickyBit = 0o1000;
const writableByOthers = 0o002;

/** Undefined on Windows, which has no such modes: there, access lists protect the files. */
function ownUser(): number | undefined {
  return process.getuid?.();
}

/** Checks an opened file, so that it cannot be exchanged afterwards. @throws ConfigError */
export function checkSecret(file: string, stats: Stats): void {
  const user = ownUser();
  if (user === undefined) return;
  checkOwner(file, "secret", stats, user);
  const isOwn = stats.uid === user;
  const forbidden = isOwn ? 0o077 : 0o037;
  if ((stats.mode & forbidden) !== 0) {
    const what = `this secret can be read by others (mode ${modeText(stats)})`;
    throw fileError(file, what, `run chmod ${isOwn ? 600 : 640} ${file}`);
  }
  const directory = dirname(file);
  const around = statSync(directory);
  // Where the sticky bit is set, as on a secret's mount in Kubernetes, others replace no file.
  if ((around.mode & writableByOthers) !== 0 && (around.mode & stickyBit) === 0) {
    const what = `everybody can write to this directory of secrets (mode ${modeText(around)})`;
    throw fileError(directory, what, `run chmod 700 ${directory}`);
  }
}

/** Checks a file that is no secret but says whom and what to trust. @throws ConfigError */
export function checkUnaltered(file: string, stats: Stats): void {
  if (ownUser() === undefined || (stats.mode & writableByOthers) === 0) return;
  const what = `everybody can write to this file (mode ${modeText(stats)})`;
  throw fileError(file, what, `check whether somebody has changed it, then run chmod 644 ${file}`);
}

/** Checks the directories that a node writes to, if they exist. @throws ConfigError */
export function checkNodeDirectories(config: {
  readonly dataDirectory: string;
  readonly signerStateDirectory: string;
}): void {
  for (const directory of [config.dataDirectory, config.signerStateDirectory]) {
    const stats = statSync(directory, { throwIfNoEntry: false });
    const user = ownUser();
    if (stats?.isDirectory() === false) {
      throw fileError(directory, "this is no directory", "check the path in config.yaml");
    }
    if (stats === undefined || user === undefined) continue;
    checkOwner(directory, "directory of the node", stats, user);
    if ((stats.mode & 0o027) === 0) continue;
    const what = `others can use this directory of the node (mode ${modeText(stats)})`;
    throw fileError(directory, what, `run chmod 700 ${directory}`);
  }
}

function checkOwner(file: string, kind: string, { uid }: Stats, user: number): void {
  if (uid === user || uid === 0) return;
  const what = `this ${kind} belongs to another user (${uid})`;
  throw fileError(file, what, "give it with chown to the user that runs bss");
}

function modeText({ mode }: Stats): string {
  return (mode & 0o777).toString(8).padStart(4, "0");
}
