/**
 *
 * Storage nodes keep the sealed records, so they must not learn whose they are. Whatever would tell
 * (a list by participant or meter, which record updates which) is content, like the record itself.
 * The rest of the API is public: it shows what every storage node holds.
 */
import type { Record as LedgerRecord } from "../../gen/bss/v1/record_pb.js";
import { partiesOf } from "../../ledger/kinds/kinds.js";
import type { Identity, Role } from "../../rpc/tls/tls-identity.js";
import { isSettlementFor } from "../../settlement/settlement-documents.js";

/**
 * "everything": the content of every record, and every list. "own": of records that the caller
 * owns or is a party of, and the lists of itself and of its meters. "metadata": of every record
 * hash, block, position and seal digest, and by lists and histories whose it is; no content.
 * "place": the same of a record that the caller can name, and no list.
 */
export type RecordSight = "everything" | "own" | "metadata" | "place";

export const recordSight: Readonly<Record<Role, RecordSight>> = {
  manager: "everything",
  participant: "own",
  operator: "metadata",
  auditor: "metadata",
  storage: "place",
  invited: "place",
};

/** Whether the content of some record may be for this caller; if not, none needs to be unsealed. */
export function readsRecords({ role }: Identity): boolean {
  return recordSight[role] === "everything" || recordSight[role] === "own";
}

/** Whether this caller may learn whose any record is, and which others it updates. */
export function seesMetadata({ role }: Identity): boolean {
  return recordSight[role] === "everything" || recordSight[role] === "metadata";
}

/**
 * Managers, the owner and the other parties; of a tariff every participant, and of a settlement
 * both whom it names. An id alone opens nothing: the role counts.
 */
export function mayRead(record: LedgerRecord, { role, id }: Identity): boolean {
  if (recordSight[role] !== "own") return recordSight[role] === "everything";
  if (record.ownerId === id || partiesOf(record).includes(id)) return true;
  const { payload } = record;
  return payload.case === "document" && isSettlementFor(payload.value, id);
}

/** Whether the caller may list the records of a participant, or of a meter that is its own. */
export function mayList(participantId: string, reader: Identity): boolean {
  if (recordSight[reader.role] !== "own") return seesMetadata(reader);
  return participantId === reader.id;
}

/** Whether the caller may read all records of a participant that count for its settlement. */
export function maySettle(participantId: string, { role, id }: Identity): boolean {
  if (recordSight[role] !== "own") return recordSight[role] === "everything";
  return participantId === id;
}
