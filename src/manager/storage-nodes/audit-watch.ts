/**
 * Recomputes the audit digests of the storage nodes that a block drew for it ([R5.5.2]), from this
 * manager's own sealed records, once for each block. Reads, so it runs beside the ring.
 */
import { defined } from "../../base/assert.js";
import { equalBytes } from "../../base/bytes.js";
import { auditDigest, auditPositions } from "../../consensus/attestation/audit.js";
import type { Policy } from "../../gen/bss/v1/genesis_pb.js";
import { parseHeader } from "../../ledger/blocks/block-parsing.js";
import type { OpenCommittee } from "../../ledger/members/member-lists.js";
import { openBlocks } from "../../ledger/storage-nodes/settlement.js";
import { segmentBytes } from "../../store/chain/segments.js";
import { present } from "../../store/chain/stored-values.js";
import type { ManagerStore } from "../../store/manager-store.js";
import { StoreError } from "../../store/store-error.js";
import type { ManagerContext } from "../manager-context.js";
import type { ManagerObserver } from "../manager-observer.js";
import type { AuditFindings } from "./audit-findings.js";

type Context = Pick<ManagerContext, "head"> & {
  readonly policy: Pick<Policy, "auditRecords" | "recordBytesMax">;
  readonly store: Pick<ManagerStore, "bareBlock" | "sealedRecordsAt">;
  readonly observer: Pick<ManagerObserver, "audited" | "auditUnreadable">;
};

/** What is read for several audits together, as each reading costs more than what it reads. */
const bytesAtOnce = 4 * 2 ** 20;

/** What the draw of a block's audits follows from. */
type Drawn = {
  readonly beacon: Uint8Array;
  /** Records on the ledger before the block. */
  readonly treeSize: number;
};

export class AuditWatch {
  readonly #context: Context;
  readonly #findings: Pick<AuditFindings, "note">;
  /** Of the latest blocks what the draw of their audits follows from, so that it is not read. */
  readonly #recent = new Map<number, Drawn>();
  /** Blocks up to this one have been looked at. */
  #checkedHeight = 0;
  #running = false;

  constructor(context: Context, findings: Pick<AuditFindings, "note">) {
    this.#context = context;
    this.#findings = findings;
  }

  /** Looks at what blocks have drawn since the last time; after each block, and at intervals. */
  async tick(): Promise<void> {
    this.#noteHead();
    if (this.#running) return;
    this.#running = true;
    try {
      for (const committee of this.#context.head().members.openCommittees) {
        if (committee.height <= this.#checkedHeight) continue;
        await this.#check(committee);
        this.#checkedHeight = committee.height;
      }
    } finally {
      this.#running = false;
    }
  }

  async #check(committee: OpenCommittee): Promise<void> {
    const { observer } = this.#context;
    const { height, audited } = committee;
    if (audited.length === 0) return;
    try {
      const drawn = await this.#blockOf(committee);
      const atOnce = this.#auditsAtOnce;
      for (let from = 0; from < audited.length; from += atOnce) {
        const some = audited.slice(from, from + atOnce);
        const digests = await this.#digestsFor(some, drawn);
        for (const [i, { nodeId, audit }] of some.entries()) {
          const passed = equalBytes(audit, defined(digests[i], "each has its digest"));
          observer.audited(nodeId, height, passed);
          if (!passed) this.#findings.note({ nodeId, height, audit });
        }
      }
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      // This manager's own records cannot be read, so it finds nothing.
      if (error.code !== "CLOSED") observer.auditUnreadable(height, error);
    }
  }

  #noteHead(): void {
    const { facts } = this.#context.head();
    if (facts === undefined) return;
    const { height, beacon, treeSize, leafCount } = facts;
    this.#recent.set(height, { beacon, treeSize: treeSize - leafCount });
    for (const oldest of this.#recent.keys()) {
      if (this.#recent.size <= openBlocks) break;
      this.#recent.delete(oldest);
    }
  }

  /** What the draw of a block's audits follows from. */
  async #blockOf({ height, treeSize }: OpenCommittee): Promise<Drawn> {
    const recent = this.#recent.get(height);
    if (recent !== undefined) return recent;
    const stored = await this.#context.store.bareBlock(height);
    const { block, leafCount } = present(stored, `block ${height}`);
    const parsed = parseHeader(block.header);
    const { header } = defined(parsed.ok ? parsed.value : undefined, "a final block has a header");
    return { beacon: header.beacon, treeSize: treeSize - leafCount };
  }

  get #auditsAtOnce(): number {
    const { auditRecords, recordBytesMax } = this.#context.policy;
    // However short a record, its neighbours are read with it.
    const readBytes = Math.max(recordBytesMax, segmentBytes);
    return Math.max(1, Math.floor(bytesAtOnce / (auditRecords * readBytes)));
  }

  /** In the order of the nodes. */
  async #digestsFor(
    nodes: readonly { readonly nodeId: string }[],
    { beacon, treeSize }: Drawn,
  ): Promise<readonly Uint8Array[]> {
    const { policy, store } = this.#context;
    const drawn = nodes.map(({ nodeId }) => {
      const draw = { beacon, nodeId, treeSize, count: policy.auditRecords };
      return { nodeId, positions: auditPositions(draw) };
    });
    const all = drawn.flatMap(({ positions }) => positions);
    const found = await store.sealedRecordsAt(all);
    const records = found.map((each, i) => present(each, `sealed record ${all[i]}`).sealed);
    let taken = 0;
    return drawn.map(({ nodeId, positions }) => {
      const own = records.slice(taken, taken + positions.length);
      taken += positions.length;
      return auditDigest(beacon, nodeId, own);
    });
  }
}
