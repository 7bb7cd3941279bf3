/** Messages of the ring as VoteService carries them: encoded, and decoded by whoever gets them. */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { assert } from "../../src/base/assert.js";
import type { Outgoing } from "../../src/consensus/events.js";
import type { ManagerBlock } from "../../src/gen/bss/v1/block_pb.js";
import { VoteRequestSchema } from "../../src/gen/bss/v1/vote_pb.js";
import type { Message } from "./messages.js";

export function throughTheWire(message: Outgoing, body?: ManagerBlock): Message {
  const request = create(VoteRequestSchema, { message: onTheWire(message, body) });
  const decoded = fromBinary(VoteRequestSchema, toBinary(VoteRequestSchema, request)).message;
  switch (decoded.case) {
    case "vote":
      return { kind: "ring", message: { kind: "vote", vote: decoded.value } };
    case "attestation":
      return { kind: "ring", message: { kind: "attestation", attestation: decoded.value } };
    case "lockCertificate":
      return { kind: "ring", message: { kind: "lock-certificate", certificate: decoded.value } };
    case "proposal": {
      const proposal = { kind: "proposal", proposal: decoded.value } as const;
      const { block } = decoded.value;
      if (block === undefined) return { kind: "ring", message: proposal };
      return { kind: "ring", message: proposal, body: block };
    }
    default:
      assert(false, "what is encoded is decoded");
  }
}

function onTheWire(message: Outgoing, body?: ManagerBlock) {
  switch (message.kind) {
    case "vote":
      return { case: "vote", value: message.vote } as const;
    case "attestation":
      return { case: "attestation", value: message.attestation } as const;
    case "lock-certificate":
      return { case: "lockCertificate", value: message.certificate } as const;
    case "proposal": {
      const value = body === undefined ? message.proposal : { ...message.proposal, block: body };
      return { case: "proposal", value } as const;
    }
  }
}
