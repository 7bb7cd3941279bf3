/**
 * Findings that an audit digest is false ([R5.5.2]): this manager's own, and those of the others.
 * With f+1 of them a proposer fails the node's audit. Each manager says its own findings again
 * until the block's committee is closed, or a block has failed the audit.
 */
import { create } from "@bufbuild/protobuf";
import { equalBytes } from "../../base/bytes.js";
import { type ControlOperation, ControlOperationSchema } from "../../gen/bss/v1/genesis_pb.js";
import { type AuditFinding, AuditFindingSchema } from "../../gen/bss/v1/vote_pb.js";
import { described } from "../../ledger/certificates/signature-check.js";
import { findingDigest } from "../../ledger/certificates/vote-digests.js";
import type { AuditedAttestation } from "../../ledger/members/member-lists.js";
import { safeInteger } from "../../ledger/wire.js";
import { Testimonies, type TestimonyContext, type TestimonyParts } from "./testimonies.js";

/** An attestation whose audit digest is not the one of the records. */
export type FalseAudit = AuditedAttestation & {
  /** The height of the block that is attested. */
  readonly height: number;
};

export class AuditFindings {
  readonly #context: TestimonyContext;
  readonly #parts: TestimonyParts;
  readonly #findings = new Testimonies<AuditFinding>();
  /** What this manager has found, by subject. */
  readonly #own = new Map<string, FalseAudit>();

  constructor(context: TestimonyContext, parts: TestimonyParts) {
    this.#context = context;
    this.#parts = parts;
  }

  /** This manager has recomputed the digest, and it is another one. */
  note(found: FalseAudit): void {
    this.#own.set(subjectOf(found), found);
  }

  /** A finding from its author. */
  async take(from: string, finding: AuditFinding): Promise<void> {
    const { consortiumId, head, signatures, observer, monotonicMs } = this.#context;
    const { nodeId, managerId, audit, signature } = finding;
    if (managerId !== from) return observer.dropped(from, "FINDING_OF_ANOTHER");
    const height = safeInteger(finding.height, 1);
    const manager = head().members.manager(from);
    if (height === undefined || manager === undefined)
      return observer.dropped(from, "OPERATION_INVALID");
    // The block's committee is not open here: if it opens later, the finding comes again.
    if (!this.#isOpen({ nodeId, height, audit })) return;
    const subject = subjectOf({ nodeId, height });
    const known = this.#findings.get(subject, from);
    if (known !== undefined && equalBytes(known.signature, signature)) return;
    const digest = findingDigest({ consortiumId, nodeId, height, audit });
    const invalid = await signatures.firstInvalid([
      { publicKey: manager.signingKey, digest, signature, ...described("finding", from, height) },
    ]);
    if (invalid !== undefined) return observer.dropped(from, invalid.violation.reason);
    this.#findings.add(subject, from, finding, monotonicMs());
    if (this.#complete(subject) !== undefined) this.#parts.trigger.check();
  }

  /** Says again what this manager has found. */
  async say(): Promise<void> {
    const { selfId: managerId, consortiumId, head, monotonicMs } = this.#context;
    const { statements, peers } = this.#parts;
    for (const [subject, found] of this.#own) {
      const { nodeId, height, audit } = found;
      if (!this.#isOpen(found)) continue;
      let finding = this.#findings.get(subject, managerId);
      if (finding === undefined) {
        const digest = findingDigest({ consortiumId, nodeId, height, audit });
        const signature = await statements.sign("audit-finding", head().height, digest);
        if (signature === undefined) return;
        const fields = { nodeId, height: BigInt(height), audit, managerId, signature };
        finding = create(AuditFindingSchema, fields);
        this.#findings.add(subject, managerId, finding, monotonicMs());
      }
      peers.tell({ case: "finding", value: finding });
    }
    if (this.isComplete) this.#parts.trigger.check();
  }

  /** Whether an audit can be failed now. */
  get isComplete(): boolean {
    return this.#findings.subjects.some((subject) => this.#complete(subject) !== undefined);
  }

  operations(): readonly ControlOperation[] {
    return this.#findings.subjects.flatMap((subject) => {
      const findings = this.#complete(subject);
      const [first] = findings ?? [];
      if (findings === undefined || first === undefined) return [];
      const signed = findings.map(({ managerId, signature }) => ({ managerId, signature }));
      const value = { nodeId: first.nodeId, height: first.height, findings: signed };
      const operation = { case: "failAudit" as const, value };
      return [create(ControlOperationSchema, { operation })];
    });
  }

  onAppended(): void {
    for (const [subject, found] of this.#own) if (!this.#isOpen(found)) this.#own.delete(subject);
    for (const subject of this.#findings.subjects) {
      const [finding] = this.#findings.of(subject);
      const height = Number(finding?.height);
      if (finding === undefined || !this.#isOpen({ ...finding, height })) {
        this.#findings.delete(subject);
      }
    }
  }

  /** f+1 findings, or undefined while there are fewer. */
  #complete(subject: string): readonly AuditFinding[] | undefined {
    const needed = this.#context.head().members.faultsMax + 1;
    const findings = this.#findings.of(subject);
    const [first] = findings;
    const isOpen = first !== undefined && this.#isOpen({ ...first, height: Number(first.height) });
    return isOpen && findings.length >= needed ? findings.slice(0, needed) : undefined;
  }

  /** Whether the node is audited for this block, with this digest, and can still fail. */
  #isOpen({ nodeId, height, audit }: FalseAudit): boolean {
    const { openCommittees } = this.#context.head().members;
    const committee = openCommittees.find((each) => each.height === height);
    const audited = committee?.audited.find((each) => each.nodeId === nodeId);
    return audited !== undefined && equalBytes(audited.audit, audit);
  }
}

function subjectOf({ nodeId, height }: { readonly nodeId: string; readonly height: number }) {
  return `${height}/${nodeId}`;
}
