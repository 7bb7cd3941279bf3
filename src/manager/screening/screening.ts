/**
 * A manager's own verdict on a submission, before anything is ordered: its signatures, and the
 * rules against the ledger as it stands. What comes of each record:
 *
 *     on the ledger     its submitter gets the first receipt
 *     refused           the ledger contradicts it for good, or nothing that is pending can cure it
 *     accurate          to be ordered; where only order decides, the block decides
 *     open              it lacks on the ledger what nothing that waits here would bring
 *
 * The state is read once for all records of a submission, and the work is done in small pieces, so
 * that votes pass between two of them.
 */
import { toHex } from "../../base/bytes.js";
import { err, ok, type Result } from "../../base/result.js";
import type { SignatureCache } from "../../crypto/signature-cache.js";
import type { Policy } from "../../gen/bss/v1/genesis_pb.js";
import { BlockExecution } from "../../ledger/blocks/execution.js";
import type { SignatureCheck } from "../../ledger/certificates/signature-check.js";
import type { ParsedRecord } from "../../ledger/records/records.js";
import { checkRules, curableReasons, reasonsOfOrder } from "../../ledger/records/rules.js";
import {
  recordSignatureChecks,
  submissionSignatureCheck,
} from "../../ledger/records/signatures.js";
import type { ParsedSubmission } from "../../ledger/records/submissions.js";
import { readKeysOfSubmission } from "../../ledger/state/effects.js";
import type { LedgerHead } from "../../ledger/state/head.js";
import type { PrefetchedState } from "../../ledger/state/state.js";
import { StateTables } from "../../ledger/state/state-tables.js";
import type { RuleReason, Violation } from "../../ledger/violation.js";
import { CureIndex } from "../pool/cure-index.js";
import type { Pause } from "./giving-way.js";

export type RecordRefusal = { readonly record: ParsedRecord; readonly violation: Violation };

export type Screened = {
  /** Of the ledger against which the rules were run. */
  readonly height: number;
  /** To be ordered. */
  readonly accurate: readonly ParsedRecord[];
  readonly onLedger: readonly ParsedRecord[];
  readonly refused: readonly RecordRefusal[];
  /** What these lack may be on its way here, or final where this manager has not arrived yet. */
  readonly open: readonly ParsedRecord[];
};

export type ScreeningPorts = {
  readonly policy: Policy;
  readonly signatures: SignatureCache;
  readonly head: () => LedgerHead;
  readonly readState: (keys: readonly Uint8Array[]) => Promise<PrefetchedState>;
  readonly wallMs: () => number;
  /** The pauses of work that begins now. */
  readonly pauses: () => Pause;
  /** Whether something that waits, or is being voted on, may take the reason away. */
  readonly mightCure: (record: ParsedRecord, reason: RuleReason) => boolean;
};

/** Records and signatures that are looked at before others have their turn: a few ms of work. */
const recordsAtOnce = 100;
const signaturesAtOnce = 64;

/**
 * A submission's verdict; the refusal of the submission as a whole when its submitter's signature
 * does not hold. What is wrong with one record says nothing about the others.
 */
export async function screenSubmission(
  submission: ParsedSubmission,
  ports: ScreeningPorts,
): Promise<Result<Screened, Violation>> {
  const { height } = ports.head();
  const pause = ports.pauses();
  const state = await ports.readState(readKeysOfSubmission(submission));
  await pause();
  const signed = await checkSignatures(submission, new StateTables(state), ports, pause);
  if (!signed.ok) return signed;
  const screening = new Screening(submission, state, ports);
  for (const [i, record] of submission.records.entries()) {
    if (i > 0 && i % recordsAtOnce === 0) await pause();
    screening.take(record, signed.value.get(record));
  }
  return ok({ height, ...screening.result() });
}

/**
 * The rule that each of these records of a submission breaks by itself on the ledger as it stands,
 * order included; those that keep all are not in the map.
 */
export async function violationsNow(
  submission: Pick<ParsedSubmission, "participantId">,
  records: readonly ParsedRecord[],
  ports: ScreeningPorts,
): Promise<{ readonly height: number; readonly broken: ReadonlyMap<ParsedRecord, Violation> }> {
  const { height } = ports.head();
  const { participantId } = submission;
  const pause = ports.pauses();
  const state = await ports.readState(readKeysOfSubmission({ participantId, records }));
  const alone = new StateTables(state);
  const { policy } = ports;
  const timestampMs = nextTimestampMs(ports);
  const broken = new Map<ParsedRecord, Violation>();
  for (const [i, record] of records.entries()) {
    if (i > 0 && i % recordsAtOnce === 0) await pause();
    const violation = checkRules({ record, submission, state: alone, timestampMs, policy });
    if (violation !== undefined) broken.set(record, violation);
  }
  return { height, broken };
}

/** The records of one submission, one after the other, each with those before it in place. */
class Screening {
  readonly #submission: ParsedSubmission;
  readonly #ports: ScreeningPorts;
  readonly #execution: BlockExecution;
  /** The ledger by itself. */
  readonly #ledger: StateTables;
  readonly #timestampMs: number;
  readonly #accurate: ParsedRecord[] = [];
  readonly #onLedger: ParsedRecord[] = [];
  readonly #refused: RecordRefusal[] = [];
  readonly #lacking: RecordRefusal[] = [];
  /** Of this submission. */
  readonly #siblings = new CureIndex();

  constructor(submission: ParsedSubmission, state: PrefetchedState, ports: ScreeningPorts) {
    const { height, members, frontier } = ports.head();
    this.#submission = submission;
    this.#ports = ports;
    this.#ledger = new StateTables(state);
    this.#timestampMs = nextTimestampMs(ports);
    this.#execution = new BlockExecution({
      state,
      policy: ports.policy,
      members,
      timestampMs: this.#timestampMs,
      height: height + 1,
      firstPosition: frontier.size,
    });
  }

  take(record: ParsedRecord, wrongSignature: Violation | undefined): void {
    const violation = wrongSignature ?? this.#execution.tryRecord(record, this.#submission);
    if (violation === undefined) this.#keep(record);
    else if (violation.reason === "RECORD_ON_LEDGER") this.#onLedger.push(record);
    else if (reasonsOfOrder.has(violation.reason)) this.#takeApart(record);
    else this.#refused.push({ record, violation });
  }

  result(): Omit<Screened, "height"> {
    const open: ParsedRecord[] = [];
    const openHashes = new Set<string>();
    for (const { record, violation } of this.#lacking) {
      const { reason } = violation;
      const { parent } = record;
      // What is to be looked at again decides about its versions, too.
      const hasOpenParent = parent !== undefined && openHashes.has(toHex(parent));
      const maybe =
        !hasOpenParent &&
        (this.#siblings.mightCure(record, reason) || this.#ports.mightCure(record, reason));
      if (maybe) {
        this.#accurate.push(record);
      } else {
        open.push(record);
        openHashes.add(record.hashHex);
      }
    }
    const [accurate, onLedger, refused] = [this.#accurate, this.#onLedger, this.#refused];
    return { accurate, onLedger, refused, open };
  }

  /**
   * A record for which order matters: the ledger alone may contradict it, and then nothing helps.
   * What only stands against another record of the submission is left to the block.
   */
  #takeApart(record: ParsedRecord): void {
    const { policy } = this.#ports;
    const [submission, timestampMs] = [this.#submission, this.#timestampMs];
    const state = this.#ledger;
    const violation = checkRules({ record, submission, state, timestampMs, policy });
    if (violation === undefined) {
      this.#keep(record);
    } else if (curableReasons.has(violation.reason)) {
      this.#lacking.push({ record, violation });
      // It may be a parent; what energy it would bring counts if it only waits for its own parent.
      if (violation.reason === "PARENT_UNKNOWN") this.#siblings.add(record);
      else this.#siblings.addParent(record);
    } else {
      this.#refused.push({ record, violation });
    }
  }

  #keep(record: ParsedRecord): void {
    this.#accurate.push(record);
    this.#siblings.add(record);
  }
}

/** The records with a signature inside that does not hold. */
async function checkSignatures(
  submission: ParsedSubmission,
  state: StateTables,
  { signatures }: ScreeningPorts,
  pause: Pause,
): Promise<Result<ReadonlyMap<ParsedRecord, Violation>, Violation>> {
  const own = submissionSignatureCheck(submission, state);
  if (!own.ok) return own;
  if ((await signatures.firstInvalid([own.value])) !== undefined) return err(own.value.violation);
  const wrong = new Map<ParsedRecord, Violation>();
  const inside: (SignatureCheck & { readonly record: ParsedRecord })[] = [];
  for (const record of submission.records) {
    // Its signatures were verified when it got there.
    if (state.records.get(record.hash) !== undefined) continue;
    const checks = recordSignatureChecks(record, submission.header.consortiumId, state);
    if (!checks.ok) wrong.set(record, checks.error);
    else inside.push(...checks.value.map((check) => ({ ...check, record })));
  }
  for (let from = 0; from < inside.length; from += signaturesAtOnce) {
    const some = inside.slice(from, from + signaturesAtOnce);
    for (const { record, violation } of await signatures.invalidOf(some)) {
      if (!wrong.has(record)) wrong.set(record, violation);
    }
    await pause();
  }
  return ok(wrong);
}

function nextTimestampMs({ head, wallMs }: ScreeningPorts): number {
  return Math.max(wallMs(), head().timestampMs + 1);
}
