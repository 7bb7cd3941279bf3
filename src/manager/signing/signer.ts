/**
 * What signs for a manager: a key in this process (local-signer.ts), or one behind a network or in
 * a hardware module.
 *
 * A signer keeps a mark of its own: for each kind of statement by which a manager could contradict
 * itself, the highest (height, round) that it has signed, and what. It signs nothing below the mark
 * and nothing else at it; the same again it may. So the key stays honest even where the manager's
 * vote log is lost, rolled back, or held twice. What belongs to no round has no mark.
 *
 *     sign ─▶ vote log, one synchronous batch ─▶ settle ─▶ send
 *
 * In this order the log is never behind the mark, unless it has lost something; a crash in between
 * costs nothing. A signer that can only make its mark durable when it signs may do so: a crash
 * between `sign` and the log then costs the manager its votes at that height.
 */
import type { Result } from "../../base/result.js";

export const markedKinds = ["propose", "approve", "commit"] as const;
export type MarkedKind = (typeof markedKinds)[number];

export type UnmarkedKind =
  | "accept"
  | "head"
  | "resume"
  | "objection"
  | "unreachable"
  | "audit-finding";

export type Mark = {
  readonly height: number;
  readonly round: number;
  /** 32 bytes: what is signed. */
  readonly digest: Uint8Array;
};

export type MarkedRequest = Mark & { readonly kind: MarkedKind };
export type UnmarkedRequest = Omit<Mark, "round"> & { readonly kind: UnmarkedKind };
export type SignRequest = MarkedRequest | UnmarkedRequest;

export function isMarked(request: SignRequest): request is MarkedRequest {
  return (markedKinds as readonly string[]).includes(request.kind);
}

/** By kind; absent as long as nothing of the kind was signed. */
export type Marks = { readonly [Kind in MarkedKind]?: Mark };

/** A statement that is not signed, now or ever. */
export type SignerRefusal = {
  /**
   * - `BELOW_MARK`: something later of that kind was signed.
   * - `CONTRADICTION`: something else was signed in that round.
   */
  readonly code: "BELOW_MARK" | "CONTRADICTION";
  /** For people. */
  readonly message: string;
};

/** The signer cannot be asked at present; asking again may help. */
export type SignerUnavailable = {
  /** For people. */
  readonly message: string;
};

export type Signature = Result<Uint8Array, SignerRefusal>;

/**
 * Calls with marked kinds come one after the other. Every call is answered, be it with the word
 * that the signer is unavailable: what stands behind a network has a deadline of its own. After
 * that word it is open whether the marks have moved. No method rejects, save with the `StoreError`
 * of a local disk, which ends the manager.
 */
export type Signer = {
  /**
   * It signs in this process, so that nobody has to verify what it returns, and its marks are
   * written by the thread that writes this process's stores: after all that was asked for before,
   * and not after a write that failed.
   */
  readonly isLocal?: true;
  /** The marks at this moment. */
  marks(): Promise<Result<Marks, SignerUnavailable>>;
  /** Ed25519 signatures (64 bytes) or refusals, in the order of the requests. */
  sign(requests: readonly SignRequest[]): Promise<Result<readonly Signature[], SignerUnavailable>>;
  /** Resolves once the marks of all that was signed are on stable storage. */
  settle(): Promise<Result<void, SignerUnavailable>>;
};
