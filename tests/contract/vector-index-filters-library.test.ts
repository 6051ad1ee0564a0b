/** The same cases as vector-index-filters.test.ts, over hnswlib-node's own binary: what serves where our native build could not be made. */

import * as assert from 'uvu/assert';

process.env['SKEIN_NATIVE_BUILD'] = 'hnswlib-node';
const { nativeBuild } = await import('../../src/vector-index/open-index.js');
assert.is(nativeBuild(), 'hnswlib-node');
await import('./vector-index-filters.test.js');
