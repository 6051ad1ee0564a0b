/** A commit is cut off at each of its system calls in turn, by SIGKILL and by an I/O error: after the restart the old or the new state
 *  is there, never half of one, and everything acknowledged. After an I/O error the process has given no answer and has ended at once.
 *
 *  Calls are counted from the moment strace is attached; a sweep ends when a write went through untouched. SQLite syncs with fsync or
 *  with fdatasync, as it was built. */

import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { type Ending, type ServerProcess, startServer } from '../support/server-process.js';
import { attachStrace, type Injection } from '../support/strace.js';
import { suite, type TestContext } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';
import { WriteLedger } from '../support/write-ledger.js';

const test = suite('faults/faults-at-every-call', { deadlineMs: 600_000 });
const SWEEP_MAX = 200;
const EXIT_MS_MAX = 10_000;

/** Long enough under strace for a checkpoint, a sync of the manifest or a commit to come by. */
const FAULT_DEADLINE_MS = 20_000;

interface Rig {
  readonly dataDir: string;
  readonly database: string;
  readonly ledger: WriteLedger;
}

async function makeRig(t: TestContext): Promise<Rig> {
  const dataDir = join(t.folder(), 'data');
  const ledger = new WriteLedger({ ids: 6 });
  const server = await startServer(t, dataDir);
  await ledger.makeCollections(server);
  assert.is(await ledger.write(server, 0), 'acknowledged');
  assert.is(await server.stop(), 0);
  return { dataDir, database: join(dataDir, 'store-1', 'skein.db'), ledger };
}

interface Outcome {
  readonly outcome: string;
  /** Null: it lives. */
  readonly ending: Ending | null;
  readonly tookMs: number;
}

/** One write into a traced server. */
async function writeUnder(t: TestContext, rig: Rig, server: ServerProcess, injection: Injection): Promise<Outcome> {
  const strace = await attachStrace(t, server.pid, injection);
  const startMs = performance.now();
  const outcome = await rig.ledger.write(server, 1 + (rig.ledger.tried % 4));
  const ending = outcome === 'lost' ? await server.ended : null;
  const tookMs = performance.now() - startMs;
  await strace.detach();
  return { outcome, ending, tookMs };
}

/** @returns at how many calls the fault struck */
async function sweep(
  t: TestContext,
  rig: Rig,
  injection: Injection,
  judge: (outcome: Outcome) => void,
): Promise<{ struck: number; slowestMs: number }> {
  let slowestMs = 0;
  for (let call = 1; call <= SWEEP_MAX; call++) {
    const server = await startServer(t, rig.dataDir);
    await rig.ledger.check(server);
    const result = await writeUnder(t, rig, server, { ...injection, when: String(call) });
    await server.kill();
    if (result.outcome === 'acknowledged') return { struck: call - 1, slowestMs };
    assert.is(result.outcome, 'lost', 'a write that did not become durable is not answered');
    slowestMs = Math.max(slowestMs, result.tookMs);
    judge(result);
  }
  throw new Error(`a commit has more than ${SWEEP_MAX} calls`);
}

for (const [call, least] of [
  ['pwrite64', 10],
  ['fsync,fdatasync', 1],
] as const) {
  test(`SIGKILL at each ${call} of a commit leaves the old or the new state`, async (t) => {
    const rig = await makeRig(t);
    const injection = { calls: call, fault: 'signal=KILL', paths: [`${rig.database}-wal`] };
    const { struck } = await sweep(t, rig, injection, ({ ending }) => assert.is(ending?.signal, 'SIGKILL'));
    assert.ok(struck >= least, `only ${struck} calls`);
    console.log(`SIGKILL at ${struck} calls of ${call}: ${rig.ledger.acknowledged} writes acknowledged, none lost`);
  });

  test(`an I/O error at each ${call} of a commit ends the process without an answer`, async (t) => {
    const rig = await makeRig(t);
    const injection = { calls: call, fault: 'error=EIO', paths: [`${rig.database}-wal`] };
    const { struck, slowestMs } = await sweep(t, rig, injection, ({ ending, tookMs }) => {
      assert.is(ending?.code, 1);
      assert.ok(tookMs < EXIT_MS_MAX, `it took ${tookMs} ms to end`);
    });
    assert.ok(struck >= least, `only ${struck} calls`);
    console.log(`EIO at ${struck} calls of ${call}: each ended the process, after at most ${Math.round(slowestMs)} ms`);
  });
}

const ELSEWHERE: readonly { what: string; file: (rig: Rig) => string; calls: string }[] = [
  { what: 'writing the manifest', file: ({ dataDir }) => join(dataDir, 'MANIFEST'), calls: 'pwrite64' },
  { what: 'syncing the manifest', file: ({ dataDir }) => join(dataDir, 'MANIFEST'), calls: 'fsync,fdatasync' },
  { what: 'moving the WAL into the database', file: ({ database }) => database, calls: 'pwrite64' },
  { what: 'syncing the database', file: ({ database }) => database, calls: 'fsync,fdatasync' },
];

for (const { what, file, calls } of ELSEWHERE) {
  for (const fault of ['error=EIO', 'signal=KILL']) {
    test(`${fault} while ${what} ends the process; the next start has every acknowledged write`, async (t) => {
      const rig = await makeRig(t);
      const server = await startServer(t, rig.dataDir);
      const strace = await attachStrace(t, server.pid, { calls, fault, paths: [file(rig)] });
      let ending: Ending | null = null;
      void server.ended.then((how) => (ending = how));
      await waitUntil(
        async () => {
          if (ending === null) await rig.ledger.write(server, rig.ledger.tried % 6);
          return ending;
        },
        { what: 'the fault to strike', deadlineMs: FAULT_DEADLINE_MS },
      );
      assert.equal(ending, fault === 'error=EIO' ? { code: 1, signal: null } : { code: null, signal: 'SIGKILL' });
      await strace.detach();
      const next = await startServer(t, rig.dataDir);
      await rig.ledger.check(next);
      assert.is(await rig.ledger.write(next, 0), 'acknowledged');
      assert.is(await next.stop(), 0);
    });
  }
}

test.run();
