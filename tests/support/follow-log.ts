/** A replica without a network: the log of one store handed to an engine in the replica's role, in batches of any cut. */

import * as assert from 'uvu/assert';
import { readEntryHead } from '../../src/codec/entry.js';
import type { ApplyFailure, EntryBatch, RunningEngine } from '../../src/engine/engine.js';
import { loadDriver } from '../../src/storage/driver.js';
import { openReader } from '../../src/storage/open-store.js';
import type { LogRow } from '../../src/storage/storage.js';
import { TEST_CACHE } from './open-test-store.js';

export function logOf(storePath: string): LogRow[] {
  const reads = openReader(storePath, TEST_CACHE);
  try {
    return reads.logFrom(1, 1_000_000, 1e9);
  } finally {
    reads.close();
  }
}

/** Some rows of a log, one behind the other, as a batch of its own bytes. */
export function batchOf(rows: readonly LogRow[]): EntryBatch {
  const [first, last] = [rows[0], rows.at(-1)];
  if (first === undefined || last === undefined) throw new Error('a batch has entries');
  const entries = rows.map(({ entry }) => Uint8Array.from(entry));
  return { firstSeq: first.seq, entries, chainHash: Uint8Array.from(last.chainHash) };
}

/** Hands the rows over, cut behind each of `cuts` entries in turn, and waits until the last whole unit is durable.
 *  @throws Error when one is refused */
export async function follow(engine: RunningEngine, rows: readonly LogRow[], cuts: readonly number[]): Promise<void> {
  const refused = new Promise<never>((_, reject) => {
    engine.log.beginApply((failure) => reject(new Error(`${failure.reason}: ${failure.message}`)));
  });
  refused.catch(() => {});
  let at = 0;
  for (let turn = 0; at < rows.length; turn++) {
    const count = Math.max(1, cuts[turn % cuts.length] ?? rows.length);
    await engine.log.apply(batchOf(rows.slice(at, at + count)));
    at += count;
  }
  const end = rows.findLast(({ entry }) => readEntryHead(entry).last);
  await Promise.race([refused, reached(engine, end?.seq ?? 0)]);
}

/** Hands batches over that must be refused. */
export async function refusal(engine: RunningEngine, ...batches: readonly EntryBatch[]): Promise<ApplyFailure> {
  const failure = new Promise<ApplyFailure>((resolve) => engine.log.beginApply(resolve));
  for (const batch of batches) await engine.log.apply(batch);
  return failure;
}

async function reached(engine: RunningEngine, seq: number): Promise<void> {
  if (engine.log.state().seq >= seq) return;
  await new Promise<void>((resolve) => {
    const end = engine.log.onCommit((state) => {
      if (state.seq < seq) return;
      end();
      resolve();
    });
  });
}

const CONTENT: Readonly<Record<string, string>> = {
  state: 'SELECT cluster_id, history_id, epoch, seq, next_uid, hex(chain_hash), hex(digest) FROM state',
  collections:
    'SELECT uid, name, next_label, created_seq, last_seq, points_count, data_bytes, hex(digest), spec FROM collections WHERE dropped_seq IS NULL',
  points: `SELECT p.key, hex(id), version, label_seq, prev_label, expires_at, hex(content_hash), hex(payload), hex(vector_set)
     FROM points AS p JOIN vectors AS v ON v.key = p.key WHERE dead_seq IS NULL AND uid IN (SELECT uid FROM collections WHERE dropped_seq IS NULL)`,
  // A page of zeros means what a missing one does; a refused unit may leave one.
  digest_pages: `SELECT key, hex(sums) FROM digest_pages
     WHERE key / 64 IN (SELECT uid FROM collections WHERE dropped_seq IS NULL) AND sums != zeroblob(1024)`,
  log: 'SELECT seq, time_ms, unit_first, unit_last, hex(chain_hash), hex(entry) FROM log',
  remembered: 'SELECT hex(scope), seq, time_ms, hex(body), hex(results) FROM remembered',
  lineage: 'SELECT epoch, start_seq, history_id, hex(start_hash) FROM lineage',
  voters: 'SELECT node_id, host, port FROM voters',
  aliases: 'SELECT name, uid FROM aliases',
  access_keys: 'SELECT id, hex(record) FROM access_keys',
};

/** What the two stores hold is the same to the last byte, but for rows that nobody sees any more. */
export function assertSameContent(path: string, other: string): void {
  const [left, right] = [path, other].map((file) => new (loadDriver())(file, { readonly: true }));
  try {
    for (const [table, sql] of Object.entries(CONTENT)) {
      const rows = [left, right].map((db) => db?.prepare(`${sql} ORDER BY 1, 2`).raw().all());
      assert.equal(rows[1], rows[0], table);
    }
  } finally {
    left?.close();
    right?.close();
  }
}
