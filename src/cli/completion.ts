/**
 * `bss completion`: scripts for shells, so that Tab completes commands and options. A script is
 * made of the commands as they stand, and asks no node and starts no process when it is used.
 */
import { Argument, Command } from "commander";
import type { CommandEntry } from "./command-list.js";

/** What may follow the names of a command. */
type Words = {
  /** "bss", "bss storage list". */
  readonly path: string;
  readonly words: readonly string[];
};

const shells = ["bash", "zsh", "fish"] as const;
type Shell = (typeof shells)[number];

/** Adds the command to a program whose commands are `entries`. */
export function register(program: Command, entries: readonly CommandEntry[]): void {
  program
    .command("completion")
    .summary("print a script that lets a shell complete commands and options")
    .description(
      "Prints a script for a shell, which then completes the names of commands and options.",
    )
    .addArgument(new Argument("<shell>", "which shell").choices(shells))
    .addHelpText(
      "after",
      `
For every new shell:
  bash   echo 'source <(bss completion bash)' >> ~/.bashrc
  zsh    echo 'source <(bss completion zsh)' >> ~/.zshrc
  fish   bss completion fish > ~/.config/fish/completions/bss.fish`,
    )
    .action(async (shell: Shell) => {
      process.stdout.write(await completionScript(program, entries, shell));
    });
}

export async function completionScript(
  program: Command,
  entries: readonly CommandEntry[],
  shell: Shell,
): Promise<string> {
  // The program that runs has of most commands no more than their names.
  const whole = new Command("bss");
  for (const option of program.options) whole.addOption(option);
  for (const entry of entries) (await entry.load()).register(whole);
  register(whole, entries);
  const words = wordsOf(whole, "bss");
  return shell === "fish" ? fishScript(words) : bashScript(words, shell);
}

function wordsOf(command: Command, path: string, inherited: readonly string[] = []): Words[] {
  const own = command.options.flatMap(({ long }) => long ?? []);
  const options = [...own, ...inherited, "--help"];
  const names = command.commands.map((inner) => inner.name());
  const choices = command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []);
  const shared = inherited.length > 0 ? inherited : own;
  return [
    { path, words: [...new Set([...names, ...choices, ...options])] },
    ...command.commands.flatMap((inner) => wordsOf(inner, `${path} ${inner.name()}`, shared)),
  ];
}

/**
 * The words before the cursor that are no options name the command as far as they lead to one;
 * where nothing fits, the shell completes names of files.
 */
function bashScript(words: readonly Words[], shell: Shell): string {
  const cases = words.map(({ path, words: all }) => `    '${path}') words='${all.join(" ")}' ;;`);
  const paths = words.map(({ path }) => `'${path}'`).join("|");
  const begin = shell === "zsh" ? "autoload -U +X bashcompinit && bashcompinit\n" : "";
  return `${begin}_bss() {
  local path=bss words='' i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$path \${COMP_WORDS[i]}" in
    ${paths}) path="$path \${COMP_WORDS[i]}" ;;
    esac
  done
  case "$path" in
${cases.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _bss bss
`;
}

function fishScript(words: readonly Words[]): string {
  const lines = words.map(({ path, words: all }) => {
    const names = path.split(" ").slice(1);
    const used = names.map((name) => `__fish_seen_subcommand_from ${name}`).join("; and ");
    const when = used === "" ? "__fish_use_subcommand" : used;
    return `complete -c bss -n '${when}' -a '${all.join(" ")}'`;
  });
  return `${lines.join("\n")}\n`;
}
