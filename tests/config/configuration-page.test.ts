/** docs/CONFIGURATION.md says what the tables of src/config say. */
import { readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { suite } from '../support/suite.js';
import { configurationPage, PAGE_PATH } from './configuration-page.js';

const test = suite('config/configuration-page');

test('the page is the one that the tables make', () => {
  const hint = 'run: node dist/tests/config/configuration-page.js --write';
  assert.is(
    readFileSync(PAGE_PATH, 'utf8') === configurationPage(),
    true,
    `docs/CONFIGURATION.md differs from src/config; ${hint}`,
  );
});

test.run();
