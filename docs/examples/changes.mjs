/** What happens to the data, in the order of the log, as an iteration without an end; a program that comes back goes on behind what it has seen.
 *  node docs/examples/changes.mjs */

import { SkeinClient } from 'skein/client';

const client = new SkeinClient({ url: process.env.SKEIN_URL ?? 'http://127.0.0.1:7171' });
const orders = 'example-changes';
await client.createCollection(orders, { dimension: 1, distance: 'dot' });
const from = client.position;

await client.upsert(orders, [{ id: 1, vector: [1], payload: { state: 'new' } }]);
await client.patch(orders, [{ id: 1, payload: { state: 'paid' } }]);
await client.delete(orders, { ids: [1] });

/** @returns where it stopped: a text to keep, from which whoever comes next goes on */
async function follow(place, count) {
  let left = count;
  for await (const change of client.changes({ collection: orders, from: place })) {
    if (change.type === 'upsert') console.log('upsert', change.id, change.payload);
    else if (change.type === 'delete') console.log('delete', change.id);
    else continue;
    left -= 1;
    if (left === 0) return change.token;
  }
}

const seen = await follow(from, 2);
console.log('…later, after a restart, on whichever node:');
await follow(seen, 1);
await client.deleteCollection(orders);
client.close();
