/**
 * Dials managers as storage nodes do. Managers send the same bytes to many nodes; the nodes of a
 * process decode them once, so that a machine can play more nodes than it has cores for.
 */
import { Metadata } from "@grpc/grpc-js";
import {
  type VerifyIntegrityResponse,
  VerifyIntegrityService,
} from "../../src/gen/bss/v1/verify_integrity_pb.js";
import type { GenesisState } from "../../src/ledger/genesis.js";
import { answerBounds } from "../../src/rpc/bounds/method-bounds.js";
import { createChannel } from "../../src/rpc/channels/channel.js";
import { ClientStream } from "../../src/rpc/channels/client-stream.js";
import {
  decodeMessage,
  encodeMessage,
  identityOfBytes,
  methodName,
  methodPath,
} from "../../src/rpc/message-codec.js";
import type { TlsCredentials } from "../../src/rpc/tls/tls.js";
import { type ManagerLinks, reconnectMaxMs } from "../../src/storage-node/manager-links.js";

type Dial = ConstructorParameters<typeof ManagerLinks>[0]["dial"];

const messageBytesMax = 16 * 1024 * 1024;
/** A process of many nodes answers pings late. */
const keepaliveTimeoutMs = 60_000;
/** The last messages: of a few managers and a few kinds. */
const remembered = 32;

export function lightDial(
  { name: consortiumName, members }: GenesisState,
  tls: TlsCredentials,
  decoder: SharedDecoder,
): Dial {
  const { verifyIntegrity: method } = VerifyIntegrityService.method;
  return ({ managerId, address, tlsSpkiSha256: spkiSha256 }) => {
    const channel = createChannel({
      address,
      tls,
      messageBytesMax,
      keepaliveTimeoutMs,
      reconnectMaxMs: reconnectMaxMs(members.storageNodes.length),
      expected: { consortiumName, role: "manager", id: managerId, spkiSha256 },
    });
    const open = () => {
      const path = methodPath(method);
      const { grpcClient } = channel;
      const metadata = new Metadata();
      return grpcClient.makeBidiStreamRequest(path, identityOfBytes, identityOfBytes, metadata);
    };
    return {
      verifyIntegrity: () =>
        new ClientStream(open(), {
          encode: (message) => encodeMessage(method.input, message),
          decode: (bytes) => decoder.decode(bytes),
        }),
      close: () => channel.close(),
    };
  };
}

export class SharedDecoder {
  readonly #known: { readonly bytes: Buffer; readonly message: VerifyIntegrityResponse }[] = [];

  decode(bytes: Buffer): VerifyIntegrityResponse {
    const found = this.#known.find((each) => each.bytes.equals(bytes));
    if (found !== undefined) return found.message;
    const method = VerifyIntegrityService.method.verifyIntegrity;
    const message = decodeMessage(method.output, bytes, answerBounds(methodName(method)));
    this.#known.push({ bytes, message });
    if (this.#known.length > remembered) this.#known.shift();
    return message;
  }
}
