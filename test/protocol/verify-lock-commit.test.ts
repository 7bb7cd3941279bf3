/** docs/protocol.md §4.3 and §4.4. */
import { describe } from "node:test";
import { rule } from "./support/rule.js";

describe("§4.3: verify", () => {
  rule(
    "R4.3.1",
    "On polka and AC, not before, the block goes to the committee.",
    `
bench managers=4 self=2
propose r0 A0
    sends PROPOSE r0 A0 of 1
    asks validate A0, held by 1
judge A0
    says ACCEPT A0
    says APPROVE r0 A0
approve r0 A0 1 3
accept A0 1 3
accept A0 4
    asks verify r0 A0 by 1 2 4
`,
  );

  rule(
    "R4.3.1",
    "Also when the last ACCEPT comes after the polka's round: the block can be proposed again.",
    `
bench managers=4 self=3
propose r0 A0
    sends PROPOSE r0 A0 of 1
    asks validate A0, held by 1
judge A0
    says ACCEPT A0
    says APPROVE r0 A0
accept A0 1 2
approve r0 A0 1 2
approve r1 nil 1 2
accept A0 4
    asks verify r0 A0 by 1 2 4
attest r0 A0
approve r2 nil 1 2
    says PROPOSE r2 A0 valid r0
    says APPROVE r2 A0 valid r0
`,
  );

  rule(
    "R4.3.1",
    "A block without leaves skips this.",
    `
bench managers=4 self=2
propose r0 E0
    sends PROPOSE r0 E0 of 1
    asks validate E0, held by 1
judge E0
    says ACCEPT E0
    says APPROVE r0 E0
accept E0 1 3 4
approve r0 E0 1 3
    says COMMIT r0 E0, locked
`,
  );
});

describe("§4.3: one committee for a block", () => {
  rule(
    "R4.3.2",
    "A block that is proposed again goes to no committee: it has its IC.",
    `
bench managers=4 self=3
propose r0 A0
    sends PROPOSE r0 A0 of 1
    asks validate A0, held by 1
judge A0
    says ACCEPT A0
    says APPROVE r0 A0
accept A0 1 2
approve r0 A0 1 2
commit r1 nil 1 4
accept A0 4
    asks verify r0 A0 by 1 2 4
attest r0 A0
propose r1 A0 valid=0 by=1,2,3
    says APPROVE r1 A0 valid r0
    sends PROPOSE r1 A0 valid r0 of 2
approve r1 A0 valid=0 1 2
    says COMMIT r1 A0, locked
`,
  );
});

describe("§4.4: lock and commit", () => {
  rule(
    "R4.4.1",
    "On LC(h, r, B) while in round r: lock and COMMIT.",
    `
bench managers=4 self=2
propose r0 A0
    sends PROPOSE r0 A0 of 1
    asks validate A0, held by 1
judge A0
    says ACCEPT A0
    says APPROVE r0 A0
accept A0 1 3 4
approve r0 A0 1 3
    asks verify r0 A0 by 1 2 4
attest r0 A0
    says COMMIT r0 A0, locked
`,
  );

  rule(
    "R4.4.2",
    "COMMIT(h, r, B) only in round r: not on an LC that comes late.",
    `
bench managers=4 self=3
propose r0 A0
    sends PROPOSE r0 A0 of 1
    asks validate A0, held by 1
judge A0
    says ACCEPT A0
    says APPROVE r0 A0
approve r1 nil 1 2
lock r0 A0 1 2 4
status
    at height 4 round 1 step propose
`,
  );

  rule(
    "R4.4.2",
    "COMMIT(h, r, B) only with the polka of that same r: APPROVEs of two rounds are none.",
    `
bench managers=4 self=4
propose r0 E0
    sends PROPOSE r0 E0 of 1
    asks validate E0, held by 1
judge E0
    says ACCEPT E0
    says APPROVE r0 E0
accept E0 1 2 3
approve r0 E0 1
approve r1 nil 1 3
propose r1 E0 valid=0 by=1,2,3
    says APPROVE r1 E0 valid r0
    sends PROPOSE r1 E0 valid r0 of 2
approve r1 E0 2 valid=0
`,
  );

  rule(
    "R4.4.2",
    "Not if nil was committed in that round.",
    `
bench managers=4 self=2
propose r0 A0
    sends PROPOSE r0 A0 of 1
    asks validate A0, held by 1
judge A0
    says ACCEPT A0
    says APPROVE r0 A0
accept A0 1 3 4
approve r0 A0 1 3
    asks verify r0 A0 by 1 2 4
tick 300
    expires verify
    says COMMIT r0 nil
attest r0 A0
`,
  );

  rule(
    "R4.4.3",
    "A manager commits in a round only after it has approved there, be it nil.",
    `
bench managers=4 self=3
lock r0 A0 1 2 4
    asks validate A0, held by 1 2 4
judge A0
    says ACCEPT A0
    asks verify r0 A0 by 1 2 4
status
    at height 4 round 0 step propose
tick 100
    expires propose
    says APPROVE r0 nil
    says COMMIT r0 A0, locked
`,
  );

  rule(
    "R4.4.4",
    "A late LC sets validBlock and validRound: the block is proposed again.",
    `
bench managers=4 self=3
approve r1 nil 1 2
judge A0
    says ACCEPT A0
lock r0 A0 1 2 4
approve r2 nil 1 2
    says PROPOSE r2 A0 valid r0
    says APPROVE r2 A0 valid r0
`,
  );

  rule(
    "R4.4.4",
    "And nothing else: who is not locked approves another block.",
    `
bench managers=4 self=3
approve r1 nil 1 2
judge A0
    says ACCEPT A0
lock r0 A0 1 2 4
propose r1 B1
    sends PROPOSE r1 B1 of 2
    asks validate B1, held by 2
judge B1
    says ACCEPT B1
    says APPROVE r1 B1
`,
  );

  rule(
    "R4.4.5",
    "On Q APPROVEs of nil: COMMIT nil.",
    `
bench managers=4 self=2
tick 0
approve r0 nil 1 3
tick 100
    expires propose
    says APPROVE r0 nil
    says COMMIT r0 nil
`,
  );

  rule(
    "R4.4.5",
    "When the approve step's time is up: COMMIT nil.",
    `
bench managers=4 self=2
propose r0 A0
    sends PROPOSE r0 A0 of 1
    asks validate A0, held by 1
judge A0
    says ACCEPT A0
    says APPROVE r0 A0
approve r0 nil 1
approve r0 A0 3
tick 199
tick 1
    expires approve
    says COMMIT r0 nil
`,
  );

  rule(
    "R4.4.5",
    "When the verify step's time is up: COMMIT nil.",
    `
bench managers=4 self=2
propose r0 A0
    sends PROPOSE r0 A0 of 1
    asks validate A0, held by 1
judge A0
    says ACCEPT A0
    says APPROVE r0 A0
accept A0 1 3 4
approve r0 A0 1 3
    asks verify r0 A0 by 1 2 4
tick 299
tick 1
    expires verify
    says COMMIT r0 nil
`,
  );
});
