/** The list of what could not be repaired, and what lies in quarantine/. */

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { damageOf } from '../../../src/model/damage.js';
import { QuarantineList } from '../../../src/node/recovery/quarantine-list.js';
import { suite } from '../../support/suite.js';

const test = suite('node/recovery/quarantine-list');

test('each damage is a line that says where it is and why it stayed; a process writes one file', async (t) => {
  const dataDir = t.folder();
  const list = new QuarantineList(dataDir);
  await list.add([]);
  assert.equal(readdirSync(dataDir), [], 'nothing to say, no file');
  const damage = damageOf('payload', 'points', 'it fails', { collectionUid: 3, label: 4, id: 'x', version: 5 });
  const line = { damage, collection: 'c', reason: 'nobody has it', atMs: 0 };
  await list.add([line, line]);
  await list.add([{ ...line, atMs: 1 }]);
  const names = readdirSync(join(dataDir, 'quarantine'));
  assert.equal(names, ['1970-01-01T00-00-00.000Z.jsonl']);
  const text = readFileSync(join(dataDir, 'quarantine', names[0] ?? ''), 'utf8');
  const lines = text
    .trim()
    .split('\n')
    .map((found) => JSON.parse(found) as Record<string, unknown>);
  assert.is(lines.length, 3);
  const { time, kind, collection, id, version, reason } = lines[0] ?? {};
  assert.equal(
    [time, kind, collection, id, version, reason],
    ['1970-01-01T00:00:00.000Z', 'payload', 'c', 'x', 5, 'nobody has it'],
  );
  assert.is(list.bytes, text.length);
});

test('moved stores are counted, and what an operator removes is seen', async (t) => {
  const dataDir = t.folder();
  const list = new QuarantineList(dataDir);
  await list.look();
  assert.equal([list.bytes, list.stores], [0, 0]);
  const store = join(dataDir, 'quarantine', 'store-x');
  mkdirSync(store, { recursive: true });
  writeFileSync(join(store, 'skein.db'), Buffer.alloc(1_000));
  await list.look();
  assert.equal([list.bytes, list.stores], [1_000, 1]);
  rmSync(store, { recursive: true });
  await list.look();
  assert.equal([list.bytes, list.stores], [0, 0]);
});

test.run();
