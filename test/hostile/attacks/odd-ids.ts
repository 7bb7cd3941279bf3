/** Somebody who joins under an id that a configuration file may take for something else. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Attack, Counts } from "../attack.js";
import { mainFile } from "../build.js";

const ids = ["null", "true", "123", "1e3"];

export const oddIds: Attack = {
  name: "odd-ids",
  role: "invited",
  about: `joins as ${ids.join(", ")}, and goes on with it later`,
  secondsMin: 20,
  run: async (target, signal) => {
    const counts = new Counts();
    const violations: string[] = [];
    const parent = mkdtempSync(join(tmpdir(), "bss-odd-ids-"));
    const bss = (...args: readonly string[]) =>
      new Promise<{ readonly failed: boolean; readonly said: string }>((resolve) => {
        execFile(process.execPath, [mainFile(), ...args], { signal }, (error, _, said) =>
          resolve({ failed: error !== null, said }),
        );
      });
    const { directory } = target;
    const operator = join(directory, "operators", "operator-4", "profile.yaml");
    const issuer = join(directory, "managers", "manager-4");
    for (const id of ids) {
      const file = join(parent, `${id}.json`);
      const member = ["--invite", file, "--dir", join(parent, id)];
      const invited = await bss(
        ...["invite", "participant", "--profile", operator],
        ...["--issuer", issuer, "--out", file, "--id", id],
      );
      const first = await bss("register", "participant", ...member);
      if (signal.aborted) break;
      if (invited.failed || first.failed) {
        counts.add("could not join");
        continue;
      }
      counts.add("joined");
      const again = await bss("register", "participant", ...member);
      if (again.failed && !signal.aborted) {
        violations.push(`who joined as ${id} cannot go on: ${again.said.trim().split("\n")[0]}`);
      }
    }
    rmSync(parent, { recursive: true, force: true });
    return { ...counts.tally, violations };
  },
};
