/**
 * Versions of one document. Each is updated twice at the same moment, at two managers: one update
 * wins. Every other time the same submission goes to both instead, and both have to answer alike.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Desk } from "./desk.js";

export async function updateTwice(desk: Desk): Promise<void> {
  const { ending, book, paceMs } = desk.context;
  const first = desk.note("version 0");
  if (!(await desk.mustSettle(desk.sign([first]), "a document"))) return;
  let latest = desk.hashOf(first);
  for (let turn = 1; !ending.aborted; turn++) {
    const isRepeat = turn % 2 === 0;
    const update = desk.note(`version ${turn}`, latest);
    const other = isRepeat ? update : desk.note(`version ${turn} too`, latest);
    const fates = await Promise.all([
      desk.settle(desk.at(turn), desk.sign([update])),
      desk.settle(desk.at(turn + 1), desk.sign([other])),
    ]);
    if (fates.includes(undefined)) return;
    const [won, lost] = fates.map((fate) => fate?.final === true);
    if (isRepeat ? !(won && lost) : won === lost) {
      const story = fates.map((fate) => (fate?.final ? "final" : fate?.reason)).join(", ");
      const what = isRepeat ? "one update at two managers" : "two updates of one version";
      book.violations.push(`${what}, turn ${turn}: ${story}`);
      return;
    }
    latest = desk.hashOf(won === true ? update : other);
    await sleep(paceMs);
  }
}
