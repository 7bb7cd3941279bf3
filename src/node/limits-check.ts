/**
 * Holds a node's own limits against the consortium's policy. A node that does not take the longest
 * messages that the policy allows would fail at the first long block, so it does not start.
 */
import { ConfigError, type ConfigIssue } from "../config/config-error.js";
import { participantsInPoolMin } from "../config/limit-settings.js";
import type { NodeConfig } from "../config/node-config.js";
import type { Policy } from "../gen/bss/v1/genesis_pb.js";
import {
  defaultMessageLimits,
  messageNeeds,
  sealedMemoryBytes,
  submissionMemoryBytes,
} from "../ledger/message-sizes.js";

/** @throws ConfigError that names each limit that is too low, and what it has to be */
export function checkLimits(config: NodeConfig, policy: Policy): void {
  const { participantBytes, peerBytes } = messageNeeds(policy);
  const { limits } = config;
  const issues = [
    tooLow("peer_message_bytes_max", limits.peerMessageBytesMax, peerBytes),
    tooLow("peer_queue_bytes_max", limits.peerQueueBytesMax, peerBytes),
  ];
  if (config.role === "manager") {
    const { messageBytesMax, poolBytesMax, poolSubmissionsMax } = config.limits;
    // Other managers relay what they take, whatever this one takes itself.
    const longest = [defaultMessageLimits.participantBytes, policy.submissionRecordsMax] as const;
    const longestBytes = submissionMemoryBytes(...longest) + sealedMemoryBytes(...longest);
    issues.push(
      tooLow("message_bytes_max", messageBytesMax, participantBytes),
      tooLow("pool_bytes_max", poolBytesMax, participantsInPoolMin * longestBytes),
      tooLow("pool_submissions_max", poolSubmissionsMax, participantsInPoolMin),
    );
  }
  const found = issues.filter((each) => each !== undefined);
  if (found.length > 0) throw new ConfigError(config.file, found);
}

function tooLow(key: string, value: number, needed: number): ConfigIssue | undefined {
  if (value >= needed) return undefined;
  const path = `limits.${key}`;
  const what = `\`${path}\` is ${value}, but the consortium's policy needs ${needed}`;
  return { path, what, next: `set it to ${needed} or more, or leave it out` };
}
