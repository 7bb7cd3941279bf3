/** The streams between nodes. */
import {
  BroadcastRequestSchema,
  BroadcastResponseSchema,
} from "../../src/gen/bss/v1/broadcast_pb.js";
import {
  VerifyIntegrityRequestSchema,
  VerifyIntegrityResponseSchema,
} from "../../src/gen/bss/v1/verify_integrity_pb.js";
import { VoteRequestSchema, VoteResponseSchema } from "../../src/gen/bss/v1/vote_pb.js";

export const services = {
  vote: {
    name: "vote",
    method: "bss.v1.VoteService/Vote",
    request: VoteRequestSchema,
    response: VoteResponseSchema,
  },
  broadcast: {
    name: "broadcast",
    method: "bss.v1.BroadcastService/Broadcast",
    request: BroadcastRequestSchema,
    response: BroadcastResponseSchema,
  },
  verifyIntegrity: {
    name: "verify-integrity",
    method: "bss.v1.VerifyIntegrityService/VerifyIntegrity",
    request: VerifyIntegrityRequestSchema,
    response: VerifyIntegrityResponseSchema,
  },
} as const;
