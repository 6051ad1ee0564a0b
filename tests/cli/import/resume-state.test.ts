/** The note of an interrupted import: it is read back as written, and it counts for the same import only. */
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import {
  fileIdentity,
  type ImportIdentity,
  notePath,
  readNote,
  removeNote,
  whyNotResumable,
  writeNote,
} from '../../../src/cli/import/resume-state.js';
import { suite } from '../../support/suite.js';

function identityOf(path: string): ImportIdentity {
  const asked = { format: 'ndjson', id_offset: 0, id_column: 'id', vector_column: 'vector' };
  return { url: 'http://h:1', collection: 'c', collection_created_at: 't', ...fileIdentity(path), ...asked };
}

const test = suite('cli/import/resume-state');

test('a note is read back, replaced as a whole, and removed', (t) => {
  const folder = t.folder();
  const path = join(folder, 'points.ndjson');
  writeFileSync(path, 'x');
  const identity = identityOf(path);
  assert.is(readNote(path), null);
  writeNote(path, identity, { next: 5, imported: 4, refused: 1 });
  writeNote(path, identity, { next: 7, imported: 5, refused: 2 });
  assert.equal(readNote(path), { version: 1, ...identity, next: 7, imported: 5, refused: 2 });
  assert.equal(readdirSync(folder).sort(), ['points.ndjson', 'points.ndjson.skein-import.json']);
  removeNote(path);
  removeNote(path);
  assert.not.ok(existsSync(notePath(path)));
});

test('a note of another import says what differs', (t) => {
  const path = join(t.folder(), 'points.ndjson');
  writeFileSync(path, 'x');
  const identity = identityOf(path);
  writeNote(path, identity, { next: 1, imported: 1, refused: 0 });
  const note = readNote(path);
  if (note === null) throw new Error('the note is gone');
  assert.is(whyNotResumable(note, identity), null);
  assert.is(whyNotResumable(note, { ...identity, file_bytes: 9 }), 'the size of the file was 1 then and is 9 now');
  for (const key of Object.keys(identity) as (keyof ImportIdentity)[]) {
    assert.ok(whyNotResumable(note, { ...identity, [key]: 'other' })?.endsWith('is other now'), key);
  }
});

test('a note that cannot be understood is not taken for a beginning', (t) => {
  const path = join(t.folder(), 'points.ndjson');
  for (const text of [
    '',
    '{',
    '{}',
    'null',
    '{"version": 2, "next": 1, "imported": 1, "refused": 0}',
    '{"version": 1, "next": -1, "imported": 1, "refused": 0}',
  ]) {
    writeFileSync(notePath(path), text);
    assert.throws(() => readNote(path), /is not a note of an import/, text);
  }
});

test.run();
