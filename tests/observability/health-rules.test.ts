/** What components make of the node: the table of docs/OPERATIONS.md. */
import * as assert from 'uvu/assert';
import type { ComponentReport, HealthStatus } from '../../src/model/health.js';
import { nodeHealth } from '../../src/observability/health-rules.js';
import { suite } from '../support/suite.js';

const test = suite('observability/health-rules');

type Serves = ComponentReport['serves'];

function part(name: string, status: HealthStatus, serves?: Serves): ComponentReport {
  return { name, status, message: `${name} is ${status}`, latencyMs: null, tookMs: 1, ...(serves !== undefined && { serves }) };
}

const vector = { well: part('vector', 'healthy', 'yes'), down: part('vector', 'unhealthy', 'no') };
const text = {
  well: part('text', 'healthy', 'yes'),
  down: part('text', 'unhealthy', 'no'),
  unused: part('text', 'healthy', 'unused'),
};
const store = { well: part('storage', 'healthy', 'yes'), down: part('storage', 'unhealthy', 'no') };

const TABLE: readonly (readonly [string, readonly ComponentReport[], HealthStatus])[] = [
  ['nothing is known', [], 'healthy'],
  ['all is well', [vector.well, text.well, store.well], 'healthy'],
  ['both engines are down', [vector.down, text.down, store.well], 'unhealthy'],
  ['one of two engines is down: vector', [vector.down, text.well], 'degraded'],
  ['one of two engines is down: text', [vector.well, text.down], 'degraded'],
  ['the only engine that is used is down', [vector.down, text.unused], 'unhealthy'],
  ['no engine is used', [part('vector', 'healthy', 'unused'), text.unused], 'healthy'],
  ['an engine is unhealthy in part, and answers', [part('vector', 'unhealthy', 'yes'), text.unused], 'degraded'],
  ['the digest is missing', [vector.well, text.well, part('digest', 'degraded')], 'degraded'],
  ['the store takes no writes', [vector.well, part('storage', 'degraded', 'yes')], 'degraded'],
  ['the store cannot be read', [vector.well, text.well, store.down], 'unhealthy'],
  ['any other component is unhealthy', [vector.well, store.well, part('backup', 'unhealthy')], 'degraded'],
  ['a limit of the machine is reached', [vector.well, part('disk', 'degraded'), part('cpu', 'degraded')], 'degraded'],
];

for (const [name, components, status] of TABLE) {
  test(`${name}: ${status}`, () => {
    const found = nodeHealth(components);
    assert.is(found.status, status);
    const bad = components.filter((component) => component.status !== 'healthy').map(({ message }) => message);
    assert.equal(found.reasons, bad, 'every component that is not healthy is a reason');
  });
}

test.run();
