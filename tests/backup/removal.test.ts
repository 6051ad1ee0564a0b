/** Which backups may go by their names, and what goes with them: an archive as it is drawn in src/backup/removal.ts. */

import * as assert from 'uvu/assert';
import { removalOf, type Way } from '../../src/backup/removal.js';
import { keptBackups, standingOf } from '../../src/backup/standing.js';
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
  const stays = (id: string, neededBy: string[], ways: Way[]): void =>
    assert.equal(asked(world, id), { need: { reason: 'increments', neededBy, ways } });
  stays(ids.a, [ids.a2, ids.a1], ['with_increments', 'increments_first']);
  stays(ids.a1, [ids.a2], ['increments_first']);
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
    assert.equal(asked(world, ids.a, withIncrements), { need: { reason: 'last_full', neededBy: [], ways: [] } });
  world.make('full');
  assert.is('ids' in asked(world, ids.a), false);
  assert.is('ids' in asked(world, ids.a, true), true);
});

test('what leads to the newest state stays, also with its increments', () => {
  const { world, ids } = drawn();
  for (const id of [ids.a2, ids.a1, ids.a]) world.remove(id);
  assert.is('need' in asked(world, ids.b, true), true);
  assert.equal(asked(world, ids.b1), { ids: [ids.b1] }, 'the log still has it');
  world.pruneTo(world.running.seq + 1);
  assert.equal(asked(world, ids.b1), { need: { reason: 'log', neededBy: [], ways: [] } });
});

/** A full one, a stretch that nothing has, another full one, and a log that goes on from neither. */
function withHole(): { readonly world: ArchiveWorld; readonly older: string; readonly newer: string } {
  const world = new ArchiveWorld(1 / 20);
  world.write(3);
  const older = world.make('full')?.id ?? '';
  world.write(3);
  world.pruneTo(world.running.seq + 1);
  world.write(1);
  const newer = world.make('full')?.id ?? '';
  world.write(3);
  world.pruneTo(world.running.seq + 1);
  return { world, older, newer };
}

test('where the log does not go on from the archive, what leads furthest on the data that runs stays', () => {
  const { world, older, newer } = withHole();
  assert.is(standingOf(world.listing(), world.running).continued, false);
  for (const withIncrements of [false, true])
    assert.equal(asked(world, newer, withIncrements), { need: { reason: 'newest', neededBy: [], ways: [] } });
  assert.equal(asked(world, older), { ids: [older] });
  world.make('full');
  assert.equal(asked(world, newer), { ids: [newer] });
});

test('the last increment in front of a hole stays', () => {
  const world = new ArchiveWorld(1 / 20);
  world.write(3);
  world.make('full');
  world.write(3);
  const reach = world.make('incremental')?.id ?? '';
  world.write(3);
  const lost = world.make('incremental')?.id ?? '';
  world.write(3);
  world.make('incremental');
  world.pruneTo(world.running.seq + 1);
  world.remove(lost);
  assert.equal(asked(world, reach), { need: { reason: 'newest', neededBy: [], ways: [] } });
  world.make('full');
  assert.equal(asked(world, reach), { ids: [reach] });
});

/** The data that runs parted from what was archived last, of which a full one and an increment are left. */
function forked(): { readonly world: ArchiveWorld; readonly base: string; readonly tail: string } {
  const world = new ArchiveWorld(1 / 20);
  world.write(3);
  const base = world.make('full')?.id ?? '';
  world.write(4);
  const tail = world.make('incremental')?.id ?? '';
  world.promote(2, Number.MAX_SAFE_INTEGER);
  return { world, base, tail };
}

test('what another line has beyond the fork stays until something of the history that runs is archived', () => {
  const { world, tail } = forked();
  assert.equal(asked(world, tail), { need: { reason: 'newest', neededBy: [], ways: [] } });
  world.make('full');
  assert.equal(asked(world, tail), { ids: [tail] });
});

test('a full backup takes no place of increments of another line', () => {
  const { world, base, tail } = forked();
  world.make('full');
  for (const withIncrements of [false, true])
    assert.equal(asked(world, base, withIncrements), {
      need: { reason: 'increments', neededBy: [tail], ways: ['increments_first'] },
    });
});

test.run();
