/** The clients that are tried, one entry each: how it is built, and what runs it. */

export type Language = {
  readonly name: string;
  /** The program without which it cannot be built, and the command that prints its version. */
  readonly needs: readonly [program: string, ...args: readonly string[]];
  /** Where its client stands in the repository. */
  readonly directory: string;
  /** Run in that directory; `out` is a directory for what is built. */
  build(out: string): readonly (readonly string[])[];
  /** Answers the requests of run.ts; the path of a profile is added. */
  run(out: string): readonly string[];
};

export const languages: readonly Language[] = [
  {
    name: "TypeScript",
    needs: ["node", "--version"],
    directory: ".",
    build: () => [],
    run: () => ["node", "dist/test/interop/typescript.js"],
  },
  {
    name: "Go",
    needs: ["go", "version"],
    directory: "clients/go",
    build: (out) => [["go", "build", "-o", `${out}/interop-go`, "./internal/interop"]],
    run: (out) => [`${out}/interop-go`],
  },
  {
    name: "Python",
    needs: ["python3", "--version"],
    directory: "clients/python",
    build: (out) => [
      ["python3", "-m", "venv", `${out}/venv`],
      [`${out}/venv/bin/pip`, "install", "--quiet", "--disable-pip-version-check", "."],
    ],
    run: (out) => [`${out}/venv/bin/python`, "interop.py"],
  },
  {
    name: "Java",
    needs: ["mvn", "--version"],
    directory: "clients/java",
    build: (out) => {
      const copy = ["dependency:copy-dependencies", `-DoutputDirectory=${out}/java`];
      return [["mvn", "-q", "-B", "test-compile", ...copy]];
    },
    run: (out) => {
      const path = `target/test-classes:target/classes:${out}/java/*`;
      return ["java", "-cp", path, "bss.interop.InteropProgram"];
    },
  },
];
