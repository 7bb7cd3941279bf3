/** Makes records and signed submissions of a simulation's participants. */
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { assert } from "../../src/base/assert.js";
import { concatBytes, emptyBytes, utf8 } from "../../src/base/bytes.js";
import {
  RecordSchema,
  SubmissionHeaderSchema,
  SubmissionSchema,
  TradeTermsSchema,
  ValueQuality,
} from "../../src/gen/bss/v1/record_pb.js";
import { tradeDigest } from "../../src/ledger/kinds/energy-trade.js";
import { recordHash } from "../../src/ledger/records/record-hash.js";
import {
  type ParsedSubmission,
  parseSubmission,
  submissionDigest,
} from "../../src/ledger/records/submissions.js";
import { type Consortium, genesisMs, meterOf, quarterS } from "./consortium.js";
import { seedOf } from "./signatures.js";

export type Reading = {
  readonly owner: string;
  readonly startS: number;
  readonly importedWh: number;
  readonly exportedWh: number;
  /** Hash of the version that this one updates. */
  readonly parent?: Uint8Array;
};

/** A value of a load profile; undefined for an interval without one. */
export type Value =
  | {
      readonly importedWh: number;
      readonly exportedWh: number;
      readonly quality: ValueQuality;
    }
  | undefined;

export type Profile = {
  readonly owner: string;
  readonly startS: number;
  /** One for each quarter of an hour. */
  readonly values: readonly Value[];
  readonly parent?: Uint8Array;
};

export type Trade = {
  readonly id: string;
  readonly seller: string;
  readonly buyer: string;
  readonly deliveryS: number;
  readonly energyWh: number;
};

/** In every record: nothing that a storage node sees holds it. 8 bytes. */
export const plaintextMark = utf8("plainly!");

export class RecordMaker {
  readonly #consortium: Consortium;
  #made = 0;

  constructor(consortium: Consortium) {
    this.#consortium = consortium;
  }

  reading({ owner, startS, importedWh, exportedWh, parent }: Reading): Uint8Array {
    return this.#record(owner, parent, (startS + quarterS) * 1_000, {
      case: "meterReading",
      value: {
        meterId: meterOf(owner),
        intervalStartUnixS: BigInt(startS),
        intervalS: quarterS,
        importedWh: BigInt(importedWh),
        exportedWh: BigInt(exportedWh),
      },
    });
  }

  profile({ owner, startS, values, parent }: Profile): Uint8Array {
    const present = values.filter((value) => value !== undefined);
    return this.#record(owner, parent, (startS + values.length * quarterS) * 1_000, {
      case: "loadProfile",
      value: {
        meterId: meterOf(owner),
        startUnixS: BigInt(startS),
        intervalS: quarterS,
        runs: runsOf(values),
        importedWh: present.map(({ importedWh }) => importedWh),
        exportedWh: present.map(({ exportedWh }) => exportedWh),
      },
    });
  }

  trade({ id, seller, buyer, deliveryS, energyWh }: Trade): Uint8Array {
    const { genesis, scheme } = this.#consortium;
    const terms = toBinary(
      TradeTermsSchema,
      create(TradeTermsSchema, {
        tradeId: seedOf(id).subarray(0, 16),
        sellerId: seller,
        buyerId: buyer,
        deliveryStartUnixS: BigInt(deliveryS),
        energyWh: BigInt(energyWh),
        priceMicroPerKwh: 200_000n,
      }),
    );
    const digest = tradeDigest(genesis.consortiumId, terms);
    return this.#record(seller, undefined, deliveryS * 1_000, {
      case: "energyTrade",
      value: {
        terms,
        sellerSignature: scheme.sign(seller, digest),
        buyerSignature: scheme.sign(buyer, digest),
      },
    });
  }

  document(owner: string, content: Uint8Array, parent?: Uint8Array): Uint8Array {
    return this.#record(owner, parent, genesisMs, {
      case: "document",
      value: { mediaType: "application/octet-stream", name: "", content },
    });
  }

  hashOf(record: Uint8Array): Uint8Array {
    return recordHash(this.#consortium.genesis.consortiumId, record);
  }

  /** Signed by the owner of all of the records. */
  submission(owner: string, records: readonly Uint8Array[]): ParsedSubmission {
    const { genesis, scheme } = this.#consortium;
    const { consortiumId, policy } = genesis;
    const header = toBinary(
      SubmissionHeaderSchema,
      create(SubmissionHeaderSchema, {
        consortiumId,
        participantId: owner,
        recordHashes: records.map((record) => this.hashOf(record)),
      }),
    );
    const signature = scheme.sign(owner, submissionDigest(header));
    const message = create(SubmissionSchema, { header, signature, records: [...records] });
    const parsed = parseSubmission(consortiumId, message, policy);
    assert(parsed.ok, "the submissions of a simulation are well-formed");
    return parsed.value;
  }

  #record(
    ownerId: string,
    parent: Uint8Array | undefined,
    timeMs: number,
    payload: NonNullable<MessageInitShape<typeof RecordSchema>["payload"]>,
  ): Uint8Array {
    this.#made += 1;
    const record = create(RecordSchema, {
      ownerId,
      payload,
      timeUnixMs: BigInt(timeMs),
      parent: parent ?? emptyBytes,
      salt: concatBytes(plaintextMark, seedOf(`salt ${this.#made}`).subarray(0, 8)),
    });
    return toBinary(RecordSchema, record);
  }
}

function runsOf(values: readonly Value[]) {
  const runs: { count: number; readonly quality: ValueQuality }[] = [];
  for (const { quality } of values.map((value) => value ?? { quality: ValueQuality.ABSENT })) {
    const last = runs.at(-1);
    if (last?.quality === quality) last.count += 1;
    else runs.push({ count: 1, quality });
  }
  return runs;
}
