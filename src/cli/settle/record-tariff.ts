/** `bss settle tariff`: a tariff onto the ledger, after it was checked. */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import type { Command } from "commander";
import { toHex } from "../../base/bytes.js";
import type { BssClient } from "../../client/bss-client.js";
import { tariffTerms } from "../../settlement/statement.js";
import { parseTariff, type Tariff, tariffMediaType } from "../../settlement/tariff.js";
import { refuseDirectory } from "../arguments.js";
import { withClient } from "../client-session.js";
import { CliError } from "../text/cli-error.js";
import { formatBytes } from "../text/output.js";
import { recorderOf } from "./reading.js";
import { longestContent, recordOnce } from "./recording.js";

export function registerTariff(settle: Command): void {
  settle
    .command("tariff")
    .summary("check a tariff and put it on the ledger")
    .description(
      "Checks a tariff (JSON, see docs/settlement.md) and puts it on the ledger as a document of " +
        "the profile's participant. All participants of the consortium can read it there.",
    )
    .argument("<file>", "the tariff")
    .action((file: string) =>
      withClient(settle, async (client, output) => {
        recorderOf(client, settle);
        const content = readTariff(file);
        const tariff = parseTariff(content);
        if (!tariff.ok) {
          throw new CliError(`${file} is no tariff: ${tariff.error}`, "correct it and try again");
        }
        refuseUseless(file, tariff.value, client);
        const bytesMax = longestContent(client);
        if (content.length > bytesMax) {
          const [has, holds] = [formatBytes(content.length), formatBytes(bytesMax)];
          const what = `${file} has ${has}, and a record of this consortium holds ${holds}`;
          throw new CliError(what, "make tariffs of shorter periods");
        }
        const parts = { mediaType: tariffMediaType, name: basename(file), content };
        const { hash, height, isNew } = await recordOnce(client, parts);
        const value = { tariff: toHex(hash), height, recorded_before: !isNew };
        const before = isNew ? "" : ", where it has been; nothing new was recorded";
        output.result(value, () => `tariff ${toHex(hash)} in block ${height}${before}`);
      }),
    );
}

/** A record stays for good, so a tariff at which nothing can be settled is refused before. */
function refuseUseless(file: string, tariff: Tariff, { genesis }: BssClient): void {
  const terms = tariffTerms(tariff, genesis.policy);
  if (terms.ok) return;
  throw new CliError(
    `${file} is no tariff of this consortium: ${terms.error}`,
    "correct it; 'bss consortium' shows the currency; nothing was recorded",
  );
}

function readTariff(file: string): Uint8Array {
  refuseDirectory(file);
  try {
    return readFileSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    throw new CliError(`${file} does not exist`, "check the path");
  }
}
