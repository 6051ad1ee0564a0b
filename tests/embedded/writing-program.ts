/** A program with a database inside that writes point after point, and says each number once it is acknowledged. */

import { openSkein } from '../../src/embedded/skein.js';

const [, , dataDir = ''] = process.argv;
const { client } = await openSkein({ dataDir });
await client.createCollection('c', { dimension: 2, distance: 'euclid' });
for (let id = 1; ; id++) {
  await client.upsert('c', [{ id, vector: new Float32Array([id, 1]) }]);
  process.stdout.write(`${id}\n`);
}
