/** From a command's settings to a client of its server. */

import { clientKey } from '../config/config.js';
import { type ClientSettings, SkeinClient } from '../sdk/index.js';

/** Somebody waits at a terminal. */
const TRIES = 4;

export interface ConnectionValues {
  readonly url: string;
  readonly apiKey: string | null;
  readonly apiKeyFile: string | null;
  readonly timeoutMs: number;
}

/** @throws ConfigError when the key file cannot be used */
export function connectTo(values: ConnectionValues, more: Partial<ClientSettings> = {}): SkeinClient {
  const apiKey = clientKey(values);
  return new SkeinClient({
    // One node is asked, and shown as it is.
    session: false,
    url: values.url,
    timeoutMs: values.timeoutMs,
    retries: { attempts: TRIES },
    ...(apiKey === null ? {} : { apiKey }),
    ...more,
  });
}
