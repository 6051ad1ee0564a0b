/** Lineage and voters: what went in comes back, and every damage to them is found by reading and by verification. */

import * as assert from 'uvu/assert';
import { Sum128, voterHash } from '../../src/codec/digest.js';
import { createDataFolder } from '../../src/storage/data-folder.js';
import { openReader, openWriter } from '../../src/storage/open-store.js';
import { verifyStore } from '../../src/storage/verify-store.js';
import { suite, type TestContext } from '../support/suite.js';
import { driver } from './raw-database.js';
import { IDENTITY, OPTIONS, Story } from './story.js';

const test = suite('storage/cluster');
const SECOND = 'ab'.repeat(16);
const VOTERS = ['11', '22', '33'].map((pair, i) => ({ nodeId: pair.repeat(16), host: `node-${i}`, port: 7_171 + i }));

/** Two collections at seq 1 and 2, a second history from seq 1 on, three voters less one. */
function newFolder(t: TestContext): { dataDir: string; path: string } {
  const dataDir = `${t.folder()}/data`;
  const { databasePath: path } = createDataFolder(dataDir, IDENTITY, { role: 'master', bootId: 'b' }, OPTIONS);
  const store = openWriter(path, OPTIONS);
  const story = new Story(store);
  story.commit(story.create('a'));
  const startHash = store.state().chainHash;
  story.commit(story.create('b'));
  store.begin();
  store.insertLineage({ epoch: 5, historyId: SECOND, startSeq: 1, startHash });
  for (const voter of VOTERS) store.putVoter({ ...voter, port: 1 });
  for (const voter of VOTERS) store.putVoter(voter);
  store.removeVoter(VOTERS[1]?.nodeId as string);
  store.removeVoter('99'.repeat(16));
  const digest = new Sum128(store.state().digest);
  for (const voter of store.voters()) digest.add(voterHash(voter));
  store.writeState({ ...store.state(), epoch: 5, historyId: SECOND, digest: digest.toBytes() });
  store.commit();
  store.close();
  return { dataDir, path };
}

test('rows come back in order as they were written', (t) => {
  const { dataDir, path } = newFolder(t);
  const reads = openReader(path, OPTIONS);
  t.after(() => reads.close());
  assert.equal(reads.voters(), [VOTERS[0], VOTERS[2]]);
  assert.equal(
    reads.lineage().map(({ epoch, historyId, startSeq }) => [epoch, historyId, startSeq]),
    [
      [1, IDENTITY.historyId, 0],
      [5, SECOND, 1],
    ],
  );
  assert.equal(Buffer.from(reads.lineage()[1]?.startHash as Uint8Array), Buffer.from(reads.chainHashAt(1) as Uint8Array));
  assert.equal(
    verifyStore(dataDir, 'full').findings.map(({ message }) => message),
    [],
  );
});

const DAMAGES: readonly (readonly [string, string, RegExp])[] = [
  ['a changed start', 'UPDATE lineage SET start_seq = 0 WHERE epoch = 5', /lineage fails its checksum/],
  ['a changed voter', "UPDATE voters SET host = 'other'", /voters fails its checksum/],
  ['a lost voter', 'DELETE FROM voters WHERE port = 7171', /state digest/],
  ['a lost history', 'DELETE FROM lineage WHERE epoch = 5', /lineage ends with history e3e3/],
  ['no lineage', 'DELETE FROM lineage', /lineage ends with history none/],
];

for (const [what, sql, expected] of DAMAGES) {
  test(`verification names ${what}`, (t) => {
    const { dataDir, path } = newFolder(t);
    const db = driver(path);
    db.exec(sql);
    db.close();
    for (const level of ['full', 'quick'] as const) {
      const { ok, findings } = verifyStore(dataDir, level);
      assert.not(ok);
      assert.match(findings.map(({ message }) => message).join('\n'), expected);
    }
  });
}

test('histories out of their order, or starting where the log has another hash, are named', (t) => {
  for (const [startSeq, startHash, expected] of [
    [9, Buffer.alloc(32), /starts at seq 9, out of its order/],
    [2, Buffer.alloc(32, 7), /another chain hash than the log has at seq 2/],
  ] as const) {
    const { dataDir, path } = newFolder(t);
    const store = openWriter(path, OPTIONS);
    store.begin();
    store.insertLineage({ epoch: 6, historyId: 'cd'.repeat(16), startSeq, startHash });
    store.writeState({ ...store.state(), epoch: 6, historyId: 'cd'.repeat(16) });
    store.commit();
    store.close();
    const { findings } = verifyStore(dataDir, 'full');
    assert.match(findings.map(({ message }) => message).join('\n'), expected);
  }
});

test('a damaged row is never served', (t) => {
  const { path } = newFolder(t);
  const db = driver(path);
  db.exec('UPDATE voters SET crc = crc + 1; UPDATE lineage SET crc = crc + 1');
  db.close();
  const reads = openReader(path, OPTIONS);
  t.after(() => reads.close());
  assert.throws(() => reads.voters(), /voters fails its checksum/);
  assert.throws(() => reads.lineage(), /lineage fails its checksum/);
});

test.run();
