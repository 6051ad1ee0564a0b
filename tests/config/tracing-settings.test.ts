/** The settings of traces: the whole address, headers from a file that nobody is shown, and what contradicts itself. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import * as assert from 'uvu/assert';
import { loadConfig } from '../../src/config/config.js';
import { describeConfig } from '../../src/config/describe.js';
import { ConfigError } from '../../src/config/resolve.js';
import { suite } from '../support/suite.js';

const test = suite('config/tracing-settings');

const load = (flags: Readonly<Record<string, unknown>>) => loadConfig({ flags, environment: {}, workingDir: '/srv' });

function problemsOf(flags: Readonly<Record<string, unknown>>): readonly string[] {
  try {
    load(flags);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

test('with nothing given nothing is traced', () => {
  const { tracing } = load({}).config;
  assert.equal([tracing.endpoint, tracing.sampleShare, tracing.service, tracing.headers], [null, 0.1, 'skein', []]);
});

test('an address without a path gets the usual one, another keeps its own', () => {
  const endpointOf = (traceEndpoint: string) => load({ traceEndpoint }).config.tracing.endpoint;
  assert.is(endpointOf('http://collector:4318'), 'http://collector:4318/v1/traces');
  assert.is(endpointOf('https://collector/otlp/traces'), 'https://collector/otlp/traces');
});

test('headers are read from their file and shown to nobody', (t) => {
  const path = join(t.folder(), 'headers');
  writeFileSync(path, 'authorization: Bearer very secret\n\nx-tenant:acme\n', { mode: 0o600 });
  const loaded = load({ traceEndpoint: 'http://c:4318', traceHeadersFile: path });
  const { headers } = loaded.config.tracing;
  assert.equal(
    headers.map(({ name, value }) => [name, value.reveal()]),
    [
      ['authorization', 'Bearer very secret'],
      ['x-tenant', 'acme'],
    ],
  );
  const shown = inspect(loaded, { depth: 9 }) + JSON.stringify([loaded.config, describeConfig(loaded.config, loaded.sources)]);
  assert.not.match(shown, 'very secret');
});

test('what is no header is named by its line and not shown, and a file without an address is refused', (t) => {
  const path = join(t.folder(), 'headers');
  for (const bad of ['no header', 'a b: c', 'name:', 'name: v\u00e4lue', ': secret']) {
    writeFileSync(path, `x: y\n${bad}\n`, { mode: 0o600 });
    const problems = problemsOf({ traceEndpoint: 'http://c:4318', traceHeadersFile: path });
    assert.equal(problems, [`line 2 of ${path} is no header: it must be \`name: value\``], bad);
  }
  writeFileSync(path, 'x: y\n');
  assert.match(problemsOf({ traceHeadersFile: path }).join(), 'no trace_endpoint');
  assert.match(problemsOf({ traceEndpoint: 'http://c', traceHeadersFile: '/nowhere' }).join(), 'cannot be read');
  assert.match(problemsOf({ traceEndpoint: 'http://user:secret@c' }).join(), 'plain address');
});

test.run();
