/** Every operation of the OpenAPI document has a method in the client, or a reason why it has none. */

import * as assert from 'uvu/assert';
import { SkeinClient } from '../../src/sdk/index.js';
import { startHttp } from '../support/http-server.js';
import { suite } from '../support/suite.js';

const test = suite('sdk/every-operation');

/** By operationId: where the client has it. */
const METHODS: Readonly<Record<string, string>> = {
  listCollections: 'collections',
  getCollection: 'collection',
  createCollection: 'createCollection',
  changeCollection: 'updateCollection',
  deleteCollection: 'deleteCollection',
  listAliases: 'aliases',
  putAlias: 'putAlias',
  deleteAlias: 'deleteAlias',
  upsertPoints: 'upsert',
  patchPoints: 'patch',
  deletePoints: 'delete',
  getPoint: 'get',
  getPoints: 'getMany',
  scrollPoints: 'scroll',
  countPoints: 'count',
  facetPoints: 'facet',
  importPoints: 'importPoints',
  batch: 'batch',
  followChanges: 'changes',
  searchPoints: 'search',
  searchPointsBatch: 'searchBatch',
  searchPointsGroups: 'searchGroups',
  recommendPoints: 'recommend',
  measureRecall: 'measureRecall',
  health: 'health',
  ready: 'ready',
  version: 'version',
  healthDetails: 'healthDetails',
  live: 'server.live',
  metrics: 'server.metrics',
  config: 'server.config',
  log: 'server.log',
  setLogLevel: 'server.setLogLevel',
  slowQueries: 'server.slowQueries',
  setSlowQueryThreshold: 'server.setSlowQueryThreshold',
  listKeys: 'keys.list',
  createKey: 'keys.create',
  rotateKey: 'keys.rotate',
  deleteKey: 'keys.revoke',
  listBackups: 'backups.list',
  createBackup: 'backups.create',
  removeBackup: 'backups.remove',
  restoreBackup: 'backups.restore',
  verifyBackup: 'backups.verify',
  replicationStatus: 'replication.status',
  replicationStats: 'replication.stats',
  listReplicas: 'replication.replicas',
  promote: 'replication.promote',
  follow: 'replication.follow',
  resync: 'replication.resync',
  verifyReplicas: 'replication.verify',
  forgetReplica: 'replication.forget',
};

/** Not for the client, and why. */
const NOT_MEANT: Readonly<Record<string, string>> = {
  replicationStream: 'is spoken by nodes',
};

test('every operation of the document has its method, and every method named here its operation', async (t) => {
  const http = await startHttp(t);
  const { body: document } = await http.ask('GET', '/openapi.json');
  const operations = Object.values(document.paths as Record<string, Record<string, { operationId: string }>>).flatMap((methods) =>
    Object.values(methods).map(({ operationId }) => operationId),
  );
  assert.equal([...Object.keys(METHODS), ...Object.keys(NOT_MEANT)].sort(), operations.sort());
  const client = new SkeinClient({ url: http.url });
  t.after(() => client.close());
  for (const [operation, path] of Object.entries(METHODS)) {
    const found = path.split('.').reduce<unknown>((inside, name) => (inside as Record<string, unknown>)[name], client);
    assert.type(found, 'function', `${operation}: ${path}`);
  }
});

test.run();
