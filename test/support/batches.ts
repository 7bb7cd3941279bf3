/**
 * Test files that may share a process: those of pure code, which leave nothing behind. A process
 * takes a third of a second until it has read what it tests, and writes its coverage at its end;
 * a hundred of them cost more than their tests.
 */
import { writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

/** Writes one file for each folder, which imports the compiled test files in it. */
export function batchFolders(files: readonly string[], directory: string): readonly string[] {
  const folders = [...new Set(files.map((file) => dirname(file)))];
  return folders.map((folder) => {
    const name = relative(join(import.meta.dirname, ".."), folder).replaceAll("/", "-");
    const batch = join(directory, `${name}.mjs`);
    const imports = files
      .filter((file) => dirname(file) === folder)
      .map((file) => `import ${JSON.stringify(file)};\n`);
    writeFileSync(batch, imports.join(""));
    return batch;
  });
}
