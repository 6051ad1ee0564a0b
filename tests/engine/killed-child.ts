/** An engine in a process that a failpoint ends: killed-child.js <folder> master | <folder> replica <store of the master>.
 *  A master writes points 0 to 4, one unit each, and prints each one that was acknowledged; a replica applies the log of the other store. */

import { writeSync } from 'node:fs';
import { follow, logOf } from '../support/follow-log.js';
import { openTestEngine } from '../support/open-test-engine.js';

const [folder = '', role = '', source = ''] = process.argv.slice(2);
const { engine, create, put } = await openTestEngine(folder, {}, role === 'master' ? 'master' : 'replica');
if (role === 'master') {
  if (engine.findCollection('a') === null) await create('a', 2);
  for (let id = 0; id < 5; id++) {
    await put('a', [{ id, vector: [id, 0] }]);
    writeSync(1, `${id}\n`);
  }
} else {
  const rows = logOf(source).slice(engine.log.state().seq);
  for (const row of rows) await follow(engine, [row], [1]);
}
await engine.stop();
