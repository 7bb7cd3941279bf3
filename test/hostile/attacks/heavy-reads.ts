/** Sixteen readers at once of everything that one participant has on the ledger. */
import { create, toBinary } from "@bufbuild/protobuf";
import {
  GetRecordHistoryRequestSchema,
  ListRecordsRequestSchema,
} from "../../../src/gen/bss/v1/query_pb.js";
import { type Attack, Counts } from "../attack.js";
import { endOf, every } from "../pace.js";
import { dialRaw, frame } from "../raw-call.js";
import { compromised, type Target } from "../target.js";

const readersMax = 16;
const intervalMs = 200;
const answerMs = 15_000;

const doors = [
  {
    name: "histories",
    method: "bss.v1.QueryService/GetRecordHistory",
    message: (target: Target) => {
      const recordHash = target.archive.at(-1) ?? new Uint8Array(32);
      const request = create(GetRecordHistoryRequestSchema, { recordHash, pageSize: 1_000 });
      return toBinary(GetRecordHistoryRequestSchema, request);
    },
  },
  {
    name: "lists",
    method: "bss.v1.QueryService/ListRecords",
    message: () => {
      const [participantId] = compromised.participants;
      const request = create(ListRecordsRequestSchema, { participantId, pageSize: 1_000 });
      return toBinary(ListRecordsRequestSchema, request);
    },
  },
] as const;

export const heavyReads: readonly Attack[] = doors.map(({ name, method, message }) => ({
  name,
  role: "participant",
  about: `${readersMax} calls at once for all versions or records of a participant`,
  run: async (target, signal) => {
    const counts = new Counts();
    const tls = target.tlsOf("participant");
    if (tls === undefined) return counts.tally;
    const bytes = frame(message(target));
    await every(intervalMs, signal, async (turn) => {
      const connection = await dialRaw(target.manager(turn), tls).catch(() => undefined);
      if (connection === undefined) return counts.add("no connection");
      const answers = Array.from({ length: readersMax }, () => {
        const call = connection.call(method);
        call.end(bytes);
        return call.answer();
      });
      for (const answer of answers) {
        counts.add(await endOf(answer, answerMs, signal));
      }
      connection.close();
    });
    return counts.tally;
  },
}));
