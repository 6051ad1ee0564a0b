/** The lines of the log: whole JSON objects from the level that is set, errors with their stacks, secrets in none of them. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { Secret } from '../../src/config/secret.js';
import type { LogOptions } from '../../src/model/log.js';
import { createLog } from '../../src/observability/logging.js';
import { suite, type TestContext } from '../support/suite.js';

const test = suite('observability/logging');

interface Line {
  readonly level: string;
  readonly time: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

function fileLog(t: TestContext, options: Partial<LogOptions> = {}) {
  const path = join(t.folder(), 'skein.log');
  const file = { path, bytesMax: 1_000_000, filesMax: 2 };
  const log = createLog({ level: 'info', format: 'pretty', file, secrets: [], ...options });
  const text = (): string => readFileSync(path, 'utf8');
  const lines = (): Line[] =>
    text()
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Line);
  return { log, path, text, lines };
}

test('a line in a file is a JSON object with level, time and event, whatever is asked for terminals', (t) => {
  const { log, lines } = fileLog(t);
  log.info('started', { count: 7171, odd: 'a"b\nc' });
  const [line] = lines();
  assert.is(line?.level, 'info');
  assert.is(line?.msg, 'started');
  assert.is(line?.['count'], 7171);
  assert.is(line?.['odd'], 'a"b\nc');
  assert.match(line?.time ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
});

test('the level can be changed while the process runs, and is told', (t) => {
  const { log, lines, path } = fileLog(t);
  log.debug('unheard');
  assert.equal(log.control.status(), { level: 'info', file: path, lostLines: 0 });
  log.control.setLevel('debug');
  log.debug('heard');
  log.control.setLevel('silent');
  log.error('unheard too');
  assert.equal(
    lines().map(({ msg }) => msg),
    ['heard'],
  );
  assert.is(log.control.status().level, 'silent');
});

test('errors are written with type, message, stack and cause', (t) => {
  const { log, lines } = fileLog(t);
  log.error('failed', { error: new RangeError('outer', { cause: new TypeError('inner') }) });
  const error = lines()[0]?.['error'] as { type: string; message: string; stack: string; cause: { type: string } };
  assert.is(error.type, 'RangeError');
  assert.is(error.message, 'outer');
  assert.match(error.stack, 'logging.test');
  assert.is(error.cause.type, 'TypeError');
});

test('no secret is written: by its name, by its kind, or because it is known, wherever it stands', (t) => {
  const known = 'k"nown-"secret-0123456789';
  const { log, text, lines } = fileLog(t, { secrets: [known] });
  log.info('named', {
    api_key: 'named-1',
    headers: { authorization: 'named-2', 'x-api-key': 'named-3' },
    list: [{ password: 'named-4' }],
  });
  log.info('kept', { key_id: 'shown-1', api_key_file: '/shown-2', tokens: 3 });
  log.info('kind', { value: new Secret('kind-secret') });
  log.error('known', { error: new Error(`cannot use ${known}`), url: `http://x/?key=${known}` });
  log.info(`event with ${known}`);
  for (const secret of ['named-1', 'named-2', 'named-3', 'named-4', 'kind-secret', 'secret-0123456789'])
    assert.not.match(text(), secret);
  for (const shown of ['shown-1', '/shown-2']) assert.match(text(), shown);
  assert.is(lines().length, 5);
});

test('what is long, deep or goes in circles is cut', (t) => {
  const { log, text, lines } = fileLog(t);
  const circle: Record<string, unknown> = { name: 'circle' };
  circle['self'] = circle;
  log.info('long', { long: 'x'.repeat(1_000_000), circle });
  assert.ok(text().length < 20_000);
  assert.is(lines().length, 1);
});

test.run();
