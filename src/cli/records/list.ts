/** `bss list`: records by participant or meter. */
import type { Command } from "commander";
import type { RecordQuery } from "../../client/bss-client.js";
import type { LedgerRecord } from "../../client/verify/answers.js";
import { parseCount, parseTime } from "../arguments.js";
import { addProfileOption, withClient } from "../client-session.js";
import { CliError, exitCodes } from "../text/cli-error.js";
import { formatTime } from "../text/output.js";
import { recordJson, recordTable } from "./record-view.js";

type Options = {
  readonly participant?: string;
  readonly meter?: string;
  readonly from?: number;
  readonly to?: number;
  readonly limit: number;
};

const limitDefault = 100;
const pageSizeMax = 1000;

export function register(program: Command): void {
  const command = program
    .command("list")
    .summary("list records by participant or meter")
    .description(
      "Lists records by participant (default: the one of the profile) or by meter, ascending by " +
        "time. Auditors and operators can list the records of every participant, without content.",
    )
    .option(
      "--participant <id>",
      "list the records of this participant, and the trades in which it bought",
    )
    .option("--meter <id>", "list the records of this meter")
    .option(
      "--from <time>",
      "record time, inclusive: Unix seconds, a date (its midnight in UTC), or ISO 8601 with a " +
        "time zone",
      parseTime,
    )
    .option("--to <time>", "record time, exclusive", parseTime)
    .option("--limit <n>", "list at most this many", parseCount, limitDefault)
    .action((options: Options, self: Command) =>
      withClient(self, async (client, output) => {
        const query = queryOf(options, client.profile.id);
        const records: LedgerRecord[] = [];
        let more = false;
        for await (const record of client.listRecords(query)) {
          more = records.length === options.limit;
          if (more) break;
          records.push(record);
          if (output.json) output.result(recordJson(record), String);
        }
        output.lines(records.length === 0 ? "no records" : recordTable(records));
        if (more)
          output.note(`there are more records than ${options.limit}; --limit shows more of them`);
      }),
    );
  addProfileOption(command);
}

function queryOf({ participant, meter, from, to, limit }: Options, ownId: string): RecordQuery {
  if (participant !== undefined && meter !== undefined) {
    const what = "--participant and --meter cannot be given together";
    throw new CliError(what, "give one of them", { exitCode: exitCodes.usage });
  }
  if (to !== undefined && to <= (from ?? 0)) {
    const what = `--to (${formatTime(to)}) is not after --from (${formatTime(from ?? 0)})`;
    throw new CliError(what, "give a later --to", { exitCode: exitCodes.usage });
  }
  return {
    ...(meter === undefined ? { participantId: participant ?? ownId } : { meterId: meter }),
    ...(from === undefined ? {} : { fromMs: from }),
    ...(to === undefined ? {} : { toMs: to }),
    // One more than asked for, to know whether there are more.
    pageSize: Math.min(limit + 1, pageSizeMax),
  };
}
