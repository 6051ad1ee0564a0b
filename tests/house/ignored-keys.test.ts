/** Keys that the commands of our own pages make in the tree are never offered to git. */

import { spawnSync } from 'node:child_process';
import * as assert from 'uvu/assert';
import { suite } from '../support/suite.js';
import { projectFolder } from '../support/test-files.js';

const test = suite('house/ignored-keys');
const MADE = ['docs/deploy/compose/secrets/api-key', 'docs/deploy/compose/secrets/cluster-key', 'key', 'api.key', 'cluster.key'];

test('the files of keys that the deployment commands make are ignored', () => {
  const { stdout, error } = spawnSync('git', ['check-ignore', '--no-index', ...MADE], { cwd: projectFolder, encoding: 'utf8' });
  assert.is(error, undefined);
  assert.equal(stdout.trim().split('\n'), MADE);
});

test.run();
