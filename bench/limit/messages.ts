/**
 * What a message costs at one of its ends: grpc-js with nothing of ours around it, a stream in both
 * directions over mutual TLS 1.3 on loopback. Both ends are in this process, so each message is
 * paid for twice, and the costs are divided by two.
 */
import {
  ChannelCredentials,
  Client,
  type ClientDuplexStream,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
} from "@grpc/grpc-js";
import { TestAuthority, uriOf } from "../../test/support/pki.js";
import { median } from "../report/statistics.js";

const path = "/bench.Echo/Exchange";
/** About a signed vote. */
const smallBytes = 150;
const largeBytes = 64 * 1_024;
const rounds = 7;
const alone = 100;
const inRow = 1_000;
const large = 64;

const asIs = (bytes: Buffer) => bytes;
const method = {
  path,
  requestStream: true,
  responseStream: true,
  requestSerialize: asIs,
  requestDeserialize: asIs,
  responseSerialize: asIs,
  responseDeserialize: asIs,
};

type Stream = ClientDuplexStream<Buffer, Buffer>;

export async function measureMessages(): Promise<{
  readonly messageAlone: number;
  readonly messageInRow: number;
  readonly kibibyte: number;
}> {
  const authority = await TestAuthority.create();
  const [near, far] = [
    await authority.issue({ uris: [uriOf("manager", "manager-1")] }),
    await authority.issue({ uris: [uriOf("manager", "manager-2")] }),
  ];
  const ca = Buffer.from(authority.certPem);
  const pair = { private_key: Buffer.from(far.keyPem), cert_chain: Buffer.from(far.certPem) };
  const server = new Server();
  server.addService({ exchange: method }, { exchange: answer });
  const port = await new Promise<number>((resolve, reject) => {
    const credentials = ServerCredentials.createSsl(ca, [pair], true);
    server.bindAsync("127.0.0.1:0", credentials, (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  const credentials = ChannelCredentials.createSsl(
    ca,
    Buffer.from(near.keyPem),
    Buffer.from(near.certPem),
    { checkServerIdentity: () => undefined },
  );
  const client = new Client(`127.0.0.1:${port}`, credentials, {
    // TLS allows no address as the server's name, and nobody looks at this one.
    "grpc.ssl_target_name_override": "bench",
  });
  const stream: Stream = client.makeBidiStreamRequest(path, asIs, asIs);
  try {
    const small = Buffer.alloc(smallBytes, 7);
    const bulk = Buffer.alloc(largeBytes, 7);
    const pingPong = () => exchange(stream, small, alone, 1);
    const burst = () => exchange(stream, small, inRow, inRow);
    const carry = () => exchange(stream, bulk, large, 8);
    // Each message that is sent is echoed: four ends.
    return {
      messageAlone: (await cpuUsOf(pingPong)) / (4 * alone),
      messageInRow: (await cpuUsOf(burst)) / (4 * inRow),
      kibibyte: (await cpuUsOf(carry)) / (4 * large * (largeBytes / 1_024)),
    };
  } finally {
    stream.on("error", () => {});
    stream.cancel();
    client.close();
    server.forceShutdown();
  }
}

function answer(call: ServerDuplexStream<Buffer, Buffer>): void {
  call.on("data", (message: Buffer) => call.write(message));
  call.on("end", () => call.end());
  call.on("error", () => {});
}

/** Sends so many messages, some at a time, and waits for the echo of each. */
function exchange(stream: Stream, message: Buffer, count: number, atATime: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let [sent, echoed] = [0, 0];
    const send = () => {
      for (const end = Math.min(count, sent + atATime); sent < end; sent++) stream.write(message);
    };
    const end = (error?: Error) => {
      stream.off("data", take);
      stream.off("error", end);
      if (error === undefined) resolve();
      else reject(error);
    };
    const take = () => {
      echoed += 1;
      if (echoed === count) end();
      else if (echoed === sent) send();
    };
    stream.on("data", take);
    stream.on("error", end);
    send();
  });
}

async function cpuUsOf(work: () => Promise<void>): Promise<number> {
  await work();
  const costs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(before);
    costs.push(user + system);
  }
  return median(costs);
}
