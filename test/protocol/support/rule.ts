/**
 * A rule of docs/protocol.md and a conversation that shows it. The text is a transcript (see
 * test/unit/consensus/support/transcript.ts) with what the ring must answer indented below each
 * command.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { replay } from "../../unit/consensus/support/transcript.js";

/** `tag` as in the document, "R4.1.1"; `sentence` is what the conversation shows of it. */
export function rule(tag: string, sentence: string, transcript: string): void {
  const expected = transcript.trim();
  test(`[${tag}] ${sentence}`, () => {
    const replayed = replay(expected);
    if (process.env.SHOW_TRANSCRIPTS === "1") console.log(replayed);
    assert.equal(replayed, expected);
  });
}
