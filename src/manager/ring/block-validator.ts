/**
 * Runs the rules on blocks: reads the state that they may touch, runs the pure validation on it,
 * and verifies the signatures that it leaves to the caller.
 */
import { equalBytes } from "../../base/bytes.js";
import { err, ok, type Result } from "../../base/result.js";
import type { SignatureCache } from "../../crypto/signature-cache.js";
import type { Vrf } from "../../crypto/vrf.js";
import type { BlockCertificates, ManagerBlock } from "../../gen/bss/v1/block_pb.js";
import type { Policy } from "../../gen/bss/v1/genesis_pb.js";
import { parseContent } from "../../ledger/blocks/block-content.js";
import { validateBlock } from "../../ledger/blocks/block-validation.js";
import type { ExecutedBlock } from "../../ledger/blocks/executed-block.js";
import { parseManagerBlock } from "../../ledger/blocks/manager-blocks.js";
import { checkBlockCertificates, checkCommit } from "../../ledger/certificates/certificates.js";
import { carriesAuthority } from "../../ledger/members/operations.js";
import type { LedgerHead } from "../../ledger/state/head.js";
import type { PrefetchedState } from "../../ledger/state/state.js";
import { refuse, type Violation } from "../../ledger/violation.js";

export type BlockValidatorPorts = {
  readonly consortiumId: Uint8Array;
  readonly policy: Policy;
  /** 32 bytes: the key of epoch 0. */
  readonly epochKey: Uint8Array;
  readonly signatures: SignatureCache;
  readonly vrf: Pick<Vrf, "verify">;
  readonly head: () => LedgerHead;
  readonly readState: (keys: readonly Uint8Array[]) => Promise<PrefetchedState>;
};

export class BlockValidator {
  readonly #ports: BlockValidatorPorts;

  constructor(ports: BlockValidatorPorts) {
    this.#ports = ports;
  }

  /**
   * What the rules make of a block on top of the head. `undefined` when the body does not hang
   * together or is not the one that the id names: that says something about who sent it, and
   * nothing about the block. Everything that is judged after that is bound by the id.
   */
  async judge(
    blockId: Uint8Array,
    block: ManagerBlock,
  ): Promise<Result<ExecutedBlock, Violation> | undefined> {
    const { consortiumId, policy, epochKey, signatures, vrf } = this.#ports;
    const parsed = parseManagerBlock(block);
    if (!parsed.ok || !equalBytes(parsed.value.blockId, blockId)) return undefined;
    if (!parsed.value.control.every(carriesAuthority)) return unauthorised;
    const content = parseContent(parsed.value, consortiumId, policy);
    if (!content.ok) return content;
    const head = this.#ports.head();
    const state = await this.#ports.readState(content.value.readKeys);
    const validated = validateBlock({
      head,
      consortiumId,
      policy,
      parsed: parsed.value,
      content: content.value,
      state,
      epochKey,
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
    const { consortiumId, signatures } = this.#ports;
    const checks = checkBlockCertificates(certificates, facts, head.electorate, consortiumId);
    if (!checks.ok) return checks.error;
    return (await signatures.firstInvalid(checks.value))?.violation;
  }

  /** Whether Q managers have committed the block at the next height, whatever it holds. */
  async isCommitted(blockId: Uint8Array, { commit }: BlockCertificates): Promise<boolean> {
    const { consortiumId, signatures } = this.#ports;
    if (commit === undefined) return false;
    const { height, members } = this.#ports.head();
    const checks = checkCommit(commit, { height: height + 1, blockId }, members, consortiumId);
    return checks.ok && (await signatures.firstInvalid(checks.value)) === undefined;
  }
}

/** Whoever joins after genesis brings consent; meters and officers stand in genesis only. */
const unauthorised = refuse(
  "OPERATION_INVALID",
  "Nobody has authorised an operation of the block.",
  "control",
);
