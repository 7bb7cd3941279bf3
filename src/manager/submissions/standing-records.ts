/**
 * Names, in objections, the record that stands in the way: the reading of an interval that has one,
 * or the update of a parent that has been updated. Its owner corrects it by this hash, and finds by
 * it that it was an earlier submission of its own.
 *
 * Which record updates which is content ([R8.6]), so only the record's owner is told, to whom what
 * stands belongs as well: an agent is not.
 *
 * Both reasons are of order, so screening gives them only for what the ledger itself holds.
 */
import { create } from "@bufbuild/protobuf";
import { type Objection, ObjectionSchema } from "../../gen/bss/v1/broadcast_pb.js";
import type { ManagerStore } from "../../store/manager-store.js";
import type { RecordRefusal } from "../screening/screening.js";

/** Of one submission; each costs a read of the index. */
const namedMax = 100;

/** The objections to these refusals, in their order, with what stands there. */
export async function withStandingRecords(
  objections: readonly Objection[],
  refusals: readonly RecordRefusal[],
  callerId: string,
  store: Pick<ManagerStore, "placesAt">,
): Promise<readonly Objection[]> {
  const standing = refusals.map(({ record, violation }) =>
    record.ownerId === callerId ? violation.standing : undefined,
  );
  const positions = standing.flatMap((each) => each?.position ?? []);
  const hashes = new Map<number, Uint8Array>();
  for await (const place of store.placesAt(positions.slice(0, namedMax))) {
    hashes.set(place.position, place.recordHash);
  }
  return objections.map((objection, i) => {
    const { hash, position = -1 } = standing[i] ?? {};
    const standingRecordHash = hash ?? hashes.get(position);
    if (standingRecordHash === undefined) return objection;
    return create(ObjectionSchema, { ...objection, standingRecordHash });
  });
}
