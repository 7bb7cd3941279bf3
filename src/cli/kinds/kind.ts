/**
 * What the command line knows of a kind of record: how `bss submit` reads such records from a file,
 * and how commands show them. Each kind has one file in this directory, and one line in kinds.ts.
 */
import type { RegisteredMeters } from "../sending/registered-meters.js";
import type { Cells } from "../submit/input/cell-values.js";
import type { Cell } from "../text/output.js";

/** `Message` is what the schema calls the content of such a record. */
export type CliKind<Message> = {
  /** What `--kind` and results call a file of such records: "meter-readings". */
  readonly inputName: string;
  /** One of them, in results: "meter reading". */
  readonly noun: string;
  /** Whether `bss submit` reads such records from a file; if not, `bss import` makes them. */
  readonly isSubmitted: boolean;
  /** How a row of a CSV file becomes one; undefined when a file as a whole does. */
  readonly rows: RowKind | undefined;
  /** Whether this machine's clock gives the time of a record when its file names none. */
  readonly isTimedByClock: boolean;
  /** What it says, in a line of a table. */
  summary(message: Message): string;
  /** All of it: names as in the schema; energies and times as numbers, which their bounds allow. */
  fields(message: Message): readonly Field[];
  /** The same for `--json`, of a kind for which that is more than `fields`. */
  json?(message: Message): object;
};

/** Its unit, at the end of the name, stands behind the value for people. */
export type Field = readonly [name: string, value: Cell];

export type RowContext = {
  /** 32 bytes. */
  readonly consortiumId: Uint8Array;
  readonly meters: Pick<RegisteredMeters, "find">;
  /** Who submits, and owns the records of rows that name no owner. */
  readonly submitterId: string;
  /** Seeds of those whose profiles are at hand, by participant id: they can sign trades. */
  readonly signingSeeds: ReadonlyMap<string, Uint8Array>;
  /** Unix ms: the time of trades that give none. */
  readonly nowMs: number;
};

/** How a row becomes a record. */
export type RowKind = {
  /** The fields of a row, line by line, for the help of `bss submit`; optional ones after ";". */
  readonly help: readonly string[];
  /** By field: the names under which a column is taken for it. */
  readonly columns: Readonly<Record<string, readonly string[]>>;
  /** Fields that hold times. */
  readonly times: readonly string[];
  /** Groups of fields of which each is another way to give the same value. */
  readonly alternatives: readonly (readonly string[])[];
  /** Fields whose columns may be added up. */
  readonly summable: readonly string[];
  /** Names of columns that do not tell which of the fields they hold, so that the caller must. */
  readonly ambiguous: { readonly names: readonly string[]; readonly fields: readonly string[] };
  /** Groups of fields: of each, one has to be given, by a column or by --set. */
  readonly required: readonly (readonly string[])[];
  /** The exact bytes of the row's record. Throws `RowProblem`. */
  readonly build: (cells: Cells, context: RowContext) => Uint8Array;
  /**
   * Makes a record again that was refused for something that this machine, not the row, had put
   * into it: a time by a wrong clock, a signature by a wrong key. Undefined when everything in it
   * comes from the row.
   */
  readonly rebuild?: (
    record: Uint8Array,
    cells: Cells,
    context: RowContext,
  ) => Uint8Array | undefined;
};

/** Fields and names of columns that kinds have in common; every kind has `sharedColumns`. */
export const sharedColumns = { parent: ["parent"], recorded_at: ["recorded_at"] };
export const ownerColumns = ["owner", "owner_id", "participant", "participant_id"];
export const unclearTimes = ["timestamp", "time", "datetime", "date_time", "date"];
export const energyFields = ["energy_wh", "energy_kwh"];
export const energyColumns = { energy_wh: ["energy_wh"], energy_kwh: ["energy_kwh"] };

/** Owner, parent and time: what every kind has. */
export function partsOf(cells: Cells, { submitterId }: RowContext) {
  return {
    ownerId: cells.idOr("owner", submitterId),
    ...(cells.has("parent") ? { parent: cells.bytes("parent", 32) } : {}),
    ...(cells.has("recorded_at") ? { timeMs: cells.timeMs("recorded_at") } : {}),
  };
}
