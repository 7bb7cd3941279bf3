/**
 * Tariffs: what energy from the grid costs and what energy to the grid earns, as a JSON document on
 * the ledger. docs/settlement.md shows one of each kind. Trades are no part of it: they are paid at
 * their own prices.
 */
import { z } from "zod";
import { utf8Decode } from "../base/bytes.js";
import { err, ok, type Result } from "../base/result.js";
import { localClock } from "./local-clock.js";

export const tariffMediaType = "application/vnd.bss.tariff+json";

/** A year of prices for each five minutes is 105,408. */
const pricesMax = 120_000;
const microMax = 1_000_000_000_000;
const periodsMax = 100;
export const minorUnitDigitsMax = 6;

const priceForm =
  'a price is per kWh: a decimal text with up to 6 places, such as "0.285", or a whole number of ' +
  "millionths; at most a million of the currency";

/** Millionths of the currency per kWh. */
const price = z.unknown().transform((value, context): bigint => {
  const micro = microOf(value);
  if (micro !== undefined) return micro;
  context.addIssue(priceForm);
  return z.NEVER;
});

/** Many prices: one transformation of all takes a tenth of what one for each takes. */
const prices = z
  .array(z.unknown())
  .min(1)
  .max(pricesMax)
  .transform((values, context): (bigint | null)[] =>
    values.map((value, i) => {
      const micro = value === null ? null : microOf(value);
      if (micro !== undefined) return micro;
      context.issues.push({ code: "custom", message: priceForm, path: [i], input: value });
      return null;
    }),
  );

const clockTime = z
  .string()
  .regex(/^(?:[01]\d|2[0-3]):[0-5]\d$|^24:00$/, { error: "a time of day is 00:00 to 24:00" })
  .transform((text) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3)));

const weekdays = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] as const;

const period = z
  .strictObject({
    days: z
      .array(z.enum(weekdays, { error: `a day is one of ${weekdays.join(", ")}` }))
      .min(1)
      .max(weekdays.length)
      .transform((names) => names.map((name) => weekdays.indexOf(name)))
      .optional(),
    from: clockTime,
    to: clockTime,
    price,
  })
  .refine(({ from, to }) => from < to, {
    error: "a period ends after it begins; one over midnight is two periods",
  });

const startTime = z.iso
  .datetime({ offset: true, error: "start is ISO 8601 with a time zone, 2026-01-01T00:00:00Z" })
  .transform((text) => Date.parse(text) / 1000)
  .refine(Number.isSafeInteger, { error: "start is a whole second" });

const pricing = z.discriminatedUnion(
  "kind",
  [
    z.strictObject({ kind: z.literal("flat"), price }),
    z.strictObject({
      kind: z.literal("time_of_use"),
      periods: z.array(period).min(1).max(periodsMax),
      otherwise: price,
    }),
    z.strictObject({
      kind: z.literal("series"),
      start: startTime,
      interval_s: z.int().min(60).max(86_400),
      prices,
    }),
  ],
  { error: 'kind is "flat", "time_of_use" or "series"' },
);

const tariffSchema = z.strictObject({
  name: z.string().max(200).optional(),
  currency: z.string().regex(/^[A-Z]{3}$/, { error: "three capitals, such as EUR" }),
  minor_unit_digits: z.int().min(0).max(minorUnitDigitsMax),
  zone: z
    .string()
    .refine((name) => localClock(name) !== undefined, {
      error: 'a name of the IANA time zone database, such as "Europe/Berlin", or "UTC"',
    })
    .default("UTC"),
  from_grid: pricing,
  to_grid: pricing,
});

export type Tariff = z.output<typeof tariffSchema>;
export type Pricing = z.output<typeof pricing>;

/** A tariff's content, or where it is wrong and how, in a part of a sentence. */
export function parseTariff(content: Uint8Array): Result<Tariff, string> {
  const json = parseJson(content);
  if (!json.ok) return json;
  const parsed = tariffSchema.safeParse(json.value);
  return parsed.success ? ok(parsed.data) : err(firstIssue(parsed.error));
}

/** JSON of a document, or why it is none. */
export function parseJson(content: Uint8Array): Result<unknown, string> {
  const text = utf8Decode(content);
  if (text === undefined) return err("it is not UTF-8");
  try {
    return ok(JSON.parse(text));
  } catch (error) {
    return err(`it is not JSON: ${(error as SyntaxError).message}`);
  }
}

/** "from_grid.periods[0].price: a price is …" */
export function firstIssue({ issues }: z.ZodError): string {
  const [issue] = issues;
  if (issue === undefined) return "it has another form";
  let path = "";
  for (const part of issue.path) {
    if (typeof part === "number") path += `[${part}]`;
    else path += path === "" ? String(part) : `.${String(part)}`;
  }
  return path === "" ? issue.message : `${path}: ${issue.message}`;
}

/** "-0.02" and -20000 are -20000; undefined for what is no price. */
function microOf(value: unknown): bigint | undefined {
  const micro = typeof value === "string" ? microOfText(value) : value;
  if (typeof micro !== "number" || !Number.isSafeInteger(micro)) return undefined;
  return Math.abs(micro) <= microMax ? BigInt(micro) : undefined;
}

function microOfText(text: string): number | undefined {
  const match = /^(-?)(\d{1,9})(?:\.(\d{1,6}))?$/.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = "", fraction = ""] = match;
  const micro = Number(whole + fraction.padEnd(6, "0"));
  return sign === "-" ? -micro : micro;
}
