import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { livenessOf, ownIdentity } from "../../../src/cli/process-identity.js";
import { acquireLock, type ProcessLock } from "../../../src/cli/process-lock.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";

const contender = join(import.meta.dirname, "../../support/lock-contender.js");

describe("the lock of a file", () => {
  const directory = temporaryDirectory();
  let count = 0;
  /** A file in a directory of its own. */
  const place = () => {
    const parent = join(directory, String(++count));
    mkdirSync(parent);
    return { parent, path: join(parent, "receipts.jsonl") };
  };

  const taken = async (path: string): Promise<ProcessLock> => {
    const acquired = await acquireLock(path);
    assert.ok(acquired.ok, "nobody else has it");
    return acquired.value;
  };

  /** Another process that holds the lock, when this resolves. */
  const holderOf = async (path: string) => {
    const child = spawn(process.execPath, [contender, "hold", path], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    return child;
  };

  /** Somebody's claim, as `acquireLock` leaves it. */
  const leaveClaim = (path: string, claim: object | string) => {
    const text = typeof claim === "string" ? claim : JSON.stringify(claim);
    const file = `${path}.lock.${"ab".repeat(8)}`;
    writeFileSync(file, text);
    return file;
  };

  test("is refused to a second one, also through another name, and free again later", async () => {
    const { parent, path } = place();
    const lock = await taken(path);
    symlinkSync(parent, join(directory, "link"));
    for (const name of [path, join(directory, "link", "receipts.jsonl")]) {
      const second = await acquireLock(name);
      assert.ok(!second.ok);
      assert.deepEqual([second.error.pid, second.error.isSeen], [process.pid, true]);
    }
    lock.release();
    (await taken(path)).release();
    assert.deepEqual(readdirSync(parent), []);
  });

  test("does not touch files whose names only begin alike", async () => {
    const { parent, path } = place();
    const names = ["receipts.jsonl.lock.old", "receipts.jsonl2.lock.0123456789abcdef"];
    for (const name of names) writeFileSync(join(parent, name), "");
    (await taken(path)).release();
    assert.deepEqual(readdirSync(parent).toSorted(), names.toSorted());
  });

  test("names the process that has it, and is free when that was killed", async (t) => {
    const { parent, path } = place();
    const child = await holderOf(path);
    t.after(() => child.kill("SIGKILL"));
    const refused = await acquireLock(path);
    assert.ok(!refused.ok);
    assert.equal(refused.error.pid, child.pid);
    assert.ok(refused.error.sinceMs > 0);
    child.kill("SIGKILL");
    await once(child, "exit");
    (await taken(path)).release();
    assert.deepEqual(readdirSync(parent), []);
  });

  test("is not held by a process that only has the id of one that has ended", async () => {
    const { path } = place();
    leaveClaim(path, { ...ownIdentity(), started: "another time", since_unix_ms: 1 });
    (await taken(path)).release();
  });

  test("of a machine that was started anew meanwhile is free", async () => {
    const { path } = place();
    leaveClaim(path, { ...ownIdentity(), boot: "before", since_unix_ms: 1 });
    (await taken(path)).release();
  });

  for (const [whose, claim] of [
    ["another machine", { ...ownIdentity(), host: "elsewhere", boot: "b", since_unix_ms: 5 }],
    ["another container", { ...ownIdentity(), pidSpace: "pid:[1]", since_unix_ms: 5 }],
    ["nobody knows whom", "half a cla"],
  ] as const) {
    test(`of ${whose} counts until somebody removes it`, async () => {
      const { path } = place();
      const claimFile = leaveClaim(path, claim);
      const refused = await acquireLock(path);
      assert.ok(!refused.ok);
      assert.deepEqual([refused.error.isSeen, refused.error.claimFile], [false, claimFile]);
    });
  }

  test("a process that has ended and was not collected counts as ended", async (t) => {
    const parent = spawn("sh", ["-c", "sleep 1 & echo $!; exec sleep 60"]);
    t.after(() => parent.kill("SIGKILL"));
    const [chunk] = await once(parent.stdout, "data");
    const pid = Number(String(chunk));
    const own = ownIdentity();
    assert.equal(livenessOf(own, own), "running");
    // Elsewhere than on Linux such a process cannot be told from one that runs.
    if (own.boot === "") return;
    const fields = () => readFileSync(`/proc/${pid}/stat`, "utf8").replace(/.*\) /, "").split(" ");
    while (fields()[0] !== "Z") await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(livenessOf({ ...own, pid, started: fields()[19] ?? "" }, own), "ended");
  });

  test("never has two holders, however many want it, also after some were killed", async () => {
    const { parent, path } = place();
    leaveClaim(path, { ...ownIdentity(), started: "another time", since_unix_ms: 1 });
    const children = Array.from({ length: 4 }, () =>
      spawn(process.execPath, [contender, "contend", path, "25"], {
        stdio: ["ignore", "pipe", "inherit"],
      }),
    );
    const counts = await Promise.all(
      children.map(async (child) => {
        let out = "";
        child.stdout.on("data", (chunk) => {
          out += chunk;
        });
        const [code] = await once(child, "close");
        assert.equal(code, 0, "no one met another one inside");
        return Number(out);
      }),
    );
    // Whoever was left over at the end had nobody beside it.
    assert.ok(counts.reduce((sum, each) => sum + each, 0) > 0);
    assert.deepEqual(readdirSync(parent), []);
  });

  test("says in its file who has it", async () => {
    const { parent, path } = place();
    const lock = await taken(path);
    const [name = ""] = readdirSync(parent);
    const { pid, started } = JSON.parse(readFileSync(join(parent, name), "utf8"));
    assert.deepEqual([pid, started], [process.pid, ownIdentity().started]);
    lock.release();
  });
});
