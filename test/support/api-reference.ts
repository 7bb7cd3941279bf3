/** docs/api.md, whole: the reference of the API, from the proto files and their comments. */
import {
  type DescEnum,
  type DescField,
  type DescFile,
  type DescMessage,
  type DescMethod,
  type DescService,
  ScalarType,
} from "@bufbuild/protobuf";
import { file_bss_v1_block } from "../../src/gen/bss/v1/block_pb.js";
import { file_bss_v1_broadcast } from "../../src/gen/bss/v1/broadcast_pb.js";
import { file_bss_v1_canonical } from "../../src/gen/bss/v1/canonical_pb.js";
import { file_bss_v1_genesis } from "../../src/gen/bss/v1/genesis_pb.js";
import { file_bss_v1_governance } from "../../src/gen/bss/v1/governance_pb.js";
import { file_bss_v1_members } from "../../src/gen/bss/v1/members_pb.js";
import { file_bss_v1_query } from "../../src/gen/bss/v1/query_pb.js";
import { file_bss_v1_record } from "../../src/gen/bss/v1/record_pb.js";
import { file_bss_v1_registration } from "../../src/gen/bss/v1/registration_pb.js";
import { file_bss_v1_verify_integrity } from "../../src/gen/bss/v1/verify_integrity_pb.js";
import { file_bss_v1_vote } from "../../src/gen/bss/v1/vote_pb.js";
import { comments } from "../../src/gen/comments.js";
import { type Reason, reasonTable } from "../../src/rpc/reasons.js";
import { methodRoles } from "../../src/rpc/server/method-roles.js";
import { memberRoles } from "../../src/rpc/tls/tls-identity.js";
import { reasonsOfEveryCall, reasonsOfMethod } from "./method-reasons.js";

/** In the order in which somebody who writes a client needs them. */
export const apiFiles: readonly DescFile[] = [
  file_bss_v1_broadcast,
  file_bss_v1_query,
  file_bss_v1_registration,
  file_bss_v1_governance,
  file_bss_v1_record,
  file_bss_v1_block,
  file_bss_v1_canonical,
  file_bss_v1_genesis,
  file_bss_v1_members,
  file_bss_v1_vote,
  file_bss_v1_verify_integrity,
];

export function renderApiReference(): string {
  const services = apiFiles.flatMap((file) => file.services);
  const parts = [
    introduction,
    methodTable(services),
    `## Errors of every method\n\n${everyCall}\n\n${reasonRows(reasonsOfEveryCall)}`,
    ...services.map(serviceSection),
    ...apiFiles.flatMap(typesOfFile),
  ];
  return `${parts.join("\n\n")}\n`;
}

function methodTable(services: readonly DescService[]): string {
  const rows = services.flatMap((service) =>
    service.methods.map((method) => {
      const name = `[${method.name}](#${anchor(`${service.name}.${method.name}`)})`;
      return `| ${service.name} | ${name} | ${kindWords[method.methodKind]} | ${callers(method)} |`;
    }),
  );
  return ["| service | method | kind | callers |", "|---|---|---|---|", ...rows].join("\n");
}

const kindWords = {
  unary: "unary",
  server_streaming: "server stream",
  client_streaming: "client stream",
  bidi_streaming: "both stream",
} as const;

function pathOf({ parent, name }: DescMethod): string {
  return `${parent.typeName}/${name}`;
}

function callers(method: DescMethod): string {
  const roles = methodRoles[pathOf(method)] ?? [];
  const missing = memberRoles.filter((role) => !roles.includes(role));
  if (missing.length > 0) return roles.join(", ");
  return roles.length > memberRoles.length ? "any, also invited" : "any";
}

function serviceSection(service: DescService): string {
  const methods = service.methods.map((method) => {
    const reasons = reasonsOfMethod(pathOf(method));
    return [
      `### ${service.name}.${method.name}`,
      "",
      `Request: ${stream(method, "request")}${typeLink(method.input)}. ` +
        `Response: ${stream(method, "response")}${typeLink(method.output)}.`,
      ...paragraphs(`${service.typeName}.${method.name}`),
      ...(reasons.length === 0 ? [] : ["", reasonRows(reasons)]),
    ].join("\n");
  });
  return [[`## ${service.name}`, ...paragraphs(service.typeName)].join("\n"), ...methods].join(
    "\n\n",
  );
}

function stream({ methodKind }: DescMethod, side: "request" | "response"): string {
  const other = side === "request" ? "client_streaming" : "server_streaming";
  return methodKind === "bidi_streaming" || methodKind === other ? "stream of " : "";
}

/** Reasons by their gRPC status, each once. */
function reasonRows(reasons: readonly Reason[]): string {
  const byStatus = new Map<string, string[]>();
  for (const reason of reasons) {
    const { status } = reasonTable[reason];
    byStatus.set(status, [...(byStatus.get(status) ?? []), `\`${reason}\``]);
  }
  const rows = [...byStatus]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([status, names]) => `| ${status} | ${names.join(", ")} |`);
  return ["| gRPC status | reasons |", "|---|---|", ...rows].join("\n");
}

function typesOfFile(file: DescFile): string[] {
  const messages = file.messages.flatMap(withNested);
  if (messages.length + file.enums.length === 0) return [];
  const path = file.proto.name;
  const head = [`## Messages of ${path}`, ...paragraphs(path)].join("\n");
  return [head, ...messages.map(messageSection), ...file.enums.map(enumSection)];
}

function withNested(message: DescMessage): DescMessage[] {
  return [message, ...message.nestedMessages.flatMap(withNested)];
}

function messageSection(message: DescMessage): string {
  const rows = message.fields.map((field) => {
    const oneof = field.oneof === undefined ? "" : `One of \`${field.oneof.name}\`. `;
    const text = oneof + inTable(comments[`${message.typeName}.${field.name}`] ?? "");
    return `| ${field.number} | \`${field.name}\` | ${fieldType(field)} | ${text.trim()} |`;
  });
  const head = ["", "| | field | type | |", "|---|---|---|---|"];
  return [
    `### ${localName(message)}`,
    ...paragraphs(message.typeName),
    ...(rows.length === 0 ? [] : [...head, ...rows]),
  ].join("\n");
}

function enumSection(each: DescEnum): string {
  const scope = each.typeName.slice(0, each.typeName.lastIndexOf(".") + 1);
  const rows = each.values.map(({ name, number }) => {
    return `| ${number} | \`${name}\` | ${inTable(comments[scope + name] ?? "")} |`;
  });
  const head = ["", "| | value | |", "|---|---|---|"];
  return [`### ${localName(each)}`, ...paragraphs(each.typeName), ...head, ...rows].join("\n");
}

function fieldType(field: DescField): string {
  switch (field.fieldKind) {
    case "scalar":
      return field.proto.proto3Optional ? `optional ${scalar(field.scalar)}` : scalar(field.scalar);
    case "enum":
      return typeLink(field.enum);
    case "message":
      return typeLink(field.message);
    case "list":
      return `repeated ${elementType(field)}`;
    case "map":
      return `map of ${scalar(field.mapKey)} to ${elementType(field)}`;
  }
}

function elementType(field: DescField & { readonly fieldKind: "list" | "map" }): string {
  if (field.message !== undefined) return typeLink(field.message);
  if (field.enum !== undefined) return typeLink(field.enum);
  return scalar(field.scalar ?? ScalarType.BYTES);
}

function scalar(type: ScalarType): string {
  return ScalarType[type].toLowerCase();
}

function typeLink(type: DescMessage | DescEnum): string {
  const name = localName(type);
  return `[${name}](#${anchor(name)})`;
}

/** Without the package. */
function localName({ typeName, file }: DescMessage | DescEnum): string {
  return typeName.slice(file.proto.package.length + 1);
}

/** As GitHub makes anchors of headings. */
function anchor(heading: string): string {
  return heading.toLowerCase().replaceAll(/[^a-z0-9_ -]/g, "");
}

function paragraphs(name: string): string[] {
  const text = comments[name];
  if (text === undefined) return [];
  // Two spaces set formulas off; Markdown wants four.
  return ["", escaped(text).replaceAll(/^ {2}(?=\S)/gm, "    ")];
}

function inTable(text: string): string {
  return escaped(text).replaceAll("|", "\\|").replaceAll(/\s+/g, " ");
}

function escaped(text: string): string {
  return text
    .split("\n")
    .map((line) =>
      line.startsWith("  ") ? line : line.replaceAll("<", "&lt;").replaceAll("*", "\\*"),
    )
    .join("\n");
}

const introduction = `# API reference

<!-- Rendered from proto/ and its comments by \`make proto\`. -->

The gRPC API, package \`bss.v1\`, method by method and message by message.
[Integrators](integrators.md) says how to generate and use a client, [Errors](errors.md) what each
reason means and when to try again. Every node also serves \`grpc.health.v1.Health\` and
\`grpc.reflection.v1.ServerReflection\` (and v1alpha) to any caller; reflection serves these
comments, too.

**Compatibility.** What was accepted is kept in \`proto/api-baseline.binpb\`, and \`make check\`
refuses whatever would break a client of it: generated code that no longer compiles, or messages
that are read otherwise. While the version is 0.x, a new minor version may break the API, and the
changelog says how; a patch never does. From 1.0 on, nothing in \`bss.v1\` breaks: a change that
must break becomes \`bss.v2\` beside it. New fields, methods, enum values and reasons may come
at any time: ignore what you do not know. Field numbers, names and reasons are never used again
for something else. Not promised are texts for people, the order of fields in encoded messages,
and \`bss.store\`, which is internal and never sent.`;

const everyCall = `Before it looks at what a call asks for, a node may refuse with:`;
