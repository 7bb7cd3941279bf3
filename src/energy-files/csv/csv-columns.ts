/** Which columns of a CSV file a mapping means, by the names in its header. */
import { FileUnreadable } from "../file-values.js";
import type { CsvMapping, IntervalContent, ValueColumn } from "./csv-mapping.js";

/** Columns that are named, by name; what nothing names is ignored. */
export class CsvColumns {
  readonly names: readonly string[];
  readonly #indexes = new Map<string, number>();

  /** Throws `FileUnreadable` for a header that does not have what the mapping names, once each. */
  constructor(header: readonly string[], mapping: CsvMapping) {
    this.names = mapping.headerLine === 0 ? header.map((_, index) => String(index + 1)) : header;
    for (const name of namedColumns(mapping)) {
      const index = this.names.indexOf(name);
      if (index < 0) throw noColumn(name, this.names, mapping.headerLine);
      if (this.names.lastIndexOf(name) !== index) {
        throw new FileUnreadable(
          `two columns are called ${JSON.stringify(name)}`,
          "rename one of them",
        );
      }
      this.#indexes.set(name, index);
    }
  }

  /** The cell of a column that the mapping names. */
  cell(cells: readonly string[], name: string): string {
    return cells[this.#indexes.get(name) ?? -1] ?? "";
  }

  /** The value columns, with one of its own for each column that "*" stands for. */
  valueColumns(content: IntervalContent): readonly ValueColumn[] {
    return content.values.flatMap((value) => {
      if (!value.columns.includes("*")) return [value];
      const others = this.names.filter((name) => name !== "" && !this.#indexes.has(name));
      for (const name of others) this.#indexes.set(name, this.names.indexOf(name));
      return others.map((name) => ({ ...value, columns: [name] }));
    });
  }
}

function namedColumns({ content }: CsvMapping): readonly string[] {
  if (content.kind === "sessions") {
    const { stationColumn, sessionColumn, ownerColumn, startColumn, endColumn } = content;
    const owner = ownerColumn === undefined ? [] : [ownerColumn];
    return [stationColumn, sessionColumn, ...owner, startColumn, endColumn, content.energyColumn];
  }
  const { time, meterColumn, quality, values } = content;
  const named = [...time.columns, ...values.flatMap(({ columns }) => columns)];
  if (meterColumn !== undefined) named.push(meterColumn);
  if (quality !== undefined) named.push(quality.column);
  return [...new Set(named)].filter((name) => name !== "*");
}

function noColumn(name: string, names: readonly string[], headerLine: number): FileUnreadable {
  const shown = names.filter((each) => each !== "").join(", ");
  return new FileUnreadable(
    `there is no column ${JSON.stringify(name)} in line ${Math.max(1, headerLine)} ` +
      `(its columns: ${shown.length > 300 ? `${shown.slice(0, 300)}…` : shown})`,
    "correct the mapping's delimiter, header_line or name of the column",
  );
}
