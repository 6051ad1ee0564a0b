/** What bodies may hold together is reserved before they are read. */
import * as assert from 'uvu/assert';
import { HeldBytes } from '../../src/mcp/held-bytes.js';
import { suite } from '../support/suite.js';

const test = suite('mcp/held-bytes');

test('bodies share a bound, one of unknown length counts as the longest, and a share comes back once', () => {
  const held = new HeldBytes({ bytesMax: 100, unknownBytes: 60 });
  const known = held.reserve('40');
  const unknown = held.reserve(undefined);
  assert.ok(known !== null && unknown !== null);
  assert.is(held.reserve('1'), null);
  known?.();
  known?.();
  assert.is(held.reserve('41'), null);
  assert.ok(held.reserve('40') !== null);
  unknown?.();
  assert.ok(held.reserve('-5') !== null, 'a length that is none counts as unknown');
  assert.is(held.reserve('1'), null);
});

test.run();
