/** Streams that ask for all there is and read nothing of it. */
import { create, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { WatchBlocksRequestSchema } from "../../../src/gen/bss/v1/query_pb.js";
import { VerifyIntegrityRequestSchema } from "../../../src/gen/bss/v1/verify_integrity_pb.js";
import { VoteRequestSchema } from "../../../src/gen/bss/v1/vote_pb.js";
import type { Role } from "../../../src/rpc/tls/tls-identity.js";
import { type Attack, Counts } from "../attack.js";
import { every, pause } from "../pace.js";
import { dialRaw, frame } from "../raw-call.js";

const streamsMax = 16;
const heldMs = 8_000;
const fetchesMax = 64;

type Door = {
  readonly name: string;
  readonly role: Role;
  readonly method: string;
  /** Sent on each stream, one after the other. */
  readonly requests: readonly Buffer[];
};

const fetch = { fromHeight: 1n, limit: 100 };
const doors: readonly Door[] = [
  {
    name: "unread-watch",
    role: "auditor",
    method: "bss.v1.QueryService/WatchBlocks",
    requests: [request(WatchBlocksRequestSchema, { fromHeight: 1n })],
  },
  {
    name: "unread-storage-fetch",
    role: "storage",
    method: "bss.v1.VerifyIntegrityService/VerifyIntegrity",
    requests: repeated(
      request(VerifyIntegrityRequestSchema, { message: { case: "fetchBlocks", value: fetch } }),
    ),
  },
  {
    name: "unread-manager-fetch",
    role: "manager",
    method: "bss.v1.VoteService/Vote",
    requests: repeated(
      request(VoteRequestSchema, { message: { case: "fetchBlocks", value: fetch } }),
    ),
  },
];

export const unreadStreams: readonly Attack[] = doors.map(({ name, role, method, requests }) => ({
  name,
  role,
  about: `${streamsMax} streams that ask for blocks from the first on and read none`,
  run: async (target, signal) => {
    const counts = new Counts();
    const tls = target.tlsOf(role);
    if (tls === undefined) return counts.tally;
    await every(1_000, signal, async (turn) => {
      const connection = await dialRaw(target.manager(turn), tls).catch(() => undefined);
      if (connection === undefined) return counts.add("no connection");
      for (let i = 0; i < streamsMax; i++) {
        const call = connection.call(method);
        call.stream.pause();
        for (const bytes of requests) call.write(bytes);
        counts.add("streams");
      }
      await pause(heldMs, signal);
      connection.close();
    });
    return counts.tally;
  },
}));

function request<D extends DescMessage>(schema: D, message: MessageInitShape<D>): Buffer {
  return frame(toBinary(schema, create(schema, message)));
}

function repeated(bytes: Buffer): readonly Buffer[] {
  return Array.from({ length: fetchesMax }, () => bytes);
}
