/** Searches and counts of the points that a filter lets through, with an index for its fields.  node docs/examples/filters.mjs */

import { SkeinClient } from 'skein/client';

const client = new SkeinClient({ url: process.env.SKEIN_URL ?? 'http://127.0.0.1:7171' });
const homes = 'example-filters';

await client.createCollection(homes, {
  ...{ dimension: 2, distance: 'euclid' },
  // A filter works on every field; what is declared is found without reading rows.
  payloadIndexes: [
    { path: 'city', type: 'keyword' },
    { path: 'rooms', type: 'integer' },
  ],
});
const cities = ['Berlin', 'Lyon', 'Porto'];
await client.upsert(
  homes,
  Array.from({ length: 300 }, (_, id) => ({
    ...{ id, vector: [id % 17, id % 23] },
    payload: { city: cities[id % 3], rooms: 1 + (id % 5), tags: id % 2 === 0 ? ['garden', 'quiet'] : ['lift'] },
  })),
);

const filter = {
  must: [
    { key: 'city', match: { any: ['Lyon', 'Porto'] } },
    { key: 'rooms', range: { gte: 3 } },
  ],
  mustNot: [{ key: 'tags', match: { value: 'lift' } }],
};
console.log(await client.count(homes, filter), 'homes match');

const { hits, explain } = await client.search(homes, { vector: [3, 4], filter, limit: 3, explain: true });
for (const { id, payload } of hits) console.log(id, payload);
console.log('plan:', explain?.plan);

const { values } = await client.facet(homes, { key: 'city', filter });
console.log('by city:', values);

const { deleted } = await client.delete(homes, { filter });
console.log(deleted, 'deleted');
await client.deleteCollection(homes);
client.close();
