/** Each role against each route, and keys with a scope against each route: the expectations come from the route table, so a route that is
 *  added is tried too. */

import * as assert from 'uvu/assert';
import type { Room } from '../../../src/http/room.js';
import type { Route } from '../../../src/http/route-table.js';
import { allRoutes } from '../../../src/http/routes/all.js';
import { allows, KEY_ROLES } from '../../../src/model/access-key.js';
import { startKeyed } from '../../support/keyed-http.js';
import { suite } from '../../support/suite.js';

const test = suite('http/access/matrix', { deadlineMs: 60_000 });
const ROUTES = allRoutes({ limits: {} } as Room, { lastUsed: () => null, recheck: () => undefined });
const SPEC = { dimension: 2, distance: 'dot' };

/** A path of the route, about what is not there. */
const pathOf = ({ path, operationId }: Route, collection: string): string =>
  // A feed that begins does not end, so it is asked for one that cannot begin.
  `${path.replace(':collection', collection).replaceAll(/:\w+/g, 'nothing-such')}${operationId === 'followChanges' ? '?from=nowhere' : ''}`;

const nameOf = ({ method, path }: Route): string => `${method} ${path}`;

test('every route says what it needs', () => {
  for (const route of ROUTES) assert.ok(['none', 'read', 'write', 'admin', 'replicate'].includes(route.needs), nameOf(route));
  const open = ROUTES.filter(({ needs }) => needs === 'none').map(nameOf);
  assert.equal(open.sort(), ['GET /health', 'GET /health/live', 'GET /health/ready', 'GET /replication/stream']);
});

test('a role may call the routes that it allows and no others, and nobody calls one without a key', async (t) => {
  const { ask, as, engine } = await startKeyed(t);
  const headers = Object.fromEntries(KEY_ROLES.map((role) => [role, as(role)]));
  for (const route of ROUTES) {
    const bare = await ask(route.method, pathOf(route, 'films'), route.method === 'GET' ? undefined : {});
    assert.is(bare.status === 401, route.needs !== 'none', `${nameOf(route)} without a key`);
    for (const role of KEY_ROLES) {
      const { status, body } = await ask(
        route.method,
        pathOf(route, 'films'),
        route.method === 'GET' ? undefined : {},
        headers[role],
      );
      assert.is(status === 403, !allows(role, route.needs), `${nameOf(route)} as ${role}: ${status}`);
      assert.is.not(status, 401, `${nameOf(route)} as ${role}`);
      if (status === 403) assert.equal(body.error.details, { needed: route.needs, key_role: role });
    }
  }
  assert.is(engine.keys.count, KEY_ROLES.length);
});

test('who may read or write may look at the state of the node, and who looks at it may do nothing else', () => {
  for (const role of ['admin', 'write', 'read', 'replicate'] as const) assert.ok(allows(role, 'replicate'), role);
  assert.equal(
    ['read', 'write', 'admin'].map((need) => allows('replicate', need as 'read')),
    [false, false, false],
  );
  assert.is(ROUTES.find(({ path }) => path === '/v1/version')?.needs, 'replicate');
});

test('a key with a scope is refused where a route names another collection, or none', async (t) => {
  const { ask, as, key } = await startKeyed(t);
  key({ role: 'admin' });
  await ask('PUT', '/v1/collections/films', SPEC, as('admin'));
  const scoped = as('admin', ['films', 'mine-*']);
  for (const route of ROUTES) {
    if (route.needs === 'none') continue;
    const named = route.path.includes('/:collection');
    const outside = await ask(route.method, pathOf(route, 'other'), route.method === 'GET' ? undefined : {}, scoped);
    if (route.looksAtScope === true) assert.is.not(outside.status, 401, nameOf(route));
    else assert.is(outside.status, 403, nameOf(route));
    const refused = { needed: route.needs, key_role: 'admin', collection: 'other' };
    if (named) assert.equal(outside.body.error.details, refused, nameOf(route));
    if (!named) continue;
    // Dropping comes last in no order that is promised: it is made again.
    await ask('PUT', '/v1/collections/films', SPEC, scoped);
    const inside = await ask(route.method, pathOf(route, 'films'), route.method === 'GET' ? undefined : {}, scoped);
    assert.ok(![401, 403].includes(inside.status), `${nameOf(route)}: ${inside.status}`);
  }
});

test('a path that no route has tells nothing without a key', async (t) => {
  const { ask, as } = await startKeyed(t);
  const header = as('read');
  assert.is((await ask('GET', '/v1/nothing')).status, 401);
  assert.is((await ask('GET', '/v1/nothing', undefined, header)).status, 404);
});

test.run();
