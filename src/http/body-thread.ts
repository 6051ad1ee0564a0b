/** The thread that decodes large bodies, so that the event loop of the server stays free. It answers in the order it was asked. */

import { parentPort } from 'node:worker_threads';
import { type ErrorRecord, SkeinError } from '../model/errors.js';
import type { BodyForm } from '../wire/body-reader.js';
import { type BodyTask, buffersOf, decodeBody } from '../wire/decode-body.js';

export interface BodyJob {
  readonly id: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly form: BodyForm;
  readonly task: BodyTask;
}

export type BodyJobAnswer =
  | { readonly id: number; readonly decoded: unknown; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly id: number; readonly refused: ErrorRecord }
  | { readonly id: number; readonly failed: string };

parentPort?.on('message', (job: BodyJob) => {
  const { id, bytes, form, task } = job;
  try {
    const decoded = decodeBody(bytes, form, task);
    const answer: BodyJobAnswer = { id, decoded, bytes };
    parentPort?.postMessage(answer, [...new Set([...buffersOf(decoded), bytes.buffer])]);
  } catch (error) {
    const answer: BodyJobAnswer =
      error instanceof SkeinError
        ? { id, refused: error.toRecord() }
        : { id, failed: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    parentPort?.postMessage(answer);
  }
});
