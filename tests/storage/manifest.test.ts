/** The manifest: two slots, torn and damaged ones, and its repair. */

import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { openManifest, readManifest, replaceManifest } from '../../src/storage/manifest.js';
import { decodeSlot, encodeSlot, type ManifestRecord, SLOT_BYTES } from '../../src/storage/manifest-slot.js';
import { suite } from '../support/suite.js';
import { IDENTITY } from './story.js';

const test = suite('storage/manifest');
const COUNTS = { collections: 1, points: 2 };
const RECORD: ManifestRecord = {
  format: 1,
  ...IDENTITY,
  role: 'replica',
  lastSeq: 7,
  counts: COUNTS,
  cleanShutdown: true,
  bootId: 'one',
};

test('what is written is read back at once, and the newest of two slots counts', (t) => {
  const dataDir = t.folder();
  replaceManifest(dataDir, RECORD);
  assert.equal(readManifest(dataDir), { record: RECORD, problems: [] });
  const manifest = openManifest(dataDir, 'two');
  assert.equal(readManifest(dataDir).record, { ...RECORD, cleanShutdown: false, bootId: 'two' });
  for (let seq = 8; seq < 20; seq++) {
    assert.ok(manifest.write({ ...IDENTITY, seq }, { collections: 1, points: seq }));
    const { record, problems } = readManifest(dataDir);
    assert.equal([record?.lastSeq, record?.counts.points, record?.cleanShutdown, record?.role], [seq, seq, false, 'replica']);
    assert.equal(problems, []);
  }
  manifest.setRole('master');
  manifest.close({ clean: true });
  const { record } = readManifest(dataDir);
  assert.equal([record?.lastSeq, record?.cleanShutdown, record?.bootId, record?.role], [19, true, 'two', 'master']);
  assert.is(readFileSync(`${dataDir}/MANIFEST`).length, 2 * SLOT_BYTES);
});

test('a torn or flipped newest slot leaves the one before it, whatever byte was hit, and says so', (t) => {
  const dataDir = t.folder();
  replaceManifest(dataDir, RECORD);
  const manifest = openManifest(dataDir, 'two');
  manifest.write({ ...IDENTITY, seq: 8 }, COUNTS);
  manifest.write({ ...IDENTITY, seq: 9 }, COUNTS);
  manifest.sync();
  const path = `${dataDir}/MANIFEST`;
  const good = readFileSync(path);
  const newest = good.subarray(0, SLOT_BYTES).includes('"lastSeq":9') ? 0 : SLOT_BYTES;
  for (let at = 0; at < SLOT_BYTES; at++) {
    const bad = Buffer.from(good);
    bad[newest + at] = (bad[newest + at] as number) ^ (1 << (at % 8));
    writeFileSync(path, bad);
    const { record, problems } = readManifest(dataDir);
    assert.is(record?.lastSeq, 8, `byte ${at}`);
    assert.is(problems.length, 1);
  }
  writeFileSync(path, Buffer.concat([good.subarray(0, newest), good.subarray(newest, newest + 200)]));
  assert.is(readManifest(dataDir).problems.length > 0, true);
  writeFileSync(path, good);
  manifest.close({ clean: false });
  assert.is(readManifest(dataDir).record?.cleanShutdown, false);
});

test('a damaged or missing manifest is made sound by the next opening and write', (t) => {
  for (const bytes of [null, Buffer.alloc(0), Buffer.alloc(1024, 7), Buffer.from('notes')]) {
    const dataDir = t.folder();
    if (bytes !== null) writeFileSync(`${dataDir}/MANIFEST`, bytes);
    assert.is(readManifest(dataDir).record, null);
    const manifest = openManifest(dataDir, 'two');
    assert.is(manifest.record, null);
    manifest.write({ ...IDENTITY, seq: 3 }, COUNTS);
    const { ino } = statSync(`${dataDir}/MANIFEST`);
    manifest.write({ ...IDENTITY, seq: 4 }, COUNTS);
    manifest.close({ clean: true });
    assert.is(statSync(`${dataDir}/MANIFEST`).ino, ino, 'once sound, it is written in place');
    const { record, problems } = readManifest(dataDir);
    assert.equal([record?.lastSeq, problems.length], [4, 0]);
  }
  const dataDir = t.folder();
  replaceManifest(dataDir, RECORD);
  const path = `${dataDir}/MANIFEST`;
  const bytes = readFileSync(path);
  bytes[SLOT_BYTES + 5] = 1;
  writeFileSync(path, bytes);
  assert.is(readManifest(dataDir).problems.length, 1);
  openManifest(dataDir, 'two').close({ clean: true });
  assert.equal(readManifest(dataDir), { record: { ...RECORD, bootId: 'two' }, problems: [] });
});

test('a manifest that cannot be written is a StorageFailure', (t) => {
  const dataDir = t.folder();
  mkdirSync(`${dataDir}/MANIFEST`);
  assert.throws(
    () => openManifest(dataDir, 'two'),
    (error: Error) => error.name === 'StorageFailure',
  );
  rmSync(`${dataDir}/MANIFEST`, { recursive: true });
  assert.not(existsSync(`${dataDir}/MANIFEST.new`));
});

test('the golden slot of version 1 stays, and what does not fit is refused', () => {
  const slot = encodeSlot({ generation: 2 ** 40 + 1, record: RECORD });
  assert.is(slot.length, SLOT_BYTES);
  assert.is(slot.subarray(0, 24).toString('hex'), '534b4d46010000000100000000010000070100007b22666f');
  assert.equal(decodeSlot(slot), { generation: 2 ** 40 + 1, record: RECORD });
  assert.throws(() => encodeSlot({ generation: 1, record: { ...RECORD, bootId: 'x'.repeat(300) } }), /does not fit/);
  const worst = {
    ...RECORD,
    epoch: 2 ** 53 - 1,
    lastSeq: 2 ** 53 - 1,
    counts: { collections: 2 ** 53 - 1, points: 2 ** 53 - 1 },
    bootId: 'b'.repeat(64),
  };
  assert.equal(decodeSlot(encodeSlot({ generation: 1, record: worst })), { generation: 1, record: worst });
});

test.run();
