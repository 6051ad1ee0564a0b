/** Words and vectors in one search.  node docs/examples/hybrid.mjs */

import { SkeinClient } from 'skein/client';

const client = new SkeinClient({ url: process.env.SKEIN_URL ?? 'http://127.0.0.1:7171' });
const notes = 'example-hybrid';

await client.createCollection(notes, { dimension: 3, distance: 'cosine', textFields: ['text'] });
await client.upsert(notes, [
  { id: 1, vector: [1, 0, 0], payload: { text: 'The ferry to the island leaves at nine' } },
  { id: 2, vector: [0.9, 0.1, 0], payload: { text: 'Boats are repaired in the old harbour' } },
  { id: 3, vector: [0, 1, 0], payload: { text: 'A recipe for plum cake' } },
]);

const print = (what, { hits, mode }) => console.log(`${what} (${mode}):`, hits.map(({ id }) => id).join(' '));
print('by words', await client.search(notes, { text: 'harbour ferries' }));
print('by vector', await client.search(notes, { vector: [1, 0, 0] }));
print('by both', await client.search(notes, { text: 'plum', vector: [1, 0, 0], limit: 3 }));
// The vector counts three times as much as the words.
print(
  'by both, weighted',
  await client.search(notes, {
    ...{ text: 'plum', vector: [1, 0, 0], limit: 3 },
    fusion: { method: 'weighted', weights: { vector: 3, text: 1 } },
  }),
);

await client.deleteCollection(notes);
client.close();
