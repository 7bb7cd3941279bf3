import assert from "node:assert/strict";
import { test } from "node:test";
import { rpcLimitsOf } from "../../../src/node/rpc-limits.js";

const MiB = 2 ** 20;

test("every configured limit of the network reaches the gRPC server", () => {
  const limits = {
    messageBytesMax: 1,
    peerMessageBytesMax: 2,
    callsPerPeerMax: 3,
    streamsPerPeerMax: 4,
    peerQueueMessagesMax: 5,
    peerQueueBytesMax: 600 * MiB,
    connectionsPerClientMax: 7,
    connectionsPerPeerMax: 8,
    answerBytesPerClientMax: 9,
    answerBytesMax: 10,
  };
  const perManager = 1_232 * MiB;
  const perStorageNode = 632 * MiB;
  assert.deepEqual(rpcLimitsOf(limits, 1_000), {
    limits: {
      participantMessageBytesMax: 1,
      peerMessageBytesMax: 2,
      callsPerPeerMax: 3,
      streamsPerPeerMax: 4,
      streamQueueMessagesMax: 5,
      streamQueueBytesMax: 600 * MiB,
    },
    connections: {
      strangersMax: 250,
      strangersPerAddressMax: 125,
      clientsMax: 250,
      invitedMax: 32,
      peersMax: 500,
      managersMax: 125,
      perClientMax: 7,
      perPeerMax: 8,
    },
    answers: {
      perClientBytesMax: 9,
      clientsBytesMax: 10,
      perManagerBytesMax: perManager,
      managersBytesMax: perManager,
      perStorageNodeBytesMax: perStorageNode,
      storageNodesBytesMax: perStorageNode,
    },
  });
});
