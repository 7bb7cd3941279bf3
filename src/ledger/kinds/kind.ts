/**
 * What a kind of record is. Each kind has one file in this directory, and one line in kinds.ts:
 *
 *     bytes ─parse─▶ payload ─addStateKeys─▶ fetched state ─rules─▶ placed ─apply─▶ state
 *                                                                 └─parties, meterIds─▶ lists
 *
 * A kind is pure, like a rule: what it says follows from the record, its submitter, the state and
 * the block's timestamp alone, so that every manager comes to the same, now and at any replay.
 *
 * Members are methods and not properties, because TypeScript compares the parameters of methods
 * loosely: so one table can hold all kinds. It stays right because `kindOf` gives each record the
 * kind that parsed it.
 */
import type { Result } from "../../base/result.js";
import type { RecordKind as StoredKind } from "../../gen/bss/store/v1/state_pb.js";
import type { Policy } from "../../gen/bss/v1/genesis_pb.js";
import type { Record } from "../../gen/bss/v1/record_pb.js";
import type { SignatureCheck } from "../certificates/signature-check.js";
import type { ProfileRange, RecordPlace, TradeEffect } from "../state/record-state.js";
import type { StateKeyList } from "../state/state-key-list.js";
import type { StateReads, StateTables } from "../state/state-tables.js";
import type { WindowSlot } from "../state/windows.js";
import type { RuleReason, Violation } from "../violation.js";
import type { EnergyUse } from "./energy.js";
import type { MarketGrid } from "./market-grid.js";

/** What the schema calls the kinds: "meterReading", "energyTrade" and so on. */
export type KindName = NonNullable<Record["payload"]["case"]>;

/** What the schema calls the content of a record of this kind. */
export type MessageOf<Name extends KindName> = Extract<Record["payload"], { case: Name }>["value"];

/** A payload says its kind, and has plain numbers and checked shapes. */
export type AnyPayload<Name extends KindName = KindName> = { readonly kind: Name };

/** A record whose payload is of one kind. */
export type RecordOf<Payload extends AnyPayload> = {
  /** 32 bytes. */
  readonly hash: Uint8Array;
  /** `hash` in lower-case hex: the key of maps. */
  readonly hashHex: string;
  /** The exact bytes. */
  readonly bytes: Uint8Array;
  readonly salt: Uint8Array;
  readonly ownerId: string;
  /** Unix ms; may still be zero or negative, which a rule refuses. */
  readonly timeMs: number;
  /** As the kind's `parties` and `meterIds` say. */
  readonly parties: readonly string[];
  readonly meterIds: readonly string[];
  /** 32 bytes: the version that this record updates. */
  readonly parent?: Uint8Array;
  readonly payload: Payload;
};

/** `Message` is what the schema calls the content of such a record (`MessageOf`). */
export type RecordKind<Message, Payload extends AnyPayload> = {
  /** As people, `--json` and messages call it: "meter-reading". */
  readonly label: string;
  /** How the state writes it. */
  readonly stored: StoredKind;

  /**
   * Settles what follows from the message alone: shapes, ids, and integers that the code can hold
   * without loss. Energy stays a bigint; times become numbers.
   */
  parse(message: Message, context: ParseContext): Result<Payload, Violation>;

  /** What records of this kind must keep, in the order in which it is checked. */
  readonly rules: readonly Rule<Payload>[];
  /** What they must keep that is checked by verifying signatures inside the record. */
  readonly signatureRules: readonly SignatureRule<Payload>[];
  /** Why a record's time, Unix ms, is too early for what it says, in a sentence. */
  whyTooEarly(payload: Payload, timeMs: number): string | undefined;

  /**
   * Adds the state keys that `rules` and `signatureRules` read and `apply` writes, beside those of
   * every record (effects.ts) and those of `energy`; with repeats.
   */
  addStateKeys(record: RecordOf<Payload>, list: StateKeyList): void;
  /**
   * The interval of a meter that has a value for as long as the record is on the ledger, whatever
   * updates it; left out where there is none.
   */
  standsFor?(payload: Payload): { readonly meterId: string; readonly at: WindowSlot };
  /** Whose sums of energy the record changes or draws on. */
  energy(record: RecordOf<Payload>): readonly EnergyUse[];
  /** Writes what a record that keeps all rules does to the state, and returns what stays of it. */
  apply(tables: StateTables, record: RecordOf<Payload>, place: RecordPlace): Kept;

  /**
   * Intervals of meters that the record is about. Their state is read, changed and kept, so a
   * submission and a block hold a bounded number of them (records/intervals.ts).
   */
  intervals(payload: Payload): number;

  /** What its decoded lists take in memory beside the record's bytes, roughly. */
  decodedBytes(payload: Payload): number;

  /** Participants besides the owner who may read the record, and find it in their lists. */
  parties(message: Message): readonly string[];
  /** Meters in whose lists the record stands. */
  meterIds(message: Message): readonly string[];
};

export type ParseContext = {
  /** Of the record. */
  readonly ownerId: string;
  readonly grid: MarketGrid;
};

/** What an update of a record must know of it, in its `RecordState`. */
export type Kept = { readonly trade: TradeEffect } | { readonly profile: ProfileRange } | undefined;

/** How a rule is told to people. */
export type RuleDescription = {
  /** Stable name, [a-z-]; listed by GetConsortium. */
  readonly id: string;
  /** What the rule demands, in one sentence. */
  readonly demands: string;
  /** Every reason for which it refuses. */
  readonly reasons: readonly RuleReason[];
};

export type Rule<Payload extends AnyPayload> = RuleDescription & {
  /** Undefined when the record keeps the rule. */
  check(context: RuleContext<Payload>): Violation | undefined;
};

export type RuleContext<Payload extends AnyPayload> = {
  readonly record: RecordOf<Payload>;
  /** Who signed the submission that the record is in. */
  readonly submission: { readonly participantId: string };
  /** After all records that stand before this one. */
  readonly state: StateReads;
  /** The block's timestamp, Unix ms. */
  readonly timestampMs: number;
  readonly policy: Policy;
};

export type SignatureRule<Payload extends AnyPayload> = RuleDescription & {
  /** The signatures that have to verify, or why one cannot. */
  checks(
    record: RecordOf<Payload>,
    consortiumId: Uint8Array,
    state: StateReads,
  ): Result<readonly SignatureCheck[], Violation>;
};
