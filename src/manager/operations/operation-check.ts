/**
 * Whether the next block could carry an operation, if it were made now: the checks that the block
 * itself would have to stand, signatures included.
 */
import { type ControlOperation, ControlOperationSchema } from "../../gen/bss/v1/genesis_pb.js";
import { controlOperationBytesMax } from "../../ledger/blocks/block-parsing.js";
import { operationSignatureChecks } from "../../ledger/members/operation-signatures.js";
import { carriesAuthority } from "../../ledger/members/operations.js";
import type { LedgerHead } from "../../ledger/state/head.js";
import { readKeysOfOperation, stateOperationProblem } from "../../ledger/state/state-operations.js";
import { StateTables } from "../../ledger/state/state-tables.js";
import { type Violation, violation } from "../../ledger/violation.js";
import { decodeCanonical, encode } from "../../ledger/wire.js";
import type { ManagerContext } from "../manager-context.js";

type Context = Pick<
  ManagerContext,
  "consortiumId" | "policy" | "head" | "readState" | "signatures" | "wallMs"
>;

export class OperationCheck {
  readonly #context: Context;

  constructor(context: Context) {
    this.#context = context;
  }

  /** Why no block could carry it; undefined when one could. */
  async problem(operation: ControlOperation): Promise<Violation | undefined> {
    const { consortiumId, head, signatures } = this.#context;
    if (!isReadable(operation)) {
      const message = "The operation has no canonical form that fits a block.";
      return violation("OPERATION_INVALID", message);
    }
    const unfit = await this.unfit(operation);
    if (unfit !== undefined) return unfit;
    const checks = operationSignatureChecks(operation, head().members, consortiumId);
    return (await signatures.firstInvalid(checks))?.violation;
  }

  /** The same without signatures: what was right once may not fit any more. */
  async unfit(operation: ControlOperation): Promise<Violation | undefined> {
    const { policy, readState, wallMs, head } = this.#context;
    if (!carriesAuthority(operation)) {
      return violation("OPERATION_INVALID", "Nobody has authorised the operation.");
    }
    const state = await readState(readKeysOfOperation(operation));
    const { height, members, timestampMs: lastMs } = head();
    const timestampMs = Math.max(wallMs(), lastMs + 1);
    const place = { policy, height: height + 1, timestampMs };
    const applied = members.applyOperation(operation, place);
    if (!applied.ok) return applied.error;
    return stateOperationProblem(operation, new StateTables(state), place);
  }
}

/** Whether those who check a block will read the operation. */
function isReadable(operation: ControlOperation): boolean {
  const bytes = encode(ControlOperationSchema, operation);
  return (
    bytes.length <= controlOperationBytesMax &&
    decodeCanonical(ControlOperationSchema, bytes) !== undefined
  );
}

/** Whether the next block could begin with an operation, if it were made now. */
export function fitsNow(
  operation: ControlOperation,
  { head, policy, wallMs }: Pick<ManagerContext, "head" | "policy" | "wallMs">,
): boolean {
  const { height, members, timestampMs }: LedgerHead = head();
  const place = { policy, height: height + 1, timestampMs: Math.max(wallMs(), timestampMs + 1) };
  return members.applyOperation(operation, place).ok;
}
