/**
 * Times in messages for people: ISO 8601 in UTC, by arithmetic alone, since the ledger's code has
 * no clock and no time zone. The calendar is the proleptic Gregorian one; a year is counted from
 * March, so that the leap day is its last day.
 */

const msPerDay = 86_400_000;
/** 1970-01-01 counted from 0000-03-01, days. */
const epochDay = 719_468;
const daysPerEra = 146_097;
const yearsPerEra = 400;

/** "2024-07-01T00:15:00Z" of whole Unix s; years of more than four digits have a sign. */
export function isoTimeOfS(unixS: number): string {
  const day = Math.floor(unixS / 86_400);
  return `${dateOf(day)}T${clockOf(unixS - day * 86_400)}Z`;
}

/** The same of whole Unix ms, with three decimal places when there is a fraction of a second. */
export function isoTimeOfMs(unixMs: number): string {
  const day = Math.floor(unixMs / msPerDay);
  const ofDay = unixMs - day * msPerDay;
  const ms = ofDay % 1000;
  const fraction = ms === 0 ? "" : `.${padded(ms, 3)}`;
  return `${dateOf(day)}T${clockOf((ofDay - ms) / 1000)}${fraction}Z`;
}

function dateOf(unixDay: number): string {
  const days = unixDay + epochDay;
  const era = Math.floor(days / daysPerEra);
  const ofEra = days - era * daysPerEra;
  const leapDays =
    Math.floor(ofEra / 1460) - Math.floor(ofEra / 36_524) + Math.floor(ofEra / 146_096);
  const yearOfEra = Math.floor((ofEra - leapDays) / 365);
  const daysBefore = 365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100);
  const ofYear = ofEra - daysBefore;
  // Months from March have 153 days in every five.
  const fromMarch = Math.floor((5 * ofYear + 2) / 153);
  const day = ofYear - Math.floor((153 * fromMarch + 2) / 5) + 1;
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9;
  const year = era * yearsPerEra + yearOfEra + (month <= 2 ? 1 : 0);
  return `${yearText(year)}-${padded(month, 2)}-${padded(day, 2)}`;
}

function yearText(year: number): string {
  if (year >= 0 && year <= 9999) return padded(year, 4);
  return `${year < 0 ? "-" : "+"}${padded(Math.abs(year), 6)}`;
}

function clockOf(secondOfDay: number): string {
  const minutes = Math.floor(secondOfDay / 60);
  return [Math.floor(minutes / 60), minutes % 60, secondOfDay % 60]
    .map((part) => padded(part, 2))
    .join(":");
}

function padded(value: number, digits: number): string {
  return String(value).padStart(digits, "0");
}
