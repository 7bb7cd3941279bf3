import { describe, test } from "node:test";
import { documentBytes } from "../support/records.js";
import { Trial } from "../support/trial.js";

describe("a document", () => {
  for (const mediaType of [
    "text/plain",
    "a/b",
    "application/vnd.api+json",
    "text/csv; charset=utf-8; header=present",
    `text/${"x".repeat(122)}`,
  ]) {
    test(`of type ${mediaType.slice(0, 40)} is taken`, () => {
      new Trial().place(documentBytes({ mediaType }));
    });
  }

  for (const mediaType of [
    "",
    "ab",
    "text",
    "/plain",
    "text/",
    "a/b/c",
    "te xt/plain",
    "text/plain\n",
  ]) {
    test(`of type ${JSON.stringify(mediaType)} is refused`, () => {
      new Trial().refuses(documentBytes({ mediaType }), "DOCUMENT_INVALID", "document.media_type");
    });
  }

  test("of a type with 128 characters is refused", () => {
    const bytes = documentBytes({ mediaType: `text/${"x".repeat(123)}` });
    new Trial().refuses(bytes, "DOCUMENT_INVALID", "document.media_type");
  });

  test("may be empty and without a name", () => {
    new Trial().place(documentBytes({ name: "", content: new Uint8Array() }));
  });

  test("has a name of at most 255 bytes, not characters", () => {
    const trial = new Trial();
    trial.place(documentBytes({ name: "x".repeat(255) }));
    trial.place(documentBytes({ name: "ä".repeat(127) }));
    for (const name of ["x".repeat(256), "ä".repeat(128)]) {
      trial.refuses(documentBytes({ name }), "DOCUMENT_INVALID", "document.name");
    }
  });
});
