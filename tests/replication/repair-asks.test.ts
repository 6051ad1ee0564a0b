/** What nodes ask each other for to mend a store: only the very version is given, large answers come in slices, and no answer can keep the asker. */

import * as assert from 'uvu/assert';
import { decodeValues } from '../../src/engine/compare.js';
import { answerRepairAsk, askForEntry, askForPoint, isRepairAsk } from '../../src/replication/repair-asks.js';
import type { LinkValues } from '../../src/wire/frames.js';
import { openTestEngine } from '../support/open-test-engine.js';
import { suite } from '../support/suite.js';

const test = suite('replication/repair-asks', { deadlineMs: 60_000 });

test('a point of this version and no other, an entry, each as it stands; large ones in slices', async (t) => {
  const { engine, create, put } = await openTestEngine(t.folder());
  t.after(() => engine.stop());
  await create('c', 2);
  const text = 'x'.repeat(1_200_000);
  await put('c', [{ id: 1, vector: [1, 2], payload: { text } }]);
  const { seq } = engine.log.state();
  let asks = 0;
  const ask = (method: string, parameters: LinkValues): Promise<LinkValues> => {
    asks += 1;
    assert.ok(isRepairAsk(method));
    return answerRepairAsk(engine, method as 'repair_value', parameters);
  };
  const value = await askForPoint(ask, { uid: 1, id: 1, version: seq });
  assert.is(asks, 3);
  const [point] = decodeValues(value ?? new Uint8Array(0));
  assert.equal([point?.id, point?.version, point?.payload.length], [1, seq, text.length + 11]);
  // A node that is behind has an older version.
  assert.is(await askForPoint(ask, { uid: 1, id: 1, version: seq + 1 }), null);
  assert.is(await askForPoint(ask, { uid: 1, id: 2, version: seq }), null);
  const [row] = engine.log.read(seq, 1, 1);
  assert.equal(await askForEntry(ask, seq), Buffer.from(row?.entry ?? []));
  assert.is(await askForEntry(ask, seq + 1), null);
  await assertThrows(() => answerRepairAsk(engine, 'repair_entry', { seq: -1, offset: 0 }), /'seq' is no count/);
});

async function assertThrows(work: () => Promise<unknown>, saying: RegExp): Promise<void> {
  let message = '';
  await work().catch((error: Error) => (message = error.message));
  assert.match(message, saying);
}

test('an answer that is none, that grows for ever or comes in crumbs is given up', async () => {
  const from =
    (answer: (offset: number) => LinkValues) =>
    async (_method: string, { offset }: LinkValues): Promise<LinkValues> =>
      answer(offset as number);
  const bytes = Buffer.from('1').toString('base64');
  const answers: [(offset: number) => LinkValues, RegExp][] = [
    [() => ({}), /'total' is no count/],
    [() => ({ total: 5, bytes: 7 }), /is none/],
    [() => ({ total: 2 ** 40, bytes }), /is none/],
    [() => ({ total: 5, bytes: '' }), /not whole/],
    [() => ({ total: 0, bytes }), /not whole/],
    [(offset) => ({ total: offset + 5, bytes }), /not whole/],
    [() => ({ total: 2 ** 20, bytes }), /not whole/],
  ];
  for (const [answer, saying] of answers) await assertThrows(() => askForEntry(from(answer), 1), saying);
});

test.run();
