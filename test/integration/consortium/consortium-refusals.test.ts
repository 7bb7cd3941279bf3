/**
 * What a manager refuses, as any gRPC client sees it: the status, and the stable reason in its
 * details. Whatever the wrong input, the next right one goes through.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { Client, credentials, type ServiceError } from "@grpc/grpc-js";
import { utf8 } from "../../../src/base/bytes.js";
import {
  type BssClient,
  buildSubmission,
  type DocumentParts,
  document,
  type SubmissionParts,
} from "../../../src/client/index.js";
import { SubmitRequestSchema, SubmitResponseSchema } from "../../../src/gen/bss/v1/broadcast_pb.js";
import { VoteService } from "../../../src/gen/bss/v1/vote_pb.js";
import { BadRequestSchema, ErrorInfoSchema } from "../../../src/gen/google/rpc/error_details_pb.js";
import { StatusSchema } from "../../../src/gen/google/rpc/status_pb.js";
import {
  issueCertificate,
  loadCertificateAuthority,
} from "../../../src/pki/certificate-authority.js";
import { createClient } from "../../../src/rpc/channels/typed-client.js";
import { statusName } from "../../../src/rpc/status-codes.js";
import type { TlsCredentials } from "../../../src/rpc/tls/tls.js";
import type { Role } from "../../../src/rpc/tls/tls-identity.js";
import { mainFile } from "../../support/bss.js";
import { LiveConsortium, suiteTimeoutMs } from "../../support/live-consortium.js";
import { TestAuthority, uriOf } from "../../support/pki.js";
import { rpcErrorFrom } from "../../support/rpc-consortium.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";

const submitPath = "/bss.v1.BroadcastService/Submit";

type Refusal = { readonly status: string; readonly reason?: string; readonly field?: string };

describe("a manager that is given wrong input", { timeout: suiteTimeoutMs }, () => {
  let consortium: LiveConsortium;
  let client: BssClient;
  let wire: Client;

  after(() => consortium?.close());
  const parent = temporaryDirectory();

  before(async () => {
    const sizes = { managers: 1, storage: 1, participants: 2 };
    consortium = await LiveConsortium.start(join(parent, "live"), sizes);
    client = await consortium.client("participant-1");
    wire = consortium.channel(consortium.tlsOf("participants/participant-1")).grpcClient;
  });

  const note = (parts: Partial<DocumentParts> = {}) =>
    document({
      ownerId: "participant-1",
      mediaType: "text/plain",
      name: "note",
      content: utf8("note"),
      timeMs: Date.now(),
      ...parts,
    });

  const submission = (parts: Partial<SubmissionParts> = {}) =>
    buildSubmission({
      consortiumId: consortium.genesis.consortiumId,
      participantId: "participant-1",
      signingSeed: client.profile.signingSeed,
      records: [note()],
      ...parts,
    });

  const requestOf = (parts: ReturnType<typeof submission>) =>
    toBinary(SubmitRequestSchema, create(SubmitRequestSchema, { submission: parts }));

  const otherConsortium = new Uint8Array(32).fill(1);

  const wrong: readonly (readonly [what: string, request: () => Uint8Array, refusal: Refusal])[] = [
    [
      "a message that is cut off",
      () => requestOf(submission()).subarray(0, -7),
      { status: "INVALID_ARGUMENT", reason: "MESSAGE_MALFORMED" },
    ],
    [
      "bytes that are no message",
      () => new Uint8Array(100).fill(0xff),
      { status: "INVALID_ARGUMENT", reason: "MESSAGE_MALFORMED" },
    ],
    [
      "a message of 10 MB",
      () => requestOf(submission({ records: [note({ content: new Uint8Array(10_000_000) })] })),
      { status: "INVALID_ARGUMENT", reason: "MESSAGE_TOO_LARGE" },
    ],
    [
      "a message without a submission",
      () => new Uint8Array(),
      { status: "INVALID_ARGUMENT", reason: "SUBMISSION_MALFORMED", field: "submission" },
    ],
    [
      "a record longer than the policy allows",
      () => requestOf(submission({ records: [note({ content: new Uint8Array(70_000) })] })),
      {
        status: "INVALID_ARGUMENT",
        reason: "RECORD_TOO_LARGE",
        field: "submission.records[0]",
      },
    ],
    [
      "an unknown submitter",
      () => requestOf(submission({ participantId: "participant-99" })),
      {
        status: "PERMISSION_DENIED",
        reason: "CALLER_NOT_SUBMITTER",
        field: "submission.header.participant_id",
      },
    ],
    [
      "a record of an unknown owner",
      () => requestOf(submission({ records: [note({ ownerId: "participant-99" })] })),
      {
        status: "FAILED_PRECONDITION",
        reason: "OWNER_UNKNOWN",
        field: "submission.records[0].owner_id",
      },
    ],
    [
      "a record of somebody else",
      () => requestOf(submission({ records: [note({ ownerId: "participant-2" })] })),
      {
        status: "PERMISSION_DENIED",
        reason: "AGENT_NOT_AUTHORIZED",
        field: "submission.records[0].owner_id",
      },
    ],
    [
      "a signature by another key",
      () => requestOf(submission({ signingSeed: new Uint8Array(32).fill(9) })),
      {
        status: "INVALID_ARGUMENT",
        reason: "SIGNATURE_INVALID",
        field: "submission.signature",
      },
    ],
    [
      "1,001 records",
      () => requestOf(submission({ records: Array.from({ length: 1_001 }, () => note()) })),
      {
        status: "INVALID_ARGUMENT",
        reason: "TOO_MANY_RECORDS",
        field: "submission.header.record_hashes",
      },
    ],
    [
      "a submission to another consortium",
      () => requestOf(submission({ consortiumId: otherConsortium })),
      {
        status: "INVALID_ARGUMENT",
        reason: "CONSORTIUM_MISMATCH",
        field: "submission.header.consortium_id",
      },
    ],
    [
      "a record by a clock that is an hour ahead",
      () => requestOf(submission({ records: [note({ timeMs: Date.now() + 3_600_000 })] })),
      {
        status: "INVALID_ARGUMENT",
        reason: "TIME_IN_FUTURE",
        field: "submission.records[0].time_unix_ms",
      },
    ],
  ];
  for (const [what, request, refusal] of wrong) {
    test(`refuses ${what}: ${refusal.reason}`, async () => {
      assert.deepEqual(await refusalOf(wire, request()), { ...refusal });
    });
  }

  test("refuses who has no certificate, or one of a stranger's authority", async () => {
    const ca = readFileSync(join(consortium.directory, "ca-bundle.pem"));
    const anonymous = new Client(
      consortium.addressOf("manager-1"),
      credentials.createSsl(ca, null, null, { checkServerIdentity: () => undefined }),
      { "grpc.ssl_target_name_override": "bss-node" },
    );
    const answer = await refusalOf(anonymous, requestOf(submission()));
    anonymous.close();
    assert.deepEqual(answer, { status: "UNAVAILABLE" });

    const stranger = await TestAuthority.create();
    const uri = uriOf("participant", "participant-1", consortium.genesis.name);
    const { certPem, keyPem } = await stranger.issue({ uris: [uri] });
    const tls = { certPem, keyPem, caPem: ca };
    const refused = await refusalOf(consortium.channel(tls).grpcClient, requestOf(submission()));
    assert.deepEqual(refused, { status: "UNAVAILABLE" });
  });

  for (const [id, what] of [
    ["participant-1", "another key than the registered one"],
    ["participant-99", "an id that nobody is registered under"],
  ] as const) {
    test(`refuses a certificate with ${what}, though a manager issued it`, async () => {
      const { grpcClient } = consortium.channel(await mint("participant", id));
      assert.deepEqual(await refusalOf(grpcClient, requestOf(submission())), {
        status: "UNAUTHENTICATED",
        reason: "CERTIFICATE_UNKNOWN",
      });
    });
  }

  test("lets no storage node call what managers call", async () => {
    const channel = consortium.channel(consortium.tlsOf("storage/storage-1"));
    const stream = createClient(VoteService, channel).vote();
    const refused = await rpcErrorFrom(stream.messages[Symbol.asyncIterator]().next());
    assert.equal(refused.status, "PERMISSION_DENIED");
    assert.equal(refused.reason, "ROLE_NOT_ALLOWED");
    assert.deepEqual(await refusalOf(channel.grpcClient, requestOf(submission())), {
      status: "PERMISSION_DENIED",
      reason: "ROLE_NOT_ALLOWED",
    });
  });

  test("takes the next right submission as if nothing had been", async () => {
    const answer = fromBinary(
      SubmitResponseSchema,
      await callSubmit(wire, requestOf(submission({ records: [note(), note()] }))),
    );
    assert.deepEqual(
      answer.outcomes.map(({ outcome }) => outcome.case),
      ["committed", "committed"],
    );
    assert.equal((await consortium.agreeOn(1)).treeSize, 2);
  });

  test("does not start with a misspelt setting, and names it and what was meant", () => {
    const config = join(consortium.directory, "managers", "manager-1", "config.yaml");
    const misspelt = join(consortium.directory, "managers", "manager-1", "misspelt.yaml");
    const text = readFileSync(config, "utf8");
    writeFileSync(misspelt, text.replace("data_directory:", "data_direcotry:"));
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [mainFile, "start", "--config", misspelt],
      { encoding: "utf8" },
    );
    assert.equal(status, 1, stderr);
    assert.equal(stdout, "");
    assert.match(stderr, /misspelt\.yaml:\d+: .*`data_direcotry`.*`data_directory`/);
  });

  /** A certificate that manager-1's authority issues without telling the ledger. */
  async function mint(role: Role, id: string): Promise<TlsCredentials> {
    const directory = join(consortium.directory, "managers", "manager-1");
    const certificateFile = join(directory, "ca.crt");
    const keyFile = join(directory, "ca.key");
    const caPem = readFileSync(join(consortium.directory, "ca-bundle.pem"));
    const authority = await loadCertificateAuthority({
      consortiumName: consortium.genesis.name,
      caPem,
      certificateFile,
      keyFile,
      certificatePem: readFileSync(certificateFile, "utf8"),
      keyPem: readFileSync(keyFile, "utf8"),
    });
    const issued = await issueCertificate(authority, { role, id, hosts: [], nowMs: Date.now() });
    return { certPem: issued.certificatePem, keyPem: issued.keyPem, caPem };
  }
});

function callSubmit(client: Client, request: Uint8Array): Promise<Uint8Array> {
  const bytes = (value: Buffer) => value;
  return new Promise((resolve, reject) => {
    const deadline = Date.now() + 120_000;
    client.makeUnaryRequest(
      submitPath,
      bytes,
      bytes,
      Buffer.from(request),
      { deadline },
      (error, response) => {
        if (error || response === undefined) reject(error);
        else resolve(new Uint8Array(response));
      },
    );
  });
}

/** The gRPC status of a call that fails, and what its google.rpc details say. */
async function refusalOf(client: Client, request: Uint8Array): Promise<Refusal> {
  const error = await callSubmit(client, request).then(
    () => assert.fail("the call succeeded"),
    (thrown: ServiceError) => thrown,
  );
  const status = statusName(error.code);
  const [trailer] = error.metadata.get("grpc-status-details-bin");
  if (!(trailer instanceof Uint8Array)) return { status };
  const { details } = fromBinary(StatusSchema, new Uint8Array(trailer));
  const info = details.map((any) => anyUnpack(any, ErrorInfoSchema)).find(Boolean);
  assert.equal(info?.domain, "bss");
  const bad = details.map((any) => anyUnpack(any, BadRequestSchema)).find(Boolean);
  const field = bad?.fieldViolations[0]?.field;
  return { status, reason: info?.reason ?? "", ...(field === undefined ? {} : { field }) };
}
