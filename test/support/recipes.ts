/**
 * Recipes of a document: indented blocks whose lines begin with "$ " are commands, followed by what
 * they print. A line that is only "…" stands for any lines, "…" within a line for any text.
 */
import { execFile } from "node:child_process";

export type Recipe = { readonly command: string; readonly output: readonly string[] };

export function recipesOf(markdown: string): readonly Recipe[] {
  const recipes: { command: string; output: string[] }[] = [];
  let inBlock = false;
  for (const line of markdown.split("\n")) {
    if (line.startsWith("    $ ")) recipes.push({ command: line.slice(6), output: [] });
    inBlock = line.startsWith("    ") && (line.startsWith("    $ ") || inBlock);
    if (inBlock && !line.startsWith("    $ ")) recipes.at(-1)?.output.push(line.slice(4));
  }
  return recipes;
}

/** What the recipe's output has to match, from beginning to end. */
export function pattern({ output }: Recipe): RegExp {
  const lines = output.map((line) => {
    if (line === "…") return "(?:.*\\n)*?";
    const parts = line.split("…").map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    return `${parts.join(".*")}\\n`;
  });
  return new RegExp(`^${lines.join("")}$`);
}

const separator = "--- next recipe ---";

/**
 * Runs the recipes one after the other in one shell, and returns what each printed, standard output
 * and errors together. `prelude`: variables and functions of the shell.
 */
export async function runRecipes(
  recipes: readonly Recipe[],
  prelude: string,
  cwd: string,
): Promise<readonly string[]> {
  const lines = recipes.map(({ command }) => `${command}\necho '${separator}'`);
  const script = `exec 2>&1\n${prelude}\n${lines.join("\n")}\n`;
  const stdout = await new Promise<string>((resolve) => {
    execFile("bash", ["-c", script], { cwd, timeout: 120_000 }, (_error, out) => resolve(out));
  });
  return stdout.split(`${separator}\n`).slice(0, recipes.length);
}
