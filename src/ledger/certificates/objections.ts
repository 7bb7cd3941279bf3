/**
 * Objections: a manager's signed statement that records break rules (docs/protocol.md §4.7). Their
 * shape, what is signed, and which of them can be held against their author. An objection is about
 * the ledger at one height, so every manager at that height can check it.
 *
 * A manager signs once for all of its objections to a submission: it signs the root of a Merkle
 * tree, so that a single false objection can be shown with a few hashes.
 */
import { create } from "@bufbuild/protobuf";
import { defined } from "../../base/assert.js";
import { ok, type Result } from "../../base/result.js";
import { ed25519SignatureBytes } from "../../crypto/ed25519.js";
import { domain, hashBytes, taggedHash } from "../../crypto/hash.js";
import {
  type Objection,
  type ObjectionSignature,
  type ProvenObjection,
  ProvenObjectionSchema,
  type SignedObjections,
} from "../../gen/bss/v1/broadcast_pb.js";
import {
  CanonicalObjectionSchema,
  CanonicalObjectionsSchema,
} from "../../gen/bss/v1/canonical_pb.js";
import type { Members } from "../members/members.js";
import { appendLeaves, emptyFrontier, rootOf, rootOfLeafHashes } from "../merkle/frontier.js";
import { leafHash } from "../merkle/nodes.js";
import { foldPlan, inclusionProofPlan } from "../merkle/proofs.js";
import { submissionRecordsBound } from "../records/submission-bounds.js";
import { type RuleReason, refuse, type Violation } from "../violation.js";
import { encode, safeInteger } from "../wire.js";
import { described, type SignatureCheck } from "./signature-check.js";

/**
 * Reasons that depend on nothing but the record and the ledger at one height: every manager finds
 * the same, at any time. So a manager that keeps the rules names one of these only if all others
 * would. (TIME_IN_FUTURE depends on a clock, ENERGY_INVALID on other readings.)
 */
export const lastingReasons: ReadonlySet<RuleReason> = new Set([
  "SIGNATURE_INVALID",
  "TRADE_SIGNATURE_INVALID",
  "PARTICIPANT_UNKNOWN",
  "OWNER_UNKNOWN",
  "AGENT_NOT_AUTHORIZED",
  "SALT_INVALID",
  "TIME_INVALID",
  "PARENT_OWNER_MISMATCH",
  "PARENT_KIND_MISMATCH",
  "METER_UNKNOWN",
  "METER_OWNER_MISMATCH",
  "INTERVAL_INVALID",
  "ENERGY_ABOVE_RATING",
  "TRADE_PARTIES_EQUAL",
  "TRADE_PARTY_UNKNOWN",
  "PRICE_OUT_OF_BOUNDS",
  "DOCUMENT_INVALID",
  "SESSION_INVALID",
] satisfies readonly RuleReason[]);

/** What honest managers write is far shorter. */
const textCharsMax = { reason: 64, message: 1_000, field: 256 } as const;

/** What an objection claims of a record. */
type ObjectionClaim = Pick<Objection, "recordHash" | "reason" | "height">;

/** The leaves of the tree whose root is signed. */
function leavesOf(claims: readonly ObjectionClaim[]): readonly Uint8Array[] {
  return claims.map(({ recordHash, reason, height }) => {
    const canonical = create(CanonicalObjectionSchema, { recordHash, reason, height });
    return leafHash(encode(CanonicalObjectionSchema, canonical));
  });
}

/** The root that is signed for these, 32 bytes. */
export function objectionsRoot(claims: readonly ObjectionClaim[]): Uint8Array {
  return rootOfLeafHashes(leavesOf(claims));
}

type ObjectionsDigestInput = {
  /** 32 bytes. */
  readonly consortiumId: Uint8Array;
  /** 32 bytes. */
  readonly submissionId: Uint8Array;
  readonly count: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
};

/** The 32 bytes that are signed for all objections to records of a submission. */
export function objectionsDigest(input: ObjectionsDigestInput): Uint8Array {
  const { consortiumId, submissionId, count, root } = input;
  const message = create(CanonicalObjectionsSchema, { consortiumId, submissionId, count, root });
  return taggedHash(domain.objection, encode(CanonicalObjectionsSchema, message));
}

/**
 * Checks the shape of objections and that a manager made them; VOTE_MALFORMED or SIGNER_UNKNOWN.
 * What the signature has to hold for is computed when `check` is called.
 */
export function checkObjections(
  { objections, signature }: SignedObjections,
  members: Members,
  consortiumId: Uint8Array,
): Result<{ readonly check: () => SignatureCheck }, Violation> {
  if (objections.length === 0 || objections.length > submissionRecordsBound) {
    return malformed("objections");
  }
  for (const objection of objections) {
    const wrong = wrongFieldOf(objection);
    if (wrong !== undefined) return malformed(wrong);
  }
  const [first] = objections;
  const signed = checkAuthor(signature, members, Number(first?.height));
  if (!signed.ok) return signed;
  const { signatureCheck, submissionId } = signed.value;
  const count = objections.length;
  const check = () => {
    const root = objectionsRoot(objections);
    return signatureCheck(objectionsDigest({ consortiumId, submissionId, count, root }));
  };
  return ok({ check });
}

/**
 * One of the objections, so that it can be shown without the others. `index` is its place. Message
 * and field are left out: they are not signed, and whoever relayed it can have written them.
 */
export function provenObjection(
  { objections, signature }: SignedObjections,
  index: number,
): ProvenObjection {
  const leaves = leavesOf(objections);
  const { frontier, nodes } = appendLeaves(emptyFrontier, leaves);
  const hashes = new Map(nodes.map((node) => [`${node.level}/${node.index}`, node.hash]));
  const proof = foldPlan(inclusionProofPlan(index, leaves.length), ({ level, index: at }) =>
    defined(hashes.get(`${level}/${at}`), "a tree has all of its complete nodes"),
  );
  const { recordHash, reason, height } = defined(objections[index], "the place is one of theirs");
  return create(ProvenObjectionSchema, {
    objection: { recordHash, reason, height },
    index,
    proof,
    count: leaves.length,
    root: rootOf(frontier),
    ...(signature === undefined ? {} : { signature }),
  });
}

function checkAuthor(
  signature: ObjectionSignature | undefined,
  members: Members,
  height: number,
): Result<
  {
    readonly submissionId: Uint8Array;
    readonly signatureCheck: (digest: Uint8Array) => SignatureCheck;
  },
  Violation
> {
  if (signature === undefined) return malformed("signature");
  const { submissionId, managerId, signature: bytes } = signature;
  if (submissionId.length !== hashBytes) return malformed("signature.submission_id");
  if (bytes.length !== ed25519SignatureBytes) return malformed("signature.signature");
  const author = members.manager(managerId);
  if (author === undefined) {
    const field = "signature.manager_id";
    return refuse("SIGNER_UNKNOWN", "No manager has the objector's id.", field);
  }
  const signatureCheck = (digest: Uint8Array) => {
    const signed = { publicKey: author.signingKey, digest, signature: bytes };
    return { ...signed, ...described("objection", managerId, height) };
  };
  return ok({ submissionId, signatureCheck });
}

function wrongFieldOf(objection: Objection): string | undefined {
  if (safeInteger(objection.height) === undefined) return "height";
  if (objection.recordHash.length !== hashBytes) return "record_hash";
  return (["reason", "message", "field"] as const).find(
    (field) => objection[field].length > textCharsMax[field],
  );
}

function malformed(field: string): Result<never, Violation> {
  return refuse("VOTE_MALFORMED", `The value is not valid as an objection's ${field}.`, field);
}
