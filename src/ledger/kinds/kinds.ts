/**
 * All kinds of records. The compiler names a kind that `Record.payload` of the schema can hold and
 * that is missing here.
 */
import type { Result } from "../../base/result.js";
import type { Record } from "../../gen/bss/v1/record_pb.js";
import { refuse, type Violation } from "../violation.js";
import { chargingSession } from "./charging-session.js";
import { document } from "./document.js";
import { energyTrade } from "./energy-trade.js";
import type {
  AnyPayload,
  KindName,
  MessageOf,
  ParseContext,
  RecordKind,
  RecordOf,
} from "./kind.js";
import { loadProfile } from "./load-profile.js";
import { meterReading } from "./meter-reading.js";

/** By the name of the payload's field; rules run in this order. */
export const recordKinds = {
  meterReading,
  loadProfile,
  energyTrade,
  chargingSession,
  document,
} as const satisfies { readonly [Name in KindName]: RecordKind<MessageOf<Name>, AnyPayload<Name>> };

type PayloadOf<Kind> = Kind extends RecordKind<infer _, infer Payload> ? Payload : never;

export type Payload = PayloadOf<(typeof recordKinds)[KindName]>;
export type AnyKind = RecordKind<MessageOf<KindName>, Payload>;

/** The kind that a record is of. */
export function kindOf({ payload }: Pick<RecordOf<Payload>, "payload">): AnyKind {
  return recordKinds[payload.kind];
}

/** Refuses with RECORD_MALFORMED, and as the record's kind does. */
export function parsePayload(
  { payload }: Record,
  context: ParseContext,
): Result<Payload, Violation> {
  if (payload.case === undefined) {
    return refuse("RECORD_MALFORMED", "A record has no payload.", "payload");
  }
  return kindNamed(payload.case).parse(payload.value, context);
}

/** Participants besides the owner who may read the record, and find it in their lists. */
export function partiesOf({ payload }: Record): readonly string[] {
  return payload.case === undefined ? [] : kindNamed(payload.case).parties(payload.value);
}

/** Meters in whose lists the record stands. */
export function meterIdsOf({ payload }: Record): readonly string[] {
  return payload.case === undefined ? [] : kindNamed(payload.case).meterIds(payload.value);
}

function kindNamed(name: KindName): AnyKind {
  return recordKinds[name];
}
