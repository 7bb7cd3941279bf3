/**
 * Blocks that somebody changed: taken apart, edited, and put together with digests that fit again.
 */
import { clone, create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { defined } from "../../../../src/base/assert.js";
import {
  BlockSchema,
  type Leaf,
  LeafSchema,
  type ManagerBlock,
  type ManagerBlockHeader,
  ManagerBlockHeaderSchema,
  ManagerBlockSchema,
  type PrivateEntry,
  PrivateEntrySchema,
} from "../../../../src/gen/bss/v1/block_pb.js";
import {
  bodyDigest,
  certificatesDigest,
  controlRoot,
  leavesRoot,
  privateRoot,
} from "../../../../src/ledger/blocks/block-hashes.js";

/** A block in parts; an edit changes them in place. */
export type Parts = {
  readonly header: ManagerBlockHeader;
  control: Uint8Array[];
  leaves: Leaf[];
  entries: PrivateEntry[];
  records: Uint8Array[];
  previousCertificates: Uint8Array;
};

/**
 * The block with `edit` applied, and the header's digests of its body and certificates made to fit.
 */
export function forge(original: ManagerBlock, edit: (parts: Parts) => void): ManagerBlock {
  const block = defined(original.block, "a block has a public part");
  const parts: Parts = {
    header: fromBinary(ManagerBlockHeaderSchema, block.header),
    control: [...block.control],
    leaves: block.leaves.map((leaf) => clone(LeafSchema, leaf)),
    entries: original.privateEntries.map((bytes) => fromBinary(PrivateEntrySchema, bytes)),
    records: [...original.records],
    previousCertificates: block.previousCertificates,
  };
  edit(parts);
  const { header, control, leaves, records, previousCertificates } = parts;
  const privateEntries = parts.entries.map((entry) => toBinary(PrivateEntrySchema, entry));
  const roots = {
    controlRoot: controlRoot(control),
    leavesRoot: leavesRoot(leaves),
    privateRoot: privateRoot(privateEntries),
  };
  header.bodyDigest = bodyDigest(roots);
  header.certificatesDigest = certificatesDigest(previousCertificates);
  return create(ManagerBlockSchema, {
    block: create(BlockSchema, {
      header: toBinary(ManagerBlockHeaderSchema, header),
      privateRoot: roots.privateRoot,
      control,
      leaves,
      previousCertificates,
    }),
    privateEntries,
    records,
  });
}

/** The bytes with the lowest bit of one of them flipped. */
export function flipped(bytes: Uint8Array, at = 0): Uint8Array {
  return bytes.with(at, (bytes[at] ?? 0) ^ 1);
}
