/**
 * The formats of energy files, one line each. A format that says by itself what it means has a
 * reader; CSV does not, and is read by a mapping (csv/csv-reader.ts).
 */
import { looksLikeOcpi, readOcpi } from "./charging/ocpi.js";
import { looksLikeOcpp, readOcpp } from "./charging/ocpp.js";
import type { FileReader } from "./file-values.js";
import { readGreenButton } from "./green-button/green-button-reader.js";
import { readNem12 } from "./nem12/nem12-reader.js";

export type FileFormat = {
  /** For people. */
  readonly title: string;
  /** Whether a file that begins so is one: some kilobytes of its text. */
  readonly recognises: (beginning: string) => boolean;
  readonly read: FileReader;
};

/** By the name that `--format` takes. */
export const fileFormats: Readonly<Record<string, FileFormat>> = {
  ocpp: {
    title: "messages of charging stations (OCPP 1.6 and 2.0.1)",
    recognises: looksLikeOcpp,
    read: readOcpp,
  },
  ocpi: {
    title: "charge detail records (OCPI 2.1.1, 2.2.1 and 2.3)",
    recognises: looksLikeOcpi,
    read: readOcpi,
  },
  nem12: {
    title: "NEM12, the Australian meter data file format",
    recognises: (beginning) => /^\uFEFF?\s*(100,NEM1|200,[0-9A-Z]{10},)/.test(beginning),
    read: readNem12,
  },
  "green-button": {
    title: "Green Button (NAESB ESPI)",
    recognises: (beginning) => {
      return /^\uFEFF?\s*</.test(beginning) && beginning.includes("http://naesb.org/espi");
    },
    read: readGreenButton,
  },
};
