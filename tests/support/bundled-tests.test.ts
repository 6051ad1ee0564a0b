/** The bundle that a run of tests starts from: the same code, faster to load, and every module still knows its own file. */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as assert from 'uvu/assert';
import { bundleTests } from './bundled-tests.js';
import { suite } from './suite.js';

const test = suite('support/bundled-tests');
/** Not written out, because this file is bundled too. */
const OWN_URL = ['import.meta', 'url'].join('.');

test('a module has the address of its own file, and a thread beside it is started from the bundle', async (t) => {
  const dist = t.folder();
  const files = {
    'package.json': '{ "type": "module" }',
    'src/room/word.js': "export const word = 'import.meta.url';",
    'src/room/some-thread.js':
      "import { parentPort } from 'node:worker_threads';\nimport { word } from './word.js';\nparentPort.postMessage([word, process.argv[1]]);",
    'src/room/start.js': `import { Worker } from 'node:worker_threads';\nexport const start = () => new Worker(new URL('./some-thread.js', ${OWN_URL}));`,
    'tests/room/one.test.js':
      "import { start } from '../../src/room/start.js';\nstart().on('message', (said) => console.log(JSON.stringify([import.meta.url, ...said])));",
  };
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dist, path)), { recursive: true });
    writeFileSync(join(dist, path), text);
  }
  const compiled = join(dist, 'tests', 'room', 'one.test.js');
  const bundle = await bundleTests(dist, [compiled]);
  const file = bundle.fileOf(compiled);
  const { stdout, stderr } = spawnSync(process.execPath, [file], { encoding: 'utf8' });
  assert.is(stderr, '');
  const thread = join(dirname(file), '../../src/room/some-thread.js');
  assert.equal(JSON.parse(stdout), [pathToFileURL(compiled).href, 'import.meta.url', thread]);
  bundle.remove();
  assert.not.ok(existsSync(file));
});

test('what a run left that was killed goes with the next one', async (t) => {
  const dist = t.folder();
  const { pid } = spawnSync(process.execPath, ['--version']);
  const left = join(dist, `run-${pid}`);
  for (const folder of [left, join(dist, 'src')]) mkdirSync(folder);
  const compiled = join(dist, 'one.test.js');
  writeFileSync(compiled, '');
  const bundle = await bundleTests(dist, [compiled]);
  assert.not.ok(existsSync(left));
  assert.ok(existsSync(bundle.fileOf(compiled)));
});

test.run();
