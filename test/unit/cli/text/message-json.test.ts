import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { messageJson } from "../../../../src/cli/text/message-json.js";
import { toJson } from "../../../../src/cli/text/output.js";
import {
  type LoadProfileSchema,
  RecordSchema,
  ValueQuality,
} from "../../../../src/gen/bss/v1/record_pb.js";

describe("a message as JSON", () => {
  test("has the schema's names, hex, numbers, names of enums, and null for what is not there", () => {
    const value: MessageInitShape<typeof LoadProfileSchema> = {
      meterId: "m",
      startUnixS: 900n,
      runs: [
        { count: 2, quality: ValueQuality.MEASURED },
        { count: 1, quality: 99 as ValueQuality },
      ],
      importedWh: [1, 2],
      registerEnd: { importedWh: 3n },
    };
    const record = create(RecordSchema, {
      salt: Uint8Array.of(255),
      payload: { case: "loadProfile", value },
    });
    assert.deepEqual(JSON.parse(toJson(messageJson(RecordSchema, record))), {
      owner_id: "",
      salt: "ff",
      time_unix_ms: 0,
      parent: "",
      load_profile: {
        meter_id: "m",
        start_unix_s: 900,
        interval_s: 0,
        runs: [
          { count: 2, quality: "VALUE_QUALITY_MEASURED" },
          { count: 1, quality: 99 as ValueQuality },
        ],
        imported_wh: [1, 2],
        exported_wh: [],
        register_start: null,
        register_end: { imported_wh: 3, exported_wh: 0 },
      },
    });
  });
});
