/** What can go wrong, by class; what may be tried again has been by then.  node docs/examples/errors.mjs */

import { errors, SkeinApiError, SkeinClient, SkeinConnectionError, SkeinTimeoutError } from 'skein/client';

const client = new SkeinClient({ url: process.env.SKEIN_URL ?? 'http://127.0.0.1:7171' });
const stock = 'example-errors';
await client.createCollection(stock, { dimension: 1, distance: 'dot' });

// Two writers, one point: the second one sees that the first was faster.
await client.upsert(stock, [{ id: 'lamp', vector: [1], payload: { left: 3 }, ifVersion: 0 }]);
try {
  await client.upsert(stock, [{ id: 'lamp', vector: [1], payload: { left: 2 }, ifVersion: 0 }]);
} catch (error) {
  if (!(error instanceof errors.VersionConflict)) throw error;
  console.log(`somebody was faster: the version is ${error.details.actual}, not ${error.details.expected}`);
}

// Every error of the server has a type, a status, details, and the id of its request.
try {
  await client.search('no-such-collection', { vector: [1] });
} catch (error) {
  if (!(error instanceof SkeinApiError)) throw error;
  console.log(error.type, error.status, 'may be tried again:', error.retryable, 'request:', error.requestId !== null);
}

// Nobody there: the client goes on trying, as long as you let it.
const nobody = new SkeinClient({ url: 'http://127.0.0.1:1', timeoutMs: 500, retries: { attempts: 3 } });
try {
  await nobody.count(stock);
} catch (error) {
  if (!(error instanceof SkeinConnectionError || error instanceof SkeinTimeoutError)) throw error;
  console.log('no answer:', error.name);
}
nobody.close();

// A call is given up by its signal.
const stop = new AbortController();
const counting = client.count(stock, undefined, { signal: stop.signal });
stop.abort(new Error('the user went away'));
await counting.catch((error) => console.log('given up:', error.message));

await client.deleteCollection(stock);
client.close();
