/** An engine in a process that a failpoint ends: killed-child.js <folder> master | <folder> replica <store of the master>.
 *  A master writes points 0 to 4, one unit each with an alias, and prints each one that was acknowledged; a replica applies the log of the other
 *  store. */

import { writeSync } from 'node:fs';
import { readEntryHead } from '../../src/codec/entry.js';
import type { LogRow } from '../../src/storage/storage.js';
import { follow, logOf } from '../support/follow-log.js';
import { openTestEngine, pointBlock, WAIT } from '../support/open-test-engine.js';

const [folder = '', role = '', source = ''] = process.argv.slice(2);
const { engine, create } = await openTestEngine(folder, {}, role === 'master' ? 'master' : 'replica');
if (role === 'master') {
  if (engine.findCollection('a') === null) await create('a', 2);
  for (let id = 0; id < 5; id++) {
    const points = pointBlock([{ id, vector: [id, 0] }]);
    const alias = { kind: 'put_alias', alias: `of-${id}`, collection: 'a' } as const;
    await engine.write([{ kind: 'upsert', collection: 'a', points }, alias], WAIT);
    writeSync(1, `${id}\n`);
  }
} else {
  const rows = logOf(source).slice(engine.log.state().seq);
  let unit: LogRow[] = [];
  for (const row of rows) {
    unit.push(row);
    if (!readEntryHead(row.entry).last) continue;
    await follow(engine, unit, [1]);
    unit = [];
  }
}
await engine.stop();
