/** Tools that show what is there: collections, points by their ids, the state of replication. */

import { Type } from 'typebox';
import { collectionPath } from '../../model/api-paths.js';
import type { CollectionListBody, GetAnswer, ReplicationStatusBody } from '../../wire/http-bodies.js';
import { boundedList, leftOutFields } from '../bounded-answer.js';
import { tool } from '../tool.js';
import { CollectionName, closed, HITS_MAX, Id, reading } from '../tool-inputs.js';

export const listCollectionsTool = tool(
  {
    name: 'list_collections',
    title: 'List collections',
    description:
      'Shows every collection with its dimension, distance, number of points, state, text fields and payload indexes. Text search needs text_fields.',
  },
  'reads',
  Type.Object({}, closed),
  async (_input, ask) => {
    const call = { what: 'list collections', method: 'GET', path: '/v1/collections', kind: 'read' } as const;
    const { collections } = (await ask(call)) as CollectionListBody;
    const { items, leftOut } = boundedList(collections);
    return { object: { count: collections.length, ...leftOutFields(leftOut, 'collections'), collections: items } };
  },
);

export const getTool = tool(
  {
    name: 'get',
    title: 'Get points by id',
    description: 'Shows points by their ids, with payload and version. missing lists the ids that no point has.',
  },
  'reads',
  Type.Object({ collection: CollectionName, ids: Type.Array(Id, { minItems: 1, maxItems: HITS_MAX }), ...reading }, closed),
  async ({ collection, ...given }, ask) => {
    const body = { with_payload: true, with_vector: false, ...given };
    const path = collectionPath(collection, '/points/get');
    const { points, ...rest } = (await ask({
      what: `points of ${collection}`,
      method: 'POST',
      path,
      kind: 'read',
      body,
    })) as GetAnswer;
    const { items, leftOut } = boundedList(points);
    return { object: { ...rest, ...leftOutFields(leftOut, 'ids'), points: items } };
  },
);

export const replicationStatusTool = tool(
  {
    name: 'replication_status',
    title: 'Replication status',
    description:
      'Shows the role of the node, its replicas or its master, and how far behind they are. A lag of null is not known; it is never guessed.',
  },
  'reads',
  Type.Object({}, closed),
  async (_input, ask) => {
    const call = { what: 'replication status', method: 'GET', path: '/replication/status', kind: 'read' } as const;
    const { replicas, ...rest } = (await ask(call)) as ReplicationStatusBody;
    const { items, leftOut } = boundedList(replicas);
    return { object: { ...rest, ...leftOutFields(leftOut, 'replicas'), replicas: items } };
  },
);
