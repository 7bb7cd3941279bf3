/**
 * The state as typed tables, with the writes of the block that is being executed on top.
 *
 * Each value is decoded at most once and encoded at most once per block, however many records touch
 * it: a seller's sums of a delivery interval change with each of its trades, and only the last
 * values are written.
 */
import { create, type DescMessage, type MessageShape } from "@bufbuild/protobuf";
import { compareBytes, toHex } from "../../base/bytes.js";
import {
  EnergyStateSchema,
  InvitationStateSchema,
  type MeterState,
  MeterStateSchema,
  ParticipantStateSchema,
  ReadingStateSchema,
  RecordStateSchema,
  TradeStateSchema,
} from "../../gen/bss/store/v1/state_pb.js";
import { foldedId } from "../ids.js";
import { decode, encode } from "../wire-codec.js";
import type { StateView, StateWrite } from "./state.js";
import { stateKeys } from "./state-keys.js";

/** What names a value of each table. */
type ById = readonly [id: string];
type ByHash = readonly [hash: Uint8Array];
type ByInvitation = readonly [invitationId: Uint8Array, operatorId: string];
type ByInterval = readonly [id: string, startS: number];

/** What rules may do with a table. Values are shared: nobody changes one, a new one is put. */
export type TableReads<Desc extends DescMessage, Name extends readonly unknown[]> = {
  get(...name: Name): MessageShape<Desc> | undefined;
};

export type StateReads = {
  readonly participants: TableReads<typeof ParticipantStateSchema, ById>;
  /** By id, in whatever case. */
  readonly meters: TableReads<typeof MeterStateSchema, ById>;
  readonly records: TableReads<typeof RecordStateSchema, ByHash>;
  /** By meter and start of the interval. */
  readonly readings: TableReads<typeof ReadingStateSchema, ByInterval>;
  /** By participant and start of the delivery interval. */
  readonly energy: TableReads<typeof EnergyStateSchema, ByInterval>;
  /** By trade id. */
  readonly trades: TableReads<typeof TradeStateSchema, ByHash>;
  /** By invitation id and operator. */
  readonly invitations: TableReads<typeof InvitationStateSchema, ByInvitation>;
};

export class StateTables implements StateReads {
  readonly participants: Table<typeof ParticipantStateSchema, ById>;
  readonly meters: Table<typeof MeterStateSchema, ById>;
  readonly records: Table<typeof RecordStateSchema, ByHash>;
  readonly readings: Table<typeof ReadingStateSchema, ByInterval>;
  readonly energy: Table<typeof EnergyStateSchema, ByInterval>;
  readonly trades: Table<typeof TradeStateSchema, ByHash>;
  readonly invitations: Table<typeof InvitationStateSchema, ByInvitation>;

  constructor(view: StateView) {
    const { participant, meter, record, reading, energy, trade, invitation } = stateKeys;
    this.participants = new Table(ParticipantStateSchema, view, byId, participant);
    this.meters = new Table(MeterStateSchema, view, foldedId, meter);
    this.records = new Table(RecordStateSchema, view, toHex, record);
    this.readings = new Table(ReadingStateSchema, view, byInterval, reading);
    this.energy = new Table(EnergyStateSchema, view, byInterval, energy);
    this.trades = new Table(TradeStateSchema, view, toHex, trade);
    this.invitations = new Table(InvitationStateSchema, view, byInvitation, invitation);
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
      ...this.invitations.writes(),
    ];
    return writes.sort((a, b) => compareBytes(a.key, b.key));
  }
}

const byId = (id: string) => id;
/** The id is last: it may hold a colon. */
const byInterval = (id: string, startS: number) => `${startS}:${id}`;

const byInvitation = (invitationId: Uint8Array, operatorId: string) =>
  `${toHex(invitationId)}:${operatorId}`;

/** One kind of value: reads fall through to the view, puts stay here. */
class Table<Desc extends DescMessage, Name extends readonly unknown[]>
  implements TableReads<Desc, Name>
{
  readonly #schema: Desc;
  readonly #view: StateView;
  readonly #textOf: (...name: Name) => string;
  readonly #keyOf: (...name: Name) => Uint8Array;
  readonly #read = new Map<string, MessageShape<Desc> | undefined>();
  readonly #put = new Map<string, { key: Uint8Array; value: MessageShape<Desc> }>();

  /** `textOf` tells the names of the table apart, `keyOf` is where the view has them. */
  constructor(
    schema: Desc,
    view: StateView,
    textOf: (...name: Name) => string,
    keyOf: (...name: Name) => Uint8Array,
  ) {
    this.#schema = schema;
    this.#view = view;
    this.#textOf = textOf;
    this.#keyOf = keyOf;
  }

  get(...name: Name): MessageShape<Desc> | undefined {
    const text = this.#textOf(...name);
    const put = this.#put.get(text);
    if (put !== undefined) return put.value;
    if (this.#read.has(text)) return this.#read.get(text);
    const bytes = this.#view.get(this.#keyOf(...name));
    const value = bytes === undefined ? undefined : decode(this.#schema, bytes);
    this.#read.set(text, value);
    return value;
  }

  put(name: Name, value: MessageShape<Desc>): void {
    const text = this.#textOf(...name);
    const key = this.#put.get(text)?.key ?? this.#keyOf(...name);
    this.#put.set(text, { key, value });
  }

  *writes(): Generator<StateWrite> {
    for (const { key, value } of this.#put.values()) {
      yield { key, value: encode(this.#schema, value) };
    }
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
