/** The version that the Qdrant dialect shows has the form that its clients read. */

import * as assert from 'uvu/assert';
import { readQdrant } from '../../src/config/qdrant-settings.js';
import { suite } from '../support/suite.js';

const test = suite('config/qdrant-settings');

test('a version has three numbers', () => {
  const problems = (qdrantVersion: string): number => readQdrant({ qdrantApi: true, qdrantVersion }).problems.length;
  for (const version of ['1.18.0', '1.7.12', '10.0.0']) assert.is(problems(version), 0, version);
  for (const version of ['', '1.18', 'v1.18.0', '1.18.0-dev', '1.18.0.1', '1.18.x']) assert.is(problems(version), 1, version);
});

test.run();
