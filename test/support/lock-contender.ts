/**
 * A process of its own for tests of locks.
 *
 *     node lock-contender.js hold PATH            holds the lock, says so, and stays
 *     node lock-contender.js contend PATH TIMES   asks so often, and prints how often it got it
 *
 * A contender makes a file while it holds the lock. Where another one's stands already, two hold
 * the lock at once, and it ends with 1.
 */
import { rmSync, writeFileSync } from "node:fs";
import { acquireLock } from "../../src/cli/process-lock.js";

const [what, path = "", times = "1"] = process.argv.slice(2);

if (what === "hold") {
  const acquired = await acquireLock(path);
  if (!acquired.ok) process.exit(1);
  process.stdout.write("held\n");
  setInterval(() => {}, 1000);
} else {
  let held = 0;
  for (let round = 0; round < Number(times); round++) {
    const acquired = await acquireLock(path);
    if (!acquired.ok) continue;
    writeFileSync(`${path}.inside`, "", { flag: "wx" });
    await new Promise((resolve) => setTimeout(resolve, 1));
    rmSync(`${path}.inside`);
    acquired.value.release();
    held += 1;
  }
  process.stdout.write(`${held}\n`);
}
