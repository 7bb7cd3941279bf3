/**
 * Why a storage node's score is what it is: its owner recomputes it from the chain of any node,
 * operators pay and retire, and the statement shows it all.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { BssClient } from "../../../src/client/index.js";
import { StorageSuspension } from "../../../src/gen/bss/v1/members_pb.js";
import { BssProcess } from "../../support/bss.js";
import { LiveConsortium, poll, quickPolicy } from "../../support/live-consortium.js";
import { noteOf } from "../../support/notes.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";

const policy = `${quickPolicy}suspension: floor
suspend_after_ms: 2000
resume_wait_ms: 1000
resume_wait_max_ms: 60000
unreachable_after_ms: 2000
`;

type Line = Readonly<Record<string, string | number | boolean>>;

describe("a statement of a storage node", { timeout: 840_000 }, () => {
  let consortium: LiveConsortium;
  let client: BssClient;
  const parent = temporaryDirectory();

  before(async () => {
    const sizes = { managers: 4, storage: 4, participants: 1 };
    consortium = await LiveConsortium.start(join(parent, "live"), sizes, { policy });
    client = await consortium.client("participant-1");
  });
  after(async () => {
    await consortium?.close();
  });

  const commands = new BssProcess();
  after(() => commands.close());
  const bss = async (party: string, ...args: readonly string[]) => {
    const profile = join(consortium.directory, party, "profile.yaml");
    const { code, out, err } = await commands.run("--json", ...args, "--profile", profile);
    const lines = out.split("\n").filter((line) => line !== "");
    return { code, lines: lines.map((line): Line => JSON.parse(line)), err };
  };
  const participant = join("participants", "participant-1");
  const statementOf = async (nodeId: string, ...more: readonly string[]) => {
    const args = ["storage", "statement", nodeId, "--last", "10000", ...more];
    const { code, lines, err } = await bss(participant, ...args);
    assert.equal(code, 0, err);
    return { entries: lines.slice(0, -1), summary: lines.at(-1) ?? {} };
  };
  const nodeOf = async (nodeId: string) =>
    (await client.storageNode(nodeId)) ?? assert.fail(`there is ${nodeId}`);
  const operatorOf = async (nodeId: string) => {
    const { sponsorId } = await nodeOf(nodeId);
    return join("operators", sponsorId.replace("manager", "operator"));
  };
  let submitted = 0;
  const submit = () =>
    client.submit(client.sign([noteOf("participant-1", `record ${submitted++}`)]));
  const untilSuspension = (nodeId: string, suspension: StorageSuspension) =>
    poll(async () => {
      await submit();
      return (await nodeOf(nodeId)).suspension === suspension || undefined;
    }, `${nodeId} has suspension ${suspension}`);

  test("names each change, from a node's own chain, and equals what the managers say", async () => {
    for (let i = 0; i < 10; i++) await submit();
    await consortium.kill(["storage-4"]);
    await untilSuspension("storage-4", StorageSuspension.UNREACHABLE);
    await consortium.restart(["storage-4"]);
    await untilSuspension("storage-4", StorageSuspension.UNSPECIFIED);
    for (let i = 0; i < 10; i++) await submit();

    for (const nodeId of ["storage-1", "storage-4"]) {
      const { entries, summary } = await statementOf(
        nodeId,
        ...["--storage", consortium.addressOf("storage-2")],
      );
      assert.equal(summary.equal, true);
      const sum = (name: string) => entries.reduce((total, each) => total + Number(each[name]), 0);
      assert.equal(100 + sum("credit_delta"), summary.credit);
      assert.equal(sum("reward_delta"), Number(summary.reward));
      const kinds = new Set(entries.map(({ kind }) => kind));
      assert.ok(kinds.has("match"));
      // On a busy machine others may have been late once.
      if (nodeId === "storage-4") assert.ok(kinds.has("unreachable") && kinds.has("returned"));
    }
  });

  test("shows a payout, which cannot be more than what is due", async () => {
    const node = await nodeOf("storage-1");
    const operator = await operatorOf("storage-1");
    const pay = (amount: bigint) => {
      const args = ["storage", "payout", "storage-1", "--amount", String(amount)];
      return bss(operator, ...args, "--reference", "bank 4711");
    };
    const refused = await pay(node.reward * 2n);
    assert.equal(refused.code, 1);
    const paid = await pay(node.reward);
    assert.equal(paid.code, 0, paid.err);
    const { entries, summary } = await statementOf("storage-1");
    const payout = entries.find(({ kind }) => kind === "paid");
    assert.equal(payout?.paid_delta, Number(node.reward));
    assert.equal(payout?.height, paid.lines[0]?.height);
    assert.equal(summary.paid, Number(node.reward));
  });

  test("shows that an operator of the sponsor has sent the node away, and nobody else", async () => {
    const foreign = await operatorOf("storage-1");
    const refused = await bss(foreign, "storage", "retire", "storage-3");
    assert.equal(refused.code, 1);
    const retired = await bss(await operatorOf("storage-3"), "storage", "retire", "storage-3");
    assert.equal(retired.code, 0, retired.err);
    const { summary } = await statementOf("storage-3");
    assert.equal(summary.suspension, "retired");
    const { lines } = await bss(participant, "storage", "list");
    assert.equal(lines.find(({ node_id }) => node_id === "storage-3")?.state, "retired");
  });

  test("of a node that nobody has admitted is refused", async () => {
    const { code, err } = await bss(participant, "storage", "statement", "storage-99");
    assert.equal(code, 1);
    assert.match(err, /there is no storage node storage-99/);
  });

  test("goes with a chain of which no node has seen a fork", async () => {
    const { code, lines } = await bss(participant, "fork", "show");
    assert.equal(code, 0);
    assert.deepEqual(
      lines.map(({ halted }) => halted),
      ["", "", "", ""],
    );
  });
});
