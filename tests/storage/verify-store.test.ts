/** Verification against damage of every kind: cells, rows, pages, headers, WAL, manifest. What it passes must be what was written. */

import {
  closeSync,
  copyFileSync,
  cpSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { chainHash } from '../../src/codec/digest.js';
import { encodeEntry } from '../../src/codec/entry.js';
import { createDataFolder } from '../../src/storage/data-folder.js';
import { lockFolder } from '../../src/storage/folder-lock.js';
import { openManifest } from '../../src/storage/manifest.js';
import { openReader, openWriter } from '../../src/storage/open-store.js';
import { PAGE_BYTES } from '../../src/storage/schema.js';
import { verifyInChild } from '../../src/storage/verify-in-child.js';
import type { Finding, FindingKind, VerifyReport } from '../../src/storage/verify-report.js';
import { verifyStore } from '../../src/storage/verify-store.js';
import { suite, type TestContext } from '../support/suite.js';
import { driver } from './raw-database.js';
import { IDENTITY, OPTIONS, Story } from './story.js';

const test = suite('storage/verify-store', { deadlineMs: 60_000 });

interface Damaged {
  readonly dataDir: string;
  readonly database: string;
}

/** A data folder with two live collections, a dropped one, dead points, a pruned log and a remembered key. */
function dataFolder(t: TestContext): Damaged {
  const dataDir = t.folder();
  const { databasePath } = createDataFolder(dataDir, IDENTITY, { role: 'master', bootId: 'boot' }, OPTIONS);
  const store = openWriter(databasePath, OPTIONS);
  const manifest = openManifest(dataDir, 'boot');
  const story = new Story(store);
  story.commit(story.create('a'), story.create('b'), story.create('gone'));
  story.commit(story.put(1, { id: 'a-long-name', vector: [0.5, 1, 2, 3], payload: '{"colour":"grey"}', expiresAtMs: 2_000 }));
  for (let i = 0; i < 40; i++) {
    const payload = JSON.stringify({ text: 'p'.repeat(i * 13) });
    story.commit(
      story.put(1, { id: i, vector: [i, 1, 2, 3], payload }, { id: `text-${i}`, vector: [1, i, 0, 0] }),
      story.put(3, { id: i, vector: [1, 1, 1, i] }),
    );
  }
  story.commit(story.put(2, { id: 'only', vector: [9, 9, 9, 9] }), story.remember(Buffer.alloc(32, 4)));
  story.commit(story.delete(1, 3, 'text-3'), story.put(1, { id: 4, vector: [5, 5, 5, 5] }));
  story.commit(story.drop(3));
  store.purgeDropped(7);
  store.pruneLog({ olderThanMs: 0, keepBytes: 0, hardBytes: store.state().logBytes - 1_000, keepFromSeq: null }, 1_000);
  manifest.write(store.state(), { collections: 2, points: 80 });
  store.close();
  manifest.close({ clean: true });
  return { dataDir, database: databasePath };
}

function kinds(report: VerifyReport): FindingKind[] {
  return [...new Set(report.findings.map(({ kind }) => kind))];
}

function only(report: VerifyReport): Finding {
  assert.is(report.findings.length, 1, JSON.stringify(report.findings, null, 1));
  return report.findings[0] as Finding;
}

test('a sound folder has no findings at either level, exact counts, and is not changed', (t) => {
  const { dataDir, database } = dataFolder(t);
  const before = readFileSync(database);
  const steps: string[] = [];
  const report = verifyStore(dataDir, 'full', ({ step, progress }) => {
    assert.ok(progress >= 0 && progress <= 1);
    steps.push(step);
  });
  assert.equal(report.findings, []);
  assert.ok(report.ok);
  assert.equal(report.position, { historyId: IDENTITY.historyId, epoch: 1, seq: 89 });
  assert.is(report.counts.collections, 2);
  assert.is(report.counts.points, 80);
  assert.is(report.counts.deadPoints, 3);
  assert.is(report.counts.rememberedKeys, 1);
  assert.is(steps[0], 'open');
  assert.is(steps.at(-1), 'done');
  const quick = verifyStore(dataDir, 'quick');
  assert.equal(quick.findings, []);
  assert.is(quick.counts.points, 80);
  assert.equal(readFileSync(database), before);
});

test('every cell of every row of every table is covered: a changed one is found and named, and never served', (t) => {
  const { dataDir, database } = dataFolder(t);
  const db = driver(database);
  const reader = openReader(database, OPTIONS);
  t.after(() => db.close());
  t.after(() => reader.close());
  const rows: { table: string; key: string; where: string; place: Partial<Finding>; read: () => unknown }[] = [
    { table: 'state', key: 'one', where: 'one = 1', place: { table: 'state' }, read: () => reader.state() },
    { table: 'collections', key: 'uid', where: 'uid = 1', place: { collectionUid: 1 }, read: () => reader.collection(1) },
    {
      table: 'points',
      key: 'key',
      where: `key = ${2 ** 31}`,
      place: { label: 0, collectionUid: 1 },
      read: () => reader.pointByLabel(1, 0),
    },
    {
      table: 'vectors',
      key: 'key',
      where: `key = ${2 ** 31}`,
      place: { label: 0, collectionUid: 1 },
      read: () => reader.vectorSet(1, 0),
    },
    {
      table: 'digest_pages',
      key: 'key',
      where: 'key = (SELECT min(key) FROM digest_pages)',
      place: { collectionUid: 1 },
      read: () => readPages(reader, 1),
    },
    { table: 'log', key: 'seq', where: 'seq = 88', place: { seq: 88 }, read: () => reader.logFrom(88, 1, 1) },
    {
      table: 'remembered',
      key: 'scope',
      where: 'seq > 0',
      place: { table: 'remembered' },
      read: () => reader.remembered(Buffer.alloc(32, 4)),
    },
  ];
  for (const { table, key, where, place, read } of rows) {
    const columns = (db.pragma(`table_info(${table})`) as { name: string }[])
      .map(({ name }) => name)
      .filter((name) => name !== key);
    const row = db.prepare(`SELECT * FROM ${table} WHERE ${where}`).get() as Record<string, unknown>;
    for (const column of columns) {
      const good = row[column];
      const bads = damages(good);
      assert.ok(bads.length > 0);
      const set = db.prepare(`UPDATE ${table} SET ${column} = ? WHERE ${key} = ?`);
      bads.forEach((bad, i) => {
        set.run(bad, row[key]);
        const isDropped = table === 'collections' && column === 'dropped_seq';
        if (!isDropped)
          assert.throws(read, (error: { type?: string }) => error.type === 'CorruptData', `${table}.${column} ${String(bad)}`);
        if (i !== 0) return;
        const found = verifyStore(dataDir, 'full').findings.find(({ kind }) => kind === 'row_damaged');
        assert.ok(found !== undefined, `${table}.${column} was not found`);
        assert.is(found?.table, table);
        for (const [name, value] of Object.entries(place)) assert.is(found?.[name as keyof Finding], value);
      });
      set.run(good, row[key]);
    }
    read();
  }
  assert.ok(verifyStore(dataDir, 'full').ok);
});

/** Other values for a cell: every byte of bytes and text, numbers a bit off, null for a number and a number for null. */
function damages(good: unknown): unknown[] {
  if (good === null) return [0, 7];
  if (typeof good === 'number') return [good + 1, good === 0 ? 2 ** 40 : 0, good + 2 ** 33];
  if (typeof good === 'string') return [`${good}x`, good.replace(/.$/, '~')];
  const bytes = good as Buffer;
  if (bytes.length === 0) return [Buffer.from([0])];
  const flipped = Array.from({ length: Math.min(bytes.length, 600) }, (_, i) => {
    const copy = Buffer.from(bytes);
    copy[i] = (copy[i] as number) ^ (1 << (i % 8));
    return copy;
  });
  return [...flipped, bytes.subarray(0, -1), Buffer.concat([bytes, Buffer.alloc(1)])];
}

function readPages(reader: ReturnType<typeof openReader>, uid: number): void {
  for (let page = 0; page < 64; page++) reader.digestPage(uid, page);
}

test('rows that are missing or belong to nothing are found and named', (t) => {
  const cases: { sql: string; kind: FindingKind; place: Partial<Finding> }[] = [
    {
      sql: `DELETE FROM vectors WHERE key = ${2 ** 31 + 11}`,
      kind: 'row_missing',
      place: { table: 'vectors', label: 11, id: 5 },
    },
    { sql: `DELETE FROM points WHERE key = ${2 ** 31 + 11}`, kind: 'row_surplus', place: { table: 'vectors', label: 11 } },
    { sql: 'DELETE FROM log WHERE seq = 87', kind: 'row_missing', place: { table: 'log', seq: 87 } },
    { sql: 'DELETE FROM log WHERE seq = 89', kind: 'row_missing', place: { table: 'log', seq: 89 } },
    { sql: 'DELETE FROM state', kind: 'row_damaged', place: { table: 'state' } },
    {
      sql: 'DELETE FROM digest_pages WHERE key = (SELECT min(key) FROM digest_pages)',
      kind: 'digest_mismatch',
      place: { collectionUid: 1 },
    },
    { sql: 'DELETE FROM collections WHERE uid = 2', kind: 'row_surplus', place: { table: 'points', collectionUid: 2 } },
  ];
  const { dataDir, database } = dataFolder(t);
  for (const { sql, kind, place } of cases) {
    const copy = t.folder();
    cpSync(dataDir, copy, { recursive: true });
    const db = driver(join(copy, 'store-1', 'skein.db'));
    db.exec(sql);
    db.close();
    const report = verifyStore(copy, 'full');
    assert.not(report.ok);
    const found = report.findings.find((finding) => finding.kind === kind);
    assert.ok(found !== undefined, `${sql}: ${kinds(report).join()}`);
    for (const [name, value] of Object.entries(place)) assert.is(found?.[name as keyof Finding], value, sql);
  }
  assert.ok(statSync(database).size > 0);
});

test('a damaged row hides no other loss: what its head says still has to add up', (t) => {
  const { dataDir, database } = dataFolder(t);
  const db = driver(database);
  t.after(() => db.close());
  const key = 2 ** 31;
  db.exec(`UPDATE points SET payload = x'7b7d' WHERE key = ${key}; UPDATE vectors SET crc = crc + 1 WHERE key = ${key + 1}`);
  assert.equal(kinds(verifyStore(dataDir, 'full')), ['row_damaged']);
  db.exec(
    `SAVEPOINT lost; DELETE FROM points WHERE key = ${key + 11}; DELETE FROM vectors WHERE key = ${key + 11}; RELEASE lost`,
  );
  assert.equal(kinds(verifyStore(dataDir, 'full')), ['row_damaged', 'digest_mismatch']);
  db.exec(`UPDATE points SET content_hash = zeroblob(16) WHERE key = ${key + 4}`);
  assert.ok(kinds(verifyStore(dataDir, 'full')).includes('count_mismatch'), 'a damaged head is there all the same');
});

test('rows that are sound by themselves but disagree are found: swapped vectors, a wrong count, an old state, a cut unit', (t) => {
  const { dataDir } = dataFolder(t);
  const damage = (change: (story: Story, database: string) => void): VerifyReport => {
    const copy = t.folder();
    cpSync(dataDir, copy, { recursive: true });
    const database = join(copy, 'store-1', 'skein.db');
    const store = openWriter(database, OPTIONS);
    store.begin();
    change(new Story(store), database);
    store.commit();
    store.close();
    return verifyStore(copy, 'full');
  };
  const count = damage(({ store }) => {
    const row = store.collection(1);
    if (row !== undefined) store.updateCollection({ ...row, pointsCount: row.pointsCount + 1 });
  });
  assert.equal(kinds(count), ['count_mismatch']);
  const hash = damage(({ store }) => {
    const row = store.pointById(1, 7);
    if (row !== undefined) store.updatePoint({ ...row, payload: Buffer.from('{"other":1}') });
  });
  assert.is(only(hash).kind, 'hash_mismatch');
  assert.is(only(hash).id, 7);
  const bounds = damage(({ store }) => {
    const row = store.pointById(1, 7);
    if (row !== undefined) store.updatePoint({ ...row, version: 1_000 });
  });
  assert.ok(kinds(bounds).includes('out_of_bounds'));
  const chain = damage(({ store }) => store.writeState({ ...store.state(), chainHash: Buffer.alloc(32, 1) }));
  assert.is(only(chain).kind, 'hash_mismatch');
  const digest = damage(({ store }) => store.writeState({ ...store.state(), digest: Buffer.alloc(16, 1) }));
  assert.is(only(digest).kind, 'digest_mismatch');
  const bytes = damage(({ store }) => store.writeState({ ...store.state(), logBytes: 5 }));
  assert.is(only(bytes).kind, 'count_mismatch');
  const uid = damage(({ store }) => store.writeState({ ...store.state(), nextUid: 2 }));
  assert.ok(kinds(uid).includes('out_of_bounds'));
});

test('a log whose rows are sound but whose chain or units break is found at the seq where it breaks', (t) => {
  const { dataDir } = dataFolder(t);
  const append = (change: { chain?: Buffer; firstSeq?: number; last?: boolean }): Finding => {
    const copy = t.folder();
    cpSync(dataDir, copy, { recursive: true });
    const store = openWriter(join(copy, 'store-1', 'skein.db'), OPTIONS);
    const state = store.state();
    const seq = state.seq + 1;
    const { firstSeq = seq, last = true } = change;
    const head = { seq, epoch: 1, firstSeq, last, timeMs: 1, trace: null, digest: last ? state.digest : null };
    const entry = encodeEntry({ ...head, effect: { kind: 'noop' } });
    const hash = change.chain ?? chainHash(state.chainHash, entry);
    store.begin();
    store.appendLog({ seq, entry, chainHash: hash }, 1);
    store.writeState({ ...state, seq, chainHash: hash, logBytes: state.logBytes + entry.length });
    store.commit();
    store.close();
    const found = only(verifyStore(copy, 'full'));
    assert.is(found.seq, seq);
    return found;
  };
  assert.is(append({ chain: Buffer.alloc(32, 1) }).kind, 'hash_mismatch');
  assert.is(append({ firstSeq: 3 }).kind, 'unit_broken');
  assert.is(append({ last: false }).kind, 'unit_broken');
});

test('a damaged index, which no checksum of a row covers, is found by the check of the structure', (t) => {
  const { dataDir, database } = dataFolder(t);
  const db = driver(database);
  const pages = db
    .prepare("SELECT pageno FROM dbstat WHERE name = 'points_live' AND pagetype = 'leaf'")
    .pluck()
    .all() as number[];
  db.close();
  const at = readFileSync(database).indexOf('text-17', ((pages[0] ?? 0) - 1) * PAGE_BYTES);
  assert.is(Math.floor(at / PAGE_BYTES), (pages[0] ?? 0) - 1);
  patch(database, at + 6, Buffer.from('Z'));
  const report = verifyStore(dataDir, 'full');
  assert.ok(kinds(report).includes('structure'));
});

test('a store behind its manifest has lost acknowledged writes; one ahead of it is fine', (t) => {
  const { dataDir, database } = dataFolder(t);
  const old = join(t.folder(), 'old.db');
  copyFileSync(database, old);
  const store = openWriter(database, OPTIONS);
  const story = new Story(store);
  story.commit(story.put(1, { id: 'new', vector: [1, 1, 1, 1] }));
  const state = store.state();
  store.close();
  assert.equal(verifyStore(dataDir, 'full').findings, []);
  const manifest = openManifest(dataDir, 'boot');
  manifest.write(state, { collections: 2, points: 81 });
  manifest.close({ clean: true });
  assert.equal(verifyStore(dataDir, 'full').findings, []);
  copyFileSync(old, database);
  for (const level of ['full', 'quick'] as const) {
    const found = only(verifyStore(dataDir, level));
    assert.is(found.kind, 'tail_lost');
    assert.match(found.message, /seq 90 was durable and the store ends at 89: 1 entries are lost/);
  }
});

test('a cut or damaged tail of the WAL is seen by the manifest', (t) => {
  const { dataDir, database } = dataFolder(t);
  const store = openWriter(database, OPTIONS);
  const manifest = openManifest(dataDir, 'boot');
  const story = new Story(store);
  for (let i = 0; i < 5; i++) story.commit(story.put(1, { id: `late-${i}`, vector: [1, 1, 1, i] }));
  manifest.write(store.state(), { collections: 2, points: 85 });
  // What a kill leaves behind: both files as they are now, without a close. Nothing writes between the two copies.
  const crashed = t.folder();
  cpSync(dataDir, crashed, { recursive: true, filter: (path) => !/-shm$|LOCK$/.test(path) });
  store.close();
  manifest.close({ clean: true });
  const wal = join(crashed, 'store-1', 'skein.db-wal');
  const whole = readFileSync(wal);
  assert.ok(verifyStore(crashed, 'full').ok);
  for (const damage of ['cut', 'flip', 'gone'] as const) {
    rmSync(`${wal.slice(0, -4)}-shm`, { force: true });
    if (damage === 'cut') writeFileSync(wal, whole.subarray(0, whole.length - 30));
    if (damage === 'flip')
      writeFileSync(
        wal,
        whole.map((byte, i) => (i === Math.floor(whole.length / 2) ? byte ^ 1 : byte)),
      );
    if (damage === 'gone') rmSync(wal);
    const report = verifyStore(crashed, 'full');
    assert.equal(kinds(report), ['tail_lost'], damage);
  }
});

test('a manifest that is missing, damaged, swapped or of another store is named; only the last is fatal', (t) => {
  const { dataDir } = dataFolder(t);
  const path = join(dataDir, 'MANIFEST');
  const good = readFileSync(path);
  const verify = (bytes: Uint8Array | null): VerifyReport => {
    if (bytes === null) rmSync(path);
    else writeFileSync(path, bytes);
    return verifyStore(dataDir, 'quick');
  };
  const flipped = (at: number): Buffer => {
    const copy = Buffer.from(good);
    copy[at] = (copy[at] as number) ^ 4;
    return copy;
  };
  const both = flipped(100);
  both[700] = (both[700] as number) ^ 4;
  const cases: [string, Uint8Array | null][] = [
    ['missing', null],
    ['empty', Buffer.alloc(0)],
    ['zeros', Buffer.alloc(1024)],
    ['one slot', flipped(100)],
    ['the other slot', flipped(700)],
    ['both', both],
    ['cut', good.subarray(0, 600)],
    ['swapped', Buffer.concat([good.subarray(512), good.subarray(0, 512)])],
  ];
  for (const [name, bytes] of cases) {
    const report = verify(bytes);
    assert.ok(report.ok, name);
    assert.equal(kinds(report), ['manifest'], name);
  }
  assert.equal(verify(good).findings, []);
  rmSync(path);
  const other = openManifest(dataDir, 'boot');
  other.write({ ...IDENTITY, clusterId: 'ff'.repeat(16), seq: 1 }, { collections: 0, points: 0 });
  other.close({ clean: true });
  assert.is(only(verifyStore(dataDir, 'quick')).kind, 'identity_mismatch');
  const later = openManifest(dataDir, 'boot');
  later.write({ ...IDENTITY, epoch: 2, historyId: 'aa'.repeat(16), seq: 1 }, { collections: 0, points: 0 });
  later.close({ clean: true });
  assert.is(only(verifyStore(dataDir, 'quick')).kind, 'tail_lost');
});

test('a folder without a store, and files that are no store, are findings and not crashes', async (t) => {
  const { dataDir, database } = dataFolder(t);
  const good = readFileSync(database);
  assert.is(only(verifyStore(t.folder(), 'full')).kind, 'unusable');
  const cases: [string, () => void][] = [
    ['0 bytes', () => truncateSync(database, 0)],
    ['half', () => truncateSync(database, Math.floor(good.length / 2))],
    ['cut in a page', () => truncateSync(database, good.length - 100)],
    ['trashed header', () => patch(database, 0, Buffer.alloc(100, 0xa5))],
    ['trashed page 1', () => patch(database, 100, Buffer.alloc(PAGE_BYTES - 100, 0xa5))],
    ['all garbage', () => patch(database, 0, Buffer.alloc(good.length, 0x5a))],
    ['removed', () => rmSync(database)],
  ];
  for (const [name, damage] of cases) {
    writeFileSync(database, good);
    damage();
    const report = await verifyInChild(dataDir, 'full');
    assert.not(report.ok, name);
  }
});

test('any page overwritten or any byte flipped is either found or changes nothing that can be read', async (t) => {
  const { dataDir, database } = dataFolder(t);
  const good = readFileSync(database);
  const expected = dump(database);
  const pages = good.length / PAGE_BYTES;
  let random = t.seed();
  const next = (below: number): number => {
    random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
    return random % below;
  };
  let harmless = 0;
  const rounds = t.rounds(12, 36);
  for (let round = 0; round < rounds; round++) {
    const page = round < pages ? round : next(pages);
    const at = page * PAGE_BYTES + (round % 3 === 0 ? 0 : next(PAGE_BYTES));
    const bytes = round % 3 === 0 ? Buffer.alloc(PAGE_BYTES, round % 2) : Buffer.from([(good[at] as number) ^ (1 << next(8))]);
    writeFileSync(database, good);
    patch(database, at, bytes);
    const report = await verifyInChild(dataDir, 'full');
    if (!report.ok) continue;
    harmless += 1;
    assert.equal(dump(database), expected, `round ${round}: byte ${at} was changed, not found, and is served`);
  }
  assert.ok(harmless < (2 / 3) * rounds, `${harmless} of ${rounds} damages were not found`);
});

function dump(database: string): string {
  const db = driver(database);
  try {
    const tables = ['state', 'collections', 'points', 'vectors', 'digest_pages', 'log', 'remembered'];
    return JSON.stringify(tables.map((table) => db.prepare(`SELECT * FROM ${table} NOT INDEXED`).raw().all()));
  } finally {
    db.close();
  }
}

function patch(path: string, at: number, bytes: Uint8Array): void {
  const file = openSync(path, 'r+');
  writeSync(file, bytes, 0, bytes.length, at);
  closeSync(file);
}

test('verification in a child works while this process holds the folder’s lock', async (t) => {
  const { dataDir } = dataFolder(t);
  const lock = lockFolder(dataDir);
  t.after(() => lock.release());
  const report = await verifyInChild(dataDir, 'full');
  assert.equal(report.findings, []);
  assert.throws(() => lockFolder(dataDir), /in use/);
});

test.run();
