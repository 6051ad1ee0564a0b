/** Tables of PostgreSQL as origins: over a stand-in for the database that answers the very queries which a real one was asked by hand. */
import * as assert from 'uvu/assert';
import { pgvectorOrigin } from '../../../../src/cli/import/foreign/pgvector.js';
import type { Query } from '../../../../src/cli/import/foreign/pgvector-table.js';
import type { Origin } from '../../../../src/cli/import/origin.js';
import type { ImportRecord } from '../../../../src/cli/import/record.js';
import { suite } from '../../../support/suite.js';

const test = suite('cli/import/foreign/pgvector');

interface FakeTable {
  readonly columns: Readonly<Record<string, string>>;
  readonly unique: readonly string[];
  readonly operators: readonly string[];
  /** In the order of their ids. */
  readonly rows: readonly { readonly key: string; readonly vector: string | null; readonly fields: string }[];
}

function fakeDatabase(table: FakeTable): { readonly query: Query; readonly asked: string[] } {
  const asked: string[] = [];
  const query: Query = (sql, parameters = []) => {
    asked.push(sql);
    if (sql.includes('to_regclass'))
      return Promise.resolve(
        parameters[0] === 'items' ? [{ oid: '1', name: 'public.items', rows: String(table.rows.length) }] : [],
      );
    if (sql.includes('pg_attribute where'))
      return Promise.resolve(Object.entries(table.columns).map(([name, type]) => ({ name, sql: `"${name}"`, type })));
    if (sql.includes('indisunique')) return Promise.resolve(table.unique.map((name) => ({ name })));
    if (sql.includes('pg_opclass'))
      return Promise.resolve(table.operators.map((operators) => ({ name: 'embedding', operators })));
    if (!sql.includes('from public.items')) return Promise.resolve([]);
    const limit = Number(/limit (\d+)/.exec(sql)?.[1]);
    const after = sql.includes('where') ? table.rows.findIndex(({ key }) => key === parameters[2]) + 1 : 0;
    const page = table.rows.slice(after, after + limit);
    return Promise.resolve(
      page.map(({ key, vector, fields }) => ({ point_key: key, point_vector: vector, point_fields: fields })),
    );
  };
  return { query, asked };
}

function originOf(query: Query, more: object = {}): Promise<Origin> {
  const names = { table: 'items', idColumn: 'id', vectorColumn: 'embedding' };
  return pgvectorOrigin({
    ...names,
    query,
    source: 'postgres://h/d',
    notePath: 'note',
    pagePoints: 2,
    close: () => Promise.resolve(),
    ...more,
  });
}

async function read(origin: Origin, place = { next: 0 }): Promise<readonly ImportRecord[]> {
  const records: ImportRecord[] = [];
  for await (const group of (await origin.open(place)).records()) records.push(...group);
  return records;
}

const TABLE: FakeTable = {
  columns: { id: 'bigint', embedding: 'vector(2)', name: 'text' },
  unique: ['id'],
  operators: ['vector_cosine_ops'],
  rows: [
    { key: '1', vector: '[1,2.5]', fields: '{"name": "a", "gone": null, "deep": {"kept": null}}' },
    { key: '2', vector: null, fields: '{}' },
    { key: '10', vector: '[1e-05,-0]', fields: '{}' },
    { key: '11', vector: '[1,x]', fields: '{"n": 9007199254740991}' },
    { key: '12', vector: '[1,2]', fields: '{"n": 9007199254740993}' },
    { key: '9007199254740993', vector: '[1,2]', fields: '{}' },
  ],
};

test('rows become points page by page behind the last id, in one transaction', async () => {
  const { query, asked } = fakeDatabase(TABLE);
  const origin = await originOf(query);
  assert.equal(origin.settings, { distance: 'cosine', distanceKnown: true, dimension: 2 });
  assert.equal(origin.losses, []);
  const records = await read(origin);
  assert.equal(
    records.map((record) => (record.kind === 'point' ? [record.id, record.payload, [...(record.vector ?? [])]] : record.problem)),
    [
      [1, { name: 'a', deep: { kept: null } }, [1, 2.5]],
      '(id 2) has no embedding',
      [10, {}, [Math.fround(1e-5), -0]],
      '(id 11) component 1 of embedding is not a number',
      '(id 12) has an integer near 9007199254740992, beyond ±2^53, which JSON numbers cannot hold',
      '(id 9007199254740993) has an id beyond 2^53-1, which ids here cannot be',
    ],
  );
  assert.match(asked[0] ?? '', 'repeatable read read only');
  assert.is(asked.filter((sql) => sql.includes('from public.items')).length, 4);
  assert.match(asked.at(-1) ?? '', 'to_jsonb(t.*)', 'all columns, also where one of them is called t');
  assert.equal(
    (await read(origin, { next: 3, key: '10' } as { next: number })).map(({ index, place }) => [index, place]),
    [
      [3, 4],
      [4, 5],
      [5, 6],
    ],
  );
});

test('texts and arrays are taken as well, and a distance that no index tells is said', async () => {
  const { query } = fakeDatabase({
    columns: { id: 'uuid', embedding: 'real[]' },
    unique: ['id'],
    operators: [],
    rows: [
      { key: '00000000-0000-4000-8000-000000000001', vector: '{1,NULL}', fields: '{}' },
      { key: 'b', vector: '{3,4}', fields: '{}' },
    ],
  });
  const origin = await originOf(query);
  assert.match(origin.losses.join(), 'no index of table items tells the distance');
  const [first, second] = await read(origin);
  assert.match(first?.kind === 'refused' ? first.problem : '', 'component 1 of embedding is not a number');
  assert.equal(second?.kind === 'point' && [second.id, second.vector], ['b', Float32Array.of(3, 4)]);
});

test('a sparse column becomes sparse vectors under its name, indices from 0', async () => {
  const { query } = fakeDatabase({
    columns: { id: 'integer', embedding: 'sparsevec(5)' },
    unique: ['id'],
    operators: ['sparsevec_l2_ops'],
    rows: [
      { key: '1', vector: '{1:0.5,5:-2}/5', fields: '{}' },
      { key: '2', vector: '{}/5', fields: '{}' },
    ],
  });
  const origin = await originOf(query);
  assert.equal(origin.settings, { vectors: {}, sparseVectors: { embedding: {} }, distanceKnown: true });
  assert.match(origin.losses.join(), 'dot product');
  assert.equal(
    (await read(origin)).map((record) => record.kind === 'point' && record.vectors),
    [
      { embedding: { indices: Uint32Array.of(0, 4), values: Float32Array.of(0.5, -2) } },
      { embedding: { indices: new Uint32Array(0), values: new Float32Array(0) } },
    ],
  );
});

test('a table that cannot be read in order, or has no such column, is refused by name', async () => {
  for (const [change, more, said] of [
    [{}, { table: 'none' }, 'there is no table none'],
    [{}, { idColumn: 'key' }, 'table items has no column key: it has id, embedding, name (--id-column)'],
    [{}, { vectorColumn: 'name' }, 'column name is text: vectors are'],
    [{ unique: [] }, {}, 'column id of items is not unique'],
    [{ columns: { ...TABLE.columns, id: 'numeric' } }, {}, 'column id is numeric: ids are integers'],
  ] as const) {
    const { query } = fakeDatabase({ ...TABLE, ...change });
    let caught = '';
    await originOf(query, more).catch((error: unknown) => {
      caught = String(error);
    });
    assert.match(caught, said);
  }
});

test.run();
