/** docs/protocol.md §4.5 to §4.7. */
import { describe } from "node:test";
import { rule } from "./support/rule.js";

describe("§4.5: decide", () => {
  rule(
    "R4.5.1",
    "B is final on Q COMMITs by distinct managers with one identical (h, r, block id).",
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
commit r0 E0 1
commit r0 E0 3
    decides E0 in r0: AC 1 2 3 4 CC r0 1 2 3
`,
  );

  rule(
    "R4.5.1",
    "COMMITs of different rounds are never added up.",
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
commit r1 E0 1
commit r2 E0 3
    says PROPOSE r1 E0 valid r0
    says APPROVE r1 E0 valid r0
commit r3 E0 4
commit r3 E0 1
commit r3 E0 3
    decides E0 in r3: AC 1 2 3 4 CC r3 1 3 4
`,
  );

  rule(
    "R4.5.1",
    "Once B is known and accurate.",
    `
bench managers=4 self=2
accept A0 1 3 4
attest r0 A0
commit r0 A0 1 3 4
    asks validate A0, held by 1 3 4
judge A0
    says ACCEPT A0
    decides A0 in r0: AC 1 2 3 4 IC r0 1 2 4 CC r0 1 3 4
`,
  );

  rule(
    "R4.5.1",
    "The manager decides when it also holds AC, and IC of a round up to r.",
    `
bench managers=4 self=2
wake
judge A0
    says ACCEPT A0
commit r0 A0 1 3 4
accept A0 1 3 4
attest r1 A0
attest r0 A0
    decides A0 in r0: AC 1 2 3 4 IC r0 1 2 4 CC r0 1 3 4
`,
  );

  rule(
    "R4.5.2",
    "On Q COMMITs of any kind in r and the commit step's timeout: round r+1.",
    `
bench managers=4 self=3
propose r0 E0
    sends PROPOSE r0 E0 of 1
    asks validate E0, held by 1
judge E0
    says ACCEPT E0
    says APPROVE r0 E0
commit r0 nil 1
commit r0 E0 2
tick 0
commit r0 nil 4
status
    at height 4 round 0 step approve
tick 399
status
    at height 4 round 0 step approve
tick 1
    expires commit
status
    at height 4 round 1 step propose
`,
  );

  rule(
    "R4.5.2",
    "Without Q COMMITs no time ends a round.",
    `
bench managers=4 self=3
commit r0 nil 1 2
tick 100000
    expires propose
    says APPROVE r0 nil
    sends COMMIT r0 nil of 1 2
status
    at height 4 round 0 step approve
`,
  );

  rule(
    "R4.5.3",
    "When f+1 distinct managers have signed in later rounds, to the highest that f+1 have reached.",
    `
bench managers=7 self=3
wake
approve r9 nil 1
approve r7 nil 2
commit r9 nil 1
status
    at height 4 round 0 step propose
commit r5 nil 4
    asks build r5
status
    at height 4 round 5 step propose
`,
  );

  rule(
    "R4.5.4",
    "Q COMMITs for a block that this manager finds wrong: it halts, and signs nothing more.",
    `
bench managers=4 self=2
propose r0 A0
    sends PROPOSE r0 A0 of 1
    asks validate A0, held by 1
commit r0 A0 1 3 4
judge A0 wrong
    says APPROVE r0 nil
    halts: Q managers committed …, which is wrong here: DOUBLE_SPEND: sold twice
tick 1000
propose r1 B1
approve r1 nil 1 3 4
`,
  );
});

describe("§4.6: time", () => {
  rule(
    "R4.6.1",
    "Propose runs from entering the round.",
    `
bench managers=4 self=2
wake
tick 99
tick 1
    expires propose
    says APPROVE r0 nil
`,
  );

  rule(
    "R4.6.1",
    "Approve runs from Q APPROVEs of any kind.",
    `
bench managers=4 self=2
propose r0 A0
    sends PROPOSE r0 A0 of 1
    asks validate A0, held by 1
judge A0
    says ACCEPT A0
    says APPROVE r0 A0
tick 10000
    sends PROPOSE r0 A0 of 1
    sends APPROVE r0 A0 of 2
    sends ACCEPT A0 of 2
approve r0 nil 1
approve r0 A0 3
tick 199
tick 1
    expires approve
    says COMMIT r0 nil
`,
  );

  rule(
    "R4.6.1",
    "Verify runs from polka and AC.",
    `
bench managers=4 self=2
propose r0 A0
    sends PROPOSE r0 A0 of 1
    asks validate A0, held by 1
judge A0
    says ACCEPT A0
    says APPROVE r0 A0
approve r0 A0 1 3
tick 100
accept A0 1 3 4
    asks verify r0 A0 by 1 2 4
tick 299
tick 1
    expires verify
    says COMMIT r0 nil
`,
  );

  rule(
    "R4.6.1",
    "Each is base + r * step.",
    `
bench managers=4 self=2
approve r7 nil 1 3
tick 169
tick 1
    expires propose
    says APPROVE r7 nil
    says COMMIT r7 nil
`,
  );

  rule(
    "R4.6.2",
    "Until h is decided, proposals, votes, the LC held and attestations are sent again.",
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
tick 5000
    sends PROPOSE r0 A0 of 1
    sends APPROVE r0 A0 of 1 2 3
    sends COMMIT r0 A0 of 2
    sends ACCEPT A0 of 1 2 3 4
    sends LC r0 A0
    sends MATCH r0 A0 of 1 2 4
tick 4999
tick 1
    sends PROPOSE r0 A0 of 1
    sends APPROVE r0 A0 of 1 2 3
    sends COMMIT r0 A0 of 2
    sends ACCEPT A0 of 1 2 3 4
    sends LC r0 A0
    sends MATCH r0 A0 of 1 2 4
`,
  );

  rule(
    "R4.6.3",
    "Votes up to 16 rounds ahead are kept; what lies beyond counts for skipping only.",
    `
bench managers=4 self=2
commit r16 nil 1
commit r17 nil 3
status
    at height 4 round 16 step propose
commit r17 nil 4
    asks build r17
status
    at height 4 round 17 step propose
`,
  );
});

describe("§4.7: objections", () => {
  rule(
    "R4.7.3",
    "A block that one active manager does not accept is not final: the round ends with nil.",
    `
bench managers=4 self=2
propose r0 E0
    sends PROPOSE r0 E0 of 1
    asks validate E0, held by 1
judge E0
    says ACCEPT E0
    says APPROVE r0 E0
accept E0 1 3
approve r0 E0 1 3
tick 200
    expires approve
    says COMMIT r0 nil
`,
  );
});
