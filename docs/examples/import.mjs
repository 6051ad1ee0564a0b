/** Many points in one stream, with progress; bad ones are named by their line and the good ones go on.  node docs/examples/import.mjs */

import { SkeinClient } from 'skein/client';

const client = new SkeinClient({ url: process.env.SKEIN_URL ?? 'http://127.0.0.1:7171' });
const measurements = 'example-import';
const POINTS = 5_000;
await client.createCollection(measurements, { dimension: 8, distance: 'euclid' });

/** Taken as fast as the server reads: this may be a file, a cursor of another database, anything that iterates. */
async function* points() {
  for (let id = 0; id < POINTS; id++) {
    const vector = Float32Array.from({ length: id === 777 ? 7 : 8 }, (_, i) => Math.sin(id * (i + 1)));
    yield { id, vector, payload: { batch: Math.floor(id / 1_000) } };
  }
}

let shown = 0;
for await (const { lines, imported, answer } of client.importSteps(measurements, points())) {
  if (answer === null && lines - shown < POINTS / 4) continue;
  shown = lines;
  console.log(`${Math.round((100 * lines) / POINTS)} %: ${imported} imported`);
  for (const { line, error } of answer?.failed ?? []) console.log(`line ${line} was refused: ${error.type}`);
}
console.log(await client.count(measurements), 'points');
await client.deleteCollection(measurements);
client.close();
