import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { FileUnreadable } from "../../../../src/energy-files/file-values.js";
import {
  greenButtonReader,
  readGreenButton,
} from "../../../../src/energy-files/green-button/green-button-reader.js";
import {
  block,
  type Entry,
  feed,
  meterReading,
  readingType,
  usagePoint,
} from "../support/green-button-feed.js";
import { problemsOf, seriesOf } from "../support/items.js";
import { itemsOf } from "../support/reading.js";

const vectors = "test/vectors/energy-files";

const reading = { start: 1_793_430_000, duration: 900, value: 412 };
const entries = [usagePoint(), meterReading(), readingType(), block([reading])];

/** The problems of a feed whose only reading is of this type. */
async function saidOf(fields: { readonly [name: string]: string }): Promise<string[]> {
  const file = feed([usagePoint(), meterReading(), readingType(fields), block([reading])]);
  const items = await itemsOf(readGreenButton, file);
  assert.ok(items.every(({ kind }) => kind === "problem"));
  return problemsOf(items).map((text) => text.replace(/^\d+ \w+: /, ""));
}

describe("Green Button files", () => {
  for (const chunkBytes of [65_536, 41]) {
    test(`the sample, in chunks of ${chunkBytes} bytes, has what it was made of`, async () => {
      const file = readFileSync(`${vectors}/green-button.xml`);
      const items = await itemsOf(readGreenButton, file, { chunkBytes });
      const expected = JSON.parse(readFileSync(`${vectors}/green-button.expected.json`, "utf8"));
      assert.deepEqual(seriesOf(items), expected);
      assert.deepEqual(
        problemsOf(items).map((text) => text.replaceAll(/\d{3,}/g, "…")),
        [
          "… MeterReading: these readings are left out: the commodity is 7, not electricity (1) " +
            "(ReadingType on line …)",
        ],
      );
    });
  }

  test("a value has its place, its meter, time, energy and quality", async () => {
    const items = await itemsOf(readGreenButton, feed(entries));
    assert.deepEqual(items, [
      {
        kind: "value",
        place: { line: 10, column: "IntervalReading" },
        meterName: "1",
        direction: "imported",
        startS: 1_793_430_000,
        intervalS: 900,
        energy: { amount: 412n, perWh: 1n },
        quality: "measured",
      },
    ]);
  });

  test("entries come in any order, with links before or behind what they hold", async () => {
    const orders = [
      entries,
      entries.toReversed(),
      [entries[3], entries[0], entries[2], entries[1]],
      [entries[2], entries[3], entries[1], entries[0]],
    ] as (typeof entries)[];
    for (const order of orders) {
      for (const linksLast of [false, true]) {
        const items = await itemsOf(readGreenButton, feed(order, { linksLast }));
        assert.deepEqual(
          items.map((item) => item.kind === "value" && item.meterName),
          ["1"],
        );
      }
    }
  });

  test("values keep the order of the file when some of them have to wait", async () => {
    const later = { ...reading, start: reading.start + 900 };
    const order = [
      usagePoint("2"),
      meterReading("1", "2", "1"),
      readingType(),
      block([reading], { usagePointId: "1" }),
      block([later], { usagePointId: "2" }),
      meterReading(),
      usagePoint("1"),
    ];
    const items = await itemsOf(readGreenButton, feed(order));
    assert.deepEqual(
      items.map((item) => item.kind === "value" && item.meterName),
      ["1", "2"],
    );
  });

  test("prefixes are the writer's choice, namespaces are not", async () => {
    const file = feed(entries, { atomPrefix: "a", espiPrefix: "x-y.z" });
    assert.equal((await itemsOf(readGreenButton, file)).length, 1);
    const other = file.replaceAll("http://naesb.org/espi", "http://naesb.example/espi");
    await assert.rejects(itemsOf(readGreenButton, other), /no UsagePoint and no IntervalBlock/);
    const noFeed = file.replaceAll("2005/Atom", "2005/Other");
    await assert.rejects(
      itemsOf(readGreenButton, noFeed),
      /its first element is <feed> of the name/,
    );
  });

  test("elements of the same name in other namespaces mean nothing", async () => {
    const strange = '<o:value xmlns:o="urn:o">9</o:value><o:start xmlns:o="urn:o">1</o:start>';
    const file = feed(entries).replace("</espi:timePeriod>", `</espi:timePeriod>${strange}`);
    assert.equal(seriesOf(await itemsOf(readGreenButton, file))[0]?.values[0]?.[1], "412");
  });

  test("usage points that end alike have their whole address as name", async () => {
    const other = usagePoint();
    const links = other.links.map(([rel, href]) => [rel, href.replace("Customer/1", "Customer/2")]);
    const file = feed([
      ...entries,
      { ...other, links: links as [string, string][] },
      {
        ...meterReading(),
        links: meterReading().links.map(([rel, href]) => [
          rel,
          href.replace("Customer/1", "Customer/2"),
        ]),
      },
      {
        ...block([reading]),
        links: block([]).links.map(([rel, href]) => [
          rel,
          href.replace("Customer/1", "Customer/2"),
        ]),
      },
    ]);
    assert.deepEqual(
      seriesOf(await itemsOf(readGreenButton, file)).map(({ meter }) => meter),
      ["1", "https://utility.example/espi/1_1/resource/RetailCustomer/2/UsagePoint/1"],
    );
  });

  test("addresses need not say what belongs to what, as links do", async () => {
    const linked = (entry: Entry, links: Entry["links"]) => ({ ...entry, links });
    const file = feed([
      linked(block([reading]), [
        ["self", "urn:b1"],
        ["up", "urn:all-blocks"],
      ]),
      linked(usagePoint(), [
        ["self", "urn:home"],
        ["related", "urn:m1"],
      ]),
      linked(meterReading(), [
        ["related", "urn:all-blocks"],
        ["related", "urn:t1"],
        ["self", "urn:m1"],
      ]),
      linked(readingType(), [["self", "urn:t1"]]),
    ]);
    assert.equal(seriesOf(await itemsOf(readGreenButton, file))[0]?.meter, "urn:home");
  });

  test("an entry within an entry is not one of the feed", async () => {
    const file = feed(entries).replaceAll("<content>", "<content><entry><title/></entry>");
    assert.equal(seriesOf(await itemsOf(readGreenButton, file)).length, 1);
  });

  test("a feed without UsagePoint names it by the MeterReading's address", async () => {
    const items = await itemsOf(readGreenButton, feed(entries.slice(1)));
    assert.equal(seriesOf(items)[0]?.meter, "1");
  });

  const types = [
    [{ powerOfTenMultiplier: "3" }, "imported", "412000"],
    [{ powerOfTenMultiplier: "-3" }, "imported", "0.412"],
    [{ powerOfTenMultiplier: "", dataQualifier: "", commodity: "" }, "imported", "412"],
    [{ flowDirection: "19" }, "exported", "412"],
  ] as const;
  for (const [fields, direction, wh] of types) {
    test(`a type with ${JSON.stringify(fields)} is ${wh} Wh ${direction}`, async () => {
      const file = feed([usagePoint(), meterReading(), readingType(fields), block([reading])]);
      const [series] = seriesOf(await itemsOf(readGreenButton, file));
      assert.equal(series?.direction, direction);
      assert.equal(series?.values[0]?.[1], wh);
    });
  }

  test("the type's interval and quality are those of readings that name none", async () => {
    const type = readingType({ defaultQuality: "8" });
    const readings = [
      { start: 0, value: 1 },
      { start: 900, value: 2, qualities: [17] },
    ];
    const items = await itemsOf(
      readGreenButton,
      feed([usagePoint(), meterReading(), type, block(readings)]),
    );
    const expected = [0, "1", "estimated"] as const;
    assert.deepEqual(seriesOf(items)[0]?.values, [expected, [900, "2", "measured"]]);
    assert.equal(seriesOf(items)[0]?.intervalS, 900);
  });

  test("bulk quantities are what a register showed", async () => {
    const type = readingType({ accumulationBehaviour: "1", powerOfTenMultiplier: "3" });
    const readings = [
      { start: 1_793_430_000, duration: 0, value: 31_415 },
      { start: 1_793_430_900, duration: 900, value: 31_416 },
    ];
    const items = await itemsOf(
      readGreenButton,
      feed([usagePoint(), meterReading(), type, block(readings)]),
    );
    assert.deepEqual(items[0], {
      kind: "register",
      place: { line: 10, column: "IntervalReading" },
      meterName: "1",
      direction: "imported",
      atS: 1_793_430_000,
      energy: { amount: 31_415_000n, perWh: 1n },
    });
    assert.deepEqual(problemsOf(items), [
      "11 duration: a register shows a value at a moment, which has no duration",
    ]);
  });

  const refusedTypes = [
    [{ commodity: "7" }, "the commodity is 7, not electricity (1)"],
    [{ uom: "38" }, "the unit (uom) is W (38), not Wh (72)"],
    [{ uom: "" }, "the unit (uom) is missing, not Wh (72)"],
    [{ uom: "999" }, "the unit (uom) is 999, not Wh (72)"],
    [{ dataQualifier: "8" }, "the dataQualifier is 8, so they are averages or extremes"],
    [
      { accumulationBehaviour: "3" },
      "the accumulationBehaviour is 3, neither of intervals (4) nor of a register (1)",
    ],
    [
      { accumulationBehaviour: "" },
      "the accumulationBehaviour is missing, neither of intervals (4) nor of a register (1)",
    ],
    [{ flowDirection: "4" }, "the flowDirection is 4, neither forward (1) nor reverse (19)"],
    [{ powerOfTenMultiplier: "13" }, "the powerOfTenMultiplier is 13"],
    [{ intervalLength: "-5" }, "the intervalLength is -5"],
    [{ defaultQuality: "99" }, "the defaultQuality is 99"],
  ] as const;
  for (const [fields, why] of refusedTypes) {
    test(`readings are left out, and it is said once, when ${why}`, async () => {
      const said = await saidOf(fields);
      assert.deepEqual(said, [`these readings are left out: ${why} (ReadingType on line 8)`]);
    });
  }

  const refusedReadings = [
    [{ value: -5 }, 'value: "-5" is negative'],
    [{ value: "12 Wh" }, 'value: "12 Wh" is no number'],
    [{ value: undefined }, "value: an empty or missing element is no number"],
    [{ value: "9".repeat(101) }, 'value: "(101 characters)" is no number'],
    [{ start: "2026-11-01T00:00:00Z" }, 'start: "2026-11-01T00:00:00Z" is no Unix time in seconds'],
    [{ start: "9999999999" }, 'start: "9999999999" is no Unix time in seconds'],
    [{ duration: 0 }, 'duration: "0" is no duration in seconds'],
    [{ duration: 99_999_999 }, 'duration: "99999999" is no duration in seconds'],
    [{ qualities: [3] }, 'quality: "3" is no quality of ESPI'],
    [{ qualities: [17, "x"] }, 'quality: "17, x" is no quality of ESPI'],
  ] as const;
  for (const [fields, said] of refusedReadings) {
    test(`named, with the rest read: ${said}`, async () => {
      const next = { ...reading, start: reading.start + 900 };
      const readings = [{ ...reading, ...fields }, next];
      const items = await itemsOf(
        readGreenButton,
        feed([usagePoint(), meterReading(), readingType(), block(readings)]),
      );
      assert.deepEqual(problemsOf(items), [`10 ${said}`]);
      assert.equal(seriesOf(items)[0]?.values[0]?.[0], next.start);
    });
  }

  const qualities = [
    [[0, 14, 17, 18, 19], "measured"],
    [[7], "substituted"],
    [[11], "substituted"],
    [[15], "substituted"],
    [[8], "estimated"],
    [[9], "estimated"],
    [[10], "estimated"],
    [[12], "estimated"],
    [[13], "estimated"],
    [[16], "estimated"],
    [[17, 7], "substituted"],
    [[8, 7, 17], "estimated"],
  ] as const;
  for (const [codes, quality] of qualities) {
    test(`the qualities ${codes.join(" and ")} are ${quality}`, async () => {
      const entry = block([{ ...reading, qualities: codes }]);
      const file = feed([usagePoint(), meterReading(), readingType(), entry]);
      assert.equal(seriesOf(await itemsOf(readGreenButton, file))[0]?.values[0]?.[2], quality);
    });
  }

  test("a time that comes twice is a problem, in the other direction it is none", async () => {
    const overlap = { ...reading, start: reading.start + 1 };
    const file = feed([
      ...entries,
      block([reading, overlap], { id: "2" }),
      meterReading("2", "1", "2"),
      readingType({ flowDirection: "19" }, "2"),
      block([reading], { meterReadingId: "2" }),
    ]);
    const items = await itemsOf(readGreenButton, file);
    assert.equal(seriesOf(items).length, 2);
    const already = "timePeriod: the file has a value of this time, or of a part of it, already";
    assert.deepEqual(problemsOf(items), [`12 ${already}`, `13 ${already}`]);
  });

  test("the same energy by the day beside that by the quarter is left out, and said", async () => {
    const file = feed([
      ...entries,
      meterReading("2", "1", "2"),
      readingType({ intervalLength: "86400" }, "2"),
      block([{ ...reading, duration: 86_400 }], { meterReadingId: "2" }),
    ]);
    const items = await itemsOf(readGreenButton, file);
    assert.equal(seriesOf(items)[0]?.values.length, 1);
    assert.deepEqual(problemsOf(items), [
      "12 MeterReading: these readings are left out: the energy of this usage point is in the " +
        "file in intervals of 900 s already",
    ]);
  });

  test("a ReadingType that says something else under the same address is told", async () => {
    const twice = [usagePoint(), meterReading(), readingType(), readingType(), block([reading])];
    assert.deepEqual(problemsOf(await itemsOf(readGreenButton, feed(twice))), []);
    const other = feed([...twice.slice(0, 3), readingType({ uom: "38" }), block([reading])]);
    const items = await itemsOf(readGreenButton, other);
    assert.equal(seriesOf(items)[0]?.values.length, 1);
    assert.equal(problemsOf(items).length, 1);
  });

  const unlinked = [
    ["no MeterReading", [usagePoint(), readingType()], /no MeterReading of the feed is linked/],
    ["no ReadingType", [usagePoint(), meterReading()], /is linked with no ReadingType of the feed/],
    [
      "no UsagePoint and none in an address",
      [
        readingType(),
        { ...meterReading(), links: meterReading().links.filter(([rel]) => rel !== "up") },
      ],
      /is linked with no UsagePoint/,
    ],
  ] as const;
  for (const [what, others, said] of unlinked) {
    test(`readings that belong to ${what} are a problem, once for each entry`, async () => {
      const later = { ...reading, start: reading.start + 900 };
      const items = await itemsOf(readGreenButton, feed([...others, block([reading, later])]));
      assert.equal(items.length, 1);
      assert.match(problemsOf(items)[0] ?? "", said);
    });
  }

  test("readings wait for what they are, within a bound", async () => {
    const readings = Array.from({ length: 10 }, (_, i) => ({ ...reading, start: i * 900 }));
    const file = feed([block(readings), ...entries.slice(0, 3)]);
    assert.equal((await itemsOf(greenButtonReader(10), file)).length, 10);
    await assert.rejects(itemsOf(greenButtonReader(9), file), (error) => {
      assert.ok(error instanceof FileUnreadable);
      assert.match(
        error.message,
        /more than 9 readings, from line 4 on, before it says what they measure/,
      );
      assert.match(error.next, /before the IntervalBlocks/);
      return true;
    });
  });

  const whole = feed(entries);
  const entity = '<!DOCTYPE feed [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>';
  const deep = 100;
  const unreadable = [
    ["an empty file", "", /broken at 1:0/],
    ["no XML", "100,NEM12,202604140911,MDP4,RET7\n", /broken at 2:0: text data outside/],
    ["another XML", "<html/>", /its first element is <html> of no namespace/],
    ["a feed of news", feed([{ links: [], content: "news" }]), /no UsagePoint/],
    ["a file that ends early", whole.slice(0, -20), /broken at/],
    ["a document type with entities", whole.replace("?>\n", `?>${entity}`), /a document type/],
    [
      "an outer entity",
      whole.replace("?>\n", '?><!DOCTYPE feed SYSTEM "file:///etc/passwd">'),
      /a document type/,
    ],
    ["an entity that nothing declares", whole.replace(">412<", ">&x;<"), /broken at/],
    ["another encoding", whole.replace("UTF-8", "ISO-8859-1"), /says that it is in ISO-8859-1/],
    ["bytes that are no UTF-8", Buffer.concat([Buffer.from(whole), Buffer.from([0xff])]), /UTF-8/],
    [
      "elements without end",
      whole.replace("<espi:UsagePoint>", `<espi:UsagePoint>${"<x>".repeat(deep)}`),
      /nested deeper than 64/,
    ],
    ["a text without end", whole.replace(">412<", `>${"4".repeat(1_200_000)}<`), /longer than/],
    [
      "a text of many pieces",
      whole.replace(">412<", `>${`${"4".repeat(999)}<!---->`.repeat(1_200)}<`),
      /longer than/,
    ],
    [
      "a comment without end",
      whole.replace("<espi:value>", `<!--${"-x".repeat(900_000)}`),
      /longer/,
    ],
    ["a link without end", whole.replace("/UsagePoint/1", `${"/".repeat(3_000)}x`), /more links/],
  ] as const;
  for (const [what, file, said] of unreadable) {
    test(`is no Green Button file: ${what}`, async () => {
      await assert.rejects(itemsOf(readGreenButton, file), (error) => {
        assert.ok(error instanceof FileUnreadable, String(error));
        assert.match(error.message, said);
        assert.ok(error.next.length > 0 && error.message.length < 300);
        return true;
      });
    });
  }
});
