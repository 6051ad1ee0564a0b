/** Pages in browsers are told from programs by the name they call and the origin they come from. */

import * as assert from 'uvu/assert';
import { isForeignName, isForeignPage } from '../../src/wire/web-callers.js';
import { suite } from '../support/suite.js';

const test = suite('wire/web-callers');

test('a server answers under addresses, names that nobody outside can own, and those it was given', () => {
  const rules = { hosts: ['db.example'] };
  for (const host of [
    ...['localhost', 'LOCALHOST:7171', '127.0.0.1:7171', '[::1]:7171', 'localhost.', '10.0.0.1:7171', '[fd00::1]:7171'],
    ...['skein', 'skein-0:7171', 'skein.default.svc', 'a.svc.cluster.local', 'b.internal', 'DB.example', 'db.example:80', ''],
  ])
    assert.not(isForeignName({ host }, rules), host);
  for (const host of [
    ...['evil.example', 'localhost.evil.example:7171', '127.0.0.1.evil.example', '10.0.0.1.evil.example'],
    ...['internal.evil.example:7171', 'evillocal.com'],
  ])
    assert.ok(isForeignName({ host }, rules), host);
});

test('a page is at home where it came from, and nowhere else', () => {
  const host = 'localhost:7171';
  assert.not(isForeignPage({ host }));
  assert.not(isForeignPage({ host, origin: 'http://localhost:7171' }));
  for (const origin of ['http://localhost:8080', 'https://evil.example', 'null', ''])
    assert.ok(isForeignPage({ host, origin }), origin);
});

test.run();
