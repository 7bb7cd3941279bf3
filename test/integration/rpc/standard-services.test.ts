import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { create, createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import {
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";
import { BroadcastService } from "../../../src/gen/bss/v1/broadcast_pb.js";
import { QueryService } from "../../../src/gen/bss/v1/query_pb.js";
import { VerifyIntegrityService } from "../../../src/gen/bss/v1/verify_integrity_pb.js";
import { VoteService } from "../../../src/gen/bss/v1/vote_pb.js";
import {
  Health,
  HealthCheckResponse_ServingStatus,
} from "../../../src/gen/grpc/health/v1/health_pb.js";
import { ServerReflection } from "../../../src/gen/grpc/reflection/v1/reflection_pb.js";
import * as v1alpha from "../../../src/gen/grpc/reflection/v1alpha/reflection_pb.js";
import { createClient } from "../../../src/rpc/channels/typed-client.js";
import type { RpcServer } from "../../../src/rpc/server/server.js";
import { RpcConsortium, rpcErrorFrom } from "../../support/rpc-consortium.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";
import { repositoryRoot } from "../../support/tree.js";

const { SERVING, NOT_SERVING, SERVICE_UNKNOWN } = HealthCheckResponse_ServingStatus;
const services = [BroadcastService, QueryService, VerifyIntegrityService, VoteService] as const;

let consortium: RpcConsortium;
let server: RpcServer;
let address = "";

before(async () => {
  consortium = await RpcConsortium.create();
  server = await consortium.server();
  for (const service of services) server.implement(service, {});
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  address = `127.0.0.1:${port}`;
});
after(() => consortium.close());

async function connect() {
  return consortium.connect(address, "auditor", "auditor-1");
}

/** A channel to a server that listens from now on. */
async function listening(other: RpcServer) {
  const { port } = await other.listen({ host: "127.0.0.1", port: 0 });
  return consortium.connect(`127.0.0.1:${port}`, "auditor", "auditor-1");
}

describe("health", () => {
  test("says NOT_SERVING when the server refuses calls before it listens", async () => {
    const halted = await consortium.server();
    halted.refuseCalls("NODE_HALTED", "two blocks are final at one height");
    const client = createClient(Health, await listening(halted));
    assert.equal((await client.check({})).status, NOT_SERVING);
  });

  test("says SERVING for the node and each of its services", async () => {
    const client = createClient(Health, await connect());
    for (const service of ["", ...services.map(({ typeName }) => typeName)]) {
      assert.equal((await client.check({ service })).status, SERVING, service);
    }
    const { statuses } = await client.list({});
    assert.equal(Object.keys(statuses).length, services.length + 1);
    const error = await rpcErrorFrom(client.check({ service: "no.such.Service" }));
    assert.equal(error.status, "NOT_FOUND");
    assert.equal(error.reason, "SERVICE_UNKNOWN");
  });

  test("tells those who watch each change, and nothing else", async () => {
    const halting = (await consortium.server()).implement(QueryService, {});
    const client = createClient(Health, await listening(halting));
    const seen: number[] = [];
    const watching = async () => {
      for await (const { status } of client.watch({ service: QueryService.typeName })) {
        seen.push(status);
        if (status !== NOT_SERVING) halting.refuseCalls("NODE_HALTED", "the chain forks");
        // This says once more that it does not serve, and ends the stream.
        else void halting.close(100);
      }
    };
    await assert.rejects(watching());
    assert.deepEqual(seen, [SERVING, NOT_SERVING]);
  });

  test("tells those who watch that it does not know a service", async () => {
    const client = createClient(Health, await connect());
    for await (const { status } of client.watch({ service: "no.such.Service" })) {
      assert.equal(status, SERVICE_UNKNOWN);
      break;
    }
  });

  test("answers while the node refuses its own services, and says so", async () => {
    const halting = (await consortium.server()).implement(QueryService, {});
    const channel = await listening(halting);
    halting.refuseCalls("NODE_HALTED", "the chain forks");
    assert.equal((await createClient(Health, channel).check({})).status, NOT_SERVING);
    const refused = createClient(QueryService, channel).getStatus({});
    assert.equal((await rpcErrorFrom(refused)).reason, "NODE_HALTED");
  });

  test("is for registered identities only", async () => {
    const stranger = await consortium.authority.issue({ uris: ["bss://demo/auditor/nobody"] });
    const client = createClient(Health, consortium.connectWith(address, stranger));
    assert.equal((await rpcErrorFrom(client.check({}))).reason, "CERTIFICATE_UNKNOWN");
  });
});

describe("reflection", () => {
  const standard = [Health, ServerReflection, v1alpha.ServerReflection];

  /** The answers to requests on one stream. */
  async function ask(
    messageRequests: readonly {
      case:
        | "listServices"
        | "fileByFilename"
        | "fileContainingSymbol"
        | "allExtensionNumbersOfType";
      value: string;
    }[],
  ) {
    const stream = createClient(ServerReflection, await connect()).serverReflectionInfo();
    for (const messageRequest of messageRequests) await stream.write({ messageRequest });
    stream.end();
    const answers = [];
    for await (const { messageResponse } of stream.messages) answers.push(messageResponse);
    assert.equal(answers.length, messageRequests.length);
    return answers;
  }

  test("lists every service of the node", async () => {
    const [answer] = await ask([{ case: "listServices", value: "*" }]);
    assert.equal(answer?.case, "listServicesResponse");
    const names = [...services, ...standard].map(({ typeName }) => typeName);
    assert.deepEqual(
      answer.case === "listServicesResponse" && answer.value.service.map(({ name }) => name),
      names.toSorted(),
    );
  });

  for (const service of [...services, ...standard]) {
    test(`describes ${service.typeName} with all that it needs`, async () => {
      const [answer] = await ask([{ case: "fileContainingSymbol", value: service.typeName }]);
      assert.ok(answer?.case === "fileDescriptorResponse");
      const file = answer.value.fileDescriptorProto.map((bytes) =>
        fromBinary(FileDescriptorProtoSchema, bytes),
      );
      const registry = createFileRegistry(
        create(FileDescriptorSetSchema, { file: importsFirst(file) }),
      );
      const described = registry.getService(service.typeName);
      assert.deepEqual(
        described?.methods.map((method) => [method.name, method.input.typeName]),
        service.methods.map((method) => [method.name, method.input.typeName]),
      );
    });
  }

  test("finds files and symbols by name, and says when it has none", async () => {
    const answers = await ask([
      { case: "fileByFilename", value: "bss/v1/query.proto" },
      { case: "fileContainingSymbol", value: "bss.v1.QueryService.GetStatus" },
      { case: "fileContainingSymbol", value: "bss.v1.RecordEntry.record" },
      { case: "fileContainingSymbol", value: "bss.v1.MemberState" },
      { case: "allExtensionNumbersOfType", value: "bss.v1.RecordEntry" },
      { case: "fileByFilename", value: "no/such/file.proto" },
      { case: "fileContainingSymbol", value: "no.such.Symbol" },
      { case: "allExtensionNumbersOfType", value: "no.such.Type" },
    ]);
    for (const answer of answers.slice(0, 4)) {
      assert.ok(answer.case === "fileDescriptorResponse");
      const [first] = answer.value.fileDescriptorProto;
      assert.ok(first);
      assert.equal(fromBinary(FileDescriptorProtoSchema, first).name, "bss/v1/query.proto");
    }
    assert.equal(answers[4]?.case, "allExtensionNumbersResponse");
    for (const answer of answers.slice(5)) {
      assert.ok(answer.case === "errorResponse");
      assert.equal(answer.value.errorCode, 5);
    }
  });

  test("describes what comes in an Any: details of refusals and well-known types", async () => {
    const details = ["google.rpc.ErrorInfo", "google.rpc.BadRequest", "google.rpc.RetryInfo"];
    const names = ["Any", "Duration", "Timestamp", "Struct", "Empty", "FieldMask", "BytesValue"];
    const types = [...details, "google.rpc.Status", ...names.map((n) => `google.protobuf.${n}`)];
    const answers = await ask(
      types.map((value) => ({ case: "fileContainingSymbol", value }) as const),
    );
    for (const [i, answer] of answers.entries()) {
      assert.ok(answer.case === "fileDescriptorResponse", types[i]);
      const file = answer.value.fileDescriptorProto.map((bytes) =>
        fromBinary(FileDescriptorProtoSchema, bytes),
      );
      const set = create(FileDescriptorSetSchema, { file: importsFirst(file) });
      assert.ok(createFileRegistry(set).getMessage(types[i] ?? ""), types[i]);
    }
  });

  test("serves the comments of the proto files", async () => {
    const [answer] = await ask([{ case: "fileContainingSymbol", value: "bss.v1.WaitFor" }]);
    assert.ok(answer?.case === "fileDescriptorResponse");
    const [first] = answer.value.fileDescriptorProto;
    assert.ok(first);
    const file = fromBinary(FileDescriptorProtoSchema, first);
    const at = (...path: number[]) => {
      const found = file.sourceCodeInfo?.location.find((each) => `${each.path}` === `${path}`);
      return found?.leadingComments;
    };
    assert.equal(at(6, 0), " Where data comes in and how it reaches all managers.\n");
    assert.match(at(6, 0, 2, 0) ?? "", /^ Takes one submission .*\n submission's participant_id\./);
    assert.equal(at(5, 0, 2, 2), " Final on the ledger.\n");
    const record = file.messageType.findIndex(({ name }) => name === "RecordOutcome");
    assert.equal(at(4, record, 2, 2), " Kept and checked (WAIT_FOR_ACCEPTED).\n");
    assert.equal(at(4, record, 2, 1), undefined, "it has none");
  });

  test("is enough for buf curl to list and call, over v1 and v1alpha", async () => {
    const certificate = await consortium.certificateOf("auditor", "auditor-1");
    const directory = temporaryDirectory();
    const [cert, key] = [join(directory, "tls.crt"), join(directory, "tls.key")];
    writeFileSync(cert, certificate.certPem);
    writeFileSync(key, certificate.keyPem);
    const buf = join(repositoryRoot(), "node_modules", ".bin", "buf");
    const curl = async (path: string, ...options: string[]) => {
      const flags = ["curl", "--protocol", "grpc", "--cert", cert, "--key", key, "--insecure"];
      const url = `https://${address}${path}`;
      return (await promisify(execFile)(buf, [...flags, ...options, url])).stdout;
    };
    const listed = (await curl("", "--list-methods")).trim().split("\n");
    const methods = [...services, ...standard].flatMap((service) =>
      service.methods.map((method) => `${service.typeName}/${method.name}`),
    );
    assert.deepEqual(listed.toSorted(), methods.toSorted());
    const path = "/grpc.health.v1.Health/Check";
    const alpha = ["--reflect-protocol", "grpc-v1alpha"];
    assert.match(await curl(path, ...alpha, "-d", "{}"), /SERVING/);
  });
});

/** In the order that compilers write file sets: each file after those that it imports. */
function importsFirst(files: readonly FileDescriptorProto[]): FileDescriptorProto[] {
  const sorted = new Set<FileDescriptorProto>();
  const visit = (file: FileDescriptorProto) => {
    for (const name of file.dependency) {
      const dependency = files.find((each) => each.name === name);
      assert.ok(dependency, `${name} is missing`);
      visit(dependency);
    }
    sorted.add(file);
  };
  for (const file of files) visit(file);
  return [...sorted];
}
