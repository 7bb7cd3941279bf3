import assert from "node:assert/strict";
import { test } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import { unreadable } from "../../../../src/cli/settle/confirm.js";
import { recordOnce } from "../../../../src/cli/settle/recording.js";
import { type BssClient, recordHash } from "../../../../src/client/index.js";
import { RecordSchema } from "../../../../src/gen/bss/v1/record_pb.js";
import { RpcError } from "../../../../src/rpc/rpc-error.js";
import { consortiumId } from "../../ledger/support/consortium.js";

const profile = { id: "home-1" };
const parts = { mediaType: "application/json", name: "a", content: new Uint8Array([1, 2]) };

/** A ledger of one participant's documents. */
function ledger() {
  const records: { hash: Uint8Array; height: number; content: object }[] = [];
  const client = {
    consortiumId,
    profile,
    sign: (submitted: readonly Uint8Array[]) => submitted,
    submit: async (submitted: readonly Uint8Array[]) => {
      for (const bytes of submitted) {
        const content = { record: fromBinary(RecordSchema, bytes) };
        const height = records.length + 1;
        records.push({ hash: recordHash(consortiumId, bytes), height, content });
      }
    },
    getRecord: async (hash: Uint8Array) =>
      records.find((record) => Buffer.compare(record.hash, hash) === 0),
    async *listRecords() {
      yield* records;
    },
  } as unknown as BssClient;
  return { client, records };
}

test("a document that stands on the ledger is not recorded again", async () => {
  const { client, records } = ledger();
  const first = await recordOnce(client, parts);
  assert.deepEqual([first.isNew, first.height], [true, 1]);
  const again = await recordOnce(client, { ...parts, name: "another name" });
  assert.deepEqual(again, { hash: first.hash, height: 1, isNew: false });
  for (const changes of [{ mediaType: "text/plain" }, { content: new Uint8Array([1, 3]) }]) {
    assert.ok((await recordOnce(client, { ...parts, ...changes })).isNew);
  }
  assert.equal(records.length, 3);
});

test("one that was updated since stands no longer", async () => {
  const { client, records } = ledger();
  await recordOnce(client, parts);
  Object.assign(records[0]?.content ?? assert.fail(), { successor: new Uint8Array(32) });
  assert.ok((await recordOnce(client, parts)).isNew);
});

test("a counterparty that may not read is told what it can do", () => {
  const refusal = new RpcError("LISTING_NOT_ALLOWED", "no");
  const told = unreadable(refusal, { profile } as unknown as BssClient);
  assert.match(String(told), /home-1 may not read .* --reader .* let the participant confirm/);
  for (const other of [new RpcError("RECORD_UNKNOWN", "no"), new Error("no")]) {
    assert.equal(unreadable(other, { profile } as unknown as BssClient), other);
  }
});
