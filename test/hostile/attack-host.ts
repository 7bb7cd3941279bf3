/**
 * The process that attackers run in, so that they take nothing from whoever measures:
 * `attack-host.js DIRECTORY NAME,NAME`. It goes on until it is told to stop or its parent is gone,
 * and says over the channel to its parent what came of each attack.
 */
import { setMaxListeners } from "node:events";
import type { Tally } from "./attack.js";
import { chooseAttacks } from "./catalogue.js";
import { pause } from "./pace.js";
import { Target } from "./target.js";

export type HostMessage = { readonly tallies: Readonly<Record<string, Tally>> };

const anewMs = 500;
/** Some attacks hold what cannot be closed. */
const lingerMs = 3_000;

const [directory = "", names = ""] = process.argv.slice(2);
const target = new Target(directory);
const stop = new AbortController();
setMaxListeners(0, stop.signal);
process.on("message", () => stop.abort());
process.on("disconnect", () => process.exit(0));

const tallies: Record<string, Tally> = {};
/** A node may cut a connection at any moment; an attacker then begins anew. */
const running = chooseAttacks(names).map(async (attack) => {
  const before: Record<string, number> = {};
  for (;;) {
    try {
      const { counts, ...rest } = await attack.run(target, stop.signal);
      tallies[attack.name] = { counts: { ...before, ...counts }, ...rest };
      return;
    } catch (error) {
      const what = `began anew after ${error}`;
      before[what] = (before[what] ?? 0) + 1;
      tallies[attack.name] = { counts: before };
    }
    if (stop.signal.aborted) return;
    await pause(anewMs, stop.signal);
  }
});
const over = new Promise<void>((resolve) => {
  stop.signal.addEventListener("abort", () => setTimeout(resolve, lingerMs));
});
await Promise.race([Promise.all(running), over]);
process.send?.({ tallies } satisfies HostMessage, () => process.exit(0));
