/**
 * Half a year of ten homes, settled on a consortium of real processes: a profile for each home and
 * day, the hours' surplus traded between the homes, and the settlement of each home as a manager
 * says it and as its own records come to. Then one profile is corrected, and all are settled again.
 *
 *     node dist/test/half-year/run.js OUT_DIRECTORY
 *     python test/half-year/recompute.py examples/energy-community/data OUT_DIRECTORY
 *
 * The second command (Python with pandas) works it all out anew from the data and compares.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { clearHour, type Trade } from "../../examples/energy-community/community/clearing.js";
import {
  communityYaml,
  headEndId,
  meterIdOf,
} from "../../examples/energy-community/community/community.js";
import { type Decimal, parseDecimal } from "../../examples/energy-community/community/decimal.js";
import { HomeMeter, type MeterValues } from "../../examples/energy-community/community/to-wh.js";
import { defined } from "../../src/base/assert.js";
import { utf8 } from "../../src/base/bytes.js";
import { initConsortium } from "../../src/cli/init/init-consortium.js";
import {
  type BssClient,
  computeSettlement,
  document,
  energyTrade,
  loadProfile,
  recordHash,
  settlementDocument,
  signTrade,
  tradeTerms,
} from "../../src/client/index.js";
import { statedDocument } from "../../src/client/settlement.js";
import { dayDifferences, frameDifferences } from "../../src/settlement/differences.js";
import type { StatementDocument } from "../../src/settlement/settlement-documents.js";
import { parseTariff, tariffMediaType } from "../../src/settlement/tariff.js";
import { LiveConsortium } from "../support/live-consortium.js";
import { temporaryDirectory } from "../support/temporary-directory.js";
import { repositoryRoot } from "../support/tree.js";

const hourS = 3600;
const dayHours = 24;
/** Start of the data's row 1, see SOURCES.md: 31 July 2016 23:00 in UTC−8. */
const originS = Date.UTC(2016, 7, 1, 7) / 1000;
const batchRecords = 250;
/** What becomes of one profile: more is given to the grid in one hour. */
const correction = { homeId: "building-3", exportedWh: 1_337 };

const outDirectory = defined(process.argv[2], "the directory for the results");
mkdirSync(outDirectory, { recursive: true });
const data = join(repositoryRoot(), "examples/energy-community/data");

type Hour = {
  readonly startS: number;
  readonly meters: ReadonlyMap<string, MeterValues>;
  readonly trades: readonly Trade[];
  /** Millionths per kWh: what the grid takes, and what the homes trade at. */
  readonly gridPrice: number;
  readonly tradePrice: number;
};

const started = performance.now();
const note = (text: string) =>
  console.log(`${((performance.now() - started) / 1000).toFixed(1).padStart(6)} s  ${text}`);

const homes = rowsOf("homes_fontana_pv_kw.csv").map(({ building = "", ...row }) => ({
  building,
  id: building.toLowerCase().replaceAll("_", "-"),
  panelsKw: decimal(row.pv_nominal_power_kw),
}));
const hours = readHours();
const trades = hours.flatMap(({ trades: each }) => each).length;
note(`${homes.length} homes, ${hours.length} hours, ${trades} trades`);

const parent = temporaryDirectory();
const communityFile = join(parent, "community.yaml");
writeFileSync(
  communityFile,
  communityYaml(homes, () => 25_000),
);
const consortium = await LiveConsortium.start(
  join(parent, "live"),
  { managers: 2, storage: 2, participants: 0 },
  { init: (directory, options) => initConsortium(directory, { ...options, communityFile }) },
);
try {
  const headEnd = await consortium.client(headEndId);
  const clients = new Map<string, BssClient>();
  for (const { id } of homes) clients.set(id, await consortium.client(id));
  const seedOf = (id: string) => defined(clients.get(id), "a home's client").profile.signingSeed;

  const tariffRecord = document({
    ownerId: headEndId,
    mediaType: tariffMediaType,
    name: "tariff.json",
    content: utf8(tariffText()),
    timeMs: Date.now(),
  });
  const profiles = homes.flatMap(({ id }) => profilesOf(id));
  await submit(headEnd, [tariffRecord, ...profiles.map(({ bytes }) => bytes)]);
  note(`${profiles.length} profiles are final`);
  await submit(
    headEnd,
    hours.flatMap((hour) => tradesOf(hour, headEnd.consortiumId, seedOf)),
  );
  note(`${trades} trades are final`);

  const tariffHash = recordHash(headEnd.consortiumId, tariffRecord);
  const before = await settleAll(clients, tariffHash);
  write("before.json", before);
  note(`settled ${homes.length} homes at height ${before[0]?.height}, each twice`);

  const corrected = correct(headEnd, profiles);
  await submit(headEnd, [corrected.bytes]);
  const after = await settleAll(clients, tariffHash);
  write("after.json", after);
  write("correction.json", { ...correction, start_unix_s: corrected.startS });
  for (const [i, stated] of after.entries()) {
    const was = defined(before[i], "each home was settled before");
    const same = { ...was, height: stated.height, block_id: stated.block_id };
    const days = dayDifferences(
      { ...same, root: stated.root, tree_size: stated.tree_size },
      stated,
    );
    if (days.length === 0) continue;
    const inAmounts = days.filter(({ amounts }) => amounts.length > 0).length - 1;
    note(`${stated.participant}: amounts of ${inAmounts} day differ after the correction`);
  }
} finally {
  await consortium.close();
}

function rowsOf(file: string): readonly Record<string, string>[] {
  return parse(readFileSync(join(data, file)), { columns: true });
}

function decimal(text: string | undefined): Decimal {
  return defined(parseDecimal(text ?? ""), `a number, not ${text}`);
}

function readHours(): readonly Hour[] {
  const meters = new Map(homes.map((home) => [home.building, { home, meter: new HomeMeter() }]));
  const prices = new Map(
    rowsOf("homes_fontana_tariff.csv").map(({ row, electricity_pricing: price }) => [
      Number(row),
      Math.round(Number(price) * 1_000_000),
    ]),
  );
  const byRow = new Map<number, Map<string, MeterValues>>();
  for (const row of rowsOf("homes_fontana_hourly.csv")) {
    const { home, meter } = defined(meters.get(row.building ?? ""), "a home of the list");
    const values = byRow.get(Number(row.row)) ?? new Map<string, MeterValues>();
    byRow.set(Number(row.row), values);
    const [loadKwh, solarWPerKw] = [decimal(row.non_shiftable_load), decimal(row.solar_generation)];
    values.set(home.id, meter.next({ home, loadKwh, solarWPerKw }));
  }
  return [...byRow].map(([row, values]) => {
    const startS = originS + (row - 1) * hourS;
    const positions = [...values].map(([homeId, each]) => ({ homeId, ...each }));
    const gridPrice = defined(prices.get(row), "a price of each hour");
    return {
      startS,
      meters: values,
      trades: clearHour(positions, startS / hourS),
      gridPrice,
      // Between what the grid takes and 0.06, to the millionth.
      tradePrice: Math.floor((gridPrice + 60_001) / 2),
    };
  });
}

/** Hour by hour from the grid, and by time of use to the grid, where clocks change in November. */
function tariffText(): string {
  return JSON.stringify({
    name: "half a year",
    currency: "USD",
    minor_unit_digits: 2,
    zone: "America/Los_Angeles",
    from_grid: {
      kind: "series",
      start: new Date(originS * 1000).toISOString(),
      interval_s: hourS,
      prices: hours.map(({ gridPrice }) => gridPrice),
    },
    to_grid: {
      kind: "time_of_use",
      periods: [
        { days: ["sat", "sun"], from: "10:00", to: "14:00", price: "-0.0125" },
        { from: "16:00", to: "21:00", price: "0.155" },
      ],
      otherwise: "0.0605",
    },
  });
}

type Profile = { readonly homeId: string; readonly startS: number; readonly bytes: Uint8Array };

function profilesOf(homeId: string): readonly Profile[] {
  const count = Math.ceil(hours.length / dayHours);
  return Array.from({ length: count }, (_, day) => profileOf(homeId, day * dayHours));
}

function profileOf(homeId: string, first: number, parentBytes?: Uint8Array): Profile {
  const day = hours.slice(first, first + dayHours);
  const startS = defined(day[0], "a day has an hour").startS;
  const bytes = loadProfile({
    ownerId: homeId,
    meterId: meterIdOf(homeId),
    startS,
    intervalS: hourS,
    values: day.map((hour, i) => {
      const values = defined(hour.meters.get(homeId), "each home has each hour");
      const isCorrected = parentBytes !== undefined && i === correctedHour(homeId, first);
      const exportedWh = values.exportedWh + (isCorrected ? correction.exportedWh : 0);
      return { ...values, exportedWh, quality: isCorrected ? "substituted" : "measured" } as const;
    }),
    ...(parentBytes && { parent: recordHash(consortium.genesis.consortiumId, parentBytes) }),
  });
  return { homeId, startS, bytes };
}

/** The day's first hour in which the home gives energy to the grid. */
function correctedHour(homeId: string, first: number): number {
  const day = hours.slice(first, first + dayHours);
  return day.findIndex(({ meters }) => (meters.get(homeId)?.exportedWh ?? 0) > 0);
}

/** The update of one profile in the middle of the time, and the hour that it changes. */
function correct(client: BssClient, profiles: readonly Profile[]): Profile {
  const ofHome = profiles.filter(({ homeId }) => homeId === correction.homeId);
  const day = Math.floor(ofHome.length / 2);
  const parentBytes = defined(ofHome[day], "a profile of the home").bytes;
  note(`correcting profile ${day} of ${correction.homeId}, through ${client.profile.id}`);
  const made = profileOf(correction.homeId, day * dayHours, parentBytes);
  const startS = made.startS + correctedHour(correction.homeId, day * dayHours) * hourS;
  return { ...made, startS };
}

function tradesOf(
  { startS, trades: ofHour, tradePrice }: Hour,
  consortiumId: Uint8Array,
  seedOf: (id: string) => Uint8Array,
): readonly Uint8Array[] {
  return ofHour.map(({ sellerId, buyerId, energyWh }) => {
    const parts = { sellerId, buyerId, energyWh, deliveryStartS: startS };
    const terms = tradeTerms({ ...parts, priceMicroPerKwh: tradePrice });
    return energyTrade({
      ownerId: sellerId,
      terms,
      timeMs: (startS + hourS) * 1000,
      sellerSignature: signTrade(consortiumId, terms, seedOf(sellerId)),
      buyerSignature: signTrade(consortiumId, terms, seedOf(buyerId)),
    });
  });
}

async function submit(client: BssClient, records: readonly Uint8Array[]): Promise<void> {
  const batches = Array.from({ length: Math.ceil(records.length / batchRecords) }, (_, i) =>
    client.sign(records.slice(i * batchRecords, (i + 1) * batchRecords)),
  );
  for await (const { response, refusal } of client.submitStream(batches)) {
    if (refusal !== undefined) throw refusal;
    const refused = response?.outcomes.find(({ outcome }) => outcome.case !== "committed");
    if (refused !== undefined) throw new Error(`refused: ${String(refused.outcome.value)}`);
  }
}

async function settleAll(
  clients: ReadonlyMap<string, BssClient>,
  tariffHash: Uint8Array,
): Promise<readonly StatementDocument[]> {
  const parsed = parseTariff(utf8(tariffText()));
  if (!parsed.ok) throw new Error(parsed.error);
  const all: StatementDocument[] = [];
  for (const [participantId, client] of clients) {
    const last = defined(hours.at(-1), "there are hours");
    const query = { participantId, tariffHash, fromS: originS, toS: last.startS + hourS };
    const stated = statedDocument(client, await client.getSettlement(query), headEndId);
    const settled = await computeSettlement(
      client,
      { ...query, height: stated.height },
      parsed.value,
    );
    const options = { counterpartyId: headEndId, named: false };
    const computed = settlementDocument(client, query, settled, options);
    const differing = [...frameDifferences(stated, computed), ...dayDifferences(stated, computed)];
    if (differing.length > 0) throw new Error(`${participantId}: ${JSON.stringify(differing)}`);
    all.push(stated);
  }
  return all;
}

function write(name: string, value: unknown): void {
  writeFileSync(join(outDirectory, name), JSON.stringify(value));
}
