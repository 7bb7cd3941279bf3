/**
 * `--community FILE`: the participants of a consortium and their meters; for `bss import` and `bss
 * submit` those that joined after genesis, of which no query tells.
 *
 *     participants:
 *       - id: head-end
 *       - id: home-1
 *         agents: [head-end]
 *         meters:
 *           - {id: home-1-meter, rated_power_w: 25000, interval_s: 3600}
 *           - {id: "541448820070000000", rated_power_w: 25000, interval_s: 900}
 *
 * An agent is a participant that may submit another one's records. A meter has the id that the
 * field knows it by; digits alone stand in quotes, as they would be a number.
 */
import { stringify } from "yaml";
import type { z } from "zod";
import * as field from "../../config/fields.js";
import { nearestName } from "../../config/nearest-name.js";
import { readYamlFile } from "../../config/yaml-file.js";
import { foldedId } from "../../ledger/ids.js";

const fileBytesMax = 64 * 1024 * 1024;
const agentsMax = 16;

export type MeterPlan = {
  readonly id: string;
  readonly ratedPowerW: number;
  readonly intervalS: number;
};

export type ParticipantPlan = {
  readonly id: string;
  readonly agents: readonly string[];
  readonly meters: readonly MeterPlan[];
};

const communitySchema = field.mapping({
  participants: field.listOf(
    field.mapping({
      id: field.id(),
      agents: field.listOf(field.id(), "ids of participants").default([]),
      meters: field
        .listOf(
          field.mapping({
            id: field.deviceId(),
            rated_power_w: field.integer(1, 1_000_000_000_000, "W"),
            interval_s: field.integer(1, 86_400, "s"),
          }),
          "meters",
        )
        .default([]),
    }),
    "participants",
  ),
});

type Community = z.output<typeof communitySchema>;
type Report = (path: (string | number)[], what: string, next: string) => void;

/**
 * Reads and checks a community file. `reservedIds` are those of nodes and officers. Throws
 * `ConfigError`.
 */
export function readCommunityFile(
  file: string,
  options: { readonly deliveryIntervalS: number; readonly reservedIds: ReadonlySet<string> },
): readonly ParticipantPlan[] {
  const schema = communitySchema.superRefine((community, context) => {
    const report: Report = (path, message, next) =>
      context.addIssue({ code: "custom", path, message, params: { next } });
    checkIds(community, options.reservedIds, report);
    checkAgents(community, report);
    checkIntervals(community, options.deliveryIntervalS, report);
  });
  return plansOf(readYamlFile(file, schema, { bytesMax: fileBytesMax }));
}

/**
 * Reads a community file of participants that have joined: managers have checked what it says, or
 * will. Throws `ConfigError`.
 */
export function readJoinedFile(file: string): readonly ParticipantPlan[] {
  return plansOf(readYamlFile(file, communitySchema, { bytesMax: fileBytesMax }));
}

/** The text of such a file. */
export function communityText(participants: readonly ParticipantPlan[]): string {
  const community: z.input<typeof communitySchema> = {
    participants: participants.map(({ id, agents, meters }) => ({
      id,
      agents: [...agents],
      meters: meters.map((meter) => ({
        id: meter.id,
        rated_power_w: meter.ratedPowerW,
        interval_s: meter.intervalS,
      })),
    })),
  };
  return stringify(community);
}

function plansOf({ participants }: Community): readonly ParticipantPlan[] {
  return participants.map(({ id, agents, meters }) => ({
    id,
    agents,
    meters: meters.map((meter) => ({
      id: meter.id,
      ratedPowerW: meter.rated_power_w,
      intervalS: meter.interval_s,
    })),
  }));
}

function checkIds(
  { participants }: Community,
  reserved: ReadonlySet<string>,
  report: Report,
): void {
  const participantIds = new Set<string>();
  const meterIds = new Map<string, string>();
  for (const [index, participant] of participants.entries()) {
    const path = ["participants", index, "id"];
    if (participantIds.has(participant.id)) {
      report(path, `participant \`${participant.id}\` is listed twice`, "give each its own id");
    }
    if (reserved.has(participant.id)) {
      report(path, `id \`${participant.id}\` belongs to a node or an officer`, "choose another id");
    }
    participantIds.add(participant.id);
    for (const [meterIndex, meter] of participant.meters.entries()) {
      const meterPath = ["participants", index, "meters", meterIndex, "id"];
      const before = meterIds.get(foldedId(meter.id));
      if (before === meter.id) {
        report(meterPath, `meter \`${meter.id}\` is listed twice`, "give each its own id");
      } else if (before !== undefined) {
        const what = `meter \`${meter.id}\` differs only in case from \`${before}\``;
        report(meterPath, what, "give each its own id");
      }
      meterIds.set(foldedId(meter.id), meter.id);
    }
  }
}

function checkAgents({ participants }: Community, report: Report): void {
  const ids = new Set(participants.map(({ id }) => id));
  for (const [index, { id, agents }] of participants.entries()) {
    const path = ["participants", index, "agents"];
    if (agents.length > agentsMax) {
      report(path, `\`${id}\` has ${agents.length} agents`, `name at most ${agentsMax}`);
    }
    for (const [agentIndex, agent] of agents.entries()) {
      const agentPath = [...path, agentIndex];
      if (!ids.has(agent)) {
        const nearest = nearestName(agent, [...ids]);
        const next =
          nearest === undefined ? "add it to the participants" : `did you mean \`${nearest}\`?`;
        report(agentPath, `agent \`${agent}\` is no participant of this file`, next);
      } else if (agent === id) {
        report(agentPath, `\`${id}\` is its own agent`, "leave it out: an owner may always submit");
      } else if (agents.indexOf(agent) !== agentIndex) {
        report(agentPath, `agent \`${agent}\` is listed twice`, "name it once");
      }
    }
  }
}

function checkIntervals({ participants }: Community, deliveryS: number, report: Report): void {
  for (const [index, { meters }] of participants.entries()) {
    for (const [meterIndex, { interval_s }] of meters.entries()) {
      if (deliveryS % interval_s === 0) continue;
      report(
        ["participants", index, "meters", meterIndex, "interval_s"],
        `${interval_s} s does not divide the market's delivery interval of ${deliveryS} s`,
        "change it, or delivery_interval_s in the --policy file",
      );
    }
  }
}
