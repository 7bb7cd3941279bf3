/** Green Button feeds, made of parts that tests change. */

export const espi = "http://naesb.org/espi";
const base = "https://utility.example/espi/1_1/resource";
const point = (id: string) => `${base}/RetailCustomer/1/UsagePoint/${id}`;

export type Entry = {
  readonly links: readonly (readonly [rel: string, href: string])[];
  readonly content: string;
};

export type FeedReading = {
  readonly start?: string | number | undefined;
  readonly duration?: string | number | undefined;
  readonly value?: string | number | bigint | undefined;
  readonly qualities?: readonly (string | number)[];
};

export function usagePoint(id = "1"): Entry {
  return {
    links: [
      ["self", point(id)],
      ["up", `${base}/RetailCustomer/1/UsagePoint`],
      ["related", `${point(id)}/MeterReading`],
    ],
    content:
      "<e:UsagePoint><e:ServiceCategory><e:kind>0</e:kind></e:ServiceCategory></e:UsagePoint>",
  };
}

export function meterReading(id = "1", usagePointId = "1", typeId = "1"): Entry {
  const self = `${point(usagePointId)}/MeterReading/${id}`;
  return {
    links: [
      ["self", self],
      ["up", `${point(usagePointId)}/MeterReading`],
      ["related", `${self}/IntervalBlock`],
      ["related", `${base}/ReadingType/${typeId}`],
    ],
    content: "<e:MeterReading/>",
  };
}

const wattHours = {
  accumulationBehaviour: "4",
  commodity: "1",
  dataQualifier: "12",
  flowDirection: "1",
  intervalLength: "900",
  powerOfTenMultiplier: "0",
  uom: "72",
};

/** Wh from the grid in quarters of an hour, but for what is given; "" leaves a field out. */
export function readingType(fields: { readonly [name: string]: string } = {}, id = "1"): Entry {
  const all = { ...wattHours, ...fields };
  const elements = Object.entries(all)
    .filter(([, text]) => text !== "")
    .map(([name, text]) => `<e:${name}>${text}</e:${name}>`);
  return {
    links: [
      ["self", `${base}/ReadingType/${id}`],
      ["up", `${base}/ReadingType`],
    ],
    content: `<e:ReadingType>${elements.join("")}</e:ReadingType>`,
  };
}

export function block(
  readings: readonly FeedReading[],
  { id = "1", meterReadingId = "1", usagePointId = "1" } = {},
): Entry {
  const up = `${point(usagePointId)}/MeterReading/${meterReadingId}/IntervalBlock`;
  return {
    links: [
      ["self", `${up}/${id}`],
      ["up", up],
    ],
    content: `<e:IntervalBlock>${readings.map(readingText).join("\n")}</e:IntervalBlock>`,
  };
}

function readingText({ start, duration, value, qualities = [] }: FeedReading): string {
  const element = (name: string, text: unknown) =>
    text === undefined ? "" : `<e:${name}>${text}</e:${name}>`;
  const period = `<e:timePeriod>${element("duration", duration)}${element("start", start)}</e:timePeriod>`;
  const quality = qualities.map(
    (code) => `<e:ReadingQuality>${element("quality", code)}</e:ReadingQuality>`,
  );
  return `<e:IntervalReading><e:cost>7</e:cost>${quality.join("")}${period}${element("value", value)}</e:IntervalReading>`;
}

export type FeedStyle = {
  /** "" for no prefix. */
  readonly atomPrefix?: string;
  readonly espiPrefix?: string;
  readonly linksLast?: boolean;
};

export function feed(
  entries: readonly Entry[],
  { atomPrefix = "", espiPrefix = "espi", linksLast = false }: FeedStyle = {},
): string {
  const atom = atomPrefix === "" ? "" : `${atomPrefix}:`;
  const texts = entries.map(({ links, content }) => {
    const linked = links.map(([rel, href]) => `<${atom}link rel="${rel}" href="${href}"/>`);
    const parts = [linked.join(""), `<${atom}content>${content}</${atom}content>`];
    const inside = (linksLast ? parts.toReversed() : parts).join("\n");
    return `<${atom}entry><${atom}title/>${inside}</${atom}entry>`;
  });
  const atomNamespace = `xmlns${atomPrefix === "" ? "" : `:${atomPrefix}`}="http://www.w3.org/2005/Atom"`;
  const prefixed = (text: string) => text.replaceAll(/(<\/?)e:/g, `$1${espiPrefix}:`);
  return prefixed(
    `<?xml version="1.0" encoding="UTF-8"?>\n<${atom}feed ${atomNamespace} xmlns:${espiPrefix}="${espi}">\n` +
      `${texts.join("\n")}\n</${atom}feed>\n`,
  );
}
