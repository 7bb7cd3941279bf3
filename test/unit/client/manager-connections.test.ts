import assert from "node:assert/strict";
import { describe, mock, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import type { ClientProfile } from "../../../src/client/client-profile.js";
import { type Connection, Connections, dialWith } from "../../../src/client/manager-connections.js";
import { plainMessage } from "../../../src/client/manager-failures.js";
import { GetStatusResponseSchema, QueryService } from "../../../src/gen/bss/v1/query_pb.js";
import {
  createCertificateAuthority,
  issueCertificate,
} from "../../../src/pki/certificate-authority.js";
import { RpcError } from "../../../src/rpc/rpc-error.js";
import { rpcErrorOf } from "../../../src/rpc/status-details.js";

const wrapped = (error: string) =>
  `No connection established. Last error: ${error}. Resolution note: `;
const grpcError = (details: string) => Object.assign(new Error(details), { code: 14, details });
const refused = (address: string) => grpcError(wrapped(`Error: connect ECONNREFUSED ${address}`));
const selfSigned = grpcError(wrapped("Error: self-signed certificate in certificate chain"));

/** Managers that fail as told; the answers of the others are empty. */
function fakes(failures: Readonly<Record<string, (address: string) => Error | undefined>>) {
  const asked: string[] = [];
  const unary = async (address: string) => {
    asked.push(address);
    const error = failures[address]?.(address);
    if (error !== undefined) throw error;
    return create(GetStatusResponseSchema, {});
  };
  const dial = (address: string) =>
    ({ address, unary: () => unary(address), close: () => {} }) as unknown as Connection;
  const connections = new Connections(Object.keys(failures), dial);
  const call = (options = {}) => connections.call(QueryService.method.getStatus, {}, options);
  return { asked, call };
}

/** The error of a call, and when it came by a clock that runs ahead with each look at it. */
async function failureOf(run: () => Promise<unknown>, stepMs = 200) {
  let nowMs = 0;
  const clock = mock.method(performance, "now", () => {
    nowMs += stepMs;
    return nowMs;
  });
  try {
    await run();
    return assert.fail("the call succeeded");
  } catch (error) {
    assert.ok(error instanceof RpcError, String(error));
    return { error, ms: nowMs };
  } finally {
    clock.mock.restore();
  }
}

describe("a call while managers are out of reach", () => {
  test("gives up after 3 s once every address has failed to connect", async () => {
    const { call, asked } = fakes({ "h:1": refused, "h:2": refused });
    const { error, ms } = await failureOf(() => call());
    assert.ok(ms <= 3_500, `${ms} ms`);
    assert.ok(asked.length >= 3, "it was tried again");
    assert.equal(error.reason, "NODE_UNREACHABLE");
    assert.equal(error.message, "no manager could answer: h:1, h:2: connect ECONNREFUSED");
  });

  test("goes on longer when the caller gives it time", async () => {
    const { call } = fakes({ "h:1": refused });
    const { error, ms } = await failureOf(() => call({ timeoutMs: 10_000 }), 1_000);
    assert.ok(ms > 6_000, `${ms} ms`);
    assert.equal(error.message, "the manager cannot be reached: h:1: connect ECONNREFUSED");
  });

  test("names the own certificate when that has expired meanwhile", async () => {
    const named = { consortiumName: "demo", managerId: "manager-1", nowMs: 1_700_000_000_000 };
    const authority = await createCertificateAuthority(named);
    const issued = await issueCertificate(authority, {
      role: "participant",
      id: "home-1",
      hosts: [],
      nowMs: named.nowMs,
      lifetimeMs: 60_000,
    });
    const tls = {
      certPem: issued.certificatePem,
      keyPem: issued.keyPem,
      caPem: authority.certificatePem,
    };
    const genesis = { name: "demo", members: { manager: () => undefined } };
    const dial = dialWith({ genesis, tls } as unknown as ClientProfile);
    // Nobody listens on port 1: what a manager that resets the connection looks like, too.
    const connections = new Connections(["127.0.0.1:1"], dial);
    const call = connections.call(QueryService.method.getStatus, {}, { timeoutMs: 60_000 });
    await assert.rejects(call, {
      reason: "NODE_UNREACHABLE",
      message:
        /127\.0\.0\.1:1: the certificate of this client expired at 2023-11-14T22:14:20\.000Z$/,
    });
    connections.close();
  });

  test("goes on while one manager is there and only starts", async () => {
    let answers = 0;
    const starting = () => {
      answers += 1;
      return answers < 3 ? new RpcError("NODE_STARTING", "starts", { retryAfterMs: 1 }) : undefined;
    };
    const { call } = fakes({ "h:1": refused, "h:2": starting });
    await call();
    assert.equal(answers, 3);
  });

  test("never asks again where TLS refuses", async () => {
    const all = fakes({ "h:1": () => selfSigned, "h:2": () => selfSigned });
    const { error } = await failureOf(() => all.call({ timeoutMs: 60_000 }));
    assert.deepEqual(all.asked, ["h:1", "h:2"]);
    assert.match(error.message, /: h:1, h:2: self-signed certificate in certificate chain$/);

    const one = fakes({ "h:1": () => selfSigned, "h:2": refused });
    await failureOf(() => one.call());
    assert.equal(one.asked.filter((address) => address === "h:1").length, 1);
    assert.ok(one.asked.length > 2);
  });
});

describe("the text of a connection that failed", () => {
  const openSsl =
    "80FC6977787F0000:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:" +
    "../deps/openssl/openssl/ssl/record/ssl3_record.c:350:\n";
  const alert =
    "write EPROTO 80FC69:error:0A000418:SSL routines:ssl3_read_bytes:tlsv1 alert unknown ca:" +
    "../deps/openssl/openssl/ssl/record/rec_layer_s3.c:1590:SSL alert number 48\n";
  const cases: readonly (readonly [string, string])[] = [
    [wrapped("Error: connect ECONNREFUSED h:1"), "connect ECONNREFUSED"],
    [wrapped("Error: self-signed certificate"), "self-signed certificate"],
    [
      wrapped("RpcError: the server is storage storage-1, expected manager"),
      "the server is storage storage-1, expected manager",
    ],
    [wrapped(`Error: ${openSsl}`), "TLS: wrong version number"],
    [wrapped(`Error: ${alert}`), "TLS: tlsv1 alert unknown ca"],
    ["Connection dropped", "Connection dropped"],
  ];
  for (const [raw, text] of cases) {
    test(`says "${text}" and nothing of grpc-js or OpenSSL`, () => {
      assert.equal(plainMessage(rpcErrorOf(grpcError(raw)), "h:1"), text);
    });
  }
});
