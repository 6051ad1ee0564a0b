/** A store that is moved away for a copy: whole, in one piece however often the process ends meanwhile, and never what came instead. */

import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { endMove, movedStores, moveStoreAside, resumeMove } from '../../../src/node/recovery/moved-stores.js';
import { suite, type TestContext } from '../../support/suite.js';

const test = suite('node/recovery/moved-stores');
const PARTS = ['CURRENT', 'MANIFEST', 'incoming-x', 'store-2'];

function folder(t: TestContext): string {
  const path = t.folder();
  mkdirSync(join(path, 'store-2'));
  for (const name of ['MANIFEST', 'CURRENT', 'incoming-x', 'store-2/skein.db', 'NODE', 'LOCK'])
    writeFileSync(join(path, name), `old ${name}`);
  return path;
}

test('what is of the store goes, what is of the node stays', (t) => {
  const path = folder(t);
  const target = moveStoreAside(path, Date.UTC(2026, 10, 22, 5, 6, 7, 8));
  assert.is(target, join(path, 'quarantine', 'store-2026-11-22T05-06-07.008Z'));
  assert.equal(readdirSync(path).sort(), ['LOCK', 'NODE', 'quarantine']);
  assert.equal(readdirSync(target).sort(), [PARTS[0], PARTS[1], 'MOVING', PARTS[2], PARTS[3]].sort());
  assert.is(readFileSync(join(target, 'store-2', 'skein.db'), 'utf8'), 'old store-2/skein.db');
  assert.equal(movedStores(path), [{ path: target, atMs: Date.UTC(2026, 10, 22, 5, 6, 7, 8) }]);
  endMove(target);
  assert.equal(readdirSync(target).sort(), PARTS);
  assert.is(resumeMove(path), null);
});

test('a move that is cut off after any step is gone on with, and what took its place meanwhile is left alone', (t) => {
  for (let done = 0; done <= PARTS.length; done++) {
    const path = folder(t);
    const target = moveStoreAside(path, 1_000 + done);
    // As if the process had ended before the others were moved.
    for (const name of PARTS.slice(done)) renameSync(join(target, name), join(path, name));
    assert.is(resumeMove(path), target);
    assert.not.ok(existsSync(join(path, 'store-2')));
    assert.is(readFileSync(join(target, 'MANIFEST'), 'utf8'), 'old MANIFEST');
    // The new store was made, and the process ended before it said so.
    writeFileSync(join(path, 'MANIFEST'), 'new MANIFEST');
    mkdirSync(join(path, 'store-2'));
    assert.is(resumeMove(path), target);
    assert.is(readFileSync(join(path, 'MANIFEST'), 'utf8'), 'new MANIFEST');
    assert.is(readFileSync(join(target, 'MANIFEST'), 'utf8'), 'old MANIFEST');
    assert.ok(existsSync(join(path, 'store-2')));
  }
});

test.run();
