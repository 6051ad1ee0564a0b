/** A process that builds a snapshot of a data folder, and is gone in the middle of it: building-child.js <data folder>. */

import { buildSnapshot } from '../../src/engine/snapshot.js';
import { currentStore } from '../support/snapshots.js';

const dataDir = process.argv[2] ?? '';
const { databasePath, checkpointsPath } = currentStore(dataDir);
const onProgress = (): void => void process.kill(process.pid, 'SIGKILL');
await buildSnapshot({ dataDir, storePath: databasePath, checkpointsDir: checkpointsPath, cacheBytes: 2 ** 21, onProgress });
