/**
 * The small consortium with a market grid and meters of one's own, for trying records one by one.
 */
import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { binaryText } from "../../../../src/base/bytes.js";
import { ControlOperationSchema, type Policy } from "../../../../src/gen/bss/v1/genesis_pb.js";
import { BlockExecution } from "../../../../src/ledger/blocks/execution.js";
import { type EnergySums, energySums } from "../../../../src/ledger/kinds/energy.js";
import {
  deliverySlotOf,
  type MarketGrid,
  windowSlotOf,
} from "../../../../src/ledger/kinds/market-grid.js";
import { checkPolicy } from "../../../../src/ledger/policy.js";
import { parseRecord } from "../../../../src/ledger/records/records.js";
import { genesisHead } from "../../../../src/ledger/state/head.js";
import {
  stateOperationProblem,
  writeStateOperation,
} from "../../../../src/ledger/state/state-operations.js";
import type { StandingReading } from "../../../../src/ledger/state/windows.js";
import type { Violation } from "../../../../src/ledger/violation.js";
import { consortiumId, genesis, policy as genesisPolicy } from "./consortium.js";
import { accepted } from "./outcome.js";
import { blockMs } from "./trial.js";

export type MarketMeter = {
  readonly meterId: string;
  readonly ownerId: string;
  readonly intervalS: number;
};

const stateOfGenesis = new Map(
  genesisHead(genesis).stateWrites.map(({ key, value }) => [binaryText(key), value]),
);

export class Market {
  readonly #policy: Policy;
  readonly #execution: BlockExecution;

  /** The meters are registered beside those of genesis. */
  constructor({ deliveryIntervalS, deliveryOffsetS }: MarketGrid, meters: readonly MarketMeter[]) {
    const policy = { ...genesisPolicy, deliveryIntervalS, deliveryOffsetS };
    assert.equal(checkPolicy(policy), undefined);
    this.#policy = policy;
    this.#execution = new BlockExecution({
      state: { get: (key) => stateOfGenesis.get(binaryText(key)) },
      policy,
      members: genesis.members,
      height: 1,
      timestampMs: blockMs,
      firstPosition: 0,
    });
    const { tables } = this.#execution;
    for (const meter of meters) {
      const value = { ...meter, ratedPowerW: 10_000n };
      const operation = create(ControlOperationSchema, {
        operation: { case: "registerMeter", value },
      });
      assert.equal(stateOperationProblem(operation, tables, { policy, height: 1 }), undefined);
      writeStateOperation(operation, tables, { policy, height: 1 });
    }
  }

  /** Why the record is refused, when it is parsed or by a rule; undefined when it is placed. */
  try(bytes: Uint8Array): Violation | undefined {
    const record = parseRecord(consortiumId, bytes, this.#policy);
    if (!record.ok) return record.error;
    return this.#execution.tryRecord(record.value, { participantId: record.value.ownerId });
  }

  /** The hash by which an update names the record as its parent. */
  hashOf(bytes: Uint8Array): Uint8Array {
    return accepted(parseRecord(consortiumId, bytes, this.#policy)).hash;
  }

  /** What stands for the interval of a meter from `startS` on. */
  standing(meterId: string, startS: number, intervalS: number): StandingReading | undefined {
    const at = windowSlotOf(startS, intervalS, this.#policy);
    return this.#execution.tables.readings.get(meterId, at);
  }

  sums(participantId: string, deliveryStartS: number): EnergySums {
    const at = deliverySlotOf(deliveryStartS, this.#policy);
    return energySums(this.#execution.tables, participantId, at);
  }
}
