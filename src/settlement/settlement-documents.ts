/**
 * What two participants put on the ledger about a settlement, each as a document: the statement
 * that one of them makes, and the confirmation of the other one, who has computed it anew.
 *
 * Both are canonical JSON: keys sorted, no blanks, whole numbers only, as RFC 8785 writes them. So
 * the same statement always has the same bytes.
 */
import { z } from "zod";
import { equalBytes, toHex, utf8 } from "../base/bytes.js";
import { err, ok, type Result } from "../base/result.js";
import type { Document } from "../gen/bss/v1/record_pb.js";
import { isId } from "../ledger/ids.js";
import { unixSecondsMax } from "../ledger/times.js";
import { amountNames, recordsDigest, type Statement, type StatementDay } from "./statement.js";
import { firstIssue, minorUnitDigitsMax, parseJson, tariffMediaType } from "./tariff.js";

export const statementMediaType = "application/vnd.bss.settlement+json";
export const confirmationMediaType = "application/vnd.bss.settlement-confirmation+json";

/** Digits of a record hash in a statement: enough to find the record by. */
export const hashDigits = 16;

const id = z.string().refine(isId, { error: "not an id" });
const hash = z.string().regex(/^[0-9a-f]{64}$/, { error: "64 hex digits in lower case" });
const integer = z.int();
/** As far as records may name times; `Date` shows all of them. */
const unixSeconds = integer.min(0).max(unixSecondsMax);
const daysMax = 400;
const recordsMax = 200_000;

const amounts = {
  imported_wh: integer.min(0),
  exported_wh: integer.min(0),
  bought_wh: integer.min(0),
  sold_wh: integer.min(0),
  from_grid_wh: integer.min(0),
  to_grid_wh: integer.min(0),
  from_grid_cost: integer,
  bought_cost: integer,
  to_grid_credit: integer,
  sold_credit: integer,
  due: integer,
};

const parties = { participant: id, counterparty: id };

const statementSchema = z.strictObject({
  ...parties,
  version: z.literal(1),
  consortium_id: hash,
  from_unix_s: unixSeconds,
  to_unix_s: unixSeconds,
  tariff: hash,
  height: integer.min(0),
  block_id: hash,
  root: hash,
  tree_size: integer.min(0),
  currency: z.string().regex(/^[A-Z]{3}$/),
  minor_unit_digits: integer.min(0).max(minorUnitDigitsMax),
  rounding: z.literal("each amount of a day, half to even; total is the sum of the days"),
  days: z
    .array(
      z.strictObject({
        ...amounts,
        start_unix_s: unixSeconds,
        record_count: integer.min(0),
        records_digest: hash,
        records: z
          .array(z.string().regex(/^[0-9a-f]{16}$/))
          .max(recordsMax)
          .optional(),
      }),
    )
    .max(daysMax),
  total: z.strictObject(amounts),
});

export type StatementDocument = z.output<typeof statementSchema>;

/** That one of the parties of a statement agrees with it. */
export type ConfirmationDocument = {
  readonly version: 1;
  /** Hash of the statement's record, in hex. */
  readonly statement: string;
  readonly participant: string;
  readonly counterparty: string;
  readonly confirmed_by: string;
};

export type DocumentAmounts = StatementDocument["total"];

/** What a statement says beside its numbers. */
export type StatementFrame = Pick<
  StatementDocument,
  | "participant"
  | "counterparty"
  | "consortium_id"
  | "from_unix_s"
  | "to_unix_s"
  | "tariff"
  | "height"
  | "block_id"
  | "root"
  | "tree_size"
>;

/** `named`: whether each day names its records, which takes the most room. */
export function statementDocument(
  frame: StatementFrame,
  { currency, digits, days, total }: Omit<Statement, "intervals" | "withoutValue">,
  { named }: { readonly named: boolean },
): StatementDocument {
  return {
    ...frame,
    version: 1,
    currency,
    minor_unit_digits: digits,
    rounding: "each amount of a day, half to even; total is the sum of the days",
    days: days.map((day) => ({
      ...documentAmounts(day),
      start_unix_s: day.startS,
      record_count: day.records.length,
      records_digest: toHex(recordsDigest(day)),
      ...(named ? { records: day.records.map((each) => each.slice(0, hashDigits)) } : {}),
    })),
    total: documentAmounts(total),
  };
}

/** The amounts under their names in documents. */
export function documentAmounts(of: Pick<StatementDay, (typeof amountNames)[number]>) {
  const entries = amountNames.map((name) => [snakeCase(name), of[name]]);
  return Object.fromEntries(entries) as DocumentAmounts;
}

/** The bytes of a statement or confirmation. */
export function canonicalJson(value: StatementDocument | ConfirmationDocument): Uint8Array {
  return utf8(JSON.stringify(value, sortedKeys));
}

/**
 * Whether these are the bytes of a statement that was computed with the names of its records; they
 * may leave these names out. Nothing else will do: JSON with a day or a key twice says the same to
 * one reader, and something else to another.
 */
export function isStatement(content: Uint8Array, computed: StatementDocument): boolean {
  const days = computed.days.map(({ records: _, ...day }) => day);
  const forms = [computed, { ...computed, days }];
  return forms.some((form) => equalBytes(canonicalJson(form), content));
}

export function parseStatement(document: Document): Result<StatementDocument, string> {
  return parseAs(document, statementMediaType, statementSchema);
}

/**
 * Whether a document is for a participant because of what it is: a tariff is for all, a statement
 * and its confirmation are for the two participants whom they name.
 */
export function isSettlementFor({ mediaType, content }: Document, participantId: string): boolean {
  if (mediaType === tariffMediaType) return true;
  if (mediaType !== statementMediaType && mediaType !== confirmationMediaType) return false;
  const json = parseJson(content);
  const named = json.ok ? z.object(parties).safeParse(json.value) : undefined;
  if (named?.success !== true) return false;
  return [named.data.participant, named.data.counterparty].includes(participantId);
}

function parseAs<T>(
  { mediaType, content }: Document,
  expected: string,
  schema: z.ZodType<T>,
): Result<T, string> {
  if (mediaType !== expected) return err(`its media type is ${mediaType}, not ${expected}`);
  const json = parseJson(content);
  if (!json.ok) return json;
  const parsed = schema.safeParse(json.value);
  return parsed.success ? ok(parsed.data) : err(firstIssue(parsed.error));
}

/** "fromGridWh" is "from_grid_wh". */
function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Names are ASCII, so their order is that of RFC 8785. */
function sortedKeys(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
