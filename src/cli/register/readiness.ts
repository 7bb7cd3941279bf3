/** What must be in order on this machine before an invitation is spent. */
import { accessSync, constants, existsSync, statfsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { InvitationFile } from "../../config/invitation-file.js";
import { readTerms } from "../../rpc/tls/certificate.js";
import { CliError } from "../text/cli-error.js";
import { formatTime } from "../text/output.js";

/** A store that is empty and its log; a chain soon takes more. */
const spaceBytesMin = 100 * 1024 * 1024;

/**
 * Throws `CliError` when the invitation in the file called `name` does not serve by this machine's
 * clock, or the clock cannot be right. The certificate in the file expires as the invitation does,
 * so no manager would answer why.
 */
export function refuseOutOfTime(
  name: string,
  { invitation, tls }: Pick<InvitationFile, "invitation" | "tls">,
  nowMs = Date.now(),
): void {
  const now = `this machine's clock says ${formatTime(nowMs)}`;
  const untilMs = Number(invitation.expiresAtUnixMs);
  if (untilMs <= nowMs) {
    const what = `${name} has expired at ${formatTime(untilMs)} [INVITATION_EXPIRED]; ${now}`;
    throw new CliError(what, "ask its operator for another one");
  }
  const fromMs = readTerms(tls.certPem)?.fromMs ?? 0;
  if (fromMs <= nowMs) return;
  const what = `${now}, and ${name} was made after ${formatTime(fromMs)}`;
  throw new CliError(what, "set the clock, and run it again");
}

/**
 * Throws when a node's directory, which may not exist yet, has no room or cannot be written;
 * `spaceMin` in bytes.
 */
export function refuseNoRoom(directory: string, spaceMin = spaceBytesMin): void {
  const existing = nearestExisting(directory);
  const data = join(directory, "data");
  for (const path of existsSync(data) ? [existing, data] : [existing]) {
    accessSync(path, constants.W_OK | constants.X_OK);
  }
  const { bavail, bsize } = statfsSync(existing);
  const free = bavail * bsize;
  if (free >= spaceMin) return;
  const [freeMib, minMib] = [free, spaceMin].map((bytes) => Math.floor(bytes / 1024 ** 2));
  const what = `${existing} has ${freeMib} MiB left, and a node begins with ${minMib} MiB`;
  throw new CliError(what, "free some space, or give another --dir");
}

function nearestExisting(path: string): string {
  return existsSync(path) ? path : nearestExisting(dirname(path));
}
