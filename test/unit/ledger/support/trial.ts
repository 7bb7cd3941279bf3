/** One execution on the state of genesis, for trying records one by one. */
import assert from "node:assert/strict";
import { binaryText } from "../../../../src/base/bytes.js";
import type { Policy } from "../../../../src/gen/bss/v1/genesis_pb.js";
import { BlockExecution } from "../../../../src/ledger/blocks/execution.js";
import type { ParsedRecord } from "../../../../src/ledger/records/records.js";
import { genesisHead } from "../../../../src/ledger/state/head.js";
import type { Violation } from "../../../../src/ledger/violation.js";
import { genesis, genesisMs, policy as genesisPolicy } from "./consortium.js";
import { parsed } from "./records.js";

const writes = genesisHead(genesis).stateWrites;

export const blockMs = genesisMs + 1000;

export class Trial {
  readonly execution: BlockExecution;

  constructor(policy: Policy = genesisPolicy) {
    const values = new Map(writes.map(({ key, value }) => [binaryText(key), value]));
    this.execution = new BlockExecution({
      state: { get: (key) => values.get(binaryText(key)) },
      policy,
      members: genesis.members,
      height: 1,
      timestampMs: blockMs,
      firstPosition: 0,
    });
  }

  /** Why the record is refused; undefined when it is placed. */
  try(bytes: Uint8Array, submitter?: string): Violation | undefined {
    const record = parsed(bytes);
    return this.execution.tryRecord(record, { participantId: submitter ?? record.ownerId });
  }

  /** Places a record that must be right. */
  place(bytes: Uint8Array, submitter?: string): ParsedRecord {
    assert.equal(this.try(bytes, submitter), undefined);
    return parsed(bytes);
  }

  /** Asserts that the record is refused for this reason, at this field, and leaves no trace. */
  refuses(bytes: Uint8Array, reason: string, field?: string, submitter?: string): void {
    const before = this.execution.writes();
    const count = this.execution.recordCount;
    const violation = this.try(bytes, submitter);
    assert.equal(violation?.reason, reason, violation?.message);
    assert.equal(violation?.field, field);
    assert.deepEqual(this.execution.writes(), before);
    assert.equal(this.execution.recordCount, count);
  }
}
