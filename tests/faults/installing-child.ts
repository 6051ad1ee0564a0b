/** A process that goes on with the download of a snapshot and installs it: installing-child.js <data folder> <folder with head.json and bytes> <failpoint>.
 *  It ends by SIGKILL when it comes to the failpoint. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkSnapshotHead } from '../../src/engine/snapshot.js';
import { armFailpoint, FAILPOINTS } from '../../src/model/failpoint.js';
import { receive } from '../support/snapshots.js';

const [dataDir = '', source = '', name] = process.argv.slice(2);
const failpoint = FAILPOINTS.find((known) => known === name);
if (failpoint !== undefined) armFailpoint(failpoint, () => process.kill(process.pid, 'SIGKILL'));
const head = checkSnapshotHead(JSON.parse(readFileSync(join(source, 'head.json'), 'utf8')));
await receive(dataDir, head, readFileSync(join(source, 'bytes')));
