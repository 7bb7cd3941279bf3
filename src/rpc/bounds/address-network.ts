/**
 * Whom an address stands for. A host has one IPv4 address, but is commonly given 2^64 of IPv6, all
 * with the same first half.
 */
import { isIPv6 } from "node:net";

export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped?.[1] !== undefined) return mapped[1];
  if (!isIPv6(address)) return address;
  const [start = "", end] = (address.split("%", 1)[0] ?? "").toLowerCase().split("::");
  const first = start === "" ? [] : start.split(":");
  if (end !== undefined) {
    const last = end === "" ? 0 : end.split(":").length;
    while (first.length + last < 8) first.push("0");
    first.push(...end.split(":"));
  }
  return `${first.slice(0, 4).join(":")}::/64`;
}
