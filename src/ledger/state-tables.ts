/**
 * The state as typed tables, with the writes of the block that is being executed on top.
 *
 * Each value is decoded at most once and encoded at most once per block, however many records touch it: a seller's sums of a
 * delivery interval change with each of its trades, and only the last values are written.
 */
import { type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { compareBytes, toHex } from "../base/bytes.js";
import {
  EnergyStateSchema,
  MeterStateSchema,
  ParticipantStateSchema,
  ReadingStateSchema,
  RecordStateSchema,
  TradeStateSchema,
} from "../gen/bss/store/v1/state_pb.js";
import type { StateView, StateWrite } from "./state.js";

/** What rules may do with a table. Values are shared: nobody changes one, a new one is put. */
export type TableReads<Desc extends DescMessage> = {
  get(key: Uint8Array): MessageShape<Desc> | undefined;
};

export type StateReads = {
  readonly participants: TableReads<typeof ParticipantStateSchema>;
  readonly meters: TableReads<typeof MeterStateSchema>;
  readonly records: TableReads<typeof RecordStateSchema>;
  readonly readings: TableReads<typeof ReadingStateSchema>;
  readonly energy: TableReads<typeof EnergyStateSchema>;
  readonly trades: TableReads<typeof TradeStateSchema>;
};

export class StateTables implements StateReads {
  readonly participants: Table<typeof ParticipantStateSchema>;
  readonly meters: Table<typeof MeterStateSchema>;
  readonly records: Table<typeof RecordStateSchema>;
  readonly readings: Table<typeof ReadingStateSchema>;
  readonly energy: Table<typeof EnergyStateSchema>;
  readonly trades: Table<typeof TradeStateSchema>;

  constructor(view: StateView) {
    this.participants = new Table(ParticipantStateSchema, view);
    this.meters = new Table(MeterStateSchema, view);
    this.records = new Table(RecordStateSchema, view);
    this.readings = new Table(ReadingStateSchema, view);
    this.energy = new Table(EnergyStateSchema, view);
    this.trades = new Table(TradeStateSchema, view);
  }

  /** Everything that was put, the last value of each key, sorted by key. */
  writes(): readonly StateWrite[] {
    const writes = [
      ...this.participants.writes(),
      ...this.meters.writes(),
      ...this.records.writes(),
      ...this.readings.writes(),
      ...this.energy.writes(),
      ...this.trades.writes(),
    ];
    return writes.sort((a, b) => compareBytes(a.key, b.key));
  }
}

/** One kind of value: reads fall through to the view, puts stay here. */
export class Table<Desc extends DescMessage> implements TableReads<Desc> {
  readonly #schema: Desc;
  readonly #view: StateView;
  readonly #read = new Map<string, MessageShape<Desc> | undefined>();
  readonly #put = new Map<string, { key: Uint8Array; value: MessageShape<Desc> }>();

  constructor(schema: Desc, view: StateView) {
    this.#schema = schema;
    this.#view = view;
  }

  get(key: Uint8Array): MessageShape<Desc> | undefined {
    const hex = toHex(key);
    const put = this.#put.get(hex);
    if (put !== undefined) return put.value;
    if (this.#read.has(hex)) return this.#read.get(hex);
    const bytes = this.#view.get(key);
    const value = bytes === undefined ? undefined : fromBinary(this.#schema, bytes);
    this.#read.set(hex, value);
    return value;
  }

  put(key: Uint8Array, value: MessageShape<Desc>): void {
    this.#put.set(toHex(key), { key, value });
  }

  *writes(): Generator<StateWrite> {
    for (const { key, value } of this.#put.values()) {
      yield { key, value: toBinary(this.#schema, value) };
    }
  }
}
