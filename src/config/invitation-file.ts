/**
 * The file with which somebody joins a running consortium: the signed invitation, the genesis that
 * says which consortium it is, where managers answer, and a certificate that opens their doors for
 * the registration and nothing else. It holds a key, so it is a secret until it has served.
 */
import * as z from "zod";
import { equalBytes } from "../base/bytes.js";
import { ed25519KeyPairFromSeed, ed25519SeedBytes, ed25519Verify } from "../crypto/ed25519.js";
import type { Invitation } from "../gen/bss/v1/genesis_pb.js";
import { type GenesisState, parseGenesis } from "../ledger/genesis.js";
import { invitationDigest, parseInvitation } from "../ledger/members/consent.js";
import { fileError } from "./config-error.js";
import { hostAndPort, mapping } from "./fields.js";
import { readInvitationText } from "./key-files.js";

export type InvitationFile = {
  readonly invitation: Invitation;
  /** Exact bytes; what the operator has signed. */
  readonly invitationBytes: Uint8Array;
  /** 64 bytes. */
  readonly signature: Uint8Array;
  /** 32 bytes, secret: of the invitation's bearer key. */
  readonly bearerSeed: Uint8Array;
  readonly genesis: GenesisState;
  /** Exact bytes, whose SHA-256 is the consortium id. */
  readonly genesisBytes: Uint8Array;
  /** host:port of managers, at least one. */
  readonly addresses: readonly string[];
  /** The certificate has the role "invited"; the key is secret. */
  readonly tls: { readonly certPem: string; readonly keyPem: string; readonly caPem: string };
};

const base64 = () =>
  z
    .base64({ error: "bytes in base64" })
    .transform((text) => new Uint8Array(Buffer.from(text, "base64")));
const pem = (label: string) =>
  z.string().refine((text) => text.includes(`-----BEGIN ${label}-----`), { error: "a PEM text" });

const schema = mapping({
  invitation: base64(),
  signature: base64(),
  bearer_seed: base64(),
  genesis: base64(),
  ca_bundle_pem: pem("CERTIFICATE"),
  addresses: z.array(hostAndPort()).min(1),
  certificate_pem: pem("CERTIFICATE"),
  key_pem: pem("PRIVATE KEY"),
});

/** The text of a file that `readInvitationFile` reads. */
export function invitationFileText(file: Omit<InvitationFile, "invitation" | "genesis">): string {
  const { invitationBytes, signature, bearerSeed, genesisBytes, addresses, tls } = file;
  const fields: z.input<typeof schema> = {
    invitation: Buffer.from(invitationBytes).toString("base64"),
    signature: Buffer.from(signature).toString("base64"),
    bearer_seed: Buffer.from(bearerSeed).toString("base64"),
    genesis: Buffer.from(genesisBytes).toString("base64"),
    ca_bundle_pem: tls.caPem,
    addresses: [...addresses],
    certificate_pem: tls.certPem,
    key_pem: tls.keyPem,
  };
  return `${JSON.stringify(fields, null, 2)}\n`;
}

/** Reads an invitation file, and checks that an operator of its genesis has signed it. */
export function readInvitationFile(file: string): InvitationFile {
  const refuse = (what: string) => fileError(file, what, "ask the operator for the file again");
  const parsed = schema.safeParse(jsonOf(readInvitationText(file)));
  if (!parsed.success) throw refuse("this is not an invitation file");
  const { invitation: invitationBytes, signature, genesis: genesisBytes, addresses } = parsed.data;
  const genesis = parseGenesis(genesisBytes);
  if (!genesis.ok) throw refuse(`its genesis is not valid: ${genesis.error.message}`);
  const invitation = parseInvitation(invitationBytes);
  if (invitation === undefined) throw refuse("its invitation cannot be read");
  if (!equalBytes(invitation.consortiumId, genesis.value.consortiumId)) {
    throw refuse("its invitation is for another consortium than its genesis");
  }
  const operator = genesis.value.members.officer(invitation.operatorId);
  const digest = invitationDigest(invitationBytes);
  if (operator === undefined || !ed25519Verify(operator.signingKey, digest, signature)) {
    throw refuse("its invitation is not signed by an operator of the consortium");
  }
  const { bearer_seed: bearerSeed } = parsed.data;
  if (!isSeedOf(bearerSeed, invitation.bearerKey)) {
    throw refuse("its bearer_seed is not that of its invitation");
  }
  const { ca_bundle_pem: caPem, certificate_pem: certPem, key_pem: keyPem } = parsed.data;
  const tls = { certPem, keyPem, caPem };
  return {
    invitation,
    invitationBytes,
    signature,
    bearerSeed,
    addresses,
    tls,
    genesis: genesis.value,
    genesisBytes,
  };
}

function isSeedOf(seed: Uint8Array, publicKey: Uint8Array): boolean {
  if (seed.length !== ed25519SeedBytes) return false;
  return equalBytes(ed25519KeyPairFromSeed(seed).publicKey, publicKey);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
