import { describe } from "node:test";
import { rule } from "./support/rule.js";

describe("§4.8: suspension", () => {
  rule(
    "R4.8.1",
    "After suspend_after a manager puts the suspension of who is missing into the block it makes.",
    `
bench managers=4 self=2 suspend=600
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
commit r0 nil 1 3
tick 400
    expires commit
    asks build r1 without 4
built S1
    says PROPOSE r1 S1
    says ACCEPT S1
    says APPROVE r1 S1
accept S1 1 3
approve r1 S1 1 3
    asks verify r1 S1 by 1 2 3
`,
  );

  rule(
    "R4.8.1",
    "Who accepts before the round is given up is not missing; who accepts later is.",
    `
bench managers=4 self=2 suspend=600
propose r0 E0
    sends PROPOSE r0 E0 of 1
    asks validate E0, held by 1
judge E0
    says ACCEPT E0
    says APPROVE r0 E0
approve r0 E0 1 3
accept E0 1
tick 200
    expires approve
    says COMMIT r0 nil
accept E0 3
commit r0 nil 1 3
tick 400
    expires commit
    asks build r1 without 3 4
`,
  );

  rule(
    "R4.8.1",
    "Half of suspend_after is enough to agree with the claim of another.",
    `
bench managers=4 self=3 suspend=1000
propose r0 E0
    sends PROPOSE r0 E0 of 1
    asks validate E0, held by 1
judge E0
    says ACCEPT E0
    says APPROVE r0 E0
accept E0 1 2
approve r0 E0 1 2
tick 200
    expires approve
    says COMMIT r0 nil
commit r0 nil 1 2
tick 400
    expires commit
propose r1 S1
    sends PROPOSE r1 S1 of 2
    asks validate S1, held by 2
judge S1
    says ACCEPT S1
    says APPROVE r1 S1
`,
  );

  rule(
    "R4.8.1",
    "The time in which a manager is busy itself does not count against others.",
    `
bench managers=4 self=2 suspend=600
propose r0 E0
    sends PROPOSE r0 E0 of 1
    asks validate E0, held by 1
judge E0
    says ACCEPT E0
    says APPROVE r0 E0
accept E0 1 3
approve r0 E0 1 3
tick 200 busy=100
    expires approve
    says COMMIT r0 nil
commit r0 nil 1 3
tick 400
    expires commit
    asks build r1
`,
  );

  rule(
    "R4.8.1",
    "Nobody waits for the proposal of who is missing.",
    `
bench managers=4 self=1 suspend=1000 height=6
propose r0 E0
    sends PROPOSE r0 E0 of 3
    asks validate E0, held by 3
judge E0
    says ACCEPT E0
    says APPROVE r0 E0
accept E0 2 3
approve r0 E0 2 3
tick 200
    expires approve
    says COMMIT r0 nil
commit r0 nil 2 3
tick 400
    expires commit
    says APPROVE r1 nil
`,
  );
});

describe("§4.9: mutual supervision", () => {
  rule(
    "R4.9.1",
    "Two different statements of one kind and round are evidence, and so is a broken lock.",
    `
bench managers=4 self=3
approve r0 A0 2
approve r0 nil 2
    accuses 2 of votes
commit r0 A0 4
approve r1 B1 4
    accuses 4 of brokenLock
`,
  );
});

describe("§4.2: what this manager alone can say", () => {
  rule(
    "R4.2.1",
    "A fresh block that suspends a manager that is not missing here is not approved.",
    `
bench managers=4 self=3 suspend=1000
tick 2000
propose r0 S0
    sends PROPOSE r0 S0 of 1
    asks validate S0, held by 1
judge S0
    says APPROVE r0 nil
`,
  );

  rule(
    "R4.2.3",
    "The ACCEPT of a block with a lock certificate does not wait for local predicates.",
    `
bench managers=4 self=3
propose r0 F0
    sends PROPOSE r0 F0 of 1
    asks validate F0, held by 1
judge F0
    says APPROVE r0 nil
lock r0 F0 1 2 4
    says ACCEPT F0
    says COMMIT r0 F0, locked
    asks verify r0 F0 by 1 3 4
`,
  );
});
