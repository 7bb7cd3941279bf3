/** Starts the attackers' process and ends it. */
import { type ChildProcess, fork } from "node:child_process";
import { setPriority } from "node:os";
import { join } from "node:path";
import type { Attack, Tally } from "./attack.js";
import type { HostMessage } from "./attack-host.js";
import { processorMsOf } from "./measurements.js";

const patienceMs = 10_000;

export class Attackers {
  /** Undefined where nobody attacks. */
  readonly #child: ChildProcess | undefined;
  readonly #exited: Promise<void> = Promise.resolve();
  #tallies: Readonly<Record<string, Tally>> = {};

  /** `nice`: how much lower than everybody else's the priority of their process is; 0 to 19. */
  constructor(directory: string, attacks: readonly Attack[], nice: number) {
    if (attacks.length === 0) return;
    const names = attacks.map(({ name }) => name).join(",");
    const child = fork(join(import.meta.dirname, "attack-host.js"), [directory, names], {
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    this.#child = child;
    if (nice > 0 && child.pid !== undefined) setPriority(child.pid, nice);
    child.on("message", (message: HostMessage) => {
      this.#tallies = message.tallies;
    });
    this.#exited = new Promise((resolve) => {
      child.once("exit", () => resolve());
    });
  }

  /** What the process has taken of the machine, ms. */
  get processorMs(): number {
    return this.#child?.pid === undefined ? 0 : processorMsOf(this.#child.pid);
  }

  /** What came of each attack. */
  async stop(): Promise<Readonly<Record<string, Tally>>> {
    if (this.#child?.connected) this.#child.send("stop");
    const timer = setTimeout(() => this.#child?.kill("SIGKILL"), patienceMs);
    await this.#exited;
    clearTimeout(timer);
    return this.#tallies;
  }
}
