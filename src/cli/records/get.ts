/** `bss get`: one record. */

import { writeFileSync } from "node:fs";
import { type Command, Option } from "commander";
import { addProfileOption, withClient } from "../client-session.js";
import { CliError } from "../text/cli-error.js";
import { type HashArgument, hashForms, parseHashArgument, wholeHash } from "./hash-argument.js";
import { recordFields, recordJson } from "./record-view.js";

type Options = { readonly bytes?: string; readonly content?: string };

export function register(program: Command): void {
  const command = program
    .command("get")
    .summary("read a record")
    .description(
      "Reads a record by its hash. Only its owner and its parties see the content, which is " +
        "checked against the hash. Block and position are what the manager says; 'bss receipt' " +
        "proves them.",
    )
    .argument("<hash>", `the record hash: ${hashForms}`, parseHashArgument)
    .addOption(
      new Option("--bytes <file>", "write the record's exact bytes, for 'bss verify --record'"),
    )
    .addOption(new Option("--content <file>", "write the content of a document"))
    .action((argument: HashArgument, options: Options, self: Command) =>
      withClient(self, async (client, output) => {
        const hash = await wholeHash(client, argument);
        const record = await client.getRecord(hash);
        if (options.bytes !== undefined) {
          writeNew(options.bytes, visible(record.content).bytes);
        }
        if (options.content !== undefined) {
          const { payload } = visible(record.content).record;
          if (payload.case !== "document") {
            throw new CliError("the record is not a document", "use --bytes for its exact bytes");
          }
          writeNew(options.content, payload.value.content);
        }
        output.result(recordJson(record), () => recordFields(record));
      }),
    );
  addProfileOption(command);
}

function visible<T>(content: T | undefined): T {
  if (content !== undefined) return content;
  const next = "use the profile of its owner or of a party";
  throw new CliError("this profile may not see the content of the record", next);
}

function writeNew(file: string, bytes: Uint8Array): void {
  try {
    writeFileSync(file, bytes, { flag: "wx" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    throw new CliError(`${file} exists already`, "give the name of a new file");
  }
}
