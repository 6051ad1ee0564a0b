/** What carries requests where nothing else was said, in Node. For browsers another file stands in its place: package.json, `browser`. */

import { HttpTransport } from './http-transport.js';
import type { Transport } from './transport.js';

export function defaultTransport(connectionsMax: number): Transport {
  return new HttpTransport({ connectionsMax });
}
