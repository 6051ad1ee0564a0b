/** What carries requests where nothing else was said, in a browser, which bounds connections itself: six to a server. */

import { FetchTransport } from './fetch-transport.js';
import type { Transport } from './transport.js';

export function defaultTransport(_connectionsMax: number): Transport {
  return new FetchTransport();
}
