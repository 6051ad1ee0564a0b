/** `skein mcp` over standard input and output, driven by the protocol library's own client, before a real server. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { startServer } from '../support/server-process.js';
import { suite } from '../support/suite.js';
import { overStdio } from './mcp-client.js';

const test = suite('mcp/stdio', { deadlineMs: 60_000 });
const KEY = 'a-key-of-forty-characters-for-the-tests!';
const NAMES = ['health_check', 'list_collections', 'search', 'hybrid_search', 'get', 'upsert', 'delete', 'replication_status'];

test('every tool does its work, and a session writes, finds and removes points', async (t) => {
  const server = await startServer(t, join(t.folder(), 'data'));
  await server.request('PUT', '/v1/collections/films', { dimension: 2, distance: 'euclid', text_fields: ['title'] });
  const mcp = await overStdio(t, ['--url', server.url, '--timeout-ms', '3s']);

  assert.match(mcp.client.getInstructions() ?? '', 'health_check');
  const { tools } = await mcp.client.listTools();
  assert.equal(
    tools.map(({ name }) => name),
    NAMES,
  );
  for (const { name, annotations, inputSchema, description } of tools) {
    const writes = name === 'upsert' || name === 'delete';
    assert.equal([annotations?.readOnlyHint, annotations?.destructiveHint], [!writes, writes], name);
    assert.is(inputSchema['additionalProperties'], false, `${name} refuses unknown fields`);
    assert.ok((description ?? '').length > 40, name);
  }

  const points = [
    { id: 1, vector: [0, 0], payload: { title: 'the quiet sea' } },
    { id: 'two', vector: [1, 0], payload: { title: 'a loud sea' } },
    { id: 3, vector: [5, 5], payload: { title: 'mountains' } },
  ];
  const written = await mcp.call('upsert', { collection: 'films', points });
  assert.is(written.object['upserted'], 3, written.text);
  const position = written.object['position'];

  const near = await mcp.call('search', { collection: 'films', vector: [0.1, 0], limit: 2, min_position: position });
  assert.equal(idsOf(near.object['hits']), [1, 'two']);
  assert.is(near.object['complete'], true);
  assert.equal(JSON.parse(near.text), near.object, 'the text is the object');
  const both = await mcp.call('hybrid_search', { collection: 'films', vector: [5, 5], text: 'sea', fusion: { method: 'rrf' } });
  assert.is(both.object['mode'], 'hybrid');
  assert.equal(new Set(idsOf(both.object['hits'])), new Set([1, 'two', 3]));
  const got = await mcp.call('get', { collection: 'films', ids: ['two', 9] });
  assert.equal([got.object['missing'], idsOf(got.object['points'])], [[9], ['two']]);
  assert.match(got.text, '"payload":{"title":"a loud sea"}');

  const removed = await mcp.call('delete', { collection: 'films', filter: { must: [{ key: 'title', match: { text: 'sea' } }] } });
  assert.is(removed.object['deleted'], 2, removed.text);
  const listed = await mcp.call('list_collections');
  assert.is(listed.object['count'], 1);
  assert.is((listed.object['collections'] as { points_count: number }[])[0]?.points_count, 1);
  assert.is((await mcp.call('replication_status')).object['role'], 'master');

  const health = await mcp.call('health_check', { directory: 'films' });
  assert.match(health.text, /^✓ System Status: HEALTHY\n\n\{/);
  assert.match(health.text, 'Health Check Guide');
  assert.is((health.object['collection'] as { points_count: number }).points_count, 1);

  const slip = await mcp.refusal('search', { collection: 'films', vector: [1, 2], limt: 3 });
  assert.equal([slip.type, slip.message], ['InvalidRequest', 'limt: unknown field']);
  assert.is((await mcp.refusal('search', { collection: 'films', vector: [1, 2], limit: 101 })).type, 'InvalidRequest');
  assert.is((await mcp.refusal('search', { collection: 'films', vector: [1] })).type, 'DimensionMismatch');
  assert.is((await mcp.refusal('health_check', { collection: 'other' })).type, 'CollectionNotFound');
  assert.match((await mcp.refusal('hybrid_search', { collection: 'films', text: 'sea' })).message, 'a vector or an id');
  assert.match((await mcp.refusal('delete', { collection: 'films' })).message, 'either ids or a filter');
  assert.match((await mcp.refusal('drop_everything')).message, 'there is no tool "drop_everything"');

  await server.kill();
  const dead = await mcp.call('health_check');
  assert.is(dead.isError, false, 'that the server is gone is what was asked');
  assert.match(dead.text, /^✗ System Status: UNHEALTHY\n/);
  const lost = await mcp.refusal('list_collections');
  // The time may be over in the middle of a try.
  assert.match(lost.type, /^Skein(Connection|Timeout)Error$/);
  assert.is(lost.retryable, true);
});

test('the key of the command decides, and --read-only leaves the writing tools out', async (t) => {
  const folder = t.folder();
  const keyFile = join(folder, 'key');
  writeFileSync(keyFile, `${KEY}\n`, { mode: 0o600 });
  const server = await startServer(t, join(folder, 'data'), ['--api-key-file', keyFile]);
  const stranger = await overStdio(t, ['--url', server.url]);
  assert.is((await stranger.refusal('list_collections')).type, 'Unauthorized');
  const keyless = await stranger.call('health_check');
  assert.match(keyless.text, /^✓ System Status: HEALTHY/);
  assert.is(keyless.object['components'], null, 'components name collections');

  const reader = await overStdio(t, ['--url', server.url, '--read-only'], { SKEIN_API_KEY: KEY });
  assert.is((await reader.call('list_collections')).object['count'], 0);
  const { tools } = await reader.client.listTools();
  assert.equal(
    tools.map(({ name }) => name),
    NAMES.filter((name) => name !== 'upsert' && name !== 'delete'),
  );
  assert.match((await reader.refusal('delete', { collection: 'c', ids: [1] })).message, 'there is no tool');
});

function idsOf(points: unknown): unknown[] {
  return (points as readonly { readonly id: unknown }[]).map(({ id }) => id);
}

test.run();
