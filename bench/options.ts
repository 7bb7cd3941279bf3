/** The number that an option gives, from `least` on. Throws for what is no such number. */
export function numberOf(option: string, text: string, least: number): number {
  const number = text.trim() === "" ? Number.NaN : Number(text);
  if (Number.isFinite(number) && number >= least) return number;
  throw new Error(`--${option} takes a number from ${least} on, not "${text}"`);
}
