/** Text fields: every string that a path leads to, in a fixed order, and nothing else. */

import * as assert from 'uvu/assert';
import type { Payload } from '../../src/model/point.js';
import { textsAt } from '../../src/text-index/text-fields.js';
import { suite } from '../support/suite.js';

const test = suite('text-index/text-fields');

test('strings come in the order of the paths, and lists give their strings', () => {
  const payload = { title: 'T', tags: ['a', 7, null, 'b', ['deep'], { x: 'y' }], other: 'o', count: 5 };
  assert.equal(textsAt(payload, ['tags', 'title', 'count', 'missing']), ['a', 'b', 'T']);
  assert.equal(textsAt(payload, []), []);
});

test('a path goes on in every object of the arrays it meets', () => {
  const payload = {
    parts: [{ text: 'one', in: { text: ['two', 'three'] } }, 'no', [{ text: 'not in arrays of arrays' }], { text: 'four' }, null],
    'a.b': 'a key with a dot is none',
  };
  assert.equal(textsAt(payload, ['parts.text']), ['one', 'four']);
  assert.equal(textsAt(payload, ['parts.in.text']), ['two', 'three']);
  assert.equal(textsAt(payload, ['a.b', 'parts.text.more', 'parts']), ['no']);
});

test('only the payloads own keys count', () => {
  assert.equal(textsAt({}, ['constructor.name', '__proto__', 'toString.name']), []);
  assert.equal(textsAt(Object.create({ text: 'inherited' }) as Payload, ['text']), []);
  assert.equal(textsAt({ constructor: { name: 'mine' } }, ['constructor.name']), ['mine']);
});

test.run();
