/** Verifies a data folder, or a store's file alone: that every row is what was written, that the parts agree, and that nothing acknowledged is missing.
 *
 *    full   integrity_check · CRC of every row · points ↔ vectors · content hashes, buckets, digests and counts from the rows ·
 *           the log's seqs, hash chain and units · lineage, voters, aliases, access keys · the manifest     reads the whole file, about 1 s per 400 MB warm
 *    quick  quick_check and CRC of the small tables · digests and counts from the catalogue · lineage, voters, aliases, access keys · the log's end ·
 *           the manifest
 *
 *  Reads only and changes nothing; a damaged file can end the process, so a server runs it in a child (verify-in-child.ts).
 *  The caller sees to it that nobody writes meanwhile. Must not know: what to do about findings. */

import { statSync } from 'node:fs';
import { encodeSpec } from '../codec/collection-spec.js';
import { catalogueHash, Sum128 } from '../codec/digest.js';
import { messageOf } from '../model/errors.js';
import { CATALOGUE_COLUMNS, readCollection } from './catalogue.js';
import { openConnection } from './connection.js';
import { inspectDataFolder } from './data-folder.js';
import { isDamage } from './database-errors.js';
import type { Database } from './driver.js';
import type { ManifestReading } from './manifest.js';
import { REMEMBERED_COLUMNS, readRemembered } from './remembered.js';
import { firstKeyOf, PAGES_PER_COLLECTION, uidOfKey } from './row-keys.js';
import { type StateRow, stateReads } from './state.js';
import { type CollectionRow, StoreRefused } from './storage.js';
import { verifyAccessKeys } from './verify-access-keys.js';
import { verifyAliases } from './verify-aliases.js';
import { verifyCluster } from './verify-cluster.js';
import { verifyLog } from './verify-log.js';
import { verifyManifest } from './verify-manifest.js';
import { verifyCollection } from './verify-points.js';
import { FindingList, type VerifyCounts, type VerifyLevel, type VerifyProgress, type VerifyReport } from './verify-report.js';

const CACHE_BYTES = 32 * 1024 * 1024;
const STRUCTURE_FINDINGS_MAX = 100;
const QUICK_LOG_ROWS = 256;
const ROWS_PER_PROGRESS = 4_096;
/** Where a step ends on the way from 0 to 1. */
const STEP_ENDS = { open: 0.01, structure: 0.3, points: 0.85, log: 1 } as const;

type Catalogue = ReadonlyMap<number, CollectionRow | 'unsure'>;

/** @param path a data folder, or the database file of a store alone: then no manifest is compared
 *  @throws Error only where the machine fails (permissions, I/O errors, memory); damage is in the report */
export function verifyStore(
  path: string,
  level: VerifyLevel,
  onProgress: (progress: VerifyProgress) => void = () => {},
): VerifyReport {
  const findings = new FindingList();
  const counts: VerifyCounts = { collections: 0, points: 0, deadPoints: 0, logEntries: 0, rememberedKeys: 0 };
  const found = findStore(path);
  let position: VerifyReport['position'] = null;
  if (found.databasePath === null) {
    findings.add('unusable', found.reason);
  } else {
    onProgress({ step: 'open', progress: 0 });
    const db = openOrFind(found.databasePath, findings);
    if (db !== null) {
      try {
        const state = new StoreCheck(db, level, findings, counts, onProgress).run(found.manifest);
        if (state !== null) position = { historyId: state.historyId, epoch: state.epoch, seq: state.seq };
      } finally {
        db.close();
      }
    }
  }
  const { databasePath } = found;
  onProgress({ step: 'done', progress: 1 });
  return { ok: findings.ok, level, databasePath, position, counts, findings: findings.findings, findingsCount: findings.count };
}

type FoundStore =
  | { readonly databasePath: string; readonly manifest: ManifestReading | null }
  | { readonly databasePath: null; readonly reason: string };

function findStore(path: string): FoundStore {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() === true) return { databasePath: path, manifest: null };
  const folder = inspectDataFolder(path);
  if (folder.kind === 'data') return { databasePath: folder.store.databasePath, manifest: folder.manifest };
  return { databasePath: null, reason: folder.kind === 'refused' ? folder.reason : `${path} holds no store` };
}

function openOrFind(path: string, findings: FindingList): Database | null {
  try {
    return openConnection(path, 'read', { cacheBytes: CACHE_BYTES });
  } catch (error) {
    if (!(error instanceof StoreRefused) || error.reason === 'driver') throw error;
    findings.add('unusable', error.message);
    return null;
  }
}

class StoreCheck {
  readonly #db: Database;
  readonly #level: VerifyLevel;
  readonly #findings: FindingList;
  readonly #counts: VerifyCounts;
  readonly #onProgress: (progress: VerifyProgress) => void;

  constructor(
    db: Database,
    level: VerifyLevel,
    findings: FindingList,
    counts: VerifyCounts,
    onProgress: (progress: VerifyProgress) => void,
  ) {
    this.#db = db;
    this.#level = level;
    this.#findings = findings;
    this.#counts = counts;
    this.#onProgress = onProgress;
  }

  run(manifest: ManifestReading | null): StateRow | null {
    this.#onProgress({ step: 'structure', progress: STEP_ENDS.open });
    this.#structure();
    const state = this.#state();
    const catalogue = this.#catalogue();
    if (state !== null && this.#level === 'full') this.#rows(state, catalogue);
    const hashes = [
      ...verifyCluster(this.#db, state, this.#findings),
      ...verifyAliases(this.#db, catalogue, this.#findings),
      ...verifyAccessKeys(this.#db, this.#findings),
    ];
    if (state !== null) this.#stateDigest(state, catalogue, hashes);
    if (state !== null) this.#log(state);
    if (this.#level === 'full') this.#remembered(state);
    const countable = this.#findings.ok || this.#level === 'quick';
    if (state !== null && manifest !== null) verifyManifest(manifest, state, countable ? this.#counts : null, this.#findings);
    return state;
  }

  #structure(): void {
    const small = ['state', 'collections', 'digest_pages'].map((table) => `quick_check(${table})`);
    const checks = this.#level === 'full' ? [`integrity_check(${STRUCTURE_FINDINGS_MAX})`] : small;
    for (const check of checks) {
      this.#findings.scan('sqlite_schema', {}, isDamage, () => {
        for (const row of this.#db.pragma(check) as Record<string, string>[]) {
          const text = Object.values(row)[0];
          if (text !== 'ok') this.#findings.add('structure', `SQLite's check of the file: ${String(text)}`);
        }
      });
    }
  }

  #state(): StateRow | null {
    try {
      return stateReads(this.#db).stateRow();
    } catch (error) {
      const message = messageOf(error);
      this.#findings.add('row_damaged', `The state row is missing or damaged (${message})`, { table: 'state' });
      return null;
    }
  }

  /** Rows by uid; dropped and damaged ones as 'unsure'. */
  #catalogue(): Catalogue {
    const catalogue = new Map<number, CollectionRow | 'unsure'>();
    this.#findings.scan('collections', {}, isDamage, () => {
      const select = this.#db.prepare(`SELECT ${CATALOGUE_COLUMNS} FROM collections ORDER BY uid`).raw();
      for (const cells of select.iterate() as IterableIterator<unknown[]>) {
        const uid = cells[0] as number;
        const row = readCollection(cells);
        if (row === null) {
          this.#findings.add('row_damaged', `The catalogue row of collection uid ${uid} fails its checksum`, {
            table: 'collections',
            collectionUid: uid,
          });
        } else if (row.droppedSeq === null) {
          this.#counts.collections += 1;
          if (this.#level === 'quick') this.#counts.points += row.pointsCount;
        }
        catalogue.set(uid, row === null || row.droppedSeq !== null ? 'unsure' : row);
      }
    });
    return catalogue;
  }

  #rows(state: StateRow, catalogue: Catalogue): void {
    let total = 1;
    for (const row of catalogue.values()) total += row === 'unsure' ? 0 : row.pointsCount;
    let done = 0;
    const onRow = (): void => {
      done += 1;
      if (done % ROWS_PER_PROGRESS === 0) this.#progress('points', 'structure', Math.min(1, done / total));
    };
    const { seq: stateSeq } = state;
    for (const uid of this.#uids(catalogue)) {
      const collection = catalogue.get(uid) ?? 'unknown';
      verifyCollection({ db: this.#db, uid, collection, stateSeq, findings: this.#findings, counts: this.#counts, onRow });
      if (uid >= state.nextUid) {
        this.#findings.add('out_of_bounds', `Collection uid ${uid} is not below next_uid ${state.nextUid}`, {
          collectionUid: uid,
        });
      }
    }
  }

  /** All uids that have rows anywhere, ascending. */
  #uids(catalogue: Catalogue): number[] {
    const uids = new Set(catalogue.keys());
    const tables = [
      { table: 'points', keyOf: firstKeyOf, uidOf: uidOfKey },
      { table: 'vectors', keyOf: firstKeyOf, uidOf: uidOfKey },
      {
        table: 'digest_pages',
        keyOf: (uid: number) => uid * PAGES_PER_COLLECTION,
        uidOf: (key: number) => Math.floor(key / PAGES_PER_COLLECTION),
      },
    ];
    for (const { table, keyOf, uidOf } of tables) {
      const next = this.#db.prepare(`SELECT key FROM ${table} NOT INDEXED WHERE key >= ? ORDER BY key LIMIT 1`).pluck();
      this.#findings.scan(table, {}, isDamage, () => {
        for (let key = next.get(0); typeof key === 'number'; key = next.get(keyOf(uidOf(key) + 1))) uids.add(uidOf(key));
      });
    }
    return [...uids].sort((a, b) => a - b);
  }

  /** @param hashes of all voters, aliases and access keys */
  #stateDigest(state: StateRow, catalogue: Catalogue, hashes: readonly Uint8Array[]): void {
    if (!this.#findings.ok) return;
    const sum = new Sum128();
    for (const hash of hashes) sum.add(hash);
    for (const row of catalogue.values()) {
      if (row === 'unsure') continue;
      sum.add(row.digest);
      sum.add(catalogueHash(row.uid, row.name, encodeSpec(row.spec)));
    }
    if (sum.toBytes().equals(state.digest)) return;
    const message = 'The state digest is not the sum of all collections, catalogue rows, voters, aliases and access keys';
    this.#findings.add('digest_mismatch', message, { table: 'state', seq: state.seq });
  }

  #log(state: StateRow): void {
    const rowsMax = this.#level === 'full' ? Number.MAX_SAFE_INTEGER : QUICK_LOG_ROWS;
    this.#counts.logEntries = verifyLog(this.#db, state, this.#findings, rowsMax, (done, total) => {
      if (done % ROWS_PER_PROGRESS === 0) this.#progress('log', 'points', Math.min(1, done / total));
    });
  }

  #remembered(state: StateRow | null): void {
    this.#findings.scan('remembered', {}, isDamage, () => {
      const select = this.#db.prepare(`SELECT ${REMEMBERED_COLUMNS} FROM remembered`).raw();
      for (const cells of select.iterate() as IterableIterator<unknown[]>) {
        const row = readRemembered(cells);
        this.#counts.rememberedKeys += 1;
        const scope = Buffer.isBuffer(cells[0]) ? cells[0].toString('hex') : String(cells[0]);
        if (row === null) {
          this.#findings.add('row_damaged', `The idempotency key of scope ${scope} fails its checksum`, { table: 'remembered' });
        } else if (state !== null && row.seq > state.seq) {
          const message = `The idempotency key of scope ${scope} is from seq ${row.seq}, later than the state`;
          this.#findings.add('out_of_bounds', message, { table: 'remembered', seq: row.seq });
        }
      }
    });
  }

  #progress(step: 'points' | 'log', after: keyof typeof STEP_ENDS, part: number): void {
    this.#onProgress({ step, progress: STEP_ENDS[after] + part * (STEP_ENDS[step] - STEP_ENDS[after]) });
  }
}
