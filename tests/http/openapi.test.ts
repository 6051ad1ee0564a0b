/** The OpenAPI document and the running server are one: every route and every error type is in both. */

import * as assert from 'uvu/assert';
import { ERRORS } from '../../src/model/errors.js';
import { startHttp, type TestHttp } from '../support/http-server.js';
import { suite, type TestContext } from '../support/suite.js';

const test = suite('http/openapi');

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: unknown }>> };
  readonly responses: Readonly<Record<string, unknown>>;
}
interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, { properties: { error: { properties: { type: { enum: string[] } } } } }>>;
  };
}

async function documentOf(t: TestContext): Promise<{ http: TestHttp; document: Document }> {
  // A feed that is answered would never end.
  const http = await startHttp(t, { limits: { changeFeedsMax: 0 } });
  const { body } = await http.ask('GET', '/openapi.json');
  return { http, document: body };
}

/** `/v1/…/{collection}` with names that exist nowhere but are well-formed. */
const concrete = (path: string): string => path.replaceAll(/\{\w+\}/g, 'none');

test('every documented operation runs, and no other method does', async (t) => {
  const { http, document } = await documentOf(t);
  assert.is(document.openapi, '3.1.0');
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const method of ['get', 'put', 'post', 'patch', 'delete']) {
      const { body } = await http.ask(method.toUpperCase(), concrete(path));
      const type: unknown = body?.error?.type;
      const documented = method in operations;
      // GET /…/points/{id} takes any last part, so other paths below points are readable too.
      const isPointPath = method === 'get' && /\/points\/\w+$/.test(path);
      if (documented) assert.ok(type !== 'RouteNotFound' && type !== 'MethodNotAllowed', `${method} ${path}`);
      else if (!isPointPath) assert.is(type, 'MethodNotAllowed', `${method} ${path}`);
    }
  }
});

test('every promised operation is documented', async (t) => {
  const { document } = await documentOf(t);
  const found = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const points = '/v1/collections/{collection}/points';
  const promised = [
    'GET /v1/collections',
    ...['GET', 'PUT', 'PATCH', 'DELETE'].map((method) => `${method} /v1/collections/{collection}`),
    ...['PUT', 'PATCH'].map((method) => `${method} ${points}`),
    `GET ${points}/{id}`,
    ...['delete', 'get', 'scroll', 'count', 'facet', 'search', 'search/batch', 'search/groups', 'recommend', 'import'].map(
      (name) => `POST ${points}/${name}`,
    ),
    'POST /v1/collections/{collection}/recall',
    'POST /v1/batch',
    'GET /v1/changes',
    'GET /v1/aliases',
    ...['log', 'slow-queries'].flatMap((name) => [`GET /v1/${name}`, `PATCH /v1/${name}`]),
    ...['PUT', 'DELETE'].map((method) => `${method} /v1/aliases/{alias}`),
    ...['status', 'stats', 'replicas', 'stream'].map((name) => `GET /replication/${name}`),
    ...['promote', 'follow', 'resync', 'verify'].map((name) => `POST /replication/${name}`),
    'DELETE /replication/replicas/{replica}',
    ...['GET /v1/keys', 'POST /v1/keys', 'DELETE /v1/keys/{key}', 'POST /v1/keys/{key}/rotate'],
    ...['GET', 'POST'].map((method) => `${method} /v1/backups`),
    'DELETE /v1/backups/{backup}',
    ...['restore', 'verify'].map((name) => `POST /v1/backups/{backup}/${name}`),
    ...['/health', '/health/live', '/health/ready', '/health/detailed', '/metrics', '/v1/version', '/v1/config'].map(
      (path) => `GET ${path}`,
    ),
  ];
  assert.equal(found.sort(), promised.sort());
});

test('operations have names, words, parameters, both body forms and both outcomes', async (t) => {
  const { document } = await documentOf(t);
  const names = new Set<string>();
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      const where = `${method} ${path}`;
      assert.ok(operation.summary.length > 5, where);
      names.add(operation.operationId);
      for (const [, name] of path.matchAll(/\{(\w+)\}/g)) {
        assert.ok(
          operation.parameters?.some((parameter) => parameter.name === name && parameter.in === 'path'),
          where,
        );
      }
      if (operation.requestBody !== undefined && !path.endsWith('/import')) {
        assert.equal(Object.keys(operation.requestBody.content), ['application/json', 'application/msgpack'], where);
      }
      assert.ok('4XX' in operation.responses && ('200' in operation.responses || '201' in operation.responses), where);
    }
  }
  assert.is(names.size, Object.values(document.paths).flatMap((operations) => Object.keys(operations)).length);
});

test('what may only begin says so', async (t) => {
  const { document } = await documentOf(t);
  const operations = Object.values(document.paths).flatMap((path) => Object.values(path));
  const begun = operations.filter(({ responses }) => '202' in responses).map(({ operationId }) => operationId);
  assert.equal(begun.sort(), ['createBackup', 'restoreBackup', 'verifyBackup']);
});

test('every error type is in the document, and no other', async (t) => {
  const { document } = await documentOf(t);
  assert.equal(document.components.schemas['Error']?.properties.error.properties.type.enum, Object.keys(ERRORS));
});

test('vectors, payloads and filters are described', async (t) => {
  const { document } = await documentOf(t);
  const text = JSON.stringify(document);
  const search = JSON.stringify(document.paths['/v1/collections/{collection}/points/search']?.['post']?.requestBody);
  assert.match(search, 'little-endian float32');
  const scroll = JSON.stringify(document.paths['/v1/collections/{collection}/points/scroll']?.['post']?.requestBody);
  assert.match(scroll, '#/components/schemas/Filter');
  for (const name of ['Filter', 'Condition', 'Error']) assert.ok(name in document.components.schemas, name);
  const references = [...text.matchAll(/"\$ref":"([^"]+)"/g)].map(([, reference]) => reference);
  for (const reference of new Set(references))
    assert.match(reference ?? '', /^#\/components\/schemas\/(Filter|Condition|Error)$/);
});

test('the page loads everything from this server', async (t) => {
  const { ask } = await startHttp(t, { docs: true });
  const { status, headers, body } = await ask('GET', '/docs/');
  assert.is(status, 200);
  const policy = headers.get('content-security-policy') ?? '';
  assert.match(policy, "default-src 'self'");
  assert.not.match(policy, /upgrade-insecure|https?:/);
  for (const [, source] of (body as string).matchAll(/(?:src|href)="([^"]+)"/g)) {
    assert.not.match(source ?? '', /^https?:/);
    assert.is((await ask('GET', new URL(source ?? '', 'http://h/docs/').pathname)).status, 200, source);
  }
  assert.equal((await ask('GET', '/docs/json')).body, (await ask('GET', '/openapi.json')).body, 'of the same document');
  const nothing = await ask('GET', '/docs/nothing');
  assert.equal([nothing.status, nothing.body.error.type], [404, 'RouteNotFound']);
  const off = await startHttp(t);
  assert.is((await off.ask('GET', '/docs')).status, 404);
});

test.run();
