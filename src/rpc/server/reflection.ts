/**
 * gRPC reflection (v1 and v1alpha, which differ in their package only). It answers from the
 * descriptors that protobuf-es embeds in the generated code. See
 * github.com/grpc/grpc/blob/master/doc/server-reflection.md.
 */
import type { DescFile, DescMessage, DescService, MessageInitShape } from "@bufbuild/protobuf";
import { toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import type {
  ServerReflection,
  ServerReflectionRequest,
  ServerReflectionResponseSchema,
} from "../../gen/grpc/reflection/v1/reflection_pb.js";
import { statusCodes } from "../status-codes.js";
import type { ServiceHandlers } from "./handlers.js";

type Answer = NonNullable<
  MessageInitShape<typeof ServerReflectionResponseSchema>["messageResponse"]
>;

export class Reflection {
  readonly #services: string[] = [];
  readonly #filesByName = new Map<string, DescFile>();
  readonly #filesBySymbol = new Map<string, DescFile>();
  readonly #bytes = new Map<DescFile, Uint8Array>();
  readonly #messages = new Set<string>();

  readonly handlers: ServiceHandlers<typeof ServerReflection> = {
    serverReflectionInfo: async (_context, stream) => {
      for await (const originalRequest of stream.messages) {
        const messageResponse = this.#answer(originalRequest.messageRequest);
        const validHost = originalRequest.host;
        if (!(await stream.write({ validHost, originalRequest, messageResponse }))) return;
      }
    },
  };

  add(service: DescService): void {
    this.#services.push(service.typeName);
    this.#addFile(service.file);
  }

  #answer(request: ServerReflectionRequest["messageRequest"]): Answer {
    switch (request.case) {
      case "listServices":
        return {
          case: "listServicesResponse",
          value: { service: this.#services.toSorted().map((name) => ({ name })) },
        };
      case "fileByFilename":
        return this.#files(this.#filesByName.get(request.value), request.value);
      case "fileContainingSymbol":
        return this.#files(this.#filesBySymbol.get(request.value), request.value);
      case "fileContainingExtension":
        return notFound(`an extension of ${request.value.containingType}`);
      case "allExtensionNumbersOfType":
        if (!this.#messages.has(request.value)) return notFound(request.value);
        return {
          case: "allExtensionNumbersResponse",
          value: { baseTypeName: request.value, extensionNumber: [] },
        };
      case undefined:
        return failure(statusCodes.INVALID_ARGUMENT, "the request asks for nothing that is known");
    }
  }

  /** A file and all that it imports, itself first. */
  #files(file: DescFile | undefined, what: string): Answer {
    if (file === undefined) return notFound(what);
    const files = new Set([file]);
    for (const each of files) for (const dependency of each.dependencies) files.add(dependency);
    const fileDescriptorProto = [...files].map((each) => this.#bytesOf(each));
    return { case: "fileDescriptorResponse", value: { fileDescriptorProto } };
  }

  #bytesOf(file: DescFile): Uint8Array {
    const known = this.#bytes.get(file);
    if (known !== undefined) return known;
    const bytes = toBinary(FileDescriptorProtoSchema, file.proto);
    this.#bytes.set(file, bytes);
    return bytes;
  }

  #addFile(file: DescFile): void {
    if (this.#filesByName.has(file.proto.name)) return;
    this.#filesByName.set(file.proto.name, file);
    for (const symbol of symbolsOf(file)) this.#filesBySymbol.set(symbol, file);
    for (const message of messagesOf(file.messages)) this.#messages.add(message.typeName);
    for (const dependency of file.dependencies) this.#addFile(dependency);
  }
}

/** Full names of everything that a file declares. */
function* symbolsOf(file: DescFile): Generator<string> {
  for (const service of file.services) {
    yield service.typeName;
    for (const method of service.methods) yield `${service.typeName}.${method.name}`;
  }
  for (const message of messagesOf(file.messages)) {
    yield message.typeName;
    for (const { name } of [...message.fields, ...message.oneofs]) {
      yield `${message.typeName}.${name}`;
    }
    for (const nested of message.nestedEnums) yield nested.typeName;
  }
  for (const each of file.enums) yield each.typeName;
}

function* messagesOf(messages: readonly DescMessage[]): Generator<DescMessage> {
  for (const message of messages) {
    yield message;
    yield* messagesOf(message.nestedMessages);
  }
}

function notFound(what: string): Answer {
  return failure(statusCodes.NOT_FOUND, `not found: ${what}`);
}

function failure(errorCode: number, errorMessage: string): Answer {
  return { case: "errorResponse", value: { errorCode, errorMessage } };
}
