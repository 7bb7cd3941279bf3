/** `bss history`: every version of a record. */
import type { Command } from "commander";
import type { LedgerRecord } from "../../client/verify/answers.js";
import { addProfileOption, withClient } from "../client-session.js";
import { type HashArgument, hashForms, parseHashArgument, wholeHash } from "./hash-argument.js";
import { recordJson, recordTable } from "./record-view.js";

export function register(program: Command): void {
  const command = program
    .command("history")
    .summary("show every version of a record")
    .description("Shows every version of a record, oldest first, by the hash of any of them.")
    .argument("<hash>", `the record hash of any version: ${hashForms}`, parseHashArgument)
    .action((argument: HashArgument, _options: object, self: Command) =>
      withClient(self, async (client, output) => {
        const hash = await wholeHash(client, argument);
        const versions: LedgerRecord[] = [];
        for await (const version of client.listRecordHistory(hash)) {
          if (output.json) output.result(recordJson(version), String);
          else versions.push(version);
        }
        output.lines(recordTable(versions));
        if (versions.some(({ content }) => content === undefined)) {
          output.note("this profile may not read the record, so its other versions are not shown");
        }
      }),
    );
  addProfileOption(command);
}
