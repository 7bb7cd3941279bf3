/**
 * The descriptor of a proto file with its comments, as compilers write it: generated code holds
 * descriptors without comments, which are in a module of their own.
 */
import { create, type DescFile, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  type DescriptorProto,
  type EnumDescriptorProto,
  FileDescriptorProtoSchema,
  type SourceCodeInfo_LocationSchema,
  SourceCodeInfoSchema,
} from "@bufbuild/protobuf/wkt";

/** Texts by full names, those of a file by the file's name; without slashes. */
export type Comments = Readonly<Record<string, string>>;

type Named = readonly [path: readonly number[], name: string];
type Location = MessageInitShape<typeof SourceCodeInfo_LocationSchema>;

/** Bytes of the FileDescriptorProto, with a SourceCodeInfo that has comments and no positions. */
export function commentedFile({ proto }: DescFile, comments: Comments): Uint8Array {
  const location = namesOf(proto).flatMap(([path, name]): Location[] => {
    const text = Object.hasOwn(comments, name) ? comments[name] : undefined;
    if (text === undefined) return [];
    const leadingComments = text.replace(/^(?=.)/gm, " ").concat("\n");
    // Positions are required; nothing is known of them.
    return [{ path: [...path], span: [0, 0, 0], leadingComments }];
  });
  const sourceCodeInfo = create(SourceCodeInfoSchema, { location });
  return toBinary(FileDescriptorProtoSchema, { ...proto, sourceCodeInfo });
}

/** Numbers of fields in descriptor.proto, by which SourceCodeInfo names what a file declares. */
const inFile = { package: 2, message: 4, enum: 5, service: 6 } as const;
const inMessage = { field: 2, nested: 3, enum: 4, oneof: 8 } as const;
const inEnum = { value: 2 } as const;
const inService = { method: 2 } as const;

function namesOf(file: DescFile["proto"]): Named[] {
  const scope = file.package;
  return [
    [[inFile.package], file.name],
    ...file.messageType.flatMap((each, i) => namesInMessage(each, scope, [inFile.message, i])),
    ...file.enumType.flatMap((each, i) => namesInEnum(each, scope, [inFile.enum, i])),
    ...file.service.flatMap(({ name, method }, i): Named[] => {
      const full = `${scope}.${name}`;
      const path = [inFile.service, i];
      return [
        [path, full],
        ...method.map((each, j): Named => [[...path, inService.method, j], `${full}.${each.name}`]),
      ];
    }),
  ];
}

function namesInMessage(message: DescriptorProto, scope: string, path: readonly number[]): Named[] {
  const full = `${scope}.${message.name}`;
  const named = (kind: number, each: { readonly name: string }, i: number): Named => {
    return [[...path, kind, i], `${full}.${each.name}`];
  };
  return [
    [path, full],
    ...message.field.map((each, i) => named(inMessage.field, each, i)),
    ...message.oneofDecl.map((each, i) => named(inMessage.oneof, each, i)),
    ...message.nestedType.flatMap((each, i) =>
      namesInMessage(each, full, [...path, inMessage.nested, i]),
    ),
    ...message.enumType.flatMap((each, i) => namesInEnum(each, full, [...path, inMessage.enum, i])),
  ];
}

/** Values stand beside their enum, not in it. */
function namesInEnum(each: EnumDescriptorProto, scope: string, path: readonly number[]): Named[] {
  return [
    [path, `${scope}.${each.name}`],
    ...each.value.map(({ name }, i): Named => [[...path, inEnum.value, i], `${scope}.${name}`]),
  ];
}
