import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { auditDigest, auditPositions } from "../../../../src/consensus/attestation/audit.js";
import type { OpenCommittee } from "../../../../src/ledger/members/member-lists.js";
import { Members } from "../../../../src/ledger/members/members.js";
import type { LedgerHead } from "../../../../src/ledger/state/head.js";
import type { FalseAudit } from "../../../../src/manager/storage-nodes/audit-findings.js";
import { AuditWatch } from "../../../../src/manager/storage-nodes/audit-watch.js";
import { StoreError } from "../../../../src/store/store-error.js";
import { policy } from "../../ledger/support/consortium.js";
import { documentBytes, seedOf, submitted } from "../../ledger/support/records.js";
import { LedgerWorld } from "../support/ledger-world.js";

const one = () => ({ candidates: [submitted([documentBytes()])] });
const nodeIds = ["storage-1", "storage-2"];

describe("the watch over audits", () => {
  let world: LedgerWorld;
  let found: FalseAudit[];
  let seen: string[];
  let reads: number;
  let recordBytesMax: number;
  let auditRecords: number;
  let calls: number;
  let failing: StoreError | undefined;
  let open: OpenCommittee[];
  let watch: AuditWatch;

  /** A block whose audited nodes sign what is right. */
  const auditedBlock = async (): Promise<OpenCommittee> => {
    const treeSize = world.store.head.frontier.size;
    const { executed } = await world.extend(one());
    const { height, beacon, blockId, hash1 } = executed.facts;
    const audited = [];
    for (const nodeId of nodeIds) {
      const draw = { beacon, nodeId, treeSize, count: auditRecords };
      const stored = await world.store.sealedRecordsAt(auditPositions(draw));
      const sealed = stored.map((record) => record?.sealed ?? new Uint8Array());
      audited.push({ nodeId, audit: auditDigest(beacon, nodeId, sealed) });
    }
    const size = executed.facts.treeSize;
    return { height, blockId, hash1, treeSize: size, round: 0, missing: [], audited };
  };

  const head = (): LedgerHead => {
    const { managers, storageNodes, officers } = world.store.head.members;
    const members = new Members({ managers, storageNodes, officers, openCommittees: open });
    return { ...world.store.head, members };
  };

  beforeEach(async () => {
    world = await LedgerWorld.create();
    [found, seen, open] = [[], [], []];
    [reads, failing] = [0, undefined];
    [calls, recordBytesMax, auditRecords] = [0, policy.recordBytesMax, policy.auditRecords];
    await world.extend(one());
    await world.extend(one());
    watch = new AuditWatch(
      {
        policy: {
          get auditRecords() {
            return auditRecords;
          },
          get recordBytesMax() {
            return recordBytesMax;
          },
        },
        head,
        store: {
          bareBlock: (height) => world.store.bareBlock(height),
          sealedRecordsAt: (positions) => {
            reads += positions.length;
            calls += 1;
            if (failing !== undefined) throw failing;
            return world.store.sealedRecordsAt(positions);
          },
        },
        observer: {
          audited: (nodeId, height, passed) => seen.push(`${nodeId} ${height} ${passed}`),
          auditUnreadable: (height, { code }) => seen.push(`${height} ${code}`),
        },
      },
      { note: (each) => found.push(each) },
    );
  });

  test("agrees with the digest of the records before the block", async () => {
    open = [await auditedBlock()];
    await watch.tick();
    assert.deepEqual(seen, ["storage-1 3 true", "storage-2 3 true"]);
    assert.deepEqual(found, []);
    assert.ok(reads > 0);
  });

  test("finds an invented digest, and looks at each block once", async () => {
    const block = await auditedBlock();
    const [first] = block.audited;
    assert.ok(first);
    const invented = { nodeId: "storage-2", audit: seedOf("invented") };
    open = [{ ...block, audited: [first, invented] }];
    await watch.tick();
    const before = reads;
    await watch.tick();
    assert.deepEqual(found, [{ ...invented, height: 3 }]);
    assert.equal(reads, before);
    open = [...open, await auditedBlock()];
    await watch.tick();
    assert.deepEqual(seen.slice(2), ["storage-1 4 true", "storage-2 4 true"]);
  });

  test("reads for several nodes together, unless that may be much", async () => {
    open = [await auditedBlock()];
    await watch.tick();
    assert.equal(calls, 1);
    recordBytesMax = 4 * 2 ** 20;
    open = [...open, await auditedBlock()];
    await watch.tick();
    assert.equal(calls, 3);
    assert.deepEqual(seen.slice(2), ["storage-1 4 true", "storage-2 4 true"]);
  });

  test("takes into account that short records are read with their neighbours", async () => {
    [auditRecords, recordBytesMax] = [150, 1];
    open = [await auditedBlock()];
    await watch.tick();
    assert.equal(calls, 2);
    assert.deepEqual(seen, ["storage-1 3 true", "storage-2 3 true"]);
  });

  test("blames nobody when this manager's own records cannot be read", async () => {
    open = [await auditedBlock()];
    failing = new StoreError("CORRUPT", "damaged");
    await watch.tick();
    failing = undefined;
    await watch.tick();
    assert.deepEqual([seen, found], [["3 CORRUPT"], []]);
  });

  test("is silent when the store is closing, and tells of any other fault", async () => {
    const block = await auditedBlock();
    open = [block];
    failing = new StoreError("CLOSED", "the store is closed");
    await watch.tick();
    assert.deepEqual(seen, []);
    open = [{ ...block, height: 9 }];
    await watch.tick();
    assert.deepEqual(seen, ["9 CORRUPT"], "the block is missing");
  });
});
