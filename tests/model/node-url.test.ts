/** Addresses of nodes: four schemes, one form, and nothing else. */

import * as fc from 'fast-check';
import * as assert from 'uvu/assert';
import { readNodeUrl } from '../../src/model/node-url.js';
import { suite } from '../support/suite.js';

const test = suite('model/node-url');

test('the one form reads back as itself, and names the same host and port in every scheme', () => {
  const address = fc.record({
    scheme: fc.constantFrom('http', 'https', 'ws', 'wss'),
    host: fc.oneof(fc.domain(), fc.ipV4(), fc.constant('[::1]')),
    port: fc.integer({ min: 1, max: 65_535 }),
    slash: fc.constantFrom('', '/'),
  });
  fc.assert(
    fc.property(address, ({ scheme, host, port, slash }) => {
      const read = readNodeUrl(`${scheme}://${host}:${port}${slash}`);
      assert.is(readNodeUrl(read ?? ''), read);
      const url = new URL(read ?? '');
      assert.is(url.protocol, scheme.endsWith('s') && scheme !== 'ws' ? 'https:' : 'http:');
      assert.ok(read?.endsWith(`:${port}`), read ?? '');
    }),
  );
});

test('any other text is none', () => {
  fc.assert(fc.property(fc.string(), (text) => /^(?:http|ws)s?:/i.test(text) || assert.is(readNodeUrl(text), null)));
  for (const text of ['http://', 'http://h:99999', 'http://h/#x', 'http://h/?', 'ws://h//', 'http:\\n//h'])
    assert.ok(readNodeUrl(text) === null || !/[#?\n]/.test(readNodeUrl(text) ?? ''), text);
});

test.run();
