/** A node's configured limits as its gRPC server takes them. */
import type { NetworkLimits } from "../config/limits.js";
import type { RpcLimits } from "../rpc/limits.js";

export function rpcLimitsOf(limits: NetworkLimits): Partial<RpcLimits> {
  return {
    participantMessageBytesMax: limits.messageBytesMax,
    peerMessageBytesMax: limits.peerMessageBytesMax,
    streamsPerPeerMax: limits.streamsPerPeerMax,
    callsPerPeerMax: limits.callsPerPeerMax,
    streamQueueMessagesMax: limits.peerQueueMessagesMax,
    streamQueueBytesMax: limits.peerQueueBytesMax,
  };
}
