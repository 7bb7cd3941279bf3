/** Turns the input and the options of `bss submit` into the rows that become records. */

import { InvalidArgumentError } from "commander";
import type { BssClient } from "../../../client/bss-client.js";
import { cosigner } from "../../../client/client-profile.js";
import { loadProfile } from "../../../config/profile.js";
import { type TimeZone, timeZoneOf } from "../../../energy-files/time-zone.js";
import type { RowContext } from "../../kinds/kind.js";
import type { AnyCliKind } from "../../kinds/kinds.js";
import type { Input } from "../../sending/input.js";
import type { RegisteredMeters } from "../../sending/registered-meters.js";
import { RowProblem } from "../../sending/row-problem.js";
import type { InputRow } from "../../sending/send-run.js";
import type { ColumnMapping } from "./csv-header.js";
import { type CsvOptions, csvRows, surveyRows } from "./csv-rows.js";
import { documentRow } from "./document-row.js";

/** The options of the command line, named as commander names them. */
export type InputOptions = {
  readonly column: readonly ColumnMapping[];
  /** Fields whose columns are added up. */
  readonly sum: readonly string[];
  /** Text by field. */
  readonly set: ReadonlyMap<string, string>;
  readonly zone?: TimeZone;
  readonly counterpartyProfile: readonly string[];
  readonly delimiter: string;
  readonly mediaType?: string;
  readonly name?: string;
  /** 32 bytes. */
  readonly updates?: Uint8Array;
};

type InputContext = {
  readonly client: BssClient;
  /** Documents have none. */
  readonly meters: () => RegisteredMeters;
  readonly note: (text: string) => void;
};

type InputRows = { readonly count: number; readonly rows: AsyncIterable<InputRow> };

/**
 * Looks at the whole input, and gives its rows. Throws `CliError` for an input that does not fit;
 * a single row that does not is given as a problem.
 */
export async function inputRows(
  input: Input,
  { inputName, rows }: AnyCliKind,
  options: InputOptions,
  { client, meters, note }: InputContext,
): Promise<InputRows> {
  if (rows === undefined) return { count: 1, rows: oneDocument(input, options, client) };
  const context = contextOf(options, client, meters());
  const csvOptions: CsvOptions = {
    kind: rows,
    columns: options.column,
    sums: options.sum,
    constants: options.set,
    delimiter: options.delimiter,
    time: { zone: options.zone, nowMs: context.nowMs },
  };
  const count = await surveyRows(input, {
    ...csvOptions,
    onIgnored: (columns) => note(`bss: columns that are not used: ${columns.join(", ")}`),
    onRepeatedHeader: (line) => note(`bss: ${input.label}:${line} says the header again; left out`),
  });
  return { count, rows: rowsOf(input, inputName, csvOptions, context) };
}

async function* oneDocument(
  input: Input,
  { mediaType, name, updates }: InputOptions,
  client: BssClient,
): AsyncGenerator<InputRow> {
  yield documentRow(input, {
    ownerId: client.profile.id,
    ...(mediaType === undefined ? {} : { mediaType }),
    ...(name === undefined ? {} : { name }),
    ...(updates === undefined ? {} : { parent: updates }),
    recordBytesMax: client.genesis.policy.recordBytesMax,
    nowMs: Date.now(),
  });
}

async function* rowsOf(
  input: Input,
  inputName: string,
  options: CsvOptions,
  context: RowContext,
): AsyncGenerator<InputRow> {
  const { build, rebuild } = options.kind;
  for await (const { line, cells } of csvRows(input, options)) {
    if (cells instanceof RowProblem) yield { line, problem: cells };
    else {
      yield {
        line,
        identity: [inputName, context.submitterId, cells.identity],
        build: () => build(cells, context),
        advice: correctionAdvice,
        rebuild: (record) => rebuild?.(record, cells, context),
      };
    }
  }
}

/** What to do if the row was meant to correct what stands. */
function correctionAdvice(reason: string): string | undefined {
  if (reason !== "INTERVAL_OVERLAP" && reason !== "PARENT_NOT_LATEST") return undefined;
  return "to correct that record, give its hash in a column parent";
}

function contextOf(
  { counterpartyProfile }: InputOptions,
  { profile, genesis }: BssClient,
  meters: RegisteredMeters,
): RowContext {
  const signingSeeds = new Map([[profile.id, profile.signingSeed]]);
  for (const file of counterpartyProfile) {
    const { id, signingSeed } = cosigner(loadProfile(file));
    signingSeeds.set(id, signingSeed);
  }
  return {
    consortiumId: genesis.consortiumId,
    meters,
    submitterId: profile.id,
    signingSeeds,
    nowMs: Date.now(),
  };
}

/** Reads `--column NAME=FIELD`. It and the other parsers throw `InvalidArgumentError`. */
export function addColumn(
  text: string,
  before: readonly ColumnMapping[],
): readonly ColumnMapping[] {
  const at = text.lastIndexOf("=");
  if (at < 1) throw new InvalidArgumentError("Use NAME=FIELD, such as 'Zählpunkt=meter'.");
  const [column, field] = [text.slice(0, at), text.slice(at + 1)];
  if (before.some((each) => each.column === column)) {
    throw new InvalidArgumentError(`Name the column ${column} once.`);
  }
  return [...before, { column, field }];
}

/** Reads `--set FIELD=VALUE`. */
export function addConstant(
  text: string,
  before: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("Use FIELD=VALUE, such as interval_s=900.");
  const [field, value] = [text.slice(0, at), text.slice(at + 1).trim()];
  if (before.has(field)) throw new InvalidArgumentError(`Give ${field} once.`);
  return new Map([...before, [field, value]]);
}

export function addText(text: string, before: readonly string[]): readonly string[] {
  return [...before, text];
}

export function parseZone(text: string): TimeZone {
  const zone = timeZoneOf(text);
  if (zone !== undefined) return zone;
  throw new InvalidArgumentError("Use a name such as Europe/Berlin, or an offset such as +01:00.");
}

export function parseDelimiter(text: string): string {
  if (text === "\\t") return "\t";
  if (text !== "") return text;
  throw new InvalidArgumentError("Use one character, such as ';'.");
}
