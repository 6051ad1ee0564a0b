/** What health_check says of a server that is well, ill, half open to the caller, hidden behind a proxy, or gone. */
import * as assert from 'uvu/assert';
import type { AskServer, ToolAnswer } from '../../src/mcp/tool.js';
import { healthTool } from '../../src/mcp/tools/health-tool.js';
import { SkeinApiError, SkeinConnectionError, SkeinTimeoutError } from '../../src/sdk/index.js';
import { suite } from '../support/suite.js';

const test = suite('mcp/health-tool');

/** A server that answers each path as it is told; an error is thrown. */
function ask(answers: Readonly<Record<string, unknown>>): AskServer {
  return async ({ path }) => {
    const answer = answers[path];
    if (answer instanceof Error) throw answer;
    return answer;
  };
}

function check(answers: Readonly<Record<string, unknown>>, input: object = {}): Promise<ToolAnswer> {
  return healthTool.run(input, ask(answers));
}

function refusal(type: string, status: number): SkeinApiError {
  return new SkeinApiError({
    type,
    status,
    message: `${type} it is`,
    details: {},
    retryable: false,
    requestId: null,
    retryAfterMs: null,
  });
}

const healthy = { status: 'healthy', reasons: [] };

test('each status has its headline, the facts as JSON, and the guide', async () => {
  for (const [status, headline] of [
    ['healthy', '✓ System Status: HEALTHY'],
    ['degraded', '⚠ System Status: DEGRADED'],
    ['unhealthy', '✗ System Status: UNHEALTHY'],
  ] as const) {
    const health = { status, reasons: ['a reason'] };
    const { text = '', object } = await check({
      '/health': health,
      '/health/detailed': { ...health, components: { text: health } },
    });
    const [first, json, guide] = text.split('\n\n');
    assert.is(first, headline);
    assert.equal(JSON.parse(json ?? ''), object);
    assert.equal(object['components'], { text: health });
    assert.match(guide ?? '', /^Health Check Guide:\n- HEALTHY: .+\n- DEGRADED: .+\n- UNHEALTHY: /);
  }
});

test('a caller who may not see the parts is told the whole', async () => {
  const { object } = await check({ '/health': healthy, '/health/detailed': refusal('Forbidden', 403) });
  assert.equal(object, { ...healthy, components: null, components_reason: 'Forbidden it is' });
});

test('a server that does not answer is unhealthy, whatever collection was asked for', async () => {
  const refused = new SkeinConnectionError('no', { code: 'ECONNREFUSED', url: 'http://10.0.0.1:7171', maybeSent: false });
  const gone = await check({ '/health': refused }, { collection: 'c' });
  assert.equal(gone.object, { status: 'unhealthy', reachable: false, reasons: ['no connection to the server (ECONNREFUSED)'] });
  assert.not.match(gone.text ?? '', '10.0.0.1');
  const slow = await check({ '/health': new SkeinTimeoutError('health', 10_000, null) });
  assert.equal(slow.object['reasons'], ['no answer in 10000 ms']);
  const proxy = await check({ '/health': { error: { type: 'Overloaded', message: 'no room' } } });
  assert.equal(proxy.object, { status: 'unhealthy', reasons: ['no room'] });
});

test('with a collection, by either name, that is told too; two different ones are refused', async () => {
  const info = { name: 'c', status: 'building', progress: 0.5, points_count: 7, dimension: 3 };
  const answers = { '/health': healthy, '/health/detailed': healthy, '/v1/collections/c': info };
  for (const input of [{ collection: 'c' }, { directory: 'c' }, { collection: 'c', directory: 'c' }]) {
    const { collection } = (await check(answers, input)).object as { collection: Record<string, unknown> };
    assert.equal([collection['name'], collection['status'], collection['points_count']], ['c', 'building', 7]);
  }
  const both = await check(answers, { collection: 'c', directory: 'd' }).catch((error: unknown) => error);
  assert.match(String(both), 'another word for collection');
});

test.run();
