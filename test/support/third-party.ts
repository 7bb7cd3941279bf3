/** Every package that the product installs to run, from the lockfile, with its licence. */
import { z } from "zod";

const lockfile = z.object({
  packages: z.record(
    z.string(),
    z.object({
      name: z.string().optional(),
      version: z.string().optional(),
      license: z.string().optional(),
      dev: z.boolean().optional(),
    }),
  ),
});

export type ThirdParty = {
  readonly name: string;
  readonly version: string;
  /** An SPDX expression; "unknown" if the package names none. */
  readonly licence: string;
};

/** Licences that the product may be passed on with; all are permissive and ask to be named. */
export const allowedLicences: ReadonlySet<string> = new Set([
  ...["0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT"],
  "(Apache-2.0 AND BSD-3-Clause)",
]);

/** Without those that only building and testing need; ascending by name. */
export function thirdParties(lockText: string): readonly ThirdParty[] {
  const { packages } = lockfile.parse(JSON.parse(lockText));
  const found = Object.entries(packages).flatMap(([path, { name, version, license, dev }]) => {
    if (path === "" || dev === true) return [];
    const licence = license ?? "unknown";
    return [
      { name: name ?? path.replace(/^.*node_modules\//, ""), version: version ?? "", licence },
    ];
  });
  const byText = new Map(found.map((each) => [`${each.name} ${each.version}`, each]));
  return [...byText.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each);
}

export function renderThirdParties(parties: readonly ThirdParty[]): string {
  const rows = parties.map(({ name, version, licence }) => `| ${name} | ${version} | ${licence} |`);
  return [
    "# Third parties",
    "",
    "Every package that bss-node installs to run, with its licence; each one's own files have the",
    "licence's text. `make third-party` writes this file from package-lock.json. `make sbom` writes a",
    "software bill of materials (CycloneDX) with the packages' digests.",
    "",
    "| package | version | licence |",
    "|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}
