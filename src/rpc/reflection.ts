/** gRPC reflection (v1 and v1alpha) from the descriptors that protobuf-es embeds in the generated code. */
import type { DescFile, DescService } from "@bufbuild/protobuf";
import { toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import type { Server } from "@grpc/grpc-js";
import { ReflectionService } from "@grpc/reflection";

export function addReflection(server: Server, services: readonly DescService[]): void {
  const files = new Map<string, Buffer>();
  for (const service of services) collectFiles(service.file, files);
  // The package reads the descriptors of a proto-loader package definition and nothing else of it.
  const definition = { bss: { fileDescriptorProtos: [...files.values()] } };
  const names = services.map((service) => service.typeName);
  type PackageDefinition = ConstructorParameters<typeof ReflectionService>[0];
  const reflection = new ReflectionService(definition as unknown as PackageDefinition, {
    services: names,
  });
  reflection.addToServer(server);
}

function collectFiles(file: DescFile, into: Map<string, Buffer>): void {
  if (into.has(file.name)) return;
  into.set(file.name, Buffer.from(toBinary(FileDescriptorProtoSchema, file.proto)));
  for (const dependency of file.dependencies) collectFiles(dependency, into);
}
