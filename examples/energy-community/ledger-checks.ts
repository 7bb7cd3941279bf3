/** What a user of the ledger can rely on, tried out on a running consortium. */
import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { clone } from "@bufbuild/protobuf";
import { defined } from "../../src/base/assert.js";
import { equalBytes, toHex } from "../../src/base/bytes.js";
import type { NodeProcesses } from "../../src/cli/nodes/node-processes.js";
import { type NodeStatus, openStatusSource } from "../../src/cli/nodes/node-status.js";
import { shortHash } from "../../src/cli/text/output.js";
import {
  type BssClient,
  type Receipt,
  ReceiptSchema,
  RpcError,
  readGenesis,
  receiptFromJson,
  receiptToJson,
  recordHash,
  type Submission,
  type SubmitResponse,
  verifyReceipt,
} from "../../src/client/index.js";
import { headEndId } from "./community/community.js";
import type { DemoDirectory } from "./demo-directory.js";
import { CheckFailed, expect } from "./demo-report.js";
import type { DemoSession } from "./demo-session.js";
import type { Submitted } from "./submit-step.js";

const pollMs = 250;
const agreementTimeoutMs = 180_000;
const flippedBit = 333;

/** Sends a submission again; it must get the places that it has. */
export async function checkRetry(
  client: BssClient,
  submission: Submission,
  first: SubmitResponse["outcomes"],
): Promise<string> {
  const { outcomes } = await client.submit(submission);
  const places = (of: SubmitResponse["outcomes"]) =>
    of.map(({ recordHash: hash, outcome }) =>
      outcome.case === "committed"
        ? `${toHex(hash)} ${outcome.value.height} ${outcome.value.position}`
        : `${toHex(hash)} ${outcome.case}`,
    );
  expect(places(outcomes).join() === places(first).join(), "it got other places");
  return `its ${outcomes.length} records have the places that they had`;
}

/**
 * Writes a receipt and the genesis' verdict on it; then reads both back and checks them, and copies
 * with one bit changed, without asking any node.
 */
export async function checkReceipt(
  client: BssClient,
  record: Uint8Array,
  files: { readonly receipt: string; readonly genesis: string },
): Promise<string> {
  const receipt = await client.getReceipt(recordHash(client.consortiumId, record));
  writeFileSync(files.receipt, `${receiptToJson(receipt, { pretty: true })}\n`);
  const genesis = readGenesis(files.genesis);
  const read = receiptFromJson(readFileSync(files.receipt, "utf8"));
  expect(read.ok, "the file is no receipt");
  const verified = verifyReceipt(read.value, genesis, { record });
  expect(verified.ok, verified.ok ? "" : verified.error.message);
  const flipped = flippedReceipts(read.value, flippedBit);
  for (const { part, receipt: wrong } of flipped) {
    const accepted = verifyReceipt(wrong, genesis, { record }).ok;
    expect(!accepted, `a receipt with a changed ${part} was taken for valid`);
  }
  const other = verifyReceipt(read.value, genesis, {
    record: record.with(-1, ~(record.at(-1) ?? 0)),
  });
  expect(!other.ok, "the receipt was taken for that of another record");
  const { signers, height } = verified.value;
  const parts = flipped.map(({ part }) => part).join(", ");
  const signed = `block ${height}, signed by ${signers.join(", ")}`;
  return `${signed}; refused with one bit changed in its ${parts}`;
}

/** Sells what is not there. The managers must refuse it for that reason. */
export async function checkDoubleSpend(client: BssClient, record: Uint8Array): Promise<string> {
  try {
    await client.submit(client.sign([record]));
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    if (error.reason === "DOUBLE_SPEND") return `DOUBLE_SPEND: ${error.message}`;
    throw new CheckFailed(`refused for another reason, ${error.reason}: ${error.message}`);
  }
  throw new CheckFailed("it was accepted");
}

/** The owner reads the content; another participant sees where it stands, and nothing of it. */
export async function checkPrivacy(
  owner: BssClient,
  outsider: BssClient,
  record: Uint8Array,
): Promise<string> {
  const hash = recordHash(owner.consortiumId, record);
  const own = await owner.getRecord(hash);
  expect(own.content !== undefined, `${owner.profile.id} cannot read its own record`);
  expect(equalBytes(own.content.bytes, record), "its content is not what was submitted");
  const seen = await outsider.getRecord(hash);
  expect(seen.content === undefined, `${outsider.profile.id} can read it`);
  expect(seen.position === own.position, "it is told another position");
  const { id } = outsider.profile;
  return `${id} sees hash ${shortHash(hash)} at position ${seen.position}, and no content`;
}

/** Waits until every node holds the same ledger of `records` records. */
export async function checkRoots(
  directory: string,
  { nodes }: NodeProcesses,
  records: number,
  signal: AbortSignal,
): Promise<string> {
  const source = openStatusSource(directory);
  const deadlineMs = performance.now() + agreementTimeoutMs;
  try {
    for (;;) {
      const statuses = await Promise.all(nodes.map(({ config }) => source.statusOf(config)));
      const [first] = statuses;
      if (first?.treeSize === records && statuses.every((status) => isSame(status, first))) {
        const { root, height } = first;
        return `${shortHash(root)} over ${records} records at height ${height}`;
      }
      if (performance.now() > deadlineMs) {
        const held = nodes.map(({ id }, index) => `${id} ${textOf(statuses[index])}`);
        throw new CheckFailed(held.join("; "));
      }
      await sleep(pollMs, undefined, { signal });
    }
  } finally {
    source.close();
  }
}

function isSame(status: NodeStatus | undefined, first: NodeStatus): boolean {
  if (status === undefined) return false;
  const { height, treeSize, root } = status;
  return height === first.height && treeSize === first.treeSize && equalBytes(root, first.root);
}

function textOf(status: NodeStatus | undefined): string {
  if (status === undefined) return "does not answer";
  return `has ${status.treeSize} records at height ${status.height}, ${shortHash(status.root)}`;
}

/** A receipt with one bit changed, and the part in which it was changed. */
export type FlippedReceipt = { readonly part: string; readonly receipt: Receipt };

/** One receipt per part that a check depends on; `bit` says which bit of each part, from 0. */
export function flippedReceipts(receipt: Receipt, bit: number): readonly FlippedReceipt[] {
  const flipped = (part: string, bytesOf: (of: Receipt) => Uint8Array | undefined) => {
    const copy = clone(ReceiptSchema, receipt);
    flipBit(defined(bytesOf(copy), `a receipt has its ${part}`), bit);
    return { part, receipt: copy };
  };
  const proof = receipt.inclusionProof.length === 0 ? [] : [flipped("proof", firstOfProof)];
  const before =
    receipt.previousHeader.length === 0
      ? []
      : [flipped("previous header", ({ previousHeader }) => previousHeader)];
  return [
    flipped("record hash", ({ recordHash }) => recordHash),
    flipped("seal digest", ({ sealDigest }) => sealDigest),
    flipped("block id", ({ blockId }) => blockId),
    flipped("header", ({ header }) => header),
    ...proof,
    ...before,
    flipped("signature", (of) => of.commitCertificate?.signatures[0]?.signature),
  ];
}

function firstOfProof({ inclusionProof }: Receipt): Uint8Array | undefined {
  return inclusionProof[0];
}

function flipBit(bytes: Uint8Array, bit: number): void {
  const index = Math.floor(bit / 8) % bytes.length;
  bytes[index] = defined(bytes[index], "a part is not empty") ^ (1 << (bit % 8));
}

export async function checkLedger(
  session: DemoSession,
  { first }: Submitted,
  directory: DemoDirectory,
): Promise<void> {
  const { plan, records, clients, report, processes, signal } = session;
  const { firstDay, community } = plan;
  report.step("what can be relied on");
  const headEnd = await clients.of(headEndId);
  const profile = defined(firstDay.profiles[0], "a day has a profile");
  const record = records.profile(profile);
  const recordsMax = headEnd.genesis.policy.submissionRecordsMax;
  const [submission] = records.submissions(records.profiles(firstDay), recordsMax);
  const again = defined(submission, "a day has a profile");

  await report.check("what is submitted again keeps its place", () =>
    checkRetry(headEnd, again, [...first]),
  );
  await report.check("a receipt proves itself without any node", () => {
    const genesis = directory.file("consortium/genesis.json");
    return checkReceipt(headEnd, record, { receipt: directory.file("receipt.json"), genesis });
  });
  await report.check("energy that is sold cannot be sold again", () =>
    checkDoubleSpend(headEnd, secondSale(session)),
  );
  await report.check("other participants cannot read a home's load profile", async () => {
    const other = community.homes.find(({ id }) => id !== profile.homeId)?.id ?? headEndId;
    return checkPrivacy(await clients.of(profile.homeId), await clients.of(other), record);
  });
  await report.check(`all ${processes.nodes.length} nodes have one root`, () =>
    // The tariff is one more.
    checkRoots(session.directory, processes, plan.sums.records + 1, signal),
  );
}

/** A trade of more than its seller has left, once more what it sold if it sold something. */
function secondSale({ plan, records }: DemoSession): Uint8Array {
  const hour = plan.tradeHour ?? defined(plan.firstDay.hours[0], "a day has an hour");
  const [trade] = hour.trades;
  const sellerId = trade?.sellerId ?? defined(hour.readings[0], "an hour has a reading").homeId;
  const other = plan.community.homes.find(({ id }) => id !== sellerId)?.id ?? headEndId;
  const exportedWh = hour.readings.find(({ homeId }) => homeId === sellerId)?.exportedWh ?? 0;
  const soldWh = hour.trades
    .filter((each) => each.sellerId === sellerId)
    .reduce((sum, { energyWh }) => sum + energyWh, 0);
  const energyWh = Math.max(trade?.energyWh ?? 0, exportedWh - soldWh + 1);
  return records.trade({ sellerId, buyerId: trade?.buyerId ?? other, energyWh }, hour, 2);
}
