/**
 * Invariant 6: nothing that a storage node stores or is sent holds plaintext or a submission
 * header.
 * Every record of a simulation holds a mark, and every header the name of a participant.
 */
import { utf8 } from "../../../src/base/bytes.js";
import { Checker } from "../events.js";
import { plaintextMark } from "../records.js";

const marks = {
  plaintext: Buffer.from(plaintextMark),
  "a submission header": Buffer.from(utf8("participant-")),
} as const;

export class PrivacyChecker extends Checker {
  readonly name = "privacy";

  /** What comes to a storage node, or to its disk. */
  look(nodeId: string, where: string, bytes: Uint8Array): void {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (const [what, mark] of Object.entries(marks)) {
      if (buffer.includes(mark)) this.fail(`${nodeId} has ${what} in ${where}`);
    }
  }
}
