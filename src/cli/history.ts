/** `bss history`: every version of a record. */
import type { Command } from "commander";
import { parseHash, withClient } from "./client-session.js";
import { addProfileOption } from "./profile.js";
import { recordJson, recordTable } from "./record-view.js";

export function register(program: Command): void {
  const command = program
    .command("history")
    .summary("show every version of a record")
    .description("Shows every version of a record, oldest first, by the hash of any of them.")
    .argument("<hash>", "the record hash of any version, 64 hex digits", parseHash)
    .action((hash: Uint8Array, _options: object, self: Command) =>
      withClient(self, async (client, output) => {
        const versions = await client.getRecordHistory(hash);
        if (output.json) for (const version of versions) output.result(recordJson(version), String);
        else output.line(recordTable(versions));
      }),
    );
  addProfileOption(command);
}
