/** From a file and the options of `bss submit` to what is to become records. */
import type { BssClient } from "../../client/client.js";
import { clientProfile } from "../../client/profile.js";
import { loadProfile } from "../../config/profile.js";
import { csvRows } from "./csv-rows.js";
import { documentRow } from "./document-row.js";
import type { Progress } from "./progress.js";
import { type RowContext, type RowKindName, rowKinds } from "./row-kinds.js";
import { RowProblem } from "./row-problem.js";
import type { InputRow } from "./submit-run.js";

export type InputKind = RowKindName | "document";

/** As commander names the options of the command line. */
export type InputOptions = {
  /** Field by column. */
  readonly column: ReadonlyMap<string, string>;
  /** Text by field. */
  readonly set: ReadonlyMap<string, string>;
  readonly counterpartyProfile: readonly string[];
  readonly delimiter: string;
  readonly mediaType?: string;
  readonly name?: string;
  /** 32 bytes. */
  readonly updates?: Uint8Array;
};

export function inputRows(
  file: string,
  kind: InputKind,
  options: InputOptions,
  client: BssClient,
  progress: Progress,
): AsyncIterable<InputRow> {
  if (kind === "document") return oneDocument(file, options, client);
  return rowsOf(file, kind, options, client, progress);
}

async function* oneDocument(
  file: string,
  { mediaType, name, updates }: InputOptions,
  client: BssClient,
): AsyncGenerator<InputRow> {
  yield documentRow(file, {
    ownerId: client.profile.id,
    ...(mediaType === undefined ? {} : { mediaType }),
    ...(name === undefined ? {} : { name }),
    ...(updates === undefined ? {} : { parent: updates }),
    recordBytesMax: client.genesis.policy.recordBytesMax,
    nowMs: Date.now(),
  });
}

async function* rowsOf(
  file: string,
  kindName: RowKindName,
  options: InputOptions,
  client: BssClient,
  progress: Progress,
): AsyncGenerator<InputRow> {
  const kind = rowKinds[kindName];
  const context = contextOf(options, client);
  const { column: columns, set: constants, delimiter } = options;
  const onIgnored = (ignored: readonly string[]) =>
    progress.note(`bss: columns that are not used: ${ignored.join(", ")}`);
  let rows = 0;
  const csvOptions = { kind, columns, constants, delimiter, onIgnored };
  for await (const { line, cells } of csvRows(file, csvOptions)) {
    rows += 1;
    if (cells instanceof RowProblem) yield { line, problem: cells };
    else {
      const identity = [kindName, context.submitterId, cells.identity];
      yield { line, identity, build: () => kind.build(cells, context) };
    }
  }
  progress.grow(rows);
}

function contextOf({ counterpartyProfile }: InputOptions, client: BssClient): RowContext {
  const { profile, genesis } = client;
  const signingSeeds = new Map([[profile.id, profile.signingSeed]]);
  for (const file of counterpartyProfile) {
    const { id, signingSeed } = clientProfile(loadProfile(file));
    signingSeeds.set(id, signingSeed);
  }
  return { genesis, submitterId: profile.id, signingSeeds, nowMs: Date.now() };
}
