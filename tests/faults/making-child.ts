/** A process that makes a data folder and ends: making-child.js <data folder>. */

import { createDataFolder } from '../../src/storage/data-folder.js';
import { lockFolder } from '../../src/storage/folder-lock.js';
import { TEST_CACHE, TEST_STORE } from '../support/open-test-store.js';

const dataDir = process.argv[2] ?? '';
lockFolder(dataDir);
createDataFolder(dataDir, TEST_STORE, { role: 'master', bootId: 'child' }, TEST_CACHE);
