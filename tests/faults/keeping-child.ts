/** A process that puts, replaces and removes objects in a folder: keeping-child.js FOLDER ROUNDS. It prints a line when each is done. */

import { openFolderTarget } from '../../src/backup/folder-target.js';
import { systemClock } from '../../src/model/clock.js';
import { bodyOf } from '../support/backup-targets.js';
import { contentOf, KEPT_KEYS } from './kept-objects.js';

/** The end of the millisecond, not its beginning: nothing was done before it. */
const nowMs = (): number => Date.now() + 1;

const [folder = '', rounds = '1'] = process.argv.slice(2);
const target = await openFolderTarget({ folder, writer: 'node-1', stallMs: 30_000, clock: systemClock });
for (let round = 1; round <= Number(rounds); round++) {
  for (const key of KEPT_KEYS) {
    const content = contentOf(key, round);
    await target.put(key, bodyOf(content.subarray(0, 5_000), content.subarray(5_000)));
    console.log(JSON.stringify({ key, round, atMs: nowMs() }));
    if (round % 3 !== 0) continue;
    await target.remove(key);
    console.log(JSON.stringify({ key, round: null, atMs: nowMs() }));
  }
}
