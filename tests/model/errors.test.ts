/** The table of errors, its page and its records. */

import { readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { ERRORS, type ErrorType, invalidRequest, SkeinError } from '../../src/model/errors.js';
import { suite } from '../support/suite.js';
import { errorsPage, PAGE_PATH } from './errors-page.js';

const test = suite('model/errors');

test('docs/ERRORS.md is the page that the table makes', () => {
  const hint = 'run: node dist/tests/model/errors-page.js --write';
  assert.is(readFileSync(PAGE_PATH, 'utf8') === errorsPage(), true, `docs/ERRORS.md differs from src/model/errors.ts; ${hint}`);
});

test('every status fits whose fault it is', () => {
  for (const [type, { status, fault, meaning }] of Object.entries(ERRORS)) {
    assert.match(meaning, /\.$/, type);
    if (fault === 'client') assert.ok(status >= 400 && status < 500, type);
    if (fault === 'server') assert.ok(status >= 500, type);
  }
});

test('an error crosses a thread border as a record', () => {
  const error = invalidRequest('points[3].id', 'missing');
  const back = SkeinError.fromRecord(structuredClone(error.toRecord()));
  assert.equal([back.type, back.message, back.details], [error.type, error.message, error.details]);
  assert.equal([back.status, back.retryable, back.name], [400, false, 'InvalidRequest']);
  for (const type of Object.keys(ERRORS))
    assert.is(new SkeinError(type as ErrorType, 'm').status, ERRORS[type as ErrorType].status);
});

test.run();
