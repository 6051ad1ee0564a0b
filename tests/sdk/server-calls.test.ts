/** The calls about the first node as a process, on a server. */

import * as assert from 'uvu/assert';
import { errors, SkeinClient } from '../../src/sdk/index.js';
import { startHttp } from '../support/http-server.js';
import { suite } from '../support/suite.js';

const test = suite('sdk/server-calls');

test('metrics, configuration, log and slow queries are read and steered', async (t) => {
  const { url } = await startHttp(t);
  const client = new SkeinClient({ url });
  t.after(() => client.close());
  await client.server.live();
  assert.match(await client.server.metrics(), /^# HELP skein_/m);
  assert.is((await client.server.config())['api_key'], '***');
  assert.equal(await client.server.log(), { level: 'info', file: null, lostLines: 0 });
  assert.is((await client.server.setLogLevel('warn')).level, 'warn');
  assert.is((await client.server.log()).level, 'warn');
  assert.equal(await client.server.setSlowQueryThreshold(1), { thresholdMs: 1, count: 0, kept: 0 });
  const { thresholdMs, slowQueries } = await client.server.slowQueries({ limit: 5 });
  assert.equal([thresholdMs, slowQueries], [1, []]);
});

test('a slow query is told with what it was', async (t) => {
  const { url } = await startHttp(t);
  const client = new SkeinClient({ url });
  t.after(() => client.close());
  await client.server.setSlowQueryThreshold(1);
  await client.count('none').catch((error: unknown) => assert.instance(error, errors.CollectionNotFound));
  const { slowQueries } = await client.server.slowQueries();
  for (const one of slowQueries) {
    assert.equal([one.route, one.status, one.errorType], ['/v1/collections/:collection/points/count', 404, 'CollectionNotFound']);
    assert.ok(one.durationMs > 0 && one.requestId !== '' && one.endedAt !== '');
  }
});

test.run();
