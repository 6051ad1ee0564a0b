/** What a copy notes of its collections, whatever they are called. */

import * as assert from 'uvu/assert';
import { collectionNote, newNote, withCollection } from '../../../src/cli/copy/copy-note.js';
import { suite } from '../../support/suite.js';

const test = suite('cli/copy-note');
const NOTE = { created_at: '2026-01-01T00:00:00.000Z', cursor: null, points: 7, copied: true };

test('nothing is noted of a collection before it is, also of one that is named as what every object has', () => {
  const empty = newNote('a', 'b');
  const noted = withCollection(empty, 'constructor', NOTE);
  assert.equal(
    [empty, noted].map((note) => [collectionNote(note, 'constructor'), collectionNote(note, 'toString')]),
    [
      [undefined, undefined],
      [NOTE, undefined],
    ],
  );
});

test.run();
