import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The licences of all packages of which something is in bundles, by esbuild's account of them. */
export function licencesOf(root, ...metafiles) {
  const directories = metafiles.flatMap(({ inputs }) => Object.keys(inputs)).map(packageOf);
  const packages = [...new Set(directories)].filter((directory) => directory !== undefined);
  return packages
    .sort()
    .map((directory) => licenceOf(join(root, directory)))
    .join("\n");
}

function packageOf(file) {
  return /^.*node_modules\/(@[^/]+\/)?[^/]+/.exec(file)?.[0];
}

function licenceOf(directory) {
  const { name, version, license } = JSON.parse(
    readFileSync(join(directory, "package.json"), "utf8"),
  );
  const file = readdirSync(directory).find((each) => /^licen[cs]e/i.test(each));
  const text = file === undefined ? "" : readFileSync(join(directory, file), "utf8");
  return `${name} ${version} (${license})\n\n${text}\n`;
}
