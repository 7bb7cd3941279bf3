/** `bss consortium`: who manages it and what it has agreed on. */
import type { Command } from "commander";
import { toHex } from "../../base/bytes.js";
import { printable } from "../../base/printable.js";
import { ControlOperationSchema, type Policy, PolicySchema } from "../../gen/bss/v1/genesis_pb.js";
import { type GetConsortiumResponse, ManagerStatusSchema } from "../../gen/bss/v1/query_pb.js";
import { addProfileOption, withClient } from "../client-session.js";
import { messageJson } from "../text/message-json.js";
import {
  type Cell,
  type Column,
  fields,
  formatBytes,
  formatDuration,
  table,
} from "../text/output.js";

const columns: readonly Column[] = [
  { title: "MANAGER" },
  { title: "STATE" },
  { title: "ADDRESS" },
  { title: "SIGNING KEY" },
];

export function register(program: Command): void {
  const command = program
    .command("consortium")
    .summary("show managers, policy and rules in force")
    .description(
      "Shows the managers in ring order, the policy and the rules in force. With --json it also lists " +
        "every change of membership.",
    )
    .action((_options: object, self: Command) =>
      withClient(self, async (client, output) => {
        const consortium = await client.getConsortium();
        output.result(jsonOf(consortium), () => textOf(consortium));
      }),
    );
  addProfileOption(command);
}

function textOf({
  consortiumName,
  consortiumId,
  managers,
  policy,
  rules,
  history,
}: GetConsortiumResponse) {
  const rows = managers.map(({ member, active }) => [
    ...[member?.managerId, active ? "active" : "suspended", member?.address],
    toHex(member?.signingKey ?? new Uint8Array()),
  ]);
  const parts = [
    fields([
      ["consortium", consortiumName],
      ["id", toHex(consortiumId)],
      ["changes of membership", history.length],
    ]),
    table(columns, rows),
    ...(policy === undefined ? [] : [fields(policyRows(policy))]),
    `rules\n${rules.map((rule) => `  ${printable(rule)}`).join("\n")}`,
  ];
  return parts.join("\n\n");
}

function policyRows(policy: Policy): readonly (readonly [string, Cell])[] {
  const { priceMinMicroPerKwh: min, priceMaxMicroPerKwh: max, currency } = policy;
  const perKwh = (micro: bigint) => `${Number(micro) / 1e6}`;
  return [
    ["records in a submission", policy.submissionRecordsMax],
    ["bytes of a record", formatBytes(policy.recordBytesMax)],
    ["records in a block", policy.blockRecordsMax],
    ["bytes in a block", formatBytes(policy.blockBytesMax)],
    ["delivery interval", deliveryInterval(policy)],
    ["price", `${perKwh(min)} to ${perKwh(max)} ${currency} per kWh`],
    ["storage nodes needed", policy.minStorage],
    ["boycott line", policy.boycottLine],
    ["reward of a match", Number(policy.matchReward)],
    ["reward of a GiB for a day", Number(policy.storageReward)],
    ["audits of a block", policy.auditsPerBlock],
    ["unreachable after", durationOrNever(policy.unreachableAfterMs)],
    ["heartbeat", durationOrNever(policy.heartbeatMs)],
  ];
}

function deliveryInterval({ deliveryIntervalS, deliveryOffsetS }: Policy): string {
  const length = formatDuration(deliveryIntervalS * 1000);
  if (deliveryOffsetS === 0) return length;
  return `${length}, starting ${formatDuration(deliveryOffsetS * 1000)} after UTC's`;
}

function durationOrNever(ms: number): string {
  return ms === 0 ? "never" : formatDuration(ms);
}

function jsonOf(consortium: GetConsortiumResponse): object {
  const { consortiumName, consortiumId, managers, policy, rules, history } = consortium;
  return {
    consortium_name: consortiumName,
    consortium_id: consortiumId,
    rules,
    managers: managers.map((manager) => messageJson(ManagerStatusSchema, manager)),
    policy: policy === undefined ? null : messageJson(PolicySchema, policy),
    history: history.map(({ height, operation }) => ({
      height: Number(height),
      operation: operation === undefined ? null : messageJson(ControlOperationSchema, operation),
    })),
  };
}
