/** How the bitmaps' package is loaded: with its own binary, and without the installer that would look for it. */

import { spawnSync } from 'node:child_process';
import * as assert from 'uvu/assert';
import { folderFor } from '../../src/payload-index/roaring-package.js';
import { suite } from '../support/suite.js';

const test = suite('payload-index/roaring-package');
const BITMAP = new URL('../../src/payload-index/bitmap.js', import.meta.url).href;

test('bitmaps work without a module of the installer', () => {
  const text = `import { bitmapOf } from ${JSON.stringify(BITMAP)};
    import { createRequire } from 'node:module';
    const { cache } = createRequire(${JSON.stringify(BITMAP)});
    console.log(bitmapOf(Uint32Array.of(3, 1)).size, Object.keys(cache).filter((path) => path.includes('node-pre-gyp')).length);`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', text], { encoding: 'utf8' });
  assert.equal([stdout, stderr], ['2 0\n', '']);
});

test('the folder of this build of Node is taken, and none where several or none would do', () => {
  const build = { abi: '115', platform: 'linux', arch: 'x64' };
  const glibc = 'roaring-node-v115-linux-x64-glibc';
  assert.is(folderFor(['roaring-node-v127-linux-x64-glibc', glibc, 'roaring-node-v115-linux-arm64-glibc'], build), glibc);
  assert.is(folderFor([glibc, 'roaring-node-v115-linux-x64-musl'], build), null);
  assert.is(folderFor([glibc], { ...build, abi: '11' }), null);
  assert.is(folderFor([], build), null);
});

test.run();
