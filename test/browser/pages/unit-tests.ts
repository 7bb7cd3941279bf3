/** The unit tests of what the verifier rests on, with the primitives for browsers. */
import "../../unit/base/bytes.test.js";
import "../../unit/crypto/ed25519.test.js";
import "../../unit/crypto/hash.test.js";
import "../../unit/crypto/vrf.test.js";
import "../../unit/ledger/merkle/proofs.test.js";
import "../../unit/ledger/merkle/verify.test.js";
import { runTests } from "./node-test.js";
import { report } from "./report.js";

await report(runTests);
