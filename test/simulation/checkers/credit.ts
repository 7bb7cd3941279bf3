/**
 * What every node that is there knows in the end of every storage node's credit, reward and
 * suspension, of the committees that are open and of what has been stored, is what the blocks say.
 */
import type { Members } from "../../../src/ledger/members/members.js";
import type { Consortium } from "../consortium.js";
import type { Counters } from "../counters.js";
import { Checker, type FinalBlock, type StorageBlock } from "../events.js";
import type { FinalDisks } from "./final-disks.js";
import { type ModelStatus, StorageModel } from "./storage-model.js";

export class CreditChecker extends Checker {
  readonly name = "credit";
  readonly #model: StorageModel;
  readonly #disks: () => Promise<FinalDisks>;
  readonly #counters: Counters;
  #height = 0;

  constructor(consortium: Consortium, disks: () => Promise<FinalDisks>, counters: Counters) {
    super();
    this.#model = new StorageModel(consortium, (change) => counters.count(`standing: ${change}`));
    this.#disks = disks;
    this.#counters = counters;
  }

  override appended(_managerId: string, { parsed }: FinalBlock): void {
    this.#add(parsed);
  }

  override storageAppended(_nodeId: string, { parsed }: StorageBlock): void {
    this.#add(parsed);
  }

  override async finish(): Promise<void> {
    const { managers, storageNodes } = await this.#disks();
    for (const [id, { head }] of [...managers, ...storageNodes]) {
      const expected = described(this.#model.after(head.height));
      const found = describedMembers(head.members);
      if (found === expected) continue;
      this.fail(`${id} at height ${head.height} has\n  ${found}\n  not\n  ${expected}`);
    }
    for (const { credit, suspension, reward } of this.#model.after(this.#height).nodes.values()) {
      this.#counters.count(`in the end: ${suspension ?? "active"} storage node`);
      if (credit < 100) this.#counters.count("in the end: storage node that lost credit");
      if (reward % 1_000n > 0n) this.#counters.count("in the end: storage node paid for storing");
    }
  }

  #add(parsed: FinalBlock["parsed"]): void {
    this.#model.add(parsed);
    this.#height = Math.max(this.#height, parsed.height);
  }
}

function described({ nodes, open, byteMs }: ModelStatus): string {
  const sorted = [...nodes].sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    ...sorted.map(([id, { credit, reward, suspension, auditFailed }]) =>
      [id, credit, reward, suspension, auditFailed].join(" "),
    ),
    ...open.map(({ height, missing, audited }) =>
      [height, [...missing].sort(), "audits", [...audited].sort()].join(" "),
    ),
    `${byteMs} byte ms`,
  ].join(", ");
}

function describedMembers({ storageNodes, openCommittees, totals }: Members): string {
  return [
    ...storageNodes.map(({ nodeId, credit, reward, suspension, auditFailed }) =>
      [nodeId, credit, reward, suspension, auditFailed].join(" "),
    ),
    ...openCommittees.map(({ height, missing, audited }) =>
      [height, missing, "audits", audited.map(({ nodeId }) => nodeId)].join(" "),
    ),
    `${totals.kibSeconds * 1_024_000n + BigInt(totals.remainder)} byte ms`,
  ].join(", ");
}
