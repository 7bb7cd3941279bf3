/**
 * Checks that a verifier must not lack, each left out by one small change of its code. Whoever
 * changes the code around such a place changes the text here: one that is not found fails the run.
 */
import type { Change } from "../../support/mutant.js";

export type Verifier = {
  readonly language: string;
  /** What is copied, below the repository. */
  readonly directory: string;
  /** Where in it the corpus is run, and how. */
  readonly command: readonly [program: string, ...args: readonly string[]];
  readonly weakenings: readonly Weakening[];
};

export type Weakening = { readonly lacks: string } & Change;

const lacks = {
  order: "R may be of small order",
  keyOrder: "keys may be of small order",
  quorum: "fewer than Q managers suffice",
  once: "a manager counts twice",
  signatures: "signatures are not verified",
  end: "a Merkle path may be too short",
  place: "a later block's receipt holds for an earlier record",
  body: "the body need not be that of the header",
  members: "the members need not be those of the header",
} as const;

export const verifiers: readonly Verifier[] = [
  {
    language: "TypeScript",
    directory: "dist",
    command: [
      "node",
      "--test",
      "--test-name-pattern=^(signature|receipt|inclusion|consistency|chain)",
      "test/forged/forged.test.js",
    ],
    weakenings: [
      {
        lacks: lacks.order,
        file: "src/crypto/ed25519.js",
        from: "isAcceptablePoint(signature.subarray(0, 32))",
        to: "true",
      },
      {
        lacks: lacks.keyOrder,
        file: "src/crypto/ed25519.js",
        from: "isAcceptablePoint(publicKey))",
        to: "true)",
      },
      {
        lacks: lacks.quorum,
        file: "src/ledger/certificates/certificates.js",
        from: "entries.length >= quorum &&",
        to: "",
      },
      {
        lacks: lacks.once,
        file: "src/ledger/certificates/certificate-signers.js",
        from: "compareIds(previous, signerId) >= 0",
        to: "compareIds(previous, signerId) > 0",
      },
      {
        lacks: lacks.signatures,
        file: "src/client/verify/receipt-check.js",
        from: "if (!ed25519Verify(publicKey, digest, signature))",
        to: "if (false)",
      },
      {
        lacks: lacks.end,
        file: "src/ledger/merkle/verify.js",
        from: "return sn === 0 && equalBytes(r, root)",
        to: "return equalBytes(r, root)",
      },
      {
        lacks: lacks.place,
        file: "src/client/verify/receipt-check.js",
        from: "if (position >= treeSize)\n",
        to: "if (position >= 0)\n",
      },
      {
        lacks: lacks.body,
        file: "src/ledger/blocks/block-parsing.js",
        from: "if (!equalBytes(header.bodyDigest, bodyDigest(roots)))",
        to: "if (false)",
      },
      {
        lacks: lacks.members,
        file: "src/consensus/attestation/public-block.js",
        from: "if (equalBytes(header.membersDigest, members.value.digest()))",
        to: "if (true)",
      },
    ],
  },
  {
    language: "Go",
    directory: "clients/go",
    command: ["go", "test", "-count=1", "-run=TestCorpus", "./verify"],
    weakenings: [
      {
        lacks: lacks.order,
        file: "verify/signature.go",
        from: " || !isAcceptablePoint(signature[:32])",
        to: "",
      },
      {
        lacks: lacks.keyOrder,
        file: "verify/signature.go",
        from: "!isAcceptablePoint(key) || ",
        to: "",
      },
      {
        lacks: lacks.quorum,
        file: "verify/block.go",
        from: "count < genesis.Quorum() || ",
        to: "",
      },
      {
        lacks: lacks.once,
        file: "verify/block.go",
        from: "signers[i-1] >= each.ManagerId",
        to: "signers[i-1] > each.ManagerId",
      },
      {
        lacks: lacks.signatures,
        file: "verify/block.go",
        from: "if !verifySignature(genesis",
        to: "if false && !verifySignature(genesis",
      },
      {
        lacks: lacks.end,
        file: "verify/merkle.go",
        from: "return sn == 0 && r == claim.Root",
        to: "return r == claim.Root",
      },
      {
        lacks: lacks.place,
        file: "verify/receipt.go",
        from: "if receipt.Position < previous.TreeSize {",
        to: "if false {",
      },
      {
        lacks: lacks.body,
        file: "verify/block.go",
        from: "!= Hash(b.header.BodyDigest)",
        to: "== (Hash{})",
      },
      {
        lacks: lacks.members,
        file: "verify/chain.go",
        from: "if draft.members.digest() != Hash(header.MembersDigest) {",
        to: "if false {",
      },
    ],
  },
  {
    language: "Python",
    directory: "clients/python",
    command: ["python", "-m", "pytest", "-q", "-k", "not mutants", "tests/test_corpus.py"],
    weakenings: [
      {
        lacks: lacks.order,
        file: "src/bss_client/verify/signature.py",
        from: " or not is_acceptable_point(signature[:32])",
        to: "",
      },
      {
        lacks: lacks.keyOrder,
        file: "src/bss_client/verify/signature.py",
        from: "not is_acceptable_point(key) or ",
        to: "",
      },
      {
        lacks: lacks.quorum,
        file: "src/bss_client/verify/block.py",
        from: "if not genesis.quorum <= count <= managers",
        to: "if not count <= managers",
      },
      {
        lacks: lacks.once,
        file: "src/bss_client/verify/block.py",
        from: "any(first >= second for",
        to: "any(first > second for",
      },
      {
        lacks: lacks.signatures,
        file: "src/bss_client/verify/block.py",
        from: "if not verify_signature(key, digest, each.signature):",
        to: "if False:",
      },
      {
        lacks: lacks.end,
        file: "src/bss_client/verify/merkle.py",
        from: "return sn == 0 and r == root",
        to: "return r == root",
      },
      {
        lacks: lacks.place,
        file: "src/bss_client/verify/receipt.py",
        from: "if receipt.position < previous.tree_size:",
        to: "if False:",
      },
      {
        lacks: lacks.body,
        file: "src/bss_client/verify/block.py",
        from: "if digest != header.body_digest:",
        to: "if False:",
      },
      {
        lacks: lacks.members,
        file: "src/bss_client/verify/chain.py",
        from: "if draft.members.digest() != header.members_digest:",
        to: "if False:",
      },
    ],
  },
  {
    language: "Java",
    directory: "clients/java",
    // What generates code finds nothing below a hidden folder, such as that of the copy. So named,
    // the compiler's option has it compile what has changed, and not everything.
    command: [
      "mvn",
      "-q",
      "-B",
      "test",
      "-Dbss.proto=../../../../proto",
      "-Dmaven.compiler.useIncrementalCompilation=false",
      "-Dtest=CorpusTest#everyLine",
    ],
    weakenings: [
      {
        lacks: lacks.order,
        file: "src/main/java/bss/verify/Ed25519.java",
        from: " || !isAcceptablePoint(signature)",
        to: "",
      },
      {
        lacks: lacks.keyOrder,
        file: "src/main/java/bss/verify/Ed25519.java",
        from: "!isAcceptablePoint(key) || ",
        to: "",
      },
      {
        lacks: lacks.quorum,
        file: "src/main/java/bss/verify/Commits.java",
        from: "count < genesis.quorum() || ",
        to: "",
      },
      {
        lacks: lacks.once,
        file: "src/main/java/bss/verify/Commits.java",
        from: "compareTo(signer) >= 0",
        to: "compareTo(signer) > 0",
      },
      {
        lacks: lacks.signatures,
        file: "src/main/java/bss/verify/Commits.java",
        from: "if (!Ed25519.verify(key, digest, each.getSignature().toByteArray())) {",
        to: "if (key.length == 0) {",
      },
      {
        lacks: lacks.end,
        file: "src/main/java/bss/verify/Merkle.java",
        from: "return sn == 0 && r.equals(root);",
        to: "return r.equals(root);",
      },
      {
        lacks: lacks.place,
        file: "src/main/java/bss/verify/Receipts.java",
        from: "if (receipt.getPosition() < previous.getTreeSize()) {",
        to: "if (receipt.getPosition() < 0) {",
      },
      {
        lacks: lacks.body,
        file: "src/main/java/bss/verify/Block.java",
        from: "if (!body.is(header.getBodyDigest())) {",
        to: "if (body == null) {",
      },
      {
        lacks: lacks.members,
        file: "src/main/java/bss/chain/Chain.java",
        from: "if (!draft.members.digest().is(header.getMembersDigest())) {",
        to: "if (draft == null) {",
      },
    ],
  },
];
