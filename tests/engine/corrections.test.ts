/** A correction lasts until every index shows it or has said that it never will. */

import * as assert from 'uvu/assert';
import { Corrections } from '../../src/engine/corrections.js';
import { suite } from '../support/suite.js';

const test = suite('engine/corrections');

test('rows are being corrected until every index has settled, also when one of them is lost before', async () => {
  let finish = (): void => {};
  const slow = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const settle = (uid: number): Promise<void> => (uid === 1 ? Promise.reject(new Error('it is lost')) : slow);
  const corrections = new Corrections({ link: { correct: () => Promise.resolve() }, keeper: { settle } });
  const collections = [1, 2].map((uid) => ({ uid, values: [], surplus: [] }));
  let forgotten = 0;
  const outcome = corrections
    .correct({ seq: 1, digest: new Uint8Array(16), throughSeq: 1, collections }, () => {
      forgotten += 1;
    })
    .catch((error: Error) => error.message);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal([corrections.areRunning, forgotten], [true, 1]);
  finish();
  assert.is(await outcome, 'it is lost');
  assert.equal([corrections.areRunning, forgotten], [false, 2]);
});

test.run();
