import { readFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "../support/tree.js";

/** The versions of the packages that carry the library. */
export function packageVersions(): Readonly<Record<string, string>> {
  const packageJson = readFileSync(join(repositoryRoot(), "package.json"), "utf8");
  const { dependencies } = JSON.parse(packageJson) as {
    readonly dependencies: Readonly<Record<string, string>>;
  };
  const of = (name: string) => dependencies[name] ?? "";
  return { grpc: of("@grpc/grpc-js"), protobuf: of("@bufbuild/protobuf") };
}
