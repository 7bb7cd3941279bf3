/** `bss import detect`: proposes a mapping file for a CSV file. It sends nothing. */
import type { Command } from "commander";
import { stringify } from "yaml";
import { type Finding, guessMapping } from "../../energy-files/csv/mapping-guess.js";
import { fileFormats } from "../../energy-files/readers.js";
import { findInput } from "../sending/input.js";
import { CliError } from "../text/cli-error.js";
import { type Output, outputOf } from "../text/output.js";
import { formatOf } from "./file-format.js";

const beginningBytes = 256 * 1024;

export function addDetect(command: Command): void {
  command
    .command("detect")
    .summary("propose a mapping file for a CSV file; sends nothing")
    .description(
      "Prints a mapping file (YAML) for the CSV file, by what stands at its beginning. Comments " +
        "say what is sure, likely or open: check them before 'bss import --mapping'.",
    )
    .argument("<file>", "the file; - reads from stdin")
    .action((file: string, _options: object, self: Command) => detect(file, outputOf(self)));
}

export async function detect(file: string, output: Output): Promise<void> {
  const place = findInput(file);
  const input = await place.open(new AbortController().signal);
  try {
    const format = formatOf(input);
    const known = fileFormats[format];
    if (known !== undefined) {
      output.result({ format, findings: [] }, () => `# ${known.title}: it needs no mapping`);
      return;
    }
    const beginning = input.readBeginning(beginningBytes);
    refuseWithoutRows(place.label, beginning);
    const findings = guessMapping(beginning, input.bytes <= beginningBytes);
    output.result({ format, findings }, () => proposal(place.label, findings));
  } finally {
    input.close();
  }
}

/** Columns are guessed by what stands in them. */
function refuseWithoutRows(label: string, beginning: Uint8Array): void {
  const lines = Buffer.from(beginning)
    .toString("latin1")
    .split(/[\r\n]+/);
  if (lines.filter((line) => line.trim() !== "").length > 1) return;
  const what = beginning.length === 0 ? "is empty" : "has one line, and no rows below it";
  throw new CliError(`${label} ${what}`, "give a file with some rows");
}

/** The mapping file, with comments. */
export function proposal(label: string, findings: readonly Finding[]): string {
  const parts = findings.map(({ key, value, certainty, why }) => {
    const text = stringify({ [key]: value }, { lineWidth: 0 }).trimEnd();
    const shown = certainty === "open" ? text.replaceAll(/^/gm, "# ") : text;
    const open = key === "time" && lacksStamp(value) ? "\n#   stamp: start # or end" : "";
    return `# ${certainty}: ${why}\n${shown}${open}`;
  });
  const intro = `# What 'bss import detect' makes of the beginning of ${label}. Check it.`;
  return [intro, ...parts, namesOf(findings)].join("\n");
}

/** Whether a person has to say which end of the interval the times are. */
function lacksStamp(time: unknown): boolean {
  return typeof time === "object" && time !== null && !("stamp" in time);
}

/** Where the ids of the ledger go, if the file has names of its own. */
function namesOf(findings: readonly Finding[]): string {
  const has = (key: string) => findings.some((finding) => finding.key === key);
  const names = (things: string, key: string) =>
    `# Names of the file that are not the ids of their ${things}:\n# ${key}:\n#   NAME: id`;
  if (has("sessions")) return names("charging stations", "stations");
  const columns = columnNames(findings.find(({ key }) => key === "values"));
  if (has("meter_column") || columns.length === 0) return names("meters", "meters");
  const lines = columns.map((name) => `#   ${JSON.stringify(name)}: ID`);
  const why = "no column says whose values these are: give the meter's id for each column";
  return [`# open: ${why}`, "# meters:", ...lines].join("\n");
}

function columnNames(values: Finding | undefined): readonly string[] {
  if (values === undefined || values.certainty === "open" || !Array.isArray(values.value))
    return [];
  return values.value.map(({ column }: { readonly column: string }) => column);
}
