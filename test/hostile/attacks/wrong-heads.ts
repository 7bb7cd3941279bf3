/** A manager that signs heads which the others do not have, two in turn. */
import { create, toBinary } from "@bufbuild/protobuf";
import { connect } from "../../../src/client/index.js";
import { ed25519Sign } from "../../../src/crypto/ed25519.js";
import { VoteRequestSchema } from "../../../src/gen/bss/v1/vote_pb.js";
import { headDigest } from "../../../src/ledger/certificates/vote-digests.js";
import { type Attack, Counts } from "../attack.js";
import { every } from "../pace.js";
import { dialRaw, frame } from "../raw-call.js";
import { compromised } from "../target.js";

const height = 1;
const intervalMs = 20;
const perTurn = 5;

export const wrongHeads: Attack = {
  name: "wrong-heads",
  role: "manager",
  about: "signed heads that contradict the chain, in turn",
  run: async (target, signal) => {
    const counts = new Counts();
    const tls = target.tlsOf("manager");
    if (tls === undefined) return counts.tally;
    const auditor = await connect(target.profile("auditor-1"));
    const { consortiumId } = auditor;
    const { blockId } = await auditor.getBlock({ height });
    auditor.close();
    const seed = target.seedOf("manager");
    const wrong = new Uint8Array(32);
    // What differs is told when it is something else than the last time.
    const messages = [blockId, wrong].map((id) => {
      const claim = { consortiumId, height, blockId: id, hash1: wrong, stateDigest: wrong };
      const value = {
        ...claim,
        height: BigInt(height),
        managerId: compromised.manager,
        signature: ed25519Sign(seed, headDigest(claim)),
      };
      const request = create(VoteRequestSchema, { message: { case: "head", value } });
      return frame(toBinary(VoteRequestSchema, request));
    });
    const connections = await Promise.all(target.managers.map((each) => dialRaw(each, tls)));
    const calls = connections.map((each) => each.call("bss.v1.VoteService/Vote"));
    for (const call of calls) call.stream.resume();
    await every(intervalMs, signal, (turn) => {
      for (const call of calls) {
        if (call.stream.closed) {
          counts.add("stream ended");
          continue;
        }
        for (let i = 0; i < perTurn; i++) {
          const bytes = messages[(turn * perTurn + i) % messages.length];
          if (bytes !== undefined) call.write(bytes);
        }
        counts.add("sent", perTurn);
      }
    });
    for (const connection of connections) connection.close();
    return counts.tally;
  },
};
