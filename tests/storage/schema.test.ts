/** The tables of each format: any change of their text is a new format. */

import { createHash } from 'node:crypto';
import * as assert from 'uvu/assert';
import { FORMAT, FORMAT_MIN, PAGE_BYTES, schemaDifferences, schemaOf } from '../../src/storage/schema.js';
import { suite } from '../support/suite.js';
import { driver } from './raw-database.js';
import { newStore } from './story.js';

const test = suite('storage/schema');

const GOLDEN: Readonly<Record<number, string>> = {
  1: '42d8214e92b219ac3ebb688bf30e5e4efeda35d9f2494f19e1381a3c2eaf04a4',
  2: '8d7a4e0a911cebcb0498b54eb84cb7266a502db5c5abf4621b9015e3052fccf4',
  3: 'c906624b60b752017a5563fc88b9e94560da6bf6dd86580d264e949fc3c84545',
  4: 'f6946bc1706e8b3a4501393f3c22a2c3e50b4b2f45a08c39ad47a17ea170ae70',
};

for (let format = FORMAT_MIN; format <= FORMAT; format++) {
  test(`the golden definition of format ${format} stays`, () => {
    const text = [format, PAGE_BYTES, ...schemaOf(format).map(([, sql]) => sql)].join('\n');
    assert.is(createHash('sha256').update(text).digest('hex'), GOLDEN[format]);
  });
}

test('a missing, a changed and a surplus table or index are named', (t) => {
  const { path, store } = newStore(t.folder());
  store.close();
  const db = driver(path);
  t.after(() => db.close());
  assert.equal(schemaDifferences(db), []);
  db.exec('DROP INDEX points_expiring; DROP TABLE remembered; CREATE TABLE remembered (scope BLOB); CREATE TABLE notes (text)');
  assert.equal(schemaDifferences(db), [
    'remembered is defined differently',
    'points_expiring is missing',
    'remembered_age is missing',
    'notes is not part of the format',
  ]);
});

test.run();
