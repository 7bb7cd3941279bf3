import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { type ConsortiumOptions, planConsortium } from "../../../../src/cli/init/plan.js";
import { SuspensionMode } from "../../../../src/gen/bss/v1/genesis_pb.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

const options: ConsortiumOptions = {
  name: "demo",
  managers: 4,
  storage: 7,
  participants: 3,
  basePort: 7400,
};

describe("planConsortium", () => {
  test("gives every node its own ports on loopback, shifted by the base port", () => {
    const plan = planConsortium({ ...options, basePort: 20_000 });
    const ports = [...plan.managers, ...plan.storage].map(({ id, listen, metrics, address }) => {
      assert.equal(address, `127.0.0.1:${listen.port}`);
      assert.equal(listen.host, "127.0.0.1");
      assert.equal(metrics.host, "127.0.0.1");
      return `${id} ${listen.port} ${metrics.port}`;
    });
    assert.equal(ports[0], "manager-1 20001 22001");
    assert.equal(ports[3], "manager-4 20004 22004");
    assert.equal(ports[4], "storage-1 20101 22101");
    assert.equal(ports[10], "storage-7 20107 22107");
  });

  test("no two ports are equal, even for the largest consortium", () => {
    const plan = planConsortium({ ...options, managers: 100, storage: 1800, participants: 0 });
    const nodes = [...plan.managers, ...plan.storage];
    const ports = nodes.flatMap(({ listen, metrics }) => [listen.port, metrics.port]);
    assert.equal(new Set(ports).size, 2 * 1900);
  });

  test("spreads sponsorship and first addresses over the managers", () => {
    const plan = planConsortium(options);
    const sponsors = plan.storage.map(({ issuerId }) => issuerId.replace("manager-", ""));
    assert.deepEqual(sponsors, ["1", "2", "3", "4", "1", "2", "3"]);
    assert.deepEqual(
      plan.participants.map(({ addresses }) => addresses[0]),
      ["127.0.0.1:7401", "127.0.0.1:7402", "127.0.0.1:7403"],
    );
    assert.equal(new Set(plan.participants[2]?.addresses).size, 4);
    assert.deepEqual(plan.operators.map(({ id, issuerId }) => [id, issuerId])[3], [
      "operator-4",
      "manager-4",
    ]);
    assert.deepEqual(
      plan.auditors.map(({ id }) => id),
      ["auditor-1"],
    );
  });

  const minStorage = [
    [0, 1],
    [1, 1],
    [3, 3],
    [4, 4],
    [7, 4],
  ] as const;
  for (const [storage, expected] of minStorage) {
    test(`with ${storage} storage nodes, blocks with records need ${expected}`, () => {
      assert.equal(planConsortium({ ...options, storage }).policy.minStorage, expected);
    });
  }

  const outOfRange: readonly (readonly [Partial<ConsortiumOptions>, RegExp])[] = [
    [{ managers: 0 }, /^--managers 0 is out of range; use a number from 1 to 100$/],
    [{ managers: 101 }, /^--managers 101 is out of range/],
    [{ storage: 1801 }, /^--storage 1801 is out of range; use a number from 0 to 1800$/],
    [{ participants: 1.5 }, /^--participants 1.5 is out of range/],
    [{ basePort: 65_000 }, /^--base-port 65000 is out of range/],
    [{ name: "Demo" }, /^--name "Demo" is not a consortium name; use 1 to 63 characters/],
    [{ name: "" }, /^--name "" is not a consortium name/],
  ];
  for (const [wrong, message] of outOfRange) {
    test(`refuses ${JSON.stringify(wrong)}`, () => {
      assert.throws(() => planConsortium({ ...options, ...wrong }), { name: "CliError", message });
    });
  }
});

describe("the files that bss init reads", () => {
  const directory = temporaryDirectory();
  const write = (lines: readonly string[]) => {
    const file = join(directory, "file.yaml");
    writeFileSync(file, `${lines.join("\n")}\n`);
    return file;
  };
  const refuses = (
    option: "communityFile" | "hostsFile" | "policyFile",
    lines: readonly string[],
    message: RegExp,
  ) => {
    const file = write(lines);
    assert.throws(() => planConsortium({ ...options, [option]: file }), {
      name: "ConfigError",
      message,
    });
  };

  describe("--community", () => {
    const community = [
      "participants:",
      "  - id: head-end",
      "  - id: home-1",
      "    agents: [head-end]",
      "    meters:",
      "      - {id: home-1-meter, rated_power_w: 11000, interval_s: 900}",
      "      - {id: home-1-car, rated_power_w: 22000, interval_s: 3600}",
    ];

    test("gives participants, agents and meters instead of made-up ones", () => {
      const plan = planConsortium({ ...options, communityFile: write(community) });
      assert.deepEqual(
        plan.participants.map(({ id, agents, meters, issuerId }) => ({
          id,
          agents,
          meters,
          issuerId,
        })),
        [
          { id: "head-end", agents: [], meters: [], issuerId: "manager-1" },
          {
            id: "home-1",
            agents: ["head-end"],
            meters: [
              { id: "home-1-meter", ratedPowerW: 11_000, intervalS: 900 },
              { id: "home-1-car", ratedPowerW: 22_000, intervalS: 3600 },
            ],
            issuerId: "manager-2",
          },
        ],
      );
    });

    test("takes meters under the ids of the field", () => {
      const ids = ["541448820070000000", "0012345", "DE*ABC*E1", "NAAA000123", "61028E7"];
      const lines = ids.map((id) => `      - {id: "${id}", rated_power_w: 1, interval_s: 900}`);
      const communityFile = write([...community.slice(0, 5), ...lines]);
      const { participants } = planConsortium({ ...options, communityFile });
      assert.deepEqual(
        participants[1]?.meters.map(({ id }) => id),
        ids,
      );
    });

    const mistakes: readonly (readonly [string, readonly string[], RegExp])[] = [
      [
        "an agent that is mistyped",
        community.with(3, "    agents: [head-edn]"),
        /:4: agent `head-edn` is no participant of this file; did you mean `head-end`\?$/,
      ],
      [
        "an agent of itself",
        community.with(3, "    agents: [home-1]"),
        /:4: `home-1` is its own agent/,
      ],
      [
        "an agent that stands twice",
        community.with(3, "    agents: [head-end, head-end]"),
        /:4: agent `head-end` is listed twice; name it once$/,
      ],
      [
        "a participant that stands twice",
        [...community, "  - id: home-1"],
        /:8: participant `home-1` is listed twice; give each its own id$/,
      ],
      [
        "the id of a node",
        [...community, "  - id: manager-4"],
        /:8: id `manager-4` belongs to a node or an officer; choose another id$/,
      ],
      [
        "the id of an officer",
        [...community, "  - id: auditor-1"],
        /:8: id `auditor-1` belongs to a node or an officer/,
      ],
      [
        "a meter that stands twice",
        community.with(6, "      - {id: home-1-meter, rated_power_w: 1, interval_s: 900}"),
        /:7: meter `home-1-meter` is listed twice; give each its own id$/,
      ],
      [
        "a meter that differs from another only in case",
        community.with(6, "      - {id: Home-1-Meter, rated_power_w: 1, interval_s: 900}"),
        /:7: meter `Home-1-Meter` differs only in case from `home-1-meter`; give each its own id$/,
      ],
      [
        "an EAN without quotes",
        community.with(6, "      - {id: 541448820070000000, rated_power_w: 1, interval_s: 900}"),
        /:7: `participants\[1\]\.meters\[1\]\.id` is 541448820070000000; use quotes around it: /,
      ],
      [
        "leading zeros without quotes, and shows them",
        community.with(6, "      - {id: 0012345, rated_power_w: 1, interval_s: 900}"),
        /id` is 0012345; use quotes around it: without them YAML reads a number, not an id$/,
      ],
      [
        "what YAML takes for a power of ten",
        community.with(6, "      - {id: 61028E7, rated_power_w: 1, interval_s: 900}"),
        /id` is 61028E7; use quotes around it/,
      ],
      [
        "a participant that is a number",
        community.with(1, "  - id: 007"),
        /id` is 007; use quotes around it/,
      ],
      [
        "a meter that is no id",
        community.with(6, "      - {id: a/b, rated_power_w: 1, interval_s: 900}"),
        /:7: `participants\[1\]\.meters\[1\]\.id` is "a\/b"; use an id of 1 to 63 characters: /,
      ],
      [
        "a participant with the id of a meter's form",
        community.with(1, "  - id: DE*ABC"),
        /id` is "DE\*ABC"; use an id: 1 to 63 characters out of a-z, 0-9 and -\n/,
      ],
      [
        "an interval that does not divide the delivery interval",
        community.with(6, "      - {id: x, rated_power_w: 1, interval_s: 1000}"),
        /:7: 1000 s does not divide the market's delivery interval of 3600 s; change it/,
      ],
      [
        "a meter without power",
        community.with(6, "      - {id: x, rated_power_w: 0, interval_s: 900}"),
        /:7: `participants\[1\]\.meters\[1\]\.rated_power_w` is 0; use a whole number from 1/,
      ],
      [
        "a list without the key participants",
        ["- id: home-1"],
        /:1: the file is a list; use a mapping/,
      ],
    ];
    for (const [title, lines, message] of mistakes) {
      test(`refuses ${title}`, () => refuses("communityFile", lines, message));
    }
  });

  describe("--hosts", () => {
    const hosts = [
      "manager-1: grid-a.example.org",
      "manager-2: 10.0.0.2:7000",
      "manager-3: 'fd00::3'",
      "manager-4: '[fd00::4]:7004'",
      "storage-1: pc-17.example.org",
    ];

    test("names where nodes are reached; they listen on every address", () => {
      const plan = planConsortium({ ...options, hostsFile: write(hosts) });
      assert.deepEqual(
        plan.managers.map(({ address, listen }) => `${address} ${listen.host} ${listen.port}`),
        [
          "grid-a.example.org:7401 0.0.0.0 7401",
          "10.0.0.2:7000 0.0.0.0 7000",
          "[fd00::3]:7403 :: 7403",
          "[fd00::4]:7004 :: 7004",
        ],
      );
      assert.deepEqual(plan.managers[0]?.certificateHosts, [
        "localhost",
        "127.0.0.1",
        "::1",
        "grid-a.example.org",
      ]);
      assert.equal(plan.storage[0]?.address, "pc-17.example.org:7501");
      assert.equal(plan.storage[1]?.address, "127.0.0.1:7502");
      assert.equal(plan.participants[0]?.addresses[3], "[fd00::4]:7004");
    });

    test("refuses a node that does not exist, one that is missing, and what is no host", () => {
      refuses("hostsFile", [...hosts, "manger-5: x"], /:6: unknown key `manger-5`; did you mean/);
      refuses("hostsFile", hosts.slice(1), /:1: key `manager-1` is missing; set it to a host name/);
      refuses(
        "hostsFile",
        hosts.with(1, "manager-2: 'a b'"),
        /:2: `manager-2` is "a b"; use a host/,
      );
      refuses("hostsFile", hosts.with(1, "manager-2: a:70000"), /:2: `manager-2` is "a:70000"/);
    });
  });

  describe("--policy", () => {
    test("overrides what it names and keeps every other default", () => {
      const defaults = planConsortium(options).policy;
      const lines = [
        "timeouts: {propose_ms: 300}",
        "heartbeat_ms: 0",
        "min_storage: 2",
        "currency: EUR",
      ];
      const { policy } = planConsortium({ ...options, policyFile: write(lines) });
      assert.deepEqual(policy, {
        ...defaults,
        timeouts: { ...defaults.timeouts, proposeMs: 300 },
        heartbeatMs: 0,
        minStorage: 2,
        currency: "EUR",
      });
      assert.equal(defaults.suspension, SuspensionMode.FLOOR);
    });

    const suspensions: readonly [string, readonly string[], readonly number[]][] = [
      ["as it is by default", [], [SuspensionMode.FLOOR, 5_000, 5_000, 600_000]],
      ["with a time of its own", ["suspend_after_ms: 900"], [2, 900, 5_000, 600_000]],
      ["never, which takes its times away", ["suspension: never"], [1, 0, 0, 0]],
      [
        "down to the floor, with all its times",
        ["suspension: floor", "resume_wait_ms: 10", "resume_wait_max_ms: 20"],
        [2, 5_000, 10, 20],
      ],
    ];
    for (const [title, lines, expected] of suspensions) {
      test(`suspends ${title}`, () => {
        const policyFile = write(lines.length === 0 ? ["{}"] : lines);
        const { policy } = planConsortium({ ...options, policyFile });
        const { suspension, suspendAfterMs, resumeWaitMs, resumeWaitMaxMs } = policy;
        assert.deepEqual([suspension, suspendAfterMs, resumeWaitMs, resumeWaitMaxMs], expected);
      });
    }

    test("takes what storage nodes earn, and how they are watched", () => {
      const defaults = planConsortium(options).policy;
      const publicSide = ({ policy }: Pick<ReturnType<typeof planConsortium>, "policy">) => {
        const { matchReward, storageReward, auditsPerBlock, unreachableAfterMs } = policy;
        return [matchReward, storageReward, auditsPerBlock, unreachableAfterMs];
      };
      assert.deepEqual(publicSide({ policy: defaults }), [1_000n, 1_000_000n, 2, 15_000]);
      const lines = ["match_reward: 0", "storage_reward: 7", "audits_per_block: 9"];
      const policyFile = write([...lines, "unreachable_after_ms: 1000"]);
      const plan = planConsortium({ ...options, policyFile });
      assert.deepEqual(publicSide(plan), [0n, 7n, 9, 1_000]);
    });

    test("an empty mapping changes nothing", () => {
      const { policy } = planConsortium({ ...options, policyFile: write(["{}"]) });
      assert.deepEqual(policy, planConsortium(options).policy);
    });

    test("made-up meters keep to the delivery interval", () => {
      const policyFile = write(["delivery_interval_s: 900"]);
      const { participants } = planConsortium({ ...options, policyFile });
      assert.equal(participants[0]?.meters[0]?.intervalS, 900);
    });

    test("says how long after UTC's the market's hours begin", () => {
      assert.equal(planConsortium(options).policy.deliveryOffsetS, 0);
      const policyFile = write(["delivery_offset_s: 1800"]);
      assert.equal(planConsortium({ ...options, policyFile }).policy.deliveryOffsetS, 1_800);
    });

    const mistakes: readonly (readonly [string, readonly string[], RegExp])[] = [
      [
        "an offset in minutes",
        ["delivery_offset_s: 30"],
        /:1: `delivery_offset_s` has .+: The value is not a multiple of 900 below/,
      ],
      [
        "a mistyped field",
        ["hearbeat_ms: 1"],
        /:1: unknown key `hearbeat_ms`; did you mean `heartbeat_ms`/,
      ],
      [
        "fields that are spelt as in genesis.json",
        ["blockRecordsMax: 500", "heartbeatMs: 5000"],
        /:1: unknown key `blockRecordsMax`; did you mean `block_records_max`/,
      ],
      [
        "prices that contradict each other",
        ["currency: EUR", "price_min_micro_per_kwh: 30000000"],
        /:2: `price_min_micro_per_kwh` has a value .+: The bounds are not ascending .+; change it/,
      ],
      [
        "records larger than a block",
        ["block_bytes_max: 1000"],
        /:1: `record_bytes_max` has a value .+: The longest record does not fit into a block; /,
      ],
      [
        "a timeout above the largest",
        ["timeouts: {verify_ms: 40000}"],
        /:1: `timeouts.verify_ms` has a value .+: The value is not between 1 and max_ms; /,
      ],
      [
        "a number that is none",
        ["audit_records: many"],
        /:1: `audit_records` is "many"; use a whole/,
      ],
      [
        "another way to suspend",
        ["suspension: absent"],
        /:1: `suspension` is "absent"; use one of floor, never/,
      ],
      [
        "more reward than there may be",
        ["match_reward: 2000000000"],
        /:1: `match_reward` has a value .+: The value is above 1000000000; /,
      ],
      [
        "a silence that means nothing",
        ["unreachable_after_ms: 10"],
        /`unreachable_after_ms` has .+: The value is neither 0 nor between 1000 and 86400000; /,
      ],
      [
        "a time of suspensions that never happen",
        ["suspension: never", "resume_wait_ms: 5"],
        /:2: `resume_wait_ms` has a value .+: The value is not 0, but no manager is ever suspended/,
      ],
    ];
    for (const [title, lines, message] of mistakes) {
      test(`refuses ${title}`, () => refuses("policyFile", lines, message));
    }
  });
});
