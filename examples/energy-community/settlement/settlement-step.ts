/**
 * The settlement at the end: what each home owes for all that was recorded. A manager says it, and
 * each home computes it from its own records, so that neither has to believe the other.
 */
import { equalBytes } from "../../../src/base/bytes.js";
import { type Cell, formatTime, shortHash, table } from "../../../src/cli/text/output.js";
import {
  type BssClient,
  computeSettlement,
  type RecordPlace,
  recordHash,
  type SettlementQuery,
  settlementDocument,
  statedDocument,
  tariffOf,
} from "../../../src/client/index.js";
import { moneyText } from "../../../src/settlement/money.js";
import { canonicalJson } from "../../../src/settlement/settlement-documents.js";
import { type Amounts, amountNames, type Statement } from "../../../src/settlement/statement.js";
import { headEndId } from "../community/community.js";
import { expect, indented } from "../demo-report.js";
import type { DemoSession } from "../demo-session.js";

/** Homes that are shown one by one. */
const homesShown = 20;

export type RecordedTariff = {
  /** 32 bytes. */
  readonly hash: Uint8Array;
  readonly place: RecordPlace;
};

/** Puts the grid's tariff onto the ledger. Throws `RpcError`. */
export async function recordTariff(session: DemoSession): Promise<RecordedTariff> {
  const { plan, records, clients, report } = session;
  const headEnd = await clients.of(headEndId);
  const record = records.tariff(plan.tariff);
  const { outcomes } = await headEnd.submit(headEnd.sign([record]));
  const outcome = outcomes[0]?.outcome;
  expect(outcome?.case === "committed", "the tariff has no place on the ledger");
  const hash = recordHash(headEnd.consortiumId, record);
  report.line(`  the grid's tariff is on the ledger, as record ${shortHash(hash)}`);
  return { hash, place: outcome.value };
}

/** Settles with every home, and shows what it comes to. */
export async function settleHomes(session: DemoSession, tariff: RecordedTariff): Promise<void> {
  const { plan, clients, report } = session;
  const { fromS, toS } = plan.tariff.period;
  report.step(`settlement from ${formatTime(fromS * 1000)} to ${formatTime(toS * 1000)}`);
  const statements = new Map<string, Statement>();
  await report.check("each home computes from its records what a manager says", async () => {
    for (const participantId of plan.sums.byHome.keys()) {
      const query = { participantId, fromS, toS, tariffHash: tariff.hash };
      const statement = await clients.with(participantId, (home) => agreedStatement(home, query));
      statements.set(participantId, statement);
    }
    return `${statements.size} statements of ${daysOf(statements)} days in all, equal in each amount`;
  });
  const [first] = statements.values();
  if (first === undefined) return;
  const { currency, digits } = first;
  const money = (minorUnits: number) => moneyText(minorUnits, digits);
  await report.check("buyers pay for trades what sellers get", () => {
    const { boughtWh, soldWh, boughtCost, soldCredit } = totalOf(statements);
    expect(boughtWh === soldWh, `${boughtWh} Wh are bought and ${soldWh} Wh sold`);
    // Both sides round to the minor unit, each the sum of a day, so each by half of one at most.
    const difference = Math.abs(boughtCost - soldCredit);
    const sums = `${money(boughtCost)} paid, ${money(soldCredit)} received`;
    expect(difference <= daysOf(statements), `${sums}: more apart than rounding makes them`);
    return `${sums} ${currency}, apart by ${money(difference)} of rounding`;
  });
  const number = (title: string) => ({ title, align: "right" }) as const;
  const columns = [
    ...[{ title: "HOME" }, number("FROM GRID Wh"), number("COST"), number("BOUGHT Wh")],
    ...[number("COST"), number("TO GRID Wh"), number("CREDIT"), number("SOLD Wh")],
    ...[number("CREDIT"), number(`DUE ${currency}`)],
  ];
  const rowOf = (name: string, of: Amounts): readonly Cell[] => [
    ...[name, of.fromGridWh, money(of.fromGridCost), of.boughtWh, money(of.boughtCost)],
    ...[of.toGridWh, money(of.toGridCredit), of.soldWh, money(of.soldCredit), money(of.due)],
  ];
  const rows = [...statements].slice(0, homesShown).map(([id, { total }]) => rowOf(id, total));
  const all = rowOf(`all ${statements.size}`, totalOf(statements));
  report.line(indented(table(columns, [...rows, all])));
}

type Statements = ReadonlyMap<string, Statement>;

function daysOf(statements: Statements): number {
  return [...statements.values()].reduce((sum, { days }) => sum + days.length, 0);
}

function totalOf(statements: Statements): Amounts {
  const totals = [...statements.values()].map(({ total }) => total);
  const sums = amountNames.map((name) => {
    return [name, totals.reduce((sum, total) => sum + total[name], 0)] as const;
  });
  return Object.fromEntries(sums) as Record<(typeof amountNames)[number], number>;
}

/** Throws `CheckFailed` if the home and the manager do not agree. */
async function agreedStatement(home: BssClient, query: SettlementQuery): Promise<Statement> {
  const { tariff } = await tariffOf(home, query.tariffHash);
  const settled = await computeSettlement(home, query, tariff);
  const { height } = settled.place;
  const stated = await home.getSettlement({ ...query, height });
  const parties = { counterpartyId: headEndId, named: false };
  const computed = settlementDocument(home, query, settled, parties);
  const isSame = equalBytes(
    canonicalJson(computed),
    canonicalJson(statedDocument(home, stated, headEndId)),
  );
  expect(isSame, `${query.participantId} computes something else than the manager says`);
  return settled.statement;
}
