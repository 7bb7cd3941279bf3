import type { ControlOperation } from "../../gen/bss/v1/genesis_pb.js";
import type { LedgerHead } from "../../ledger/state/head.js";
import type { SharedPorts } from "../manager-options.js";

/** Whether the next block could begin with an operation, if it were made now. */
export function fitsNow(
  operation: ControlOperation,
  { head, policy, wallMs }: Pick<SharedPorts, "head" | "policy" | "wallMs">,
): boolean {
  const { height, members, timestampMs }: LedgerHead = head();
  const place = { policy, height: height + 1, timestampMs: Math.max(wallMs(), timestampMs + 1) };
  return members.applyOperation(operation, place).ok;
}
