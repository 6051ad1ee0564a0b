/** Ids of the Qdrant dialect: every spelling of a UUID is one id, and nothing else is taken for one. */

import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { canonicalUuid, checkDialectId } from '../../src/wire/qdrant-id.js';
import { suite } from '../support/suite.js';

const test = suite('wire/qdrant-id');

test('every spelling of a UUID is the canonical one', () => {
  fc.assert(
    fc.property(fc.uuid(), (uuid) => {
      const simple = uuid.replaceAll('-', '');
      for (const spelling of [uuid, simple, `urn:uuid:${uuid}`, `{${uuid}}`, uuid.toUpperCase(), simple.toUpperCase()])
        assert.is(canonicalUuid(spelling), uuid, spelling);
    }),
  );
});

test('what is nearly a UUID is none', () => {
  const uuid = '5c56c793-69f3-4fbf-87e6-c4bf54c28c26';
  for (const text of ['', 'x', uuid.slice(1), `${uuid}0`, `${uuid}\n`, uuid.replace('-', ''), `{${uuid}`, uuid.replace('5', 'g')])
    assert.is(canonicalUuid(text), null, JSON.stringify(text));
});

test('integers are ids up to 2^53 - 1', () => {
  for (const id of [0, 1, Number.MAX_SAFE_INTEGER]) assert.is(checkDialectId(id, 'id'), id);
  assert.is(Object.is(checkDialectId(-0, 'id'), 0), true);
  for (const bad of [-1, 1.5, 2 ** 53, Number.NaN, null, true, [], {}, 'seven'])
    assert.throws(() => checkDialectId(bad, 'points[3].id'), /^points\[3\]\.id: a point id is/);
});

test.run();
