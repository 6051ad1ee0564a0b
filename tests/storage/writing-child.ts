/** A process that writes into the store of a data folder until it is killed: writing-child.js <data folder>.
 *  Groups of one to four units, each unit three points that carry the unit's number; prints the seq of each group once it is durable. */

import { writeSync } from 'node:fs';
import { inspectDataFolder } from '../../src/storage/data-folder.js';
import { lockFolder } from '../../src/storage/folder-lock.js';
import { openManifest } from '../../src/storage/manifest.js';
import { openWriter } from '../../src/storage/open-store.js';
import { OPTIONS, Story } from './story.js';

const dataDir = process.argv[2] ?? '';
lockFolder(dataDir);
const folder = inspectDataFolder(dataDir);
if (folder.kind !== 'data') throw new Error(`the folder is ${folder.kind}`);
const store = openWriter(folder.store.databasePath, OPTIONS);
const manifest = openManifest(dataDir, 'child');
const story = new Story(store);
const payload = JSON.stringify({ text: 'x'.repeat(700) });

for (let group = 0; ; group++) {
  store.begin();
  let seq = store.state().seq;
  for (let unit = 0; unit <= group % 4; unit++) {
    const mark = seq + 1;
    const puts = ['x', 'y', 'z'].map((id) => story.put(1, { id, vector: [mark, 1, 1, 1], payload }));
    seq = story.unit(...puts, story.put(1, { id: mark, vector: [1, mark, 1, 1], payload: JSON.stringify({ unit: mark }) }));
  }
  store.commit();
  manifest.write(store.state(), { collections: 1, points: store.collection(1)?.pointsCount ?? 0 });
  writeSync(1, `${seq}\n`);
  if (group % 5 === 4) store.reapDead(seq - 4, 50);
  if (group % 7 === 6) store.pruneLog({ olderThanMs: 0, keepBytes: 0, hardBytes: 40_000, keepFromSeq: null }, 50);
  if (group % 6 === 5) store.checkpointWal(100_000);
  if (group % 9 === 8) store.vacuumSome(20);
}
