/** `skein changes` over a server: lines of JSON, from a token on, until it is ended. */
import * as assert from 'uvu/assert';
import { SkeinClient } from '../../src/sdk/index.js';
import { startHttp } from '../support/http-server.js';
import { openTestEngine } from '../support/open-test-engine.js';
import { suite } from '../support/suite.js';
import { runSkein } from './run-skein.js';

const test = suite('cli/changes');

test('changes are lines of JSON, and another call goes on behind the token of any line', async (t) => {
  const { engine } = await openTestEngine(t.folder());
  t.after(() => engine.stop());
  const { url } = await startHttp(t, { engine });
  const client = new SkeinClient({ url });
  t.after(() => client.close());
  const { position } = await client.createCollection('films', { dimension: 2, distance: 'dot' });
  await client.upsert('films', [
    { id: 1, vector: [1, 0.5], payload: { n: 1 }, expiresAt: '2100-01-01T00:00:00.000Z' },
    { id: 'b', vector: [2, 0.5], payload: { n: 2 } },
  ]);
  await client.delete('films', { ids: [1] });
  const run = async (...argv: string[]) => {
    const ran = await runSkein(['changes', '--url', url, ...argv]);
    const lines = ran.output.split('\n').filter((line) => line !== '');
    return { ...ran, lines: lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
  };
  const { exitCode, lines } = await run('--from', position, '--limit', '3', '--with-vector');
  assert.is(exitCode, 0);
  assert.equal(
    lines.map(({ token: _token, time: _time, seq: _seq, ...rest }) => rest),
    [
      { type: 'upsert', collection: 'films', id: 1, payload: { n: 1 }, expires_at: '2100-01-01T00:00:00.000Z', vector: [1, 0.5] },
      { type: 'upsert', collection: 'films', id: 'b', payload: { n: 2 }, vector: [2, 0.5] },
      { type: 'delete', collection: 'films', id: 1 },
    ],
  );
  const filter = '{"must_not":[{"key":"n","match":{"value":2}}]}';
  const next = await run('--from', String(lines[0]?.['token']), '--limit', '2', '--filter', filter, '--collection', 'films');
  assert.equal(
    next.lines.map(({ type, id }) => [type, id]),
    [
      ['leave', 'b'],
      ['delete', 1],
    ],
  );
  assert.equal((await run('--from', 'snapshot', '--limit', '1')).lines[0]?.['snapshot'], true);
});

test('it is ended by whoever started it, and says what it cannot do', async (t) => {
  const http = await startHttp(t);
  const stopping = new AbortController();
  const running = runSkein(['changes', '--url', http.url], { stopping: stopping.signal });
  stopping.abort(new Error('Ctrl-C'));
  assert.is((await running).exitCode, 0);
  assert.is((await runSkein(['changes', '--url', http.url, '--filter', '{'])).exitCode, 2);
  const refused = await runSkein(['changes', '--url', http.url, '--from', 'yesterday']);
  assert.equal([refused.exitCode, /not a position token/.test(refused.errors)], [1, true]);
  const nobody = await runSkein(['changes', '--url', 'http://127.0.0.1:1', '--failures-max', '2']);
  assert.equal([nobody.exitCode, /trying again/.test(nobody.errors)], [1, true]);
});

test.run();
