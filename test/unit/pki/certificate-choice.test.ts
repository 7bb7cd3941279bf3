import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import {
  type CertificateAuthority,
  createCertificateAuthority,
  issueCertificate,
  reissueCertificate,
} from "../../../src/pki/certificate-authority.js";
import { chooseCertificate } from "../../../src/pki/certificate-choice.js";

const dayMs = 86_400_000;
const nowMs = Date.UTC(2026, 5, 1);

describe("which of a node's two certificates counts", () => {
  let authority: CertificateAuthority;
  let stranger: CertificateAuthority;
  let first = "";

  before(async () => {
    const named = { consortiumName: "demo", nowMs: nowMs - 100 * dayMs };
    authority = await createCertificateAuthority({ ...named, managerId: "manager-1" });
    stranger = await createCertificateAuthority({ ...named, managerId: "manager-9" });
    const party = { role: "storage", id: "pc-7", hosts: [] } as const;
    first = (await issueCertificate(authority, { ...party, nowMs })).certificatePem;
  });

  type Times = { readonly fromDay: number; readonly days: number };
  type Named = { readonly by?: CertificateAuthority; readonly id?: string };
  /** For the key of the first; `fromDay` is relative to now. */
  const certificate = ({ fromDay, days }: Times, { by = authority, id = "pc-7" }: Named = {}) =>
    reissueCertificate(by, first, {
      role: "storage",
      id,
      lifetimeMs: days * dayMs,
      nowMs: nowMs + fromDay * dayMs,
    });
  const chosen = (configured: string, renewed: string | undefined) =>
    chooseCertificate(configured, renewed, { caPem: authority.certificatePem, nowMs }).from;

  const cases: readonly (readonly [string, Times, Times, "configured" | "renewed"])[] = [
    [
      "the renewed one after it was renewed",
      { fromDay: -60, days: 90 },
      { fromDay: -1, days: 90 },
      "renewed",
    ],
    [
      "the operator's that was issued later",
      { fromDay: -1, days: 30 },
      { fromDay: -9, days: 90 },
      "configured",
    ],
    [
      "the renewed one though the older one lasts longer",
      { fromDay: -60, days: 730 },
      { fromDay: -1, days: 90 },
      "renewed",
    ],
    [
      "the renewed one when the operator's has expired",
      { fromDay: -95, days: 90 },
      { fromDay: -99, days: 190 },
      "renewed",
    ],
    [
      "the operator's when the renewed one has expired",
      { fromDay: -99, days: 730 },
      { fromDay: -10, days: 5 },
      "configured",
    ],
    [
      "the operator's when the renewed one is not valid yet",
      { fromDay: -60, days: 90 },
      { fromDay: 9, days: 90 },
      "configured",
    ],
    [
      "the renewed one when the operator's is not valid yet",
      { fromDay: 9, days: 90 },
      { fromDay: -1, days: 90 },
      "renewed",
    ],
    [
      "the operator's when neither serves",
      { fromDay: -95, days: 90 },
      { fromDay: -10, days: 5 },
      "configured",
    ],
  ];
  for (const [what, configured, renewed, expected] of cases) {
    test(`it is ${what}`, async () => {
      const result = chosen(await certificate(configured), await certificate(renewed));
      assert.equal(result, expected);
    });
  }

  test("of two that begin at once it is the one that lasts longer", async () => {
    const [short, long] = await Promise.all(
      [30, 90].map((days) => certificate({ fromDay: -1, days })),
    );
    assert.ok(short !== undefined && long !== undefined);
    assert.equal(chosen(short, long), "renewed");
    assert.equal(chosen(long, short), "configured");
    assert.equal(chosen(long, long), "configured");
  });

  test("a renewed one of another key, name or authority never counts", async () => {
    const configured = await certificate({ fromDay: -60, days: 90 });
    const later = { fromDay: -1, days: 90 };
    const party = { role: "storage", id: "pc-7", hosts: [], nowMs } as const;
    const other = await issueCertificate(authority, party);
    assert.equal(chosen(configured, other.certificatePem), "configured");
    assert.equal(chosen(configured, await certificate(later, { id: "pc-8" })), "configured");
    assert.equal(chosen(configured, await certificate(later, { by: stranger })), "configured");
    assert.equal(chosen(configured, "nothing"), "configured");
    assert.equal(chosen(configured, undefined), "configured");
  });
});
