/** Every point of a collection, or those that a filter lets through, in an order that stays.  node docs/examples/scroll.mjs */

import { SkeinClient } from 'skein/client';

const client = new SkeinClient({ url: process.env.SKEIN_URL ?? 'http://127.0.0.1:7171' });
const words = 'example-scroll';
await client.createCollection(words, { dimension: 2, distance: 'dot' });
await client.upsert(
  words,
  Array.from({ length: 2_500 }, (_, id) => ({ id, vector: [id, 1], payload: { even: id % 2 === 0 } })),
);

// As an iteration: the next page travels while this one is used, and leaving the loop ends it.
let sum = 0;
const filter = { must: [{ key: 'even', match: { value: true } }] };
for await (const { vector } of client.scrollAll(words, { filter, withVector: true })) sum += vector?.[0] ?? 0;
console.log('sum of the even ones:', sum);

// Or page by page, with a cursor that another program may go on with.
let pages = 0;
for (let cursor; cursor !== null; pages++) {
  const page = await client.scroll(words, { limit: 1_000, ...(cursor !== undefined && { cursor }) });
  cursor = page.nextCursor;
}
console.log(pages, 'pages');
await client.deleteCollection(words);
client.close();
