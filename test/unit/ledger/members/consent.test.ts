import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { ed25519Verify } from "../../../../src/crypto/ed25519.js";
import { sha256 } from "../../../../src/crypto/hash.js";
import {
  ControlOperationSchema,
  type InvitationSchema,
  InvitedRole,
} from "../../../../src/gen/bss/v1/genesis_pb.js";
import { controlOperationBytesMax } from "../../../../src/ledger/blocks/block-parsing.js";
import {
  consentProblem,
  invitationBytesMax,
  invitationDigest,
  invitationUsesMax,
  invitedMetersMax,
  parseInvitation,
} from "../../../../src/ledger/members/consent.js";
import { operationSignatureChecks } from "../../../../src/ledger/members/operation-signatures.js";
import { carriesAuthority, checkOperation } from "../../../../src/ledger/members/operations.js";
import { agentsMax } from "../../../../src/ledger/members/registrations.js";
import { Chain } from "../support/chain.js";
import { consortiumId, genesis, policy } from "../support/consortium.js";
import {
  admissionOf,
  consentTo,
  expiresAtMs,
  invitationBytes,
  meterOf,
  participantInvitation,
  registrationOf,
} from "../support/invitations.js";
import { publicKeyOf, readingBytes, seedOf, sign, submitted } from "../support/records.js";

type Changes = MessageInitShape<typeof InvitationSchema>;

const checkpoint = { height: 7n, blockId: seedOf("block 7"), membersDigest: seedOf("members") };
const long = (i: number) => String(i).padStart(63, "x");
const fully = {
  memberId: long(99),
  operatorId: "operator-1",
  checkpoint: { ...checkpoint, height: 2n ** 53n - 1n },
  expiresAtUnixMs: 2n ** 53n - 1n,
  agentIds: Array.from({ length: agentsMax }, (_, i) => long(i)),
  meters: Array.from({ length: invitedMetersMax }, (_, i) => {
    return { meterId: long(i), ratedPowerW: 10n ** 12n, intervalS: 3_600 };
  }),
};
const participant = (changes: Changes = {}): Changes => {
  return { role: InvitedRole.PARTICIPANT, memberId: "p", usesMax: 1, ...changes };
};

describe("an invitation", () => {
  const fine: readonly [string, Changes][] = [
    ["for any ten storage nodes", {}],
    ["for one node", { memberId: "node", usesMax: 1 }],
    ["for as many as may be", { usesMax: invitationUsesMax }],
    ["from a later checkpoint", { checkpoint }],
    ["for any participants", { role: InvitedRole.PARTICIPANT, agentIds: ["head-end"] }],
    ["with a meter", participant({ meters: [{ meterId: "m", ...meterOf }] })],
    ["with a meter by its EAN", participant({ meters: [{ meterId: "0541448820", ...meterOf }] })],
    ["with as much as may be", participant(fully)],
  ];
  for (const [what, changes] of fine) {
    test(`${what} is read`, () => assert.ok(parseInvitation(invitationBytes(changes))));
  }

  const wrong: readonly [string, Changes][] = [
    ["a short consortium id", { consortiumId: new Uint8Array(31) }],
    ["a short id", { invitationId: new Uint8Array(15) }],
    ["no operator", { operatorId: "" }],
    ["no bearer", { bearerKey: new Uint8Array() }],
    ["a bearer's key that everybody can use", { bearerKey: new Uint8Array(32) }],
    ["no role", { role: InvitedRole.UNSPECIFIED }],
    ["an unknown role", { role: 3 as InvitedRole }],
    ["no uses", { usesMax: 0 }],
    ["too many uses", { usesMax: invitationUsesMax + 1 }],
    ["many uses of one id", { memberId: "node" }],
    ["no end", { expiresAtUnixMs: 0n }],
    ["an end before all time", { expiresAtUnixMs: -1n }],
    ["no checkpoint", { checkpoint: undefined as never }],
    ["genesis under another id", { checkpoint: { ...checkpoint, height: 0n } }],
    ["half a block id", { checkpoint: { ...checkpoint, blockId: new Uint8Array(16) } }],
    ["half a members digest", { checkpoint: { ...checkpoint, membersDigest: new Uint8Array(16) } }],
    ["a height without end", { checkpoint: { ...checkpoint, height: 2n ** 53n } }],
    ["no id as its member", { memberId: "A", usesMax: 1 }],
    ["agents of a storage node", { agentIds: ["head-end"] }],
    ["a meter of a storage node", { meters: [{ meterId: "m", ...meterOf }] }],
    ["a meter of anybody", participant({ memberId: "", meters: [{ meterId: "m", ...meterOf }] })],
    ["an agent twice", participant({ agentIds: ["a", "a"] })],
    ["itself as agent", participant({ agentIds: ["p"] })],
    ["too many agents", participant({ agentIds: [...fully.agentIds, "one-more"] })],
    ["too many meters", participant({ meters: [...fully.meters, { meterId: "m", ...meterOf }] })],
    [
      "a meter twice",
      participant({
        meters: [
          { meterId: "m", ...meterOf },
          { meterId: "m", ...meterOf },
        ],
      }),
    ],
    [
      "a meter twice, in another case",
      participant({
        meters: [
          { meterId: "M*1", ...meterOf },
          { meterId: "m*1", ...meterOf },
        ],
      }),
    ],
    ["a meter of no id", participant({ meters: [{ meterId: "a/b", ...meterOf }] })],
    ["a meter of no power", participant({ meters: [{ meterId: "m", intervalS: 900 }] })],
    ["a meter of no interval", participant({ meters: [{ meterId: "m", ratedPowerW: 1n }] })],
  ];
  for (const [what, changes] of wrong) {
    test(`with ${what} is none`, () => {
      assert.equal(parseInvitation(invitationBytes(changes)), undefined);
    });
  }

  test("has one encoding, and no room for anything else", () => {
    const bytes = invitationBytes();
    assert.equal(parseInvitation(Uint8Array.of(...bytes, 0x90, 0x03, 1)), undefined, "unknown");
    assert.equal(parseInvitation(Uint8Array.of(...bytes, 0x28, 10)), undefined, "twice");
    assert.equal(parseInvitation(bytes.subarray(0, bytes.length - 1)), undefined, "cut off");
    assert.equal(parseInvitation(new Uint8Array(invitationBytesMax + 1)), undefined, "too long");
  });

  test("of the longest kind fits its bound, and its registration a block", () => {
    const bytes = invitationBytes(participant(fully));
    assert.ok(bytes.length <= invitationBytesMax, `${bytes.length}`);
    const { agentIds, memberId } = fully;
    const operation = registrationOf(memberId, { invitation: bytes, value: { agentIds } });
    const built = new Chain().propose({ control: [operation] });
    assert.deepEqual(built.refusedOperations, []);
    const [length = 0] = built.block.block?.control.map((each) => each.length) ?? [];
    assert.ok(length > 3_500 && length <= controlOperationBytesMax, `${length}`);
  });
});

describe("consent", () => {
  const shape = (...args: Parameters<typeof admissionOf>) => {
    const found = checkOperation(admissionOf(...args), policy);
    return found && [found.reason, found.field];
  };
  const at = "admit_storage_node.consent";

  test("makes an admission one that everybody can check", () => {
    assert.ok(carriesAuthority(admissionOf("new")));
    assert.ok(carriesAuthority(registrationOf("new")));
    assert.equal(checkOperation(admissionOf("new"), policy), undefined);
    assert.equal(checkOperation(registrationOf("new"), policy), undefined);
  });

  const short = new Uint8Array(63);
  const wrong: readonly [string, ReturnType<typeof shape>, string, string][] = [
    [
      "a short signature of the operator",
      shape("new", { consent: { invitationSignature: short } }),
      ...["OPERATION_INVALID", `${at}.invitation_signature`],
    ],
    [
      "a short signature of who joins",
      shape("new", { consent: { possessionSignature: short } }),
      ...["OPERATION_INVALID", `${at}.possession_signature`],
    ],
    [
      "no signature by the bearer's key",
      shape("new", { consent: { bearerSignature: new Uint8Array() } }),
      ...["OPERATION_INVALID", `${at}.bearer_signature`],
    ],
    [
      "no invitation",
      shape("new", { consent: { invitation: new Uint8Array() } }),
      ...["INVITATION_INVALID", `${at}.invitation`],
    ],
    [
      "an invitation of participants",
      shape("new", { invitation: invitationBytes({ role: InvitedRole.PARTICIPANT }) }),
      ...["INVITATION_INVALID", `${at}.invitation`],
    ],
    [
      "an invitation for another id",
      shape("new", { invitation: invitationBytes({ memberId: "other", usesMax: 1 }) }),
      ...["INVITATION_INVALID", `${at}.invitation`],
    ],
  ] as never;
  for (const [what, found, reason, field] of wrong) {
    test(`with ${what} is refused`, () => assert.deepEqual(found, [reason, field]));
  }

  test("names the agents of its invitation, in their order", () => {
    const invitation = participantInvitation("new", { agentIds: ["a", "b"] });
    for (const [agentIds, fits] of [
      [["a", "b"], true],
      [["b", "a"], false],
      [["a"], false],
      [[], false],
    ] as const) {
      const operation = registrationOf("new", { invitation, value: { agentIds } });
      const found = checkOperation(operation, policy);
      assert.equal(found?.reason, fits ? undefined : "INVITATION_INVALID");
    }
  });

  test("registers no meter whose interval does not divide the market's", () => {
    const meters = [{ meterId: "m", ratedPowerW: 1n, intervalS: 7 }];
    const invitation = participantInvitation("new", { meters });
    const found = checkOperation(registrationOf("new", { invitation }), policy);
    assert.equal(found?.reason, "INVITATION_INVALID");
  });

  const against = (operation = admissionOf("new"), timestampMs = expiresAtMs) => {
    const found = consentProblem(operation, genesis.members, timestampMs);
    return found && [found.reason, found.field];
  };

  test("serves up to the last millisecond of its invitation", () => {
    assert.equal(against(), undefined);
    const expired = ["INVITATION_EXPIRED", `${at}.invitation`];
    assert.deepEqual(against(undefined, expiresAtMs + 1), expired);
  });

  test("is not needed where nobody joins", () => {
    const operation = { case: "suspendManager" as const, value: { managerId: "manager-1" } };
    assert.equal(against(create(ControlOperationSchema, { operation })), undefined);
  });

  for (const operatorId of ["stranger", "manager-1", "storage-1"]) {
    test(`is not given by ${operatorId}`, () => {
      const operation = admissionOf("new", { invitation: invitationBytes({ operatorId }) });
      assert.deepEqual(against(operation), ["INVITATION_INVALID", `${at}.invitation`]);
    });
  }

  test("is given for the manager of its operator alone", () => {
    const operation = admissionOf("new", { value: { sponsorId: "manager-2" } });
    assert.deepEqual(against(operation), ["INVITATION_INVALID", "admit_storage_node.sponsor_id"]);
    const invitation = invitationBytes({ operatorId: "operator-2" });
    assert.equal(
      against(admissionOf("new", { invitation, value: { sponsorId: "manager-2" } })),
      undefined,
    );
  });

  test("rests on three signatures, and each binds all that it is for", () => {
    const verifying = (operation = admissionOf("new"), id = consortiumId) =>
      operationSignatureChecks(operation, genesis.members, id).map((each) =>
        ed25519Verify(each.publicKey, each.digest, each.signature),
      );
    const other = seedOf("something else");
    assert.deepEqual(verifying(), [true, true, true]);
    assert.deepEqual(verifying(registrationOf("new")), [true, true, true]);
    assert.deepEqual(verifying(undefined, other), [false, false, false], "another consortium");
    for (const value of [
      { nodeId: "new-2" },
      { tlsSpkiSha256: other },
      { signingKey: publicKeyOf("another") },
    ]) {
      const found = verifying(admissionOf("new", { value }));
      assert.deepEqual(found, [true, false, false], Object.keys(value).join());
    }
    const swapped = consentTo("new", InvitedRole.STORAGE, invitationBytes({ usesMax: 9 }));
    assert.deepEqual(
      verifying(admissionOf("new", { consent: { ...swapped, invitation: invitationBytes() } })),
      [false, false, false],
      "signed for another invitation",
    );
    const elsewhere = invitationBytes({ checkpoint, consortiumId: other });
    const invitationSignature = sign(
      "operator-1",
      invitationDigest(invitationBytes({ checkpoint })),
    );
    assert.deepEqual(
      verifying(admissionOf("new", { invitation: elsewhere, consent: { invitationSignature } })),
      [false, true, true],
      "signed for this consortium, but naming another one",
    );
    const bare = sign("operator-1", sha256(invitationBytes()));
    const untagged = admissionOf("new", { consent: { invitationSignature: bare } });
    assert.deepEqual(verifying(untagged), [false, true, true], "without its tag");
  });

  test("is not given by whoever reads an invitation on the chain, or is shown it", () => {
    const { bearerSignature } = consentTo("new", InvitedRole.STORAGE, invitationBytes());
    const theft = admissionOf("thief", { consent: { bearerSignature } });
    const chain = new Chain();
    const judged = chain.judge(chain.propose({ control: [theft] }).block);
    assert.deepEqual(judged.ok || [judged.error.reason, judged.error.field], [
      "INVITATION_INVALID",
      `${at}.bearer_signature`,
    ]);
  });

  test("names what is wrong when a signature does not verify", () => {
    const [operator, own, bearer] = operationSignatureChecks(
      admissionOf("new"),
      genesis.members,
      consortiumId,
    );
    assert.deepEqual(
      [operator, own, bearer].map((each) => each?.violation.reason),
      ["INVITATION_INVALID", "SIGNATURE_INVALID", "INVITATION_INVALID"],
    );
  });
});

describe("who joins a running chain", () => {
  const outcome = (chain: Chain, operation = admissionOf("storage-9")) =>
    chain.propose({ control: [operation] }).refusedOperations[0]?.violation.reason;

  test("is a member from the next block on, and the invitation serves once less", () => {
    const chain = new Chain();
    const invitation = invitationBytes({ usesMax: 2 });
    const admit = (id: string) => admissionOf(id, { invitation });
    chain.extend({ control: [admit("storage-8"), admit("storage-9")] });
    assert.equal(chain.head.members.storageNode("storage-9")?.sponsorId, "manager-1");
    const uses = chain.tables().invitations.get(seedOf("an invitation").slice(0, 16), "operator-1");
    assert.equal(uses?.uses, 2);
    assert.equal(outcome(chain, admit("storage-10")), "INVITATION_USED_UP");
    const second = { invitation: invitationBytes({ operatorId: "operator-2", usesMax: 2 }) };
    const elsewhere = admissionOf("storage-10", { ...second, value: { sponsorId: "manager-2" } });
    assert.equal(outcome(chain, elsewhere), undefined, "another operator's of the same id");
  });

  test("uses nothing up when refused", () => {
    const chain = new Chain();
    const invitation = invitationBytes({ usesMax: 1 });
    const control = ["storage-1", "manager-1", "storage-9"].map((id) =>
      admissionOf(id, { invitation }),
    );
    const built = chain.propose({ control });
    assert.equal(built.refusedOperations.length, 2);
    assert.equal(built.block.block?.control.length, 1);
    assert.ok(chain.judge(built.block).ok);
  });

  test("may be a participant, whose meters count at once", () => {
    const chain = new Chain();
    const meter = "meter-of-new";
    const reading = readingBytes({ owner: "new", meter, exported: 1_000 });
    chain.extend({
      control: [registrationOf("new")],
      candidates: [submitted([reading], "head-end")],
    });
    const { meters, participants } = chain.tables();
    assert.deepEqual(participants.get("new")?.agentIds, ["head-end"]);
    assert.equal(meters.get(meter)?.ownerId, "new");
    assert.equal(meters.get(meter)?.height, 1n);
    const other = participantInvitation("new-2", {
      invitationId: seedOf("another").slice(0, 16),
      meters: [{ meterId: meter, ...meterOf }],
    });
    assert.equal(outcome(chain, registrationOf("new")), "MEMBER_ID_TAKEN");
    assert.equal(outcome(chain, registrationOf("new-2", { invitation: other })), "MEMBER_ID_TAKEN");
  });

  test("brings a key of its own", () => {
    const value = { signingKey: publicKeyOf("storage-1") };
    assert.equal(outcome(new Chain(), registrationOf("new", { value })), "OPERATION_INVALID");
  });

  test("does not join when the invitation is over, or signed by somebody else", () => {
    const chain = new Chain();
    const late = chain.propose({ control: [admissionOf("new")], timestampMs: expiresAtMs + 1 });
    assert.equal(late.refusedOperations[0]?.violation.reason, "INVITATION_EXPIRED");
    const forged = admissionOf("new", { consent: { invitationSignature: new Uint8Array(64) } });
    const judged = chain.judge(chain.propose({ control: [forged] }).block);
    assert.equal(judged.ok ? "" : judged.error.reason, "INVITATION_INVALID");
  });
});
