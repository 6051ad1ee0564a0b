/** What a node wrote on a line of data that was given up, kept before another copy takes its place: nothing acknowledged vanishes unseen.
 *
 *    rollback/<time>-<first seq>-<last seq>-<begin of the chain hash>.jsonl = one JSON object per entry {seq, epoch, time_ms, kind, …}
 *
 *  Written beside and renamed, once: a link that breaks while the other copy is fetched does not save the same entries again.
 *  Points stand there as they were given, so an operator can import them again. Source: MongoDB's rollback files. */

import { closeSync, fsyncSync, openSync, readdirSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { decodeEntry } from '../codec/entry.js';
import { decodeVectorSet } from '../codec/vector-set.js';
import type { ReplicatedLog } from '../engine/engine.js';
import type { Effect } from '../model/entry.js';
import { SkeinError } from '../model/errors.js';
import { failpoint } from '../model/failpoint.js';
import type { Log } from '../model/log.js';
import { makeFolder } from '../resilience/make-folder.js';
import { syncFolder } from '../storage/durable-files.js';

export const ROLLBACK_FOLDER = 'rollback';
const ROWS_PER_READ = 256;
const BYTES_PER_READ = 1024 * 1024;

/** Durable on return. Entries that the log no longer has are named as missing, those that cannot be read as damaged.
 *  @throws Error of the file system */
export async function saveRollback(dataDir: string, log: ReplicatedLog, commonSeq: number, events: Log): Promise<void> {
  const { seq: lastSeq, logMinSeq, chainHash } = log.state();
  if (lastSeq <= commonSeq) return;
  const folder = join(dataDir, ROLLBACK_FOLDER);
  makeFolder(folder);
  const what = `${commonSeq + 1}-${lastSeq}-${Buffer.from(chainHash).toString('hex').slice(0, 8)}.jsonl`;
  if (readdirSync(folder).some((name) => name.endsWith(`-${what}`))) return;
  const path = join(folder, `${new Date().toISOString().replaceAll(':', '-')}-${what}`);
  const unfinished = join(folder, `${what}.new`);
  failpoint('rollback.before_write');
  const file = openSync(unfinished, 'w');
  try {
    if (logMinSeq > commonSeq + 1)
      writeSync(file, `${JSON.stringify({ missing: { from_seq: commonSeq + 1, to_seq: logMinSeq - 1 } })}\n`);
    for (let next = Math.max(commonSeq + 1, logMinSeq); next <= lastSeq; ) {
      const { lines, through } = readable(log, next) ?? { lines: [{ damaged: { seq: next } }], through: next };
      if (lines.length === 0) break;
      for (const line of lines) writeSync(file, `${JSON.stringify(line)}\n`);
      next = through + 1;
      await new Promise((resolve) => setImmediate(resolve));
    }
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(unfinished, path);
  syncFolder(folder);
  syncFolder(dataDir);
  failpoint('rollback.after_write');
  events.error('rolled_back', { file: path, from_seq: commonSeq + 1, to_seq: lastSeq });
}

/** From this seq on, as lines; one alone where not all that is near it can be read. @returns null when this one cannot be read */
function readable(log: ReplicatedLog, seq: number): { readonly lines: readonly unknown[]; readonly through: number } | null {
  for (const limit of [ROWS_PER_READ, 1]) {
    try {
      const rows = log.read(seq, limit, BYTES_PER_READ);
      return { lines: rows.map(({ entry }) => plainEntry(entry)), through: rows.at(-1)?.seq ?? seq };
    } catch (error) {
      if (!(error instanceof SkeinError || error instanceof RangeError)) throw error;
    }
  }
  return null;
}

function plainEntry(bytes: Uint8Array): Record<string, unknown> {
  const { seq, epoch, timeMs, effect } = decodeEntry(bytes);
  return { seq, epoch, time_ms: timeMs, ...plainEffect(effect) };
}

function plainEffect(effect: Effect): Record<string, unknown> {
  switch (effect.kind) {
    case 'put_points':
      return {
        kind: effect.kind,
        uid: effect.uid,
        points: effect.points.map(({ id, vectorSet, payload, expiresAtMs }) => ({
          id,
          vector: [...(decodeVectorSet(vectorSet).get('')?.values ?? [])],
          payload: payload.length === 0 ? {} : (JSON.parse(Buffer.from(payload).toString()) as unknown),
          ...(expiresAtMs === null ? {} : { expires_at: new Date(expiresAtMs).toISOString() }),
        })),
      };
    case 'remember':
      return { kind: effect.kind };
    default:
      return { ...effect };
  }
}
