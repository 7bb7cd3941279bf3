/** Page tokens that name a place before the first. */
import { create, toBinary } from "@bufbuild/protobuf";
import {
  GetConsortiumRequestSchema,
  ListRecordsRequestSchema,
} from "../../../src/gen/bss/v1/query_pb.js";
import { type Attack, Counts } from "../attack.js";
import { endOf, every } from "../pace.js";
import { dialRaw, frame } from "../raw-call.js";
import { compromised } from "../target.js";

const atOnce = 20;
const intervalMs = 100;
const answerMs = 5_000;

export const pageTokens: Attack = {
  name: "page-tokens",
  role: "participant",
  about: `${(atOnce * 1000) / intervalMs} calls a second with page tokens of impossible places`,
  run: async (target, signal) => {
    const counts = new Counts();
    const tls = target.tlsOf("participant");
    if (tls === undefined) return counts.tally;
    const [participantId] = compromised.participants;
    const lists = create(ListRecordsRequestSchema, {
      participantId,
      pageToken: token(`records/${participantId}/:5,-2`),
    });
    const changes = create(GetConsortiumRequestSchema, {
      historyPageToken: token("membership:5,-2"),
    });
    const listBytes = frame(toBinary(ListRecordsRequestSchema, lists));
    const changeBytes = frame(toBinary(GetConsortiumRequestSchema, changes));
    const connections = await Promise.all(target.managers.map((each) => dialRaw(each, tls)));
    await every(intervalMs, signal, async (turn) => {
      const connection = connections[turn % connections.length];
      if (connection === undefined || connection.closed) return counts.add("no connection");
      const answers = Array.from({ length: atOnce }, (_, i) => {
        const list = i % 2 === 0;
        const method = list ? "ListRecords" : "GetConsortium";
        const call = connection.call(`bss.v1.QueryService/${method}`);
        call.end(list ? listBytes : changeBytes);
        return call.answer();
      });
      for (const answer of answers) {
        counts.add(await endOf(answer, answerMs, signal));
      }
    });
    for (const connection of connections) connection.close();
    return counts.tally;
  },
};

function token(text: string): string {
  return Buffer.from(text).toString("base64url");
}
