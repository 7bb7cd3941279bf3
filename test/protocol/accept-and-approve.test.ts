/** docs/protocol.md §4.2. */
import { describe } from "node:test";
import { rule } from "./support/rule.js";

describe("§4.2: accept and approve", () => {
  rule(
    "R4.2.1",
    "A fresh block that is accurate is approved.",
    `
bench managers=4 self=2
propose r0 A0
    sends PROPOSE r0 A0 of 1
    asks validate A0, held by 1
judge A0
    says ACCEPT A0
    says APPROVE r0 A0
`,
  );

  rule(
    "R4.2.1",
    "APPROVE nil if the block breaks a rule.",
    `
bench managers=4 self=2
propose r0 A0
    sends PROPOSE r0 A0 of 1
    asks validate A0, held by 1
judge A0 wrong
    says APPROVE r0 nil
`,
  );

  rule(
    "R4.2.1",
    "APPROVE nil if the block was not made for this round by its proposer.",
    `
bench managers=4 self=3
approve r1 nil 1 4
propose r1 A0
    sends PROPOSE r1 A0 of 2
    asks validate A0, held by 2
judge A0
    says ACCEPT A0
    says APPROVE r1 nil
    says COMMIT r1 nil
`,
  );

  rule(
    "R4.2.1",
    "APPROVE nil if the block's timestamp is more than δ ahead of this manager's clock.",
    `
bench managers=4 self=2
propose r0 F0
    sends PROPOSE r0 F0 of 1
    asks validate F0, held by 1
judge F0
    says APPROVE r0 nil
`,
  );

  rule(
    "R4.2.1",
    "APPROVE nil if the manager is locked on another block.",
    `
bench managers=4 self=3
propose r0 E0
    sends PROPOSE r0 E0 of 1
    asks validate E0, held by 1
judge E0
    says ACCEPT E0
    says APPROVE r0 E0
accept E0 1 2 4
approve r0 E0 1 2
    says COMMIT r0 E0, locked
commit r0 nil 1 2
tick 400
    expires commit
propose r1 B1
    sends PROPOSE r1 B1 of 2
    asks validate B1, held by 2
judge B1
    says ACCEPT B1
    says APPROVE r1 nil
`,
  );

  rule(
    "R4.2.1",
    "No proposal in time: APPROVE nil.",
    `
bench managers=4 self=2
propose r0 A0
    sends PROPOSE r0 A0 of 1
    asks validate A0, held by 1
tick 100
    expires propose
    says APPROVE r0 nil
judge A0
    says ACCEPT A0
`,
  );

  rule(
    "R4.2.2",
    "A re-proposal must carry LC(h, v, B): without the attestations it is not approved.",
    `
bench managers=4 self=3
approve r1 nil 1 4
propose r1 A0 valid=0 by=1,2,4 unattested
    sends PROPOSE r1 A0 valid r0 of 2
    asks validate A0, held by 1 2 4
judge A0
    says ACCEPT A0
    says APPROVE r1 nil
    asks verify r0 A0 by 1 2 4
    says COMMIT r1 nil
`,
  );

  rule(
    "R4.2.2",
    "A re-proposal must carry LC(h, v, B): by fewer than Q managers it is none.",
    `
bench managers=4 self=3
approve r1 nil 1 4
propose r1 A0 valid=0 by=1,2
    sends PROPOSE r1 A0 valid r0 of 2
    asks validate A0, held by 2
judge A0
    says ACCEPT A0
    says APPROVE r1 nil
    says COMMIT r1 nil
`,
  );

  rule(
    "R4.2.2",
    "A re-proposal with LC(h, v, B) is approved.",
    `
bench managers=4 self=3
approve r1 nil 1 4
propose r1 A0 valid=0 by=1,2,4
    sends PROPOSE r1 A0 valid r0 of 2
    asks validate A0, held by 1 2 4
judge A0
    says ACCEPT A0
    says APPROVE r1 A0 valid r0
`,
  );

  rule(
    "R4.2.2",
    "Local predicates are skipped for a re-proposal.",
    `
bench managers=4 self=3
approve r1 nil 1 4
propose r1 F0 valid=0 by=1,2,4
    sends PROPOSE r1 F0 valid r0 of 2
    asks validate F0, held by 1 2 4
judge F0
    says ACCEPT F0
    says APPROVE r1 F0 valid r0
`,
  );

  rule(
    "R4.2.2",
    "A re-proposal is approved if lockedRound <= v.",
    `
bench managers=4 self=4
propose r0 E0
    sends PROPOSE r0 E0 of 1
    asks validate E0, held by 1
judge E0
    says ACCEPT E0
    says APPROVE r0 E0
accept E0 1 2 3
approve r0 E0 1 2
    says COMMIT r0 E0, locked
approve r2 nil 1 2
judge B1
    says ACCEPT B1
propose r2 B1 valid=1 by=1,2,3
    says APPROVE r2 B1 valid r1
    sends PROPOSE r2 B1 valid r1 of 3
`,
  );

  rule(
    "R4.2.2",
    "A re-proposal is not approved if lockedRound > v and another block is locked.",
    `
bench managers=4 self=4
wake
judge A0
    says ACCEPT A0
propose r1 E1
    sends PROPOSE r1 E1 of 2
    asks validate E1, held by 2
judge E1
    says ACCEPT E1
accept E1 1 2 3
approve r1 E1 1 2
    says APPROVE r1 E1
    says COMMIT r1 E1, locked
propose r2 A0 valid=0 by=1,2,3
    sends PROPOSE r2 A0 valid r0 of 3
approve r2 nil 1 2
    says APPROVE r2 nil
    says COMMIT r2 nil
`,
  );

  rule(
    "R4.2.2",
    "The locked block is approved, however old its LC.",
    `
bench managers=4 self=4
propose r0 E0
    sends PROPOSE r0 E0 of 1
    asks validate E0, held by 1
judge E0
    says ACCEPT E0
    says APPROVE r0 E0
accept E0 1 2 3
approve r0 E0 1 2
    says COMMIT r0 E0, locked
approve r1 E0 1 2 valid=0
propose r1 E0 valid=0 by=1,2,3
    says APPROVE r1 E0 valid r0
    sends PROPOSE r1 E0 valid r0 of 2
    says COMMIT r1 E0, locked
approve r2 nil 1 2
propose r2 E0 valid=0 by=1,2,3
    says APPROVE r2 E0 valid r0
    sends PROPOSE r2 E0 valid r0 of 3
`,
  );

  // It commits E1 in round 1 and E0 in round 2, and is shown E0 again in round 4.
  for (const [valid, sentence] of [
    [0, "The locked block is not, if another one was committed after the round of its LC."],
    [2, "The locked block is, with an LC of the round of its COMMIT."],
  ] as const) {
    rule("R4.2.2", sentence, committedTwice(valid));
  }

  rule(
    "R4.2.2",
    "A re-proposal that is not accurate is not approved.",
    `
bench managers=4 self=3
approve r1 nil 1 4
propose r1 A0 valid=0 by=1,2,4
    sends PROPOSE r1 A0 valid r0 of 2
    asks validate A0, held by 1 2 4
judge A0 wrong
    says APPROVE r1 nil
    says COMMIT r1 nil
`,
  );

  rule(
    "R4.2.3",
    "Who finds a block accurate sends ACCEPT for it, whatever it approved, even late.",
    `
bench managers=4 self=3
propose r0 A0
    sends PROPOSE r0 A0 of 1
    asks validate A0, held by 1
tick 100
    expires propose
    says APPROVE r0 nil
approve r1 nil 1 2
judge A0
    says ACCEPT A0
`,
  );

  rule(
    "R4.2.3",
    "The ACCEPT waits while the timestamp is more than δ ahead of this manager's clock.",
    `
bench managers=4 self=3
propose r0 F0
    sends PROPOSE r0 F0 of 1
    asks validate F0, held by 1
judge F0
    says APPROVE r0 nil
tick 999
tick 2
    says ACCEPT F0
`,
  );

  rule(
    "R4.2.4",
    "A lock certificate is the votes and attestations that it bundles.",
    `
bench managers=4 self=3
propose r0 A0
    sends PROPOSE r0 A0 of 1
    asks validate A0, held by 1
judge A0
    says ACCEPT A0
    says APPROVE r0 A0
lock r0 A0 1 2 4
    says COMMIT r0 A0, locked
    asks verify r0 A0 by 1 2 4
`,
  );
});

function committedTwice(valid: number): string {
  return `
bench managers=4 self=4
wake
judge E0
    says ACCEPT E0
commit r1 nil 1 2
propose r1 E1
    sends PROPOSE r1 E1 of 2
    asks validate E1, held by 2
judge E1
    says ACCEPT E1
    says APPROVE r1 E1
accept E1 1 2 3
approve r1 E1 1 2
    says COMMIT r1 E1, locked
commit r2 nil 1 2
propose r2 E0 valid=0 by=1,2,3
    says APPROVE r2 nil
    sends PROPOSE r2 E0 valid r0 of 3
approve r2 E0 1 2 3
    says COMMIT r2 E0, locked
commit r4 nil 1 2
propose r4 E0 valid=${valid} by=1,2,3
    says APPROVE r4 ${valid === 0 ? "nil" : `E0 valid r${valid}`}
    sends PROPOSE r4 E0 valid r${valid} of 1
`;
}
