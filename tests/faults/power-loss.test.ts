/** Power loss at every moment of a server's life, replayed from a trace of its writes: the making of the folder, commits, housekeeping,
 *  checkpoints of the WAL, saves of an index, a clean stop. Whatever part of the unsynced writes survives, what is left verifies and holds every write that had
 *  been answered by then. */

import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { inspectDataFolder } from '../../src/storage/data-folder.js';
import { verifyStore } from '../../src/storage/verify-store.js';
import { Disk, type DiskEvent, readTrace, TRACED_CALLS } from '../support/power-loss.js';
import { Random } from '../support/random.js';
import { type ServerProcess, startServer } from '../support/server-process.js';
import { suite } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('faults/power-loss', { deadlineMs: 900_000 });
const BURSTS = 4;
const WRITES_PER_BURST = 12;
const RANDOM_MOMENTS = 250;
/** So that the log is pruned and pages are given back while it runs. */
const FLAGS = ['--index-workers', '1', '--log-retention-ms', '0', '--log-retention-bytes', '4KiB'];

interface Answered {
  readonly seq: number;
  /** Of the wall clock, as the trace has it. */
  readonly atMs: number;
}

async function write(server: ServerProcess, answered: Answered[], points: object[]): Promise<void> {
  const { status, body } = await server.request<{ seq: number }>('PUT', '/v1/collections/c/points', { points });
  assert.is(status, 200);
  answered.push({ seq: body.seq, atMs: Date.now() });
}

async function live(dataDir: string, log: string, t: Parameters<typeof startServer>[0], random: Random): Promise<Answered[]> {
  const strace = [
    'strace',
    '-f',
    '-ttt',
    '-y',
    '-xx',
    '-s',
    '300000',
    '-o',
    log,
    '-e',
    `trace=${TRACED_CALLS}`,
    '-e',
    'signal=none',
  ];
  const server = await startServer(t, dataDir, FLAGS, { prefix: strace });
  // The server is the one child of strace, and must not outlive it.
  const pid = Number(readFileSync(`/proc/${server.pid}/task/${server.pid}/children`, 'utf8').trim());
  t.after(() => server.ended.then(({ signal }) => signal !== null && process.kill(pid, 'SIGKILL')));
  const answered: Answered[] = [];
  await server.request('PUT', '/v1/collections/c', { dimension: 4, distance: 'euclid' });
  const walMoves = (): number => readFileSync(log, 'utf8').split(/fsync\(\d+<[^>]*6b\\x65\\x69\\x6e\\x2e\\x64\\x62>/).length;
  for (let burst = 0; burst < BURSTS; burst++) {
    const before = walMoves();
    for (let i = 0; i < WRITES_PER_BURST; i++) {
      const points = Array.from({ length: 3 }, () => ({ id: random.integer(0, 40), vector: [...random.vector(4)] }));
      await write(server, answered, [...new Map(points.map((point) => [point.id, point])).values()]);
    }
    const ids = Array.from({ length: 10 }, () => random.integer(0, 40));
    const { body } = await server.request<{ seq: number }>('POST', '/v1/collections/c/points/delete', { ids: [...new Set(ids)] });
    answered.push({ seq: body.seq, atMs: Date.now() });
    await waitUntil(() => walMoves() > before, { what: 'the WAL to be moved into the database', deadlineMs: 30_000 });
  }
  const many = Array.from({ length: 2_100 }, (_, id) => ({ id: id + 100, vector: [...random.vector(4)] }));
  for (let from = 0; from < many.length; from += 700) await write(server, answered, many.slice(from, from + 700));
  process.kill(pid, 'SIGTERM');
  assert.is((await server.ended).code, 0);
  return answered;
}

/** What is left verifies, and has what was answered before `atMs`. @returns what was found */
function judge(folder: string, answered: readonly Answered[], atMs: number): string {
  const acknowledged = answered.reduce((seq, each) => (each.atMs < atMs ? Math.max(seq, each.seq) : seq), 0);
  const found = inspectDataFolder(folder);
  if (found.kind === 'fresh' || found.kind === 'half_made') {
    assert.is(acknowledged, 0, `the folder is ${found.kind} after ${acknowledged} entries`);
    return found.kind;
  }
  const report = verifyStore(folder, 'full');
  assert.equal(
    report.findings.filter(({ fatal }) => fatal).map(({ message }) => message),
    [],
  );
  assert.ok((report.position?.seq ?? -1) >= acknowledged, `seq ${report.position?.seq}, answered ${acknowledged}`);
  return 'sound';
}

test('power loss at any moment leaves every write that was answered, and nothing half', async (t) => {
  const root = t.folder();
  const dataDir = join(root, 'data');
  const random = new Random(t.seed());
  mkdirSync(dataDir);
  const answered = await live(dataDir, join(root, 'trace'), t, random);
  const events = readTrace(readFileSync(join(root, 'trace'), 'latin1'), dataDir);
  const syncs = events.flatMap(({ call }, i) => (call.includes('sync') ? [i, i + 1] : []));
  const moments = new Set([...syncs, ...Array.from({ length: RANDOM_MOMENTS }, () => random.integer(0, events.length))]);
  assert.ok(syncs.length > 100 && answered.length > 40, `${syncs.length} syncs, ${answered.length} answers`);

  const keeps: Record<string, () => boolean> = {
    'nothing unsynced': () => false,
    everything: () => true,
    'a random half': () => random.boolean(),
  };
  const outcomes = new Map<string, number>();
  const disk = new Disk();
  for (let i = 0; i <= events.length; i++) {
    if (moments.has(i)) {
      for (const [what, keep] of Object.entries(keeps)) {
        const folder = join(root, 'left');
        disk.leave(folder, keep);
        // Whatever was answered, was answered before the next thing happened to the disk.
        const atMs = events[i]?.atMs ?? Number.POSITIVE_INFINITY;
        try {
          const outcome = judge(folder, answered, atMs);
          outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
        } catch (error) {
          const last = events.slice(Math.max(0, i - 3), i).map(({ call, path }: DiskEvent) => `${call} ${path}`);
          throw new Error(`after ${last.join(', ')}, ${what} kept: ${(error as Error).message}`, { cause: error });
        }
        rmSync(folder, { recursive: true });
      }
    }
    const event = events[i];
    if (event !== undefined) disk.apply(event);
  }
  assert.ok((outcomes.get('fresh') ?? 0) + (outcomes.get('half_made') ?? 0) > 0, 'power was lost while the folder was made, too');
  console.log(
    `power lost at ${moments.size} of ${events.length} moments, three ways each: ${[...outcomes].map((each) => each.join(' ')).join(', ')}`,
  );
});

test.run();
