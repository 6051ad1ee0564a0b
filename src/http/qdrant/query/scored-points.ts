/** Hits as the dialect writes them: `{id, version, score, payload?, vector?}`. */

import type { AnswerWriter } from '../../../wire/answer-writer.js';
import { type RecordForm, writeRecord } from '../record.js';
import type { DialectHit } from './query-context.js';

export function* writeHits(out: AnswerWriter, hits: readonly DialectHit[], form: RecordForm): Generator<void> {
  out.openArray(hits.length);
  for (const hit of hits) {
    const { version, score, orderValue } = hit;
    writeRecord(out, hit, form, { version, score, ...(orderValue === undefined ? {} : { order_value: orderValue }) });
    yield;
  }
  out.closeArray();
}
