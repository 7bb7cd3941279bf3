import assert from "node:assert/strict";
import { test } from "node:test";
import { rpcLimitsOf } from "../../../src/node/rpc-limits.js";

test("every configured limit of the network reaches the gRPC server", () => {
  const limits = {
    ...{ messageBytesMax: 1, peerMessageBytesMax: 2, callsPerPeerMax: 3, streamsPerPeerMax: 4 },
    ...{ peerQueueMessagesMax: 5, peerQueueBytesMax: 6 },
  };
  assert.deepEqual(rpcLimitsOf(limits), {
    ...{ participantMessageBytesMax: 1, peerMessageBytesMax: 2, callsPerPeerMax: 3 },
    ...{ streamsPerPeerMax: 4, streamQueueMessagesMax: 5, streamQueueBytesMax: 6 },
  });
});
