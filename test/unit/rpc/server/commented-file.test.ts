import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { comments } from "../../../../src/gen/comments.js";
import { commentedFile } from "../../../../src/rpc/server/commented-file.js";
import { apiFiles } from "../../../support/api-reference.js";
import { repositoryRoot } from "../../../support/tree.js";

describe("a file with its comments", () => {
  const root = repositoryRoot();
  const buf = join(root, "node_modules", ".bin", "buf");
  const set = fromBinary(
    FileDescriptorSetSchema,
    execFileSync(buf, ["build", "--as-file-descriptor-set", "-o", "-"], { cwd: root }),
  );

  for (const file of apiFiles) {
    test(`is ${file.proto.name} as a compiler describes it`, () => {
      const compiled = set.file.find(({ name }) => name === file.proto.name);
      assert.ok(compiled);
      const described = fromBinary(FileDescriptorProtoSchema, commentedFile(file, comments));
      const commentsOf = ({ sourceCodeInfo }: typeof described) =>
        (sourceCodeInfo?.location ?? [])
          // A file's own comments stand by themselves in the source, and options are no symbols.
          .filter(({ path, leadingComments }) => path.length > 1 && leadingComments !== "")
          .filter(({ path }) => path[0] !== 8)
          .map(({ path, leadingComments }) => `${path.join(".")}:${leadingComments}`)
          .toSorted();
      assert.deepEqual(commentsOf(described), commentsOf(compiled));
      assert.ok(commentsOf(described).length > 0);
      assert.deepEqual(described.messageType, compiled.messageType);
    });
  }
});
