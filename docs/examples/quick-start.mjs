/** A collection, some points, the nearest ones, and away again.  node docs/examples/quick-start.mjs */

import { SkeinClient } from 'skein/client';

const client = new SkeinClient({ url: process.env.SKEIN_URL ?? 'http://127.0.0.1:7171' });
const fruit = 'example-quick-start';

await client.createCollection(fruit, { dimension: 4, distance: 'cosine' });
await client.upsert(fruit, [
  { id: 'apple', vector: [0.9, 0.1, 0.0, 0.2], payload: { colour: 'red' } },
  { id: 'cherry', vector: [0.8, 0.2, 0.1, 0.1], payload: { colour: 'red' } },
  // Integers and texts are both ids; a Float32Array travels as it is.
  { id: 7, vector: new Float32Array([0.1, 0.9, 0.3, 0.0]), payload: { colour: 'yellow' } },
]);

const { hits, complete } = await client.search(fruit, { vector: [1, 0, 0, 0.1], limit: 2 });
for (const { id, score, payload } of hits) console.log(id, score.toFixed(3), payload);
console.log(complete ? 'these are the nearest' : 'there may be nearer ones');

await client.patch(fruit, [{ id: 7, payload: { name: 'banana' } }]);
console.log(await client.get(fruit, 7));

await client.deleteCollection(fruit);
client.close();
