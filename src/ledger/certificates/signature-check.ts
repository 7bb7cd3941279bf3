/**
 * A signature that still has to be verified.
 *
 * The pure core never verifies Ed25519 itself: it says "this is right provided these signatures
 * verify" and hands the obligations to its caller. The node verifies them off its main thread and
 * remembers them; simulations verify them in line. All of the obligations of a result must hold:
 * one that fails makes the whole thing wrong, for the reason that it carries.
 */
import { type Violation, violation } from "../violation.js";

export type SignatureCheck = {
  /** 32 bytes, Ed25519: the key registered for the signer. */
  readonly publicKey: Uint8Array;
  /** 32 bytes: the message that is signed. */
  readonly digest: Uint8Array;
  /** 64 bytes. */
  readonly signature: Uint8Array;
  /** What is signed and by whom, for logs: "COMMIT of manager-2 at height 7". */
  readonly what: string;
  /** The refusal when the signature does not verify. */
  readonly violation: Violation;
};

/** No signature verifies under it: it is of small order, and such keys are refused. */
export const nobodysKey = new Uint8Array(32);

/**
 * The two texts that go with a signature: its name for logs, and the refusal when it does not
 * verify.
 */
export function described(
  statement: string,
  signerId: string,
  height: number,
): Pick<SignatureCheck, "what" | "violation"> {
  const what = `${statement} of ${signerId} at height ${height}`;
  const message = `The signature does not verify: ${what}.`;
  return { what, violation: violation("SIGNATURE_INVALID", message, "signature") };
}
