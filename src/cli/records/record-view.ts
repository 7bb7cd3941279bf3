/** Records as commands print them: one line in a table, all fields below each other, or JSON. */
import { toHex } from "../../base/bytes.js";
import type { LedgerRecord } from "../../client/verify/answers.js";
import type { Record } from "../../gen/bss/v1/record_pb.js";
import type { KindName } from "../../ledger/kinds/kind.js";
import { recordKinds } from "../../ledger/kinds/kinds.js";
import type { Field } from "../kinds/kind.js";
import { type AnyCliKind, cliKinds } from "../kinds/kinds.js";
import { type Cell, type Column, fields, formatTime, table } from "../text/output.js";

const columns: readonly Column[] = [
  { title: "HASH" },
  { title: "BLOCK", align: "right" },
  { title: "POSITION", align: "right" },
  { title: "RECORD TIME" },
  { title: "OWNER" },
  { title: "CONTENT" },
];

const unseen = "not visible to this profile";

/** Records as a table; hashes in full, because they are what the other commands take. */
export function recordTable(records: readonly LedgerRecord[]): string {
  return table(
    columns,
    records.map(({ hash, height, position, content }) => [
      ...[toHex(hash), height, position],
      ...(content === undefined
        ? ["-", "-", unseen]
        : [formatTime(content.record.timeUnixMs), content.record.ownerId, summary(content.record)]),
    ]),
  );
}

/** One record with all of its fields. */
export function recordFields({
  hash,
  height,
  position,
  sealDigest,
  content,
}: LedgerRecord): string {
  const place: Field[] = [
    ["record", toHex(hash)],
    ["block", height],
    ["position", position],
    ["seal digest", toHex(sealDigest)],
  ];
  if (content === undefined) return fields([...place, ["content", unseen]]);
  const { record, successor } = content;
  const versions: Field[] = [];
  if (record.parent.length > 0) versions.push(["updates", toHex(record.parent)]);
  versions.push(["updated by", successor === undefined ? "nothing: the latest" : toHex(successor)]);
  return fields([
    ...place,
    ["owner", record.ownerId],
    ["time", formatTime(record.timeUnixMs)],
    ...versions,
    ...payloadFields(record).map(([name, value]) => forPeople(name, value)),
  ]);
}

/** One record for `--json`. */
export function recordJson({ hash, height, position, sealDigest, content }: LedgerRecord): object {
  const place = { record_hash: hash, height, position, seal_digest: sealDigest };
  if (content === undefined) return place;
  const { record, successor } = content;
  return {
    ...place,
    owner_id: record.ownerId,
    time_unix_ms: Number(record.timeUnixMs),
    parent: record.parent.length > 0 ? record.parent : null,
    successor: successor ?? null,
    kind: record.payload.case === undefined ? "unknown" : recordKinds[record.payload.case].label,
    ...payloadJson(record),
  };
}

function summary({ payload }: Record): string {
  return payload.case === undefined ? "unknown" : kindNamed(payload.case).summary(payload.value);
}

function payloadFields({ payload }: Record): readonly Field[] {
  return payload.case === undefined ? [] : kindNamed(payload.case).fields(payload.value);
}

function payloadJson(record: Record): object {
  const { payload } = record;
  const json =
    payload.case === undefined ? undefined : kindNamed(payload.case).json?.(payload.value);
  return json ?? Object.fromEntries(payloadFields(record));
}

function kindNamed(name: KindName): AnyCliKind {
  return cliKinds[name];
}

/**
 * "interval_start_unix_s" and a number become "interval start" and a time; units stand behind
 * values.
 */
function forPeople(name: string, value: Cell): Field {
  const [, base = name, unit] = /^(.+?)_(unix_s|wh|s)$/.exec(name) ?? [];
  const label = base.replaceAll("_", " ");
  if (unit === "unix_s") return [label, formatTime(Number(value) * 1000)];
  if (unit === "wh") return [label, `${value} Wh`];
  return [label, unit === "s" ? `${value} s` : value];
}
