/**
 * The command line as a commander program: the commands of command-list.ts, and what all of them
 * share: `--json`, `--debug`, errors as one line that says what to do next, and exit codes
 * (cli-error.ts).
 */
import { Command, CommanderError } from "commander";
import { printable } from "../base/printable.js";
import { version } from "../base/version.js";
import { descriptorLimit, descriptorTrouble } from "../config/descriptors.js";
import { commandGroups, nameOf } from "./command-list.js";
import { register as registerCompletion } from "./completion.js";
import { CliError, exitCodes } from "./text/cli-error.js";
import { forbidColours, painted } from "./text/colours.js";
import {
  adviceOnSystem,
  errorJson,
  errorMessage,
  exitCodeOf,
  tintedError,
} from "./text/error-message.js";
import { toJson } from "./text/output.js";

/** Runs one command line (without node and script) and returns the exit code. */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  const program = await createProgram(argv);
  forbidColours(argv.includes("--no-color") || argv.includes("--json"));
  try {
    refuseUnknownCommand(program, argv);
    await program.parseAsync(argv, { from: "user" });
    return exitCodes.success;
  } catch (error) {
    if (error instanceof CommanderError) return reportUsage(error, program, argv);
    const { debug = false, json = false } = program.opts<{ debug?: boolean; json?: boolean }>();
    printError(error, { debug, json });
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
    .option("--no-color", "print no colours (or set NO_COLOR)")
    .configureHelp({ showGlobalOptions: true })
    .showSuggestionAfterError(true);
  for (const [heading, entries] of Object.entries(commandGroups)) {
    program.commandsGroup(heading);
    for (const entry of entries) {
      if (argv.includes(nameOf(entry))) (await entry.load()).register(program);
      else program.command(entry.usage).summary(entry.summary);
    }
  }
  program.commandsGroup("Shell:");
  registerCompletion(program, Object.values(commandGroups).flat());
  // Help needs nothing. Other systems tell their limit slowly, and have none so low.
  if (process.platform === "linux") program.hook("preAction", refuseFewDescriptors);
  reportErrorsHere(program, argv.includes("--json"));
  return program;
}

function refuseFewDescriptors(): void {
  const trouble = descriptorTrouble(descriptorLimit());
  if (trouble !== undefined) throw new CliError(trouble.what, trouble.next);
}

/** `bss sbumit --help` would show the help of the whole program and end well. */
function refuseUnknownCommand(program: Command, argv: readonly string[]): void {
  const words = argv.filter((word) => !word.startsWith("-"));
  const isHelp = words[0] === "help";
  if (!isHelp && !argv.includes("--help") && !argv.includes("-h")) return;
  let command: Command = program;
  for (const word of words.slice(isHelp ? 1 : 0)) {
    // What has options or arguments of its own may be followed by their values.
    const { options, registeredArguments: values, commands } = command;
    if (commands.length === 0 || values.length > 0) return;
    if (command !== program && options.length > 0) return;
    const inner = commands.find((each) => each.name() === word);
    if (inner === undefined) {
      program.error(`error: unknown command '${word}'`, { code: "commander.unknownCommand" });
    }
    command = inner;
  }
}

/** Makes a command and those below it throw instead of printing and exiting. */
function reportErrorsHere(command: Command, json: boolean): void {
  command.exitOverride().configureOutput({ outputError: () => {} });
  // Help that nobody asked for is no JSON.
  if (json) command.configureOutput({ writeErr: () => {} });
  for (const inner of command.commands) reportErrorsHere(inner, json);
}

function reportUsage(error: CommanderError, program: Command, argv: readonly string[]): number {
  // Help and version end as errors too, with exit code 0. Help that nobody asked for ends with 1,
  // after it has been printed for people.
  if (error.exitCode === 0) return exitCodes.success;
  // The option may not have been read before the mistake was met.
  const json = argv.includes("--json");
  const isHelp = error.code === "commander.help";
  if (json || !isHelp) {
    const what = isHelp
      ? "a command is missing"
      : error.message
          .replace(/^error: /, "")
          .replaceAll(/\s+/g, " ")
          .replace(/\.$/, "");
    const usage = new CliError(printable(what), usageAdvice(program, argv), {
      exitCode: exitCodes.usage,
    });
    printError(usage, { debug: false, json });
  }
  return exitCodes.usage;
}

/** Says that a result is not whole where it was to be written, and returns the exit code. */
export function reportLostOutput(error: Error, argv: readonly string[]): number {
  const next = `${adviceOnSystem(error) ?? "check where it goes"}, and run the same command again`;
  const lost = new CliError(`the output cannot be written: ${error.message}`, next, {
    cause: error,
  });
  printError(lost, { debug: argv.includes("--debug"), json: argv.includes("--json") });
  return exitCodes.failure;
}

function printError(
  error: unknown,
  { debug, json }: { readonly debug: boolean; readonly json: boolean },
): void {
  const text = json
    ? toJson(errorJson(error, debug))
    : painted(tintedError(error, errorMessage(error, debug)), process.stderr);
  process.stderr.write(`${text}\n`);
}

/** Names the help of the command that was called, or of the whole program if there is none. */
function usageAdvice(program: Command, argv: readonly string[]): string {
  let names = "bss";
  let command = program;
  for (const word of argv.filter((each) => !each.startsWith("-"))) {
    const inner = command.commands.find((each) => each.name() === word);
    if (inner === undefined) break;
    command = inner;
    names += ` ${word}`;
  }
  const isGroup = command.commands.length > 0 && command.options.length === 0;
  const lists = command === program ? "all commands" : isGroup ? "its commands" : "its options";
  return `'${names} --help' lists ${lists}`;
}
