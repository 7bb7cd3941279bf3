import { formatTime } from "../text/output.js";

/** "home-1: the new certificate is valid until … (for 90 days), the old one was until …" */
export function validityWords(id: string, untilMs: number, formerMs: number): string {
  const was = formerMs > Date.now() ? "would have been" : "was";
  return (
    `${id}: the new certificate is valid until ${formatTime(untilMs)} (${daysLeft(untilMs)}), ` +
    `the old one ${was} until ${formatTime(formerMs)} (${daysLeft(formerMs)})`
  );
}

/** "for 90 days", "for 3 hours", "it has expired". */
function daysLeft(untilMs: number): string {
  const leftMs = untilMs - Date.now();
  if (leftMs <= 0) return "it has expired";
  const hours = Math.round(leftMs / 3_600_000);
  if (hours < 1) return "for less than an hour";
  const [count, unit] = hours < 48 ? [hours, "hour"] : [Math.round(hours / 24), "day"];
  return `for ${count} ${unit}${count === 1 ? "" : "s"}`;
}
