import assert from "node:assert/strict";
import { test } from "node:test";
import { joinHostPort } from "../../../src/base/host-port.js";
import { splitHostPort } from "../../../src/config/fields.js";

for (const [host, text] of [
  ["grid-a.example.org", "grid-a.example.org:7401"],
  ["10.0.0.2", "10.0.0.2:7401"],
  ["::1", "[::1]:7401"],
  ["2001:db8::7", "[2001:db8::7]:7401"],
] as const) {
  test(`${host} with a port is ${text}, and is read from it`, () => {
    assert.equal(joinHostPort({ host, port: 7401 }), text);
    assert.deepEqual(splitHostPort(text), { host, port: 7401 });
  });
}
