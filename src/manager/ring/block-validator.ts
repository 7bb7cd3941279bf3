/**
 * Runs the rules on blocks: reads the state that they may touch, runs the pure validation on it,
 * and verifies the signatures that it leaves to the caller.
 */
import { equalBytes } from "../../base/bytes.js";
import { err, ok, type Result } from "../../base/result.js";
import type { Vrf } from "../../crypto/ecvrf.js";
import type { BlockCertificates, ManagerBlock } from "../../gen/bss/v1/block_pb.js";
import { parseContent } from "../../ledger/blocks/block-content.js";
import { validateBlock } from "../../ledger/blocks/block-validation.js";
import type { ExecutedBlock } from "../../ledger/blocks/executed-block.js";
import { type KnownWork, nothingKnown } from "../../ledger/blocks/known-work.js";
import { parseManagerBlock } from "../../ledger/blocks/manager-blocks.js";
import { checkBlockCertificates, checkCommit } from "../../ledger/certificates/certificates.js";
import { carriesAuthority } from "../../ledger/members/operations.js";
import { refuse, type Violation } from "../../ledger/violation.js";
import type { ManagerContext } from "../manager-context.js";

type Context = Pick<
  ManagerContext,
  "consortiumId" | "policy" | "epochKey" | "signatures" | "head" | "readState"
> & { readonly vrf: Pick<Vrf, "verify"> };

export class BlockValidator {
  readonly #context: Context;
  readonly #known: KnownWork;

  /** `known`: what of a block need not be worked out again. */
  constructor(context: Context, known: KnownWork = nothingKnown) {
    this.#context = context;
    this.#known = known;
  }

  /**
   * Runs the rules on a block on top of the head. `undefined` if the body is inconsistent or is not
   * the one that the id names: then its sender is at fault, and nothing is known about the block.
   * Everything that is judged after that is bound by the id.
   */
  async judge(
    blockId: Uint8Array,
    block: ManagerBlock,
  ): Promise<Result<ExecutedBlock, Violation> | undefined> {
    const { consortiumId, policy, epochKey, signatures, vrf } = this.#context;
    const parsed = parseManagerBlock(block, this.#known);
    if (!parsed.ok || !equalBytes(parsed.value.blockId, blockId)) return undefined;
    if (!parsed.value.control.every(carriesAuthority)) return unauthorised;
    const content = parseContent(parsed.value, consortiumId, policy);
    if (!content.ok) return content;
    const head = this.#context.head();
    const state = await this.#context.readState(content.value.readKeys);
    const validated = validateBlock({
      head,
      consortiumId,
      policy,
      parsed: parsed.value,
      content: content.value,
      state,
      epochKey,
      known: this.#known,
      verifyBeacon: vrf.verify,
    });
    if (!validated.ok) return validated;
    const invalid = await signatures.firstInvalid(validated.value.signatures);
    return invalid === undefined ? ok(validated.value.executed) : err(invalid.violation);
  }

  /** Why a block's own certificates do not make it final; undefined when they do. */
  async checkFinal(
    { facts, head }: ExecutedBlock,
    certificates: BlockCertificates,
  ): Promise<Violation | undefined> {
    const { consortiumId, signatures } = this.#context;
    const checks = checkBlockCertificates(certificates, facts, head.electorate, consortiumId);
    if (!checks.ok) return checks.error;
    return (await signatures.firstInvalid(checks.value))?.violation;
  }

  /** Whether Q managers have committed the block at the next height, whatever it holds. */
  async isCommitted(blockId: Uint8Array, { commit }: BlockCertificates): Promise<boolean> {
    const { consortiumId, signatures } = this.#context;
    if (commit === undefined) return false;
    const { height, members } = this.#context.head();
    const checks = checkCommit(commit, { height: height + 1, blockId }, members, consortiumId);
    return checks.ok && (await signatures.firstInvalid(checks.value)) === undefined;
  }
}

/** Members that join after genesis bring a consent; meters and officers are in genesis only. */
const unauthorised = refuse(
  "OPERATION_INVALID",
  "Nobody has authorised an operation of the block.",
  "control",
);
