import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { Book } from "../../chaos/book.js";
import { checkLedger, checkSameChain, checkWatch } from "../../chaos/checks/chain.js";
import { badLogLines } from "../../chaos/checks/logs.js";
import {
  checkAbsencesNamed,
  checkHistory,
  checkNobodyAccused,
  checkUnanimity,
  unfoundedSuspensions,
} from "../../chaos/checks/managers.js";
import { findPlaintext } from "../../chaos/checks/plaintext.js";
import {
  checkAcknowledged,
  checkIntervals,
  checkListing,
  checkOrigin,
  checkSales,
  checkVersions,
  countLost,
} from "../../chaos/checks/records.js";
import type { ListedRecord, NodeLedger } from "../../chaos/findings.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";
import {
  genesisId,
  madeUpLedger,
  madeUpListing,
  madeUpPlaces,
  madeUpWatch,
  managers,
  withBlock,
} from "./made-up-ledger.js";

const ledger = madeUpLedger();
const stored = madeUpLedger("storage-1", "storage");
const acknowledged = madeUpPlaces();
const watch = madeUpWatch();
const listing = madeUpListing();

/** The first record of the listing changed, and others added. */
function relisted(change: Partial<ListedRecord>, ...more: readonly ListedRecord[]) {
  const [first, ...rest] = listing.records as [ListedRecord, ...ListedRecord[]];
  return { ...listing, records: [{ ...first, ...change }, ...rest, ...more] };
}

const measured = { meterId: "meter-3", startsS: [0, 3_600] };
const updateOfFirst = { ...listed("other"), parent: "record-1a" };
const trade = { sellerId: "participant-3", deliveryStartS: 0, energyWh: 700 };

describe("the checker finds nothing wrong with a ledger that is right", () => {
  const checks: readonly (readonly [what: string, wrong: readonly string[]])[] = [
    ["chains", checkSameChain([ledger, stored])],
    ["a manager's ledger", checkLedger(ledger, genesisId)],
    ["a storage node's ledger", checkLedger(stored, genesisId)],
    ["a watch", checkWatch(watch, ledger)],
    ["acknowledged records", checkAcknowledged(acknowledged, ledger)],
    ["records' origin", checkOrigin(madeOf([...acknowledged.keys()]), ledger)],
    ["a listing", checkListing(listing, ledger)],
    ["sales", checkSales(relisted({ trade }), 1_000)],
    ["versions", checkVersions(relisted({ parent: "record-0" }))],
    ["intervals", checkIntervals(relisted({ measured }, { ...updateOfFirst, measured }))],
    ["unanimity", checkUnanimity(ledger, managers)],
    ["history", checkHistory(ledger)],
    ["accusations", checkNobodyAccused(ledger)],
  ];
  for (const [what, wrong] of checks) test(what, () => assert.deepEqual(wrong, []));
});

describe("the checker finds", () => {
  const withoutLast: NodeLedger = { ...ledger, blocks: ledger.blocks.slice(0, 2) };
  const emptied = withBlock(ledger, 3, { leaves: [] });
  const evidence = [{ managerId: "manager-2", kind: "evidence" }] as const;
  const forged = { storage: { hash2: "root-2", managerBlockId: "block-9" } };
  const unequal = { storage: { hash2: "root-9", managerBlockId: "block-2" } };
  const twice = { leaves: ["record-2a", "record-1b"] };
  const moved = new Map(acknowledged).set("record-1a", {
    height: 1,
    position: 1,
    blockId: "block-1",
  });
  const violating: readonly (readonly [string, readonly string[], RegExp])[] = [
    ["nothing read", checkSameChain([]), /nothing was read/],
    ["a node behind", checkSameChain([ledger, withoutLast]), /at height 3, manager-1 at 2/],
    ["a fork", checkSameChain([ledger, withBlock(stored, 2, { blockId: "x" })]), /differ at .* 2/],
    ["a gap", spoilt(1, { previousBlockId: "block-0" }), /does not follow/],
    ["a wrong height", spoilt(2, { height: 3 }), /says height 3/],
    ["a wrong size", spoilt(2, { treeSize: 5 }), /5 records, not 4/],
    ["a wrong HASH1", spoilt(2, { hash1: "root-9" }), /HASH1 is not the records' root/],
    ["a wrong HASH2", spoiltStorage(2, unequal), /HASH1 and HASH2 differ/],
    ["a wrong link", spoiltStorage(2, forged), /linked to another/],
    ["a missing storage header", checkLedger({ ...ledger, role: "storage" }, genesisId), /header/],
    ["a wrong status", checkLedger(withoutLast, genesisId), /status is not that/],
    ["a lost record", checkAcknowledged(acknowledged, emptied), /record-3a is lost/],
    ["a missing record", checkAcknowledged(acknowledged, withoutLast), /record-3a is missing/],
    ["a record twice", checkAcknowledged(new Map(), withBlock(ledger, 2, twice)), /there twice/],
    ["a record elsewhere", checkAcknowledged(moved, ledger), /position 0.* acknowledged at/],
    [
      "a stranger's record",
      checkOrigin(madeOf(["record-1a"]), ledger),
      /nobody made record record-1b/,
    ],
    ["a gap in a watch", checkWatch(watchOf(1, 3), ledger), /height 3 came as 2\./],
    ["a repeat in a watch", checkWatch(watchOf(1, 2, 2, 3), ledger), /height 2 came as 3\./],
    ["a watch's missing end", checkWatch(watchOf(1, 2), ledger), /last 1 blocks did not come/],
    ["a watch of a fork", checkWatch(watch, withBlock(ledger, 3, { blockId: "x" })), /not the/],
    ["changed content", checkListing(relisted({ asMade: false }), ledger), /not what was made/],
    ["a misplaced entry", checkListing(relisted({ position: 5 }), ledger), /misplaces/],
    ["a double entry", checkListing(doubled(), ledger), /lists record-1a twice/],
    ["an entry missing", checkListing({ ...listing, records: [] }, ledger), /does not list/],
    ["a double spend", checkSales(relisted({ trade }, traded()), 1_000), /sold 1400 of 1000/],
    ["an overlap", checkIntervals(relisted({ measured }, { ...traded(), measured })), /two values/],
    ["a double update", checkVersions(relisted({ parent: "p" }, successor())), /two successors/],
    ["a missing ACCEPT", unanimity({ accepters: managers.slice(0, 3) }), /had to accept/],
    ["too few commits", unanimity({ committers: managers.slice(2) }), /too few commits/],
    ["a lost quorum", unanimity({ changes: suspensions() }), /only 2 managers/],
    ["a hidden change", checkHistory({ ...ledger, history: [] }), /tells of ""/],
    ["an accusation", checkNobodyAccused(withBlock(ledger, 1, { changes: evidence })), /manager-2/],
  ];
  for (const [what, wrong, expected] of violating) {
    test(what, () => assert.match(wrong.join("\n"), expected));
  }

  test("an answer that contradicts an earlier one", () => {
    const book = new Book();
    const place = { height: 1, position: 0, blockId: "block-1" };
    book.acknowledge("record-1a", place);
    book.acknowledge("record-1a", { ...place });
    assert.deepEqual(book.violations, []);
    book.acknowledge("record-1a", { ...place, position: 1 });
    assert.match(book.violations.join("\n"), /position 0.* and .*position 1/);
  });

  test("a manager that accepted what became final while it was away", () => {
    const commitMs = new Map([1, 2, 3].map((height) => [height, height * 1000]));
    const strike = { kind: "kill-manager", targets: ["manager-1"], healingMs: 9_000 } as const;
    const struckAt = (struckMs: number) => [{ ...strike, struckMs }];
    assert.match(checkAbsencesNamed(ledger, commitMs, struckAt(500)).join(), /height 3: .*kill/);
    assert.deepEqual(checkAbsencesNamed(ledger, commitMs, struckAt(1_500)), [], "was under way");
    const delayed = [{ ...strike, kind: "delay-manager", struckMs: 500 } as const];
    assert.deepEqual(checkAbsencesNamed(ledger, commitMs, delayed), []);
    const healing = [{ ...strike, struckMs: 500, healingMs: 2_500 }];
    assert.deepEqual(checkAbsencesNamed(ledger, commitMs, healing), [], "is coming back");
  });

  test("suspensions of managers that no fault had struck", () => {
    const commitMs = new Map([[2, 2_000]]);
    const strike = { kind: "kill-manager", targets: ["manager-4"], struckMs: 500 } as const;
    const healedAt = (healedMs: number) => [{ ...strike, healedMs }];
    assert.deepEqual(unfoundedSuspensions(ledger, commitMs, healedAt(1_500), 1_000), []);
    const late = unfoundedSuspensions(ledger, commitMs, healedAt(900), 1_000);
    assert.deepEqual(late, ["suspend manager-4 at 2"]);
  });

  test("how many records no node has", () => {
    assert.equal(countLost(acknowledged, [ledger, withoutLast]), 0);
    assert.equal(countLost(acknowledged, [emptied, withoutLast]), 2);
  });

  test("so many violations of one kind that only some are named", () => {
    const many = new Map(
      Array.from({ length: 9 }, (_, i) => [`lost-${i}`, { height: 1, position: i, blockId: "b" }]),
    );
    assert.deepEqual(checkAcknowledged(many, ledger).slice(5), ["and 4 more of these"]);
  });
});

describe("the checker of files", () => {
  const directory = temporaryDirectory();

  test("finds plaintext in a directory or file, also where two reads meet", () => {
    const needle = "canary:0123456789";
    const inside = join(directory, "inside");
    mkdirSync(inside);
    writeFileSync(join(inside, "sealed"), Buffer.alloc(10_000, 7));
    assert.deepEqual(findPlaintext([directory], [needle]), { files: [], bytesRead: 10_000 });
    const file = join(inside, "leaked");
    writeFileSync(file, Buffer.alloc(4 * 1024 * 1024 - 8, 7));
    appendFileSync(file, needle);
    assert.deepEqual(findPlaintext([directory], [needle]).files, [file]);
    assert.deepEqual(findPlaintext([file], [needle]).files, [file]);
    assert.deepEqual(findPlaintext([file], ["other"]).files, []);
  });

  test("finds errors in a node's log, unless its disk was full", () => {
    const logFile = join(directory, "node.log");
    const node = { id: "storage-1", logFile };
    writeFileSync(logFile, '{"level":40,"msg":"a warning"}\n');
    assert.deepEqual(badLogLines(node, []), []);
    appendFileSync(logFile, '{"level":50,"msg":"an error"}\nbss: a bug\n');
    assert.equal(badLogLines(node, []).length, 2);
    const full = { kind: "fill-disk-of-storage", targets: ["storage-1"] };
    assert.deepEqual(badLogLines(node, [full]), []);
    assert.equal(badLogLines(node, [{ ...full, targets: ["storage-2"] }]).length, 2);
  });

  test("takes it for right that a node which has lost its directory says so", () => {
    const logFile = join(directory, "wiped.log");
    const node = { id: "storage-1", logFile };
    const what = ["717 blocks up to height 717, which this node had when it attested"];
    writeFileSync(logFile, `${JSON.stringify({ level: 50, height: 1, what })}\n`);
    assert.equal(badLogLines(node, []).length, 1);
    const wiped = { kind: "wipe-storage", targets: ["storage-1"] };
    assert.deepEqual(badLogLines(node, [wiped]), []);
    appendFileSync(logFile, '{"level":50,"height":9,"what":["sealed records"]}\n');
    assert.equal(badLogLines(node, [wiped]).length, 1);
  });
});

function spoilt(height: number, change: Parameters<typeof withBlock>[2]) {
  return checkLedger(withBlock(ledger, height, change), genesisId);
}

function spoiltStorage(height: number, change: Parameters<typeof withBlock>[2]) {
  return checkLedger(withBlock(stored, height, change), genesisId);
}

function unanimity(change: Parameters<typeof withBlock>[2]) {
  return checkUnanimity(withBlock(ledger, 1, change), managers);
}

function suspensions() {
  return managers.slice(2).map((managerId) => ({ managerId, kind: "suspend" }) as const);
}

function watchOf(...heights: readonly number[]) {
  return { ...watch, seen: heights.map((height) => ({ height, blockId: `block-${height}` })) };
}

function madeOf(hashes: readonly string[]): Book["made"] {
  const made = { ownerId: "participant-1", record: new Uint8Array() };
  return new Map(hashes.map((hash) => [hash, made]));
}

function listed(hash: string): ListedRecord {
  const { height, position } = acknowledged.get("record-1a") ?? { height: 0, position: 0 };
  return { hash, height, position, ownerId: "participant-1", parent: "", asMade: true };
}

function doubled() {
  return relisted({}, listed("record-1a"));
}

function traded(): ListedRecord {
  return { ...listed("other"), trade };
}

function successor(): ListedRecord {
  return { ...listed("other"), parent: "p" };
}
