/** Backups under writes and the way back: what writers feel while a full backup is made, how long a restore takes until it serves, and whether
 *  positions that were live come back with the very digest that they had. */

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Random } from '../tests/support/random.js';
import { atMost, type Bench, scaled, scaledMs } from './support/bench.js';
import { ClusterStream, type VectorRows } from './support/clusters.js';
import type { HttpConnection } from './support/http-connection.js';
import { fill } from './support/loaded-collection.js';
import { statsOf } from './support/replication-stats.js';
import { ask, prepare, upsertRequests } from './support/requests.js';
import { PROGRAM, ServerProcess } from './support/server-process.js';
import { withFolder } from './support/temporary-folder.js';
import { streamWrites } from './support/write-stream.js';

const COLLECTION = 'backup';
const DIMENSION = 128;
const WRITES_PER_SECOND = 200;
const WRITERS = 4;
const MIB = 2 ** 20;
const WRITER_P99_MS_MAX = 100;
const RESTORE_SECONDS_MAX = 10;
const POSITIONS = 3;
const SEED = 22;
const BY_HAND = ['--backup-every-operations', '0', '--backup-interval-ms', '0'];
const run = promisify(execFile);

interface Made {
  readonly seconds: number;
  readonly bytes: number;
}
interface Live {
  readonly seq: number;
  readonly digest: string;
}

export const backup: Bench = {
  name: 'backup',
  about: 'backups under writes, restores, positions of the past',
  run: (progress) =>
    withFolder((folder) =>
      withFolder(async (target) => {
        const count = scaled(100_000, 2_000);
        const flags = ['--backup-folder', join(target, 'backups'), ...BY_HAND];
        const server = await ServerProcess.start({ dataDir: join(folder, 'data'), flags });
        const connection = await server.connect();
        const source = new ClusterStream(DIMENSION);
        progress(`filling ${count} × ${DIMENSION}`);
        await fill(server, source.take(count), { collection: COLLECTION });
        const forMs = scaledMs(20_000);
        const writes = (from: number) => singleWrites(source.take(Math.ceil((forMs / 1000) * WRITES_PER_SECOND)), count + from);
        progress('writes alone');
        const stream = { port: server.port, connections: WRITERS, rate: WRITES_PER_SECOND, forMs };
        const alone = await streamWrites({ ...stream, requests: writes(0) });
        progress('writes beside full backups, one after the other');
        let streaming = true;
        const making = makeBackupsWhile(connection, () => streaming);
        const beside = await streamWrites({ ...stream, requests: writes(count) });
        streaming = false;
        const fulls = await making;
        const full = fulls.reduce((slowest, one) => (one.seconds > slowest.seconds ? one : slowest));
        progress('writes, with positions looked at');
        const looking = lookAtRandom(await server.connect(), forMs);
        await streamWrites({ ...stream, requests: writes(2 * count) });
        const live = await looking;
        const increment = await makeBackup(connection, 'incremental');
        connection.close();
        await server.stop();
        const restores: { readonly live: Live; readonly seconds: number; readonly same: boolean }[] = [];
        for (const [i, one] of live.entries()) {
          progress(`restoring to seq ${one.seq}`);
          const dataDir = join(folder, `restored-${i}`);
          restores.push({ live: one, ...(await restoreTo(join(target, 'backups'), dataDir, one)) });
        }
        const slowest = Math.max(...restores.map(({ seconds }) => seconds));
        const name = `${count.toLocaleString('en-US')} × ${DIMENSION}`;
        return {
          tables: [
            {
              title: `backup, ${name}: single writes, ${WRITES_PER_SECOND}/s, in ms`,
              columns: ['', 'writes', 'p50', 'p95', 'p99', 'max'],
              rows: [
                ['alone', alone.answered, alone.latencies.p50, alone.latencies.p95, alone.latencies.p99, alone.latencies.max],
                [
                  'beside',
                  beside.answered,
                  beside.latencies.p50,
                  beside.latencies.p95,
                  beside.latencies.p99,
                  beside.latencies.max,
                ],
              ],
            },
            {
              title: `backup, ${name}: made`,
              columns: ['kind', 'seconds', 'stored MiB'],
              rows: [
                [`full, the slowest of ${fulls.length}`, full.seconds, full.bytes / MIB],
                ['incremental', increment.seconds, increment.bytes / MIB],
              ],
            },
            {
              title: `backup, ${name}: restored into a new folder and served`,
              columns: ['seq', 'seconds', 'digest is the one that was live'],
              rows: restores.map((one) => [one.live.seq, one.seconds, one.same ? 'yes' : 'NO']),
            },
          ],
          figures: [
            {
              name: `backup ${name}, writer p99 beside it`,
              value: beside.latencies.p99,
              unit: 'ms',
              bound: atMost(WRITER_P99_MS_MAX),
            },
            { name: `restore ${name} and ready, the slowest`, value: slowest, unit: 's', bound: atMost(RESTORE_SECONDS_MAX) },
            {
              name: `restore ${name}, positions with another digest than they had`,
              value: restores.filter(({ same }) => !same).length,
              unit: '',
              bound: atMost(0),
            },
          ],
          notes: ['a restore: the process of the command, from its start, and a server over the new folder until it is ready'],
        };
      }),
    ),
};

function singleWrites(rows: VectorRows, firstId: number) {
  return upsertRequests(rows, {
    collection: COLLECTION,
    form: 'msgpack',
    size: 1,
    idOf: (row) => firstId + row,
    query: '?wait=durable',
  });
}

/** No moment of the stream is without one. */
async function makeBackupsWhile(connection: HttpConnection, goesOn: () => boolean): Promise<Made[]> {
  const made: Made[] = [];
  do made.push(await makeBackup(connection, 'full'));
  while (goesOn());
  return made;
}

async function makeBackup(connection: HttpConnection, kind: string): Promise<Made> {
  const startMs = performance.now();
  const { backup: made } = await ask(connection, prepare('POST', '/v1/backups', 'json', { kind }));
  return { seconds: (performance.now() - startMs) / 1000, bytes: (made as { readonly bytes: number }).bytes };
}

/** Where the data stands at moments that nobody chose. */
async function lookAtRandom(connection: HttpConnection, forMs: number): Promise<Live[]> {
  const random = new Random(SEED);
  const moments = Array.from({ length: POSITIONS }, () => (random.uint32() / 2 ** 32) * forMs).sort((a, b) => a - b);
  const startMs = performance.now();
  const live: Live[] = [];
  for (const moment of moments) {
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, startMs + moment - performance.now())));
    const stats = await statsOf(connection);
    if (stats !== null) live.push({ seq: stats.seq, digest: stats.digest });
  }
  connection.close();
  return live;
}

async function restoreTo(backups: string, dataDir: string, { seq, digest }: Live) {
  const startMs = performance.now();
  const words = ['restore', '--backup-folder', backups, '--to', dataDir, '--position', String(seq), '--json'];
  const { stdout } = await run(PROGRAM, words);
  const server = await ServerProcess.start({ dataDir });
  const seconds = (performance.now() - startMs) / 1000;
  await server.stop();
  const said = JSON.parse(stdout) as { readonly seq: number; readonly digest: string };
  return { seconds, same: said.seq === seq && said.digest === digest };
}
