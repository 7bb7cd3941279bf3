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

/** Windows has no such modes; there the access list of the directory protects its files. */
function ownUser(): number | undefined {
  return process.getuid?.();
}

/** Of an opened file, so that it cannot be exchanged after it. @throws ConfigError */
export function checkSecret(file: string, stats: Stats): void {
  const user = ownUser();
  if (user === undefined) return;
  checkOwner(file, "a secret", stats, user);
  const isOwn = stats.uid === user;
  const forbidden = isOwn ? 0o077 : 0o037;
  if ((stats.mode & forbidden) !== 0) {
    const what = `a secret that others can read (mode ${modeText(stats)})`;
    throw fileError(file, what, `chmod ${isOwn ? 600 : 640} ${file}`);
  }
  const directory = dirname(file);
  const around = statSync(directory);
  // Where the sticky bit is set, as on a secret's mount in Kubernetes, others replace no file.
  if ((around.mode & writableByOthers) !== 0 && (around.mode & stickyBit) === 0) {
    const what = `a directory of secrets that everybody can write to (mode ${modeText(around)})`;
    throw fileError(directory, what, `chmod 700 ${directory}`);
  }
}

/** Of a file that says whom and what to trust, and is no secret. @throws ConfigError */
export function checkUnaltered(file: string, stats: Stats): void {
  if (ownUser() === undefined || (stats.mode & writableByOthers) === 0) return;
  const what = `a file that everybody can write to (mode ${modeText(stats)})`;
  throw fileError(file, what, `look who changed it, and chmod 644 ${file}`);
}

/** The directories that a node writes to, as far as they exist. @throws ConfigError */
export function checkNodeDirectories(config: {
  readonly dataDirectory: string;
  readonly signerStateDirectory: string;
}): void {
  for (const directory of [config.dataDirectory, config.signerStateDirectory]) {
    const stats = statSync(directory, { throwIfNoEntry: false });
    const user = ownUser();
    if (stats === undefined || user === undefined) continue;
    checkOwner(directory, "a directory of the node", stats, user);
    if ((stats.mode & 0o027) === 0) continue;
    const what = `a directory of the node that others can use (mode ${modeText(stats)})`;
    throw fileError(directory, what, `chmod 700 ${directory}`);
  }
}

function checkOwner(file: string, kind: string, { uid }: Stats, user: number): void {
  if (uid === user || uid === 0) return;
  const what = `${kind} that belongs to another user (${uid})`;
  throw fileError(file, what, "chown it to the user that runs bss");
}

function modeText({ mode }: Stats): string {
  return (mode & 0o777).toString(8).padStart(4, "0");
}
