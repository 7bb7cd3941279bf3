/**
 * The command line as a commander program: the commands of command-list.ts, and what all of them
 * share: `--json`, `--debug`, errors as one line that says what to do next, and exit codes
 * (cli-error.ts).
 */
import { Command, CommanderError } from "commander";
import { printable } from "../base/printable.js";
import { version } from "../base/version.js";
import { commandGroups, nameOf } from "./command-list.js";
import { exitCodes } from "./text/cli-error.js";
import { errorMessage, exitCodeOf } from "./text/error-message.js";

/** Runs one command line (without node and script) and returns the exit code. */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  const program = await createProgram(argv);
  try {
    await program.parseAsync(argv, { from: "user" });
    return exitCodes.success;
  } catch (error) {
    if (error instanceof CommanderError) return reportUsage(error, program, argv);
    const debug = program.opts<{ debug?: boolean }>().debug === true;
    process.stderr.write(`${errorMessage(error, debug)}\n`);
    return exitCodeOf(error);
  }
}

/**
 * The program with the commands whose names are in `argv`; of the others it has what the list of
 * commands shows. Loading all of them takes longer than most of them run.
 */
async function createProgram(argv: readonly string[]): Promise<Command> {
  const program = new Command("bss")
    .description("A consortium ledger node for the Energy Internet (Block Static Storage)")
    .version(version, "-V, --version")
    .option("--json", "print results as JSON, one value per line")
    .option("--debug", "print stack traces of errors")
    .configureHelp({ showGlobalOptions: true })
    .showSuggestionAfterError(true);
  for (const [heading, entries] of Object.entries(commandGroups)) {
    program.commandsGroup(heading);
    for (const entry of entries) {
      if (argv.includes(nameOf(entry))) (await entry.load()).register(program);
      else program.command(entry.usage).summary(entry.summary);
    }
  }
  reportErrorsHere(program);
  return program;
}

/** Makes a command and those below it throw instead of printing and exiting. */
function reportErrorsHere(command: Command): void {
  command.exitOverride().configureOutput({ outputError: () => {} });
  for (const inner of command.commands) reportErrorsHere(inner);
}

function reportUsage(error: CommanderError, program: Command, argv: readonly string[]): number {
  // Help and version end as errors too, with exit code 0. Help that nobody asked for ends with 1,
  // after it has been printed.
  if (error.exitCode === 0) return exitCodes.success;
  if (error.code !== "commander.help") {
    const what = error.message
      .replace(/^error: /, "")
      .replaceAll(/\s+/g, " ")
      .replace(/\.$/, "");
    process.stderr.write(`bss: ${printable(what)}; ${usageAdvice(program, argv)}\n`);
  }
  return exitCodes.usage;
}

/** Names the help of the command that was called, or of the whole program if there is none. */
function usageAdvice(program: Command, argv: readonly string[]): string {
  let names = "bss";
  let command: Command | undefined = program;
  for (const word of argv.filter((each) => !each.startsWith("-"))) {
    command = command.commands.find((each) => each.name() === word);
    if (command === undefined) break;
    names += ` ${word}`;
  }
  const lists = names === "bss" ? "all commands" : "its options";
  return `'${names} --help' lists ${lists}`;
}
