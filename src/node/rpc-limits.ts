/** A node's configured limits as its gRPC server takes them. */
import type { NetworkLimits } from "../config/limit-settings.js";
import { defaultAnswerLimits } from "../rpc/bounds/answer-limits.js";
import { connectionShares } from "../rpc/bounds/connection-limits.js";
import type { RpcServerOptions } from "../rpc/server/server.js";

/** Of a peer: room beside full queues for what it asked for. */
const besideQueueBytes = 32 * 1024 * 1024;

/** @param connectionsMax as many as the process may have, or as the config says */
export function rpcLimitsOf(
  limits: NetworkLimits,
  connectionsMax: number,
): Pick<RpcServerOptions, "limits" | "connections" | "answers"> {
  // A manager has two streams with queues, votes and submissions; a storage node has one.
  const perManagerBytesMax = 2 * limits.peerQueueBytesMax + besideQueueBytes;
  const perStorageNodeBytesMax = limits.peerQueueBytesMax + besideQueueBytes;
  const { managersBytesMax, storageNodesBytesMax } = defaultAnswerLimits;
  return {
    limits: {
      participantMessageBytesMax: limits.messageBytesMax,
      peerMessageBytesMax: limits.peerMessageBytesMax,
      streamsPerPeerMax: limits.streamsPerPeerMax,
      callsPerPeerMax: limits.callsPerPeerMax,
      streamQueueMessagesMax: limits.peerQueueMessagesMax,
      streamQueueBytesMax: limits.peerQueueBytesMax,
    },
    connections: {
      ...connectionShares(connectionsMax),
      perClientMax: limits.connectionsPerClientMax,
      perPeerMax: limits.connectionsPerPeerMax,
    },
    answers: {
      perClientBytesMax: limits.answerBytesPerClientMax,
      clientsBytesMax: Math.max(limits.answerBytesMax, limits.answerBytesPerClientMax),
      perManagerBytesMax,
      managersBytesMax: Math.max(managersBytesMax, perManagerBytesMax),
      perStorageNodeBytesMax,
      storageNodesBytesMax: Math.max(storageNodesBytesMax, perStorageNodeBytesMax),
    },
  };
}
