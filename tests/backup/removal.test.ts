/** Which backups may go by their names, and what goes with them: an archive as it is drawn in src/backup/removal.ts. */

import * as assert from 'uvu/assert';
import { removalOf } from '../../src/backup/removal.js';
import { keptBackups } from '../../src/backup/standing.js';
import { ArchiveWorld } from '../support/archive-world.js';
import { suite } from '../support/suite.js';

const test = suite('backup/removal');

/** A full one, increments that are not made anew, another full one, and increments behind it. */
function drawn(): { readonly world: ArchiveWorld; readonly ids: Record<'a' | 'a1' | 'a2' | 'b' | 'b1', string> } {
  const world = new ArchiveWorld(1 / 20);
  const made = (kind: 'full' | 'incremental'): string => {
    const head = world.make(kind);
    if (head === null) throw new Error('nothing was made');
    return head.id;
  };
  const written = (kind: 'full' | 'incremental'): string => {
    world.write(3);
    return made(kind);
  };
  const a = written('full');
  const [a1, a2] = [written('incremental'), written('incremental')];
  const b = made('full');
  const b1 = written('incremental');
  return { world, ids: { a, a1, a2, b, b1 } };
}

function asked(world: ArchiveWorld, id: string, withIncrements = false) {
  const head = world.backups.find((one) => one.id === id);
  if (head === undefined) throw new Error(`there is no ${id}`);
  return removalOf(world.listing(), world.running, head, withIncrements);
}

test('a chain goes from its far end on', () => {
  const { world, ids } = drawn();
  assert.is(keptBackups(world.listing(), world.running).length, 5);
  const stays = (id: string, neededBy: string[]): void =>
    assert.equal(asked(world, id), { need: { reason: 'increments', neededBy, couldGoToo: id === ids.a } });
  stays(ids.a, [ids.a2, ids.a1]);
  stays(ids.a1, [ids.a2]);
  for (const id of [ids.a2, ids.a1, ids.a]) {
    assert.equal(asked(world, id), { ids: [id] });
    world.remove(id);
  }
});

test('what only an old full one leads to goes with it, the last one first, where that is asked for', () => {
  const { world, ids } = drawn();
  assert.equal(asked(world, ids.a, true), { ids: [ids.a2, ids.a1, ids.a] });
});

test('an increment whose states another full one has as well goes along too, and where that is not asked for it stays', () => {
  const world = new ArchiveWorld(1 / 20);
  world.write(1);
  const first = world.make('full')?.id ?? '';
  world.write(1);
  const between = world.make('incremental')?.id ?? '';
  world.make('full');
  assert.equal(asked(world, first), { ids: [first] });
  assert.equal(asked(world, first, true), { ids: [between, first] });
});

test('a full one goes alone where another one leads to the same', () => {
  const { world, ids } = drawn();
  assert.equal(asked(world, ids.b), { ids: [ids.b] });
  world.remove(ids.b);
  for (const withIncrements of [false, true])
    assert.equal(asked(world, ids.a, withIncrements), { need: { reason: 'last_full', neededBy: [], couldGoToo: false } });
});

test('what leads to the newest state stays, also with its increments', () => {
  const { world, ids } = drawn();
  for (const id of [ids.a2, ids.a1, ids.a]) world.remove(id);
  assert.is('need' in asked(world, ids.b, true), true);
  assert.equal(asked(world, ids.b1), { ids: [ids.b1] }, 'the log still has it');
  world.pruneTo(world.running.seq + 1);
  assert.equal(asked(world, ids.b1), { need: { reason: 'log', neededBy: [], couldGoToo: false } });
});

test.run();
