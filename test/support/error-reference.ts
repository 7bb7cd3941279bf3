import { reasonGroups } from "../../src/rpc/reasons.js";

/** docs/errors.md, whole: the reference of every reason that the API gives. */
export function renderErrorReference(): string {
  const groups = reasonGroups.map(({ title, reasons }) => {
    const rows = Object.entries(reasons).map(([reason, { status, summary, retryAfterMs }]) => {
      const retry = retryAfterMs === undefined ? "" : `${retryAfterMs / 1000} s`;
      return `| \`${reason}\` | ${status} | ${retry} | ${summary} |`;
    });
    const head = [
      "| reason | gRPC status | try again after | what it means |",
      "|---|---|---|---|",
    ];
    return [`## ${title}`, "", ...head, ...rows].join("\n");
  });
  return `${[introduction, ...groups].join("\n\n")}\n`;
}

const introduction = `# Errors

<!-- Rendered from src/rpc/reasons.ts by \`node dist/test/support/write-error-reference.js\`. -->

Every refusal is a gRPC status whose details (\`google.rpc.Status\` in the trailer
\`grpc-status-details-bin\`) hold

- \`google.rpc.ErrorInfo\` with domain \`bss\`, a stable reason from the tables below, and metadata
  for programs;
- \`google.rpc.BadRequest\` with the path of the field at fault, where there is one, for instance
  \`submission.records[3].salt\`;
- \`google.rpc.RetryInfo\`, where the same request may succeed later.

Programs should branch on the reason, not on the message. Reasons are never renamed or reused; new
ones may come, so treat an unknown reason by its status: INVALID_ARGUMENT means that the request is
wrong by itself, FAILED_PRECONDITION that the ledger's state forbids it, UNAVAILABLE and
RESOURCE_EXHAUSTED that it may succeed later. Where a status would end a whole stream, the same
facts come in a \`bss.v1.Refusal\`; what became of a single record comes in a \`bss.v1.Objection\`.
After INTERVAL_OVERLAP and PARENT_NOT_LATEST the owner of the record finds the one that stands
there in \`record_hash\` of the metadata (hex) and \`standing_record_hash\` of the objection.
Submitting again is always safe: a record on the ledger gets its first receipt. So is sending the
same signed retirement or payout again: it serves once, and is answered with the block that carries
it. A manager that does not remember a payout's block says PAYOUT_OUTDATED; then, and after a
payout's DEADLINE, look at \`bss storage statement\` before you sign a new one, which would count
beside the first.`;
