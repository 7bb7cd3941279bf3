/**
 * The state as typed tables, with the writes of the block that is being executed on top.
 *
 * Each value is decoded at most once and encoded at most once per block, however many records touch
 * it: a seller's sums of a delivery interval change with each of its trades, and only the last
 * values are written.
 */
import { create, type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import { defined } from "../../base/assert.js";
import { binaryText, compareBytes } from "../../base/bytes.js";
import {
  type InvitationState,
  InvitationStateSchema,
  type MeterState,
  MeterStateSchema,
  type ParticipantState,
  ParticipantStateSchema,
} from "../../gen/bss/store/v1/state_pb.js";
import { foldedId } from "../ids.js";
import { encode } from "../wire.js";
import { CompactReader, CompactWriter } from "./compact.js";
import { decodeRecordState, encodeRecordState, type RecordState } from "./record-state.js";
import type { StateView, StateWrite } from "./state.js";
import { stateKeys } from "./state-keys.js";
import {
  decodeReadings,
  decodeSums,
  encodeReadings,
  encodeSums,
  type StandingReading,
  type StoredSums,
  setSlot,
  type WindowSlot,
  type WindowValues,
} from "./windows.js";

/** What names a value of each table. */
type ById = readonly [id: string];
type ByHash = readonly [hash: Uint8Array];
type ByInvitation = readonly [invitationId: Uint8Array, operatorId: string];
type BySlot = readonly [id: string, at: WindowSlot];

/** What rules may do with a table. Values are shared: nobody changes one, a new one is put. */
export type TableReads<Value, Name extends readonly unknown[]> = {
  get(...name: Name): Value | undefined;
};

/** The same of values of intervals, one by one or a window at a time. */
export type WindowReads<Value> = TableReads<Value, BySlot> & {
  /** By slot; may be shorter than a window. */
  window(id: string, window: number): readonly (Value | undefined)[];
};

export type StateReads = {
  readonly participants: TableReads<ParticipantState, ById>;
  /** By id, in whatever case. */
  readonly meters: TableReads<MeterState, ById>;
  readonly records: TableReads<RecordState, ByHash>;
  /** By meter and place of the interval, which is counted in intervals of the meter. */
  readonly readings: WindowReads<StandingReading>;
  /** By participant and place of the delivery interval. */
  readonly energy: WindowReads<StoredSums>;
  /** By trade id: the record's index in the Merkle log. */
  readonly trades: TableReads<number, ByHash>;
  /** By invitation id and operator. */
  readonly invitations: TableReads<InvitationState, ByInvitation>;
};

export class StateTables implements StateReads {
  readonly participants: Table<ParticipantState, ById>;
  readonly meters: Table<MeterState, ById>;
  readonly records: Table<RecordState, ByHash>;
  readonly readings: WindowTable<StandingReading>;
  readonly energy: WindowTable<StoredSums>;
  readonly trades: Table<number, ByHash>;
  readonly invitations: Table<InvitationState, ByInvitation>;
  /** How many participants are registered, under the one name that this table has. */
  readonly participantCount: Table<number, readonly []>;

  constructor(view: StateView) {
    const keys = stateKeys;
    this.participants = new Table(view, participantStates, sameId, keys.participant);
    this.meters = new Table(view, meterStates, foldedId, keys.meter);
    this.records = new Table(view, recordStates, binaryText, keys.record);
    this.readings = new WindowTable(view, readingWindows, keys.readings);
    this.energy = new WindowTable(view, sumWindows, keys.energy);
    this.trades = new Table(view, integers, binaryText, keys.trade);
    this.invitations = new Table(view, invitationStates, invitationText, keys.invitation);
    this.participantCount = new Table(view, integers, () => "", keys.participantCount);
  }

  /** Everything that was put, the last value of each key, sorted by key. */
  writes(): readonly StateWrite[] {
    const out = new CompactWriter();
    const writes: StateWrite[] = [];
    this.participants.addWrites(writes, out);
    this.meters.addWrites(writes, out);
    this.records.addWrites(writes, out);
    this.readings.addWrites(writes, out);
    this.energy.addWrites(writes, out);
    this.trades.addWrites(writes, out);
    this.invitations.addWrites(writes, out);
    this.participantCount.addWrites(writes, out);
    return writes.sort((a, b) => compareBytes(a.key, b.key));
  }
}

/** How a value of a table is written; `decode` gives undefined for bytes that are none. */
type Codec<Value> = {
  readonly encode: (value: Value, out: CompactWriter) => Uint8Array;
  readonly decode: (bytes: Uint8Array) => Value | undefined;
};

/**
 * Participants and meters are read by every record, and seldom written. A store that remembers what
 * it read gives the same bytes again, so they are decoded once, and not once for each execution. It
 * counts what they take so (recent-state.ts).
 */
function messages<Desc extends DescMessage>(schema: Desc): Codec<MessageShape<Desc>> {
  const decoded = new WeakMap<Uint8Array, MessageShape<Desc>>();
  return {
    encode: (value) => encode<DescMessage>(schema, value),
    decode(bytes) {
      const known = decoded.get(bytes);
      if (known !== undefined) return known;
      const value = fromBinary(schema, bytes);
      decoded.set(bytes, value);
      return value;
    },
  };
}

const participantStates = messages(ParticipantStateSchema);
const meterStates = messages(MeterStateSchema);
const invitationStates = messages(InvitationStateSchema);

const recordStates: Codec<RecordState> = { encode: encodeRecordState, decode: decodeRecordState };

const readingWindows: Codec<WindowValues<StandingReading>> = {
  encode: encodeReadings,
  decode: decodeReadings,
};

const sumWindows: Codec<WindowValues<StoredSums>> = { encode: encodeSums, decode: decodeSums };

const integers: Codec<number> = {
  encode(value, out) {
    out.uint(value);
    return out.take();
  },
  decode(bytes) {
    const from = new CompactReader(bytes);
    const value = from.uint();
    return from.isWhole ? value : undefined;
  },
};

const sameId = (id: string) => id;

const invitationText = (invitationId: Uint8Array, operatorId: string) =>
  `${binaryText(invitationId)}:${operatorId}`;

const notAsWritten = "the state has what was written to it";

type Entry<Value> = {
  readonly key: Uint8Array;
  value: Value | undefined;
  isPut: boolean;
};

/** One kind of value: reads fall through to the view, puts stay here. */
class Table<Value, Name extends readonly unknown[]> implements TableReads<Value, Name> {
  readonly #view: StateView;
  readonly #codec: Codec<Value>;
  readonly #textOf: (...name: Name) => string;
  readonly #keyOf: (...name: Name) => Uint8Array;
  readonly #entries = new Map<string, Entry<Value>>();

  /** `textOf` tells the names of the table apart, `keyOf` is where the view has them. */
  constructor(
    view: StateView,
    codec: Codec<Value>,
    textOf: (...name: Name) => string,
    keyOf: (...name: Name) => Uint8Array,
  ) {
    this.#view = view;
    this.#codec = codec;
    this.#textOf = textOf;
    this.#keyOf = keyOf;
  }

  get(...name: Name): Value | undefined {
    const text = this.#textOf(...name);
    const known = this.#entries.get(text);
    if (known !== undefined) return known.value;
    const key = this.#keyOf(...name);
    const bytes = this.#view.get(key);
    const value =
      bytes === undefined ? undefined : defined(this.#codec.decode(bytes), notAsWritten);
    this.#entries.set(text, { key, value, isPut: false });
    return value;
  }

  put(name: Name, value: Value): void {
    const text = this.#textOf(...name);
    const known = this.#entries.get(text);
    if (known === undefined) {
      this.#entries.set(text, { key: this.#keyOf(...name), value, isPut: true });
      return;
    }
    known.value = value;
    known.isPut = true;
  }

  addWrites(writes: StateWrite[], out: CompactWriter): void {
    for (const { key, value, isPut } of this.#entries.values()) {
      if (!isPut || value === undefined) continue;
      writes.push({ key, value: this.#codec.encode(value, out) });
    }
  }
}

type OpenWindow<Value> = {
  readonly key: Uint8Array;
  /** Decoded for this table alone, so it changes in place. */
  readonly values: WindowValues<Value>;
  isChanged: boolean;
};

/** Values of intervals. A window is read and written as a whole. */
class WindowTable<Value> implements WindowReads<Value> {
  readonly #view: StateView;
  readonly #codec: Codec<WindowValues<Value>>;
  readonly #keyOf: (id: string, window: number) => Uint8Array;
  /** By id, then by number. */
  readonly #windows = new Map<string, Map<number, OpenWindow<Value>>>();

  constructor(
    view: StateView,
    codec: Codec<WindowValues<Value>>,
    keyOf: (id: string, window: number) => Uint8Array,
  ) {
    this.#view = view;
    this.#codec = codec;
    this.#keyOf = keyOf;
  }

  get(id: string, { window, slot }: WindowSlot): Value | undefined {
    return this.#windowOf(id, window).values[slot];
  }

  window(id: string, window: number): readonly (Value | undefined)[] {
    return this.#windowOf(id, window).values;
  }

  put([id, { window, slot }]: BySlot, value: Value): void {
    setSlot(this.change(id, window), slot, value);
  }

  /** A window that is written to with `setSlot`. */
  change(id: string, window: number): WindowValues<Value> {
    const open = this.#windowOf(id, window);
    open.isChanged = true;
    return open.values;
  }

  addWrites(writes: StateWrite[], out: CompactWriter): void {
    for (const ofId of this.#windows.values()) {
      for (const { key, values, isChanged } of ofId.values()) {
        if (isChanged) writes.push({ key, value: this.#codec.encode(values, out) });
      }
    }
  }

  #windowOf(id: string, window: number): OpenWindow<Value> {
    let ofId = this.#windows.get(id);
    if (ofId === undefined) {
      ofId = new Map();
      this.#windows.set(id, ofId);
    }
    let open = ofId.get(window);
    if (open === undefined) {
      const key = this.#keyOf(id, window);
      const bytes = this.#view.get(key);
      const values = bytes === undefined ? [] : defined(this.#codec.decode(bytes), notAsWritten);
      open = { key, values, isChanged: false };
      ofId.set(window, open);
    }
    return open;
  }
}

/**
 * The state of a meter that is registered under `meterId`. Its key holds the id in lower case, so
 * that ids which differ only in case are one meter; the value holds the spelling of an id that has
 * capitals.
 */
export function meterState(
  meterId: string,
  meter: Pick<MeterState, "ownerId" | "ratedPowerW" | "intervalS" | "height">,
): MeterState {
  const { ownerId, ratedPowerW, intervalS, height } = meter;
  const spelling = meterId === foldedId(meterId) ? "" : meterId;
  return create(MeterStateSchema, { ownerId, ratedPowerW, intervalS, height, spelling });
}

/** The id as it is registered, of a meter that was found by the id in any case. */
export function registeredMeterId(id: string, { spelling }: MeterState): string {
  return spelling === "" ? foldedId(id) : spelling;
}
