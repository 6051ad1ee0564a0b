/** docs/FEATURES.md names every row of the capability list once, and every file it points at is there. */

import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { suite } from '../support/suite.js';

const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));
const ROWS = { S0: 20, S1: 18, S2: 18, S3: 24, S4: 17 };
const test = suite('house/features');

const rows = readFileSync(`${PROJECT}docs/FEATURES.md`, 'utf8')
  .split('\n')
  .filter((line) => /^\| S\d-/.test(line))
  .map((line) => line.split('|').map((cell) => cell.trim()));

test('every row is there once, in order', () => {
  const wanted = Object.entries(ROWS).flatMap(([group, count]) => Array.from({ length: count }, (_, i) => `${group}-${i + 1}`));
  assert.equal(
    rows.map((cells) => cells[1]),
    wanted,
  );
});

test('what is done, or done in part, names code, test and page that exist', () => {
  for (const [, row, what, state, ...paths] of rows) {
    assert.ok(['yes', 'part', 'open'].includes(state ?? ''), `${row}: ${state}`);
    assert.ok(what !== '', row);
    for (const path of paths.slice(0, 3)) {
      const file = path.replaceAll('`', '');
      assert.is(file === '', state === 'open', `${row}: ${state} and ${path}`);
      if (file !== '') assert.ok(existsSync(`${PROJECT}${file}`), `${row}: ${file}`);
    }
  }
});

test.run();
