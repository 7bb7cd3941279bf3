/**
 * Green Button: the XML that utilities give their customers, an Atom feed of resources of NAESB's
 * Energy Services Provider Interface.
 *
 *     UsagePoint      where energy is delivered: the meter's name
 *     MeterReading    one quantity of a usage point
 *     ReadingType     what that is: unit, direction, interval (reading-type.ts)
 *     IntervalBlock   its values: IntervalReadings with start, duration, value, quality
 *
 * The parts: bytes become elements (xml-text.ts), elements entries (entry-parser.ts), entries are
 * linked (feed-graph.ts), and readings whose links are known become values (feed-items.ts). Times
 * are Unix seconds, so what LocalTimeParameters say of the clocks there does not matter. Costs are
 * passed over.
 */
import type { FileReader } from "../file-values.js";
import { EntryParser } from "./entry-parser.js";
import { FeedItems } from "./feed-items.js";
import { XmlText } from "./xml-text.js";

/** How many readings may stand in a file before what they are is said. */
const readingsWaitingMax = 100_000;

export const readGreenButton: FileReader = greenButtonReader(readingsWaitingMax);

export function greenButtonReader(waitingMax: number): FileReader {
  return async function* (chunks) {
    const items = new FeedItems(waitingMax);
    const entries = new EntryParser(items);
    const xml = new XmlText(entries);
    for await (const chunk of chunks) {
      xml.write(chunk);
      yield* items.take();
    }
    xml.end();
    entries.end();
    items.end();
    yield* items.take();
  };
}
