/** The typed errors of the client and the one table of errors, in both directions: types, what may be tried again, and the details of each. */

import { readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { ERRORS, type ErrorType } from '../../src/model/errors.js';
import { DETAILS } from '../../src/sdk/error-details.js';
import { apiErrorFrom } from '../../src/sdk/errors.js';
import { errors, SkeinApiError, SkeinClient } from '../../src/sdk/index.js';
import { PAGE_PATH } from '../model/errors-page.js';
import { startHttp } from '../support/http-server.js';
import { openTestEngine } from '../support/open-test-engine.js';
import { suite } from '../support/suite.js';

const test = suite('sdk/error-details');

function failed(type: string, details: object = {}): SkeinApiError {
  const body = { error: { type, message: 'm', details, retryable: false, request_id: 'r' } };
  return apiErrorFrom(ERRORS[type as ErrorType]?.status ?? 500, body, {});
}

test('every type of the table has a class, and every class a type', () => {
  assert.equal(Object.keys(errors).sort(), Object.keys(ERRORS).sort());
  for (const type of Object.keys(ERRORS) as ErrorType[]) {
    const error = failed(type);
    assert.instance(error, errors[type]);
    assert.instance(error, SkeinApiError);
    assert.equal([error.name, error.constructor.name, error.type], [type, type, type]);
    assert.is(errors[type].retryable, ERRORS[type].retryable, type);
    assert.match(String(error.stack), `${type}: m`);
    const others = Object.values(errors).filter((one) => error instanceof one);
    assert.is(others.length, 1, type);
  }
});

test('a type that this client does not know is an error all the same', () => {
  const error = failed('SomethingNew', { of: 'tomorrow' });
  assert.instance(error, SkeinApiError);
  assert.equal([error.name, error.type, error.details], ['SkeinApiError', 'SomethingNew', { of: 'tomorrow' }]);
  assert.is(failed('toString').name, 'SkeinApiError');
});

test('details have their types where the contract fixes them', () => {
  const error: unknown = failed('VersionConflict', { id: 'a', expected: 1, actual: 2 });
  if (!(error instanceof errors.VersionConflict)) throw new Error('not narrowed');
  const actual: number = error.details.actual;
  const id: string | number = error.details.id;
  assert.equal([id, actual], ['a', 2]);
});

/** Values that stand in the page as words, and are no names of details. */
const WORDS = ['unreachable', 'timeout', 'denied', 'full', 'refused', 'last_full', 'increments', 'log', 'newest', 'unknown'];

test('the details of each type are those that docs/ERRORS.md lists', () => {
  const rows = readFileSync(PAGE_PATH, 'utf8')
    .split('\n')
    .filter((line) => /^\| \d{3} \|/.test(line));
  assert.is(rows.length, Object.keys(ERRORS).length);
  for (const row of rows) {
    const [, , type = '', , cell = ''] = row.split('|').map((text) => text.trim());
    const told = [...cell.matchAll(/`([a-z][a-z_]*)(?::[^`]*)?`/g)].map((match) => match[1] as string);
    const named = Object.keys(DETAILS[type.replaceAll('`', '') as ErrorType]);
    assert.equal([...new Set(told.filter((word) => !WORDS.includes(word)))].sort(), named.sort(), type);
  }
});

test('what a server answers has the details that the table says', async (t) => {
  const { engine } = await openTestEngine(t.folder());
  t.after(() => engine.stop());
  const http = await startHttp(t, { engine });
  const client = new SkeinClient({ url: http.url, retries: false });
  t.after(() => client.close());
  const c = 'films';
  await client.createCollection(c, { dimension: 2, distance: 'cosine' });
  await client.upsert(c, [{ id: 1, vector: [1, 2] }]);
  const raw = (method: 'GET' | 'POST', path: string, body?: object) =>
    client.send({ what: path, method, path, kind: 'read', options: {}, ...(body === undefined ? {} : { body }) });
  const calls: readonly (readonly [ErrorType, () => Promise<unknown>])[] = [
    ['CollectionNotFound', () => client.count('none')],
    ['CollectionAlreadyExists', () => client.createCollection(c, { dimension: 2, distance: 'dot' })],
    ['PointNotFound', () => client.get(c, 2)],
    ['AliasNotFound', () => client.deleteAlias('none')],
    ['DimensionMismatch', () => client.upsert(c, [{ id: 1, vector: [1] }])],
    ['InvalidVector', () => client.upsert(c, [{ id: 1, vector: [1, Number.NaN] }])],
    ['ZeroVector', () => client.upsert(c, [{ id: 1, vector: [0, 0] }])],
    ['InvalidFilter', () => raw('POST', `/v1/collections/${c}/points/count`, { filter: { must: [{ key: 1 }] } })],
    ['InvalidRequest', () => raw('POST', `/v1/collections/${c}/points/count`, { none: 1 })],
    ['InvalidCollectionName', () => client.count('.none')],
    ['VersionConflict', () => client.upsert(c, [{ id: 1, vector: [1, 2], ifVersion: 7 }])],
    ['WriteConcernImpossible', () => client.upsert(c, [{ id: 1, vector: [1, 2] }], { w: 9 })],
    ['RouteNotFound', () => raw('GET', '/v1/none')],
    ['MethodNotAllowed', () => raw('POST', '/v1/collections')],
  ];
  for (const [type, call] of calls) {
    const error = await call().then(
      () => null,
      (thrown: unknown) => thrown,
    );
    assert.instance(error, errors[type], type);
    mustHave(type, (error as SkeinApiError).details);
  }
});

const IS: Readonly<Record<string, (value: unknown) => boolean>> = {
  text: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number',
  'number|null': (value) => value === null || typeof value === 'number',
  texts: (value) => Array.isArray(value) && value.every((one) => typeof one === 'string'),
  id: (value) => typeof value === 'string' || typeof value === 'number',
  'id|null': (value) => value === null || typeof value === 'string' || typeof value === 'number',
  issues: (value) =>
    Array.isArray(value) && value.every((one) => typeof one.path === 'string' && typeof one.message === 'string'),
};

function mustHave(type: ErrorType, details: Readonly<Record<string, unknown>>): void {
  const table: Readonly<Record<string, string>> = DETAILS[type];
  for (const [name, kind] of Object.entries(table)) {
    if (kind.endsWith('?') && !(name in details)) continue;
    assert.ok(IS[kind.replace('?', '')]?.(details[name]), `${type}.${name} is ${JSON.stringify(details[name])}, not ${kind}`);
  }
  assert.equal(
    Object.keys(details).filter((name) => !(name in table)),
    [],
    type,
  );
}

test.run();
