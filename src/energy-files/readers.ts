/**
 * The formats of energy files, one line each. A format that says by itself what it means has a
 * reader; CSV does not, and is read by a mapping (csv/csv-reader.ts).
 */
import { looksLikeOcpi, readOcpi } from "./charging/ocpi.js";
import { looksLikeOcpp, readOcpp } from "./charging/ocpp.js";
import type { FileReader } from "./file-values.js";

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
};
