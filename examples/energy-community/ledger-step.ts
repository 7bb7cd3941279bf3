/** The demo's checks of the ledger, with records of its own data. */
import { defined } from "../../src/base/assert.js";
import { headEndId } from "./community.js";
import type { DemoDirectory } from "./demo-directory.js";
import type { DemoSession } from "./demo-session.js";
import {
  checkDoubleSpend,
  checkPrivacy,
  checkReceipt,
  checkRetry,
  checkRoots,
} from "./ledger-checks.js";
import type { Submitted } from "./submit-step.js";

export async function checkLedger(
  session: DemoSession,
  { first }: Submitted,
  directory: DemoDirectory,
): Promise<void> {
  const { plan, records, clients, report, processes, signal } = session;
  const { firstHour, community } = plan;
  report.step("what can be relied on");
  const headEnd = await clients.of(headEndId);
  const reading = defined(firstHour.readings[0], "an hour has a reading");
  const record = records.reading(reading, firstHour.startS);
  const recordsMax = headEnd.genesis.policy.submissionRecordsMax;
  const [again] = records.submissions(firstHour, recordsMax);
  const { submission } = defined(again, "an hour has a submission");

  await report.check("what is submitted again keeps its place", () =>
    checkRetry(headEnd, submission, [...first]),
  );
  await report.check("a receipt proves itself without any node", () => {
    const genesis = directory.file("consortium/genesis.json");
    return checkReceipt(headEnd, record, { receipt: directory.file("receipt.json"), genesis });
  });
  await report.check("energy that is sold cannot be sold again", () =>
    checkDoubleSpend(headEnd, secondSale(session)),
  );
  await report.check("other participants cannot read a home's reading", async () => {
    const other = community.homes.find(({ id }) => id !== reading.homeId)?.id ?? headEndId;
    return checkPrivacy(await clients.of(reading.homeId), await clients.of(other), record);
  });
  await report.check(`all ${processes.nodes.length} nodes have one root`, () =>
    checkRoots(session.directory, processes, plan.sums.records, signal),
  );
}

/** A trade of more than its seller has left, once more what it sold if it sold something. */
function secondSale({ plan, records }: DemoSession): Uint8Array {
  const hour = plan.tradeHour ?? plan.firstHour;
  const [trade] = hour.trades;
  const sellerId = trade?.sellerId ?? defined(hour.readings[0], "an hour has a reading").homeId;
  const other = plan.community.homes.find(({ id }) => id !== sellerId)?.id ?? headEndId;
  const exportedWh = hour.readings.find(({ homeId }) => homeId === sellerId)?.exportedWh ?? 0;
  const soldWh = hour.trades
    .filter((each) => each.sellerId === sellerId)
    .reduce((sum, { energyWh }) => sum + energyWh, 0);
  const energyWh = Math.max(trade?.energyWh ?? 0, exportedWh - soldWh + 1);
  return records.trade({ sellerId, buyerId: trade?.buyerId ?? other, energyWh }, hour, 2);
}
