import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  elementBytesMax,
  jsonElements,
  jsonValue,
} from "../../../../src/energy-files/charging/json-elements.js";
import { FileUnreadable } from "../../../../src/energy-files/file-values.js";
import { chunksOf } from "../support/reading.js";

/** A line for each element or problem. */
async function linesOf(content: string | Uint8Array, chunkBytes = 65_536) {
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  const lines: string[] = [];
  for await (const found of jsonElements(chunksOf(bytes, chunkBytes))) {
    if (found.kind === "problem") {
      lines.push(`${found.place.line} problem: ${found.message}`);
    } else {
      const { line, path, prefix, value } = found;
      lines.push(`${line} ${path} ${prefix} ${JSON.stringify(value)}`.replace(/ +/g, " "));
    }
  }
  return lines;
}

async function refusalOf(content: string | Uint8Array): Promise<string> {
  try {
    await linesOf(content);
  } catch (error) {
    if (error instanceof FileUnreadable) return error.message;
    throw error;
  }
  return "";
}

describe("how files hold JSON elements", () => {
  const cases: readonly (readonly [what: string, content: string, expected: string[]])[] = [
    ["an object per line", '{"a":1}\n\n {"b":2}\r\n', ['1 {"a":"1"}', '3 {"b":"2"}']],
    ["an array per line that begins with a value", '[2,"x"]\n[3]', ['1 ["2","x"]', '2 ["3"]']],
    ["a byte order mark before lines", '\uFEFF{"a":1}\n{"a":2}', ['1 {"a":"1"}', '2 {"a":"2"}']],
    ["a byte order mark before an array", '\uFEFF[{"a":1}]', ['1 [0] {"a":"1"}']],
    ["an array of objects", '\n[\n{"a":1},\n{\n"a":2}]\n', ['3 [0] {"a":"1"}', '4 [1] {"a":"2"}']],
    ["an array of arrays", "[[2,1],[3]]", ['1 [0] ["2","1"]', '1 [1] ["3"]']],
    ["an empty array", "[ ]", []],
    ["an answer, its array last", '{"x":[{}],\n"data":[{"a":1}]}', ['2 data[0] {"a":"1"}']],
    ["an answer, its array first", '{"data":[{"a":1}],"x":{"data":[{}]}}', ['1 data[0] {"a":"1"}']],
    ["an empty answer", '{"data":[]}', []],
    ["two answers", '{"data":[{}]}{"data":\n[{}]}', ["1 data[0] {}", "2 data[0] {}"]],
    ["a message in an object's data", '{"data":[2,{}]}\n{}', ['1 {"data":["2",{}]}', "2 {}"]],
    ["one object over several lines", '{\n"a":\n1}', ['1 {"a":"1"}']],
    ["two objects over several lines", '{\n"a":1}\n{\n"b":1}', ['1 {"a":"1"}', '3 {"b":"1"}']],
    ["a prefix", "CP-1 [2]\nCP*2;[3]\n CP3, [4]", ['1 CP-1 ["2"]', '2 CP*2 ["3"]', '3 CP3 ["4"]']],
    ["numbers as written", "[2, 1.50, -0, 1E+5, 0.1]", ['1 ["2","1.50","-0","1E+5","0.1"]']],
  ];
  for (const [what, content, expected] of cases) {
    for (const chunkBytes of [1, 3, 65_536]) {
      test(`${what}, in chunks of ${chunkBytes}`, async () => {
        assert.deepEqual(await linesOf(content, chunkBytes), expected);
      });
    }
  }

  test("a line that is no JSON leaves the others", async () => {
    const content = Buffer.concat([
      Buffer.from('{"a":1}\n{"a":\n{"a":}\nfree text\n{"a":"'),
      Buffer.from([0xff]),
      Buffer.from(`"}\n{"a":1}}\n${"[".repeat(65)}${"]".repeat(65)}\n{"a":9}\n`),
    ]);
    assert.deepEqual(await linesOf(content), [
      '1 {"a":"1"}',
      "2 problem: the line is no valid JSON",
      "3 problem: the line is no valid JSON",
      "4 problem: the line is no valid JSON",
      "5 problem: the line is no UTF-8 text",
      "6 problem: the line is no valid JSON",
      "7 problem: the line is no valid JSON",
      '8 {"a":"9"}',
    ]);
  });

  test("a line that is too long leaves the others", async () => {
    const long = `{"a":"${"x".repeat(elementBytesMax)}"}`;
    assert.deepEqual(await linesOf(`{"a":1}\n${long}\n{"a":2}\n`), [
      '1 {"a":"1"}',
      `2 problem: the line has more than ${elementBytesMax} bytes`,
      '3 {"a":"2"}',
    ]);
  });

  const long = "x".repeat(elementBytesMax + 200_000);
  const refused = [
    ["nothing", "", "the file is empty"],
    ["blanks", " \n\n", "the file is empty"],
    ["an array with an error", '[{"a":1},\n{"a":2}\n{"a":3}]', "line 3 is no valid JSON"],
    ["an array that is cut off", '[{"a":1},\n{"a":', "the file is cut off after line 2"],
    ["an array that lacks its end", '[{"a":1},\n{"a":1}', "the file is cut off after line 2"],
    ["an object that is cut off", '{"a":1,\n"b":{', "the file is cut off after line 2"],
    ["text after an array", '[{"a":1}]\n}', "line 2 is no valid JSON"],
    ["too deep an array", `[{"a":${"[".repeat(65)}`, "line 1 is no valid JSON"],
    [
      "an element that is too large",
      `[{},\n{"a":"${long}"}]`,
      `what begins at line 2 has more than ${elementBytesMax} bytes`,
    ],
    [
      "a first object that is too large",
      `{"a":\n"${long}"}`,
      `what begins at line 1 has more than ${elementBytesMax} bytes`,
    ],
  ] as const;
  for (const [what, content, expected] of refused) {
    test(`${what} is refused`, async () => {
      assert.equal(await refusalOf(content), expected);
    });
  }

  for (const begin of ['{"a":\n"', '[{"a":\n"', "["]) {
    test(`what goes on for ever after ${JSON.stringify(begin)} is refused`, async () => {
      const chunks = (async function* () {
        yield Buffer.from(begin);
        for (;;) yield Buffer.alloc(65_536, " ");
      })();
      await assert.rejects(async () => {
        for await (const _ of jsonElements(chunks));
      }, /^FileUnreadable: what begins at line 1 has more than/);
    });
  }

  test("elements come while the file goes on", async () => {
    let given = 0;
    const chunks = (async function* () {
      yield Buffer.from("[");
      for (;;) {
        given += 1;
        yield Buffer.from(`{"a":${given}},`);
      }
    })();
    for await (const found of jsonElements(chunks)) {
      if (found.kind === "element" && found.path === "[4999]") break;
    }
    assert.ok(given <= 5_001, `${given} elements were read for 5000`);
  });
});

test("a text is one JSON value or none", () => {
  assert.deepEqual(jsonValue('[3,"1",{"a":0.10}]'), ["3", "1", { a: "0.10" }]);
  assert.equal(jsonValue("[3,"), undefined);
  assert.equal(jsonValue("connection lost"), undefined);
  assert.equal(jsonValue("[1] [2]"), undefined);
});
