/**
 * gRPC reflection (v1 and v1alpha, which differ in their package only). It answers from the
 * descriptors that protobuf-es embeds in the generated code, with the comments of the proto files.
 * Besides the services it describes what comes in an Any: the details of a refusal, and the
 * well-known types. See github.com/grpc/grpc/blob/master/doc/server-reflection.md.
 */
import type {
  DescEnum,
  DescFile,
  DescMessage,
  DescService,
  MessageInitShape,
} from "@bufbuild/protobuf";
import {
  file_google_protobuf_any,
  file_google_protobuf_api,
  file_google_protobuf_descriptor,
  file_google_protobuf_duration,
  file_google_protobuf_empty,
  file_google_protobuf_field_mask,
  file_google_protobuf_source_context,
  file_google_protobuf_struct,
  file_google_protobuf_timestamp,
  file_google_protobuf_type,
  file_google_protobuf_wrappers,
} from "@bufbuild/protobuf/wkt";
import { file_google_rpc_error_details } from "../../gen/google/rpc/error_details_pb.js";
import { file_google_rpc_status } from "../../gen/google/rpc/status_pb.js";
import type {
  ServerReflection,
  ServerReflectionRequest,
  ServerReflectionResponseSchema,
} from "../../gen/grpc/reflection/v1/reflection_pb.js";
import { statusCodes } from "../status-codes.js";
import { type Comments, commentedFile } from "./commented-file.js";
import type { ServiceHandlers } from "./handlers.js";

type Answer = NonNullable<
  MessageInitShape<typeof ServerReflectionResponseSchema>["messageResponse"]
>;

/** Files that no service imports, and that callers need all the same. */
const otherFiles: readonly DescFile[] = [
  file_google_rpc_status,
  file_google_rpc_error_details,
  file_google_protobuf_any,
  file_google_protobuf_api,
  file_google_protobuf_descriptor,
  file_google_protobuf_duration,
  file_google_protobuf_empty,
  file_google_protobuf_field_mask,
  file_google_protobuf_source_context,
  file_google_protobuf_struct,
  file_google_protobuf_timestamp,
  file_google_protobuf_type,
  file_google_protobuf_wrappers,
];

export class Reflection {
  readonly #services: string[] = [];
  readonly #filesByName = new Map<string, DescFile>();
  readonly #filesBySymbol = new Map<string, DescFile>();
  readonly #bytes = new Map<DescFile, Uint8Array>();
  readonly #messages = new Set<string>();
  #comments: Comments | undefined;

  constructor() {
    for (const file of otherFiles) this.#addFile(file);
  }

  readonly handlers: ServiceHandlers<typeof ServerReflection> = {
    serverReflectionInfo: async (_context, stream) => {
      // Few nodes are ever asked, so the comments take memory only then.
      this.#comments ??= (await import("../../gen/comments.js")).comments;
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
    const bytes = commentedFile(file, this.#comments ?? {});
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
    for (const nested of message.nestedEnums) yield* symbolsOfEnum(nested);
  }
  for (const each of file.enums) yield* symbolsOfEnum(each);
  for (const extension of file.extensions) yield extension.typeName;
}

/** Values stand beside their enum, not in it. */
function* symbolsOfEnum({ typeName, values }: DescEnum): Generator<string> {
  yield typeName;
  const scope = typeName.slice(0, typeName.lastIndexOf(".") + 1);
  for (const { name } of values) yield `${scope}${name}`;
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
