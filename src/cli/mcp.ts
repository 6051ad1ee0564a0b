/** `skein mcp`: the tools of a server for language models, over standard input and output, or over HTTP.
 *
 *  Over standard input and output there is one caller, whoever started the process, and the key is that of the command. Over HTTP there are
 *  many, and each brings its own: a key of the command would be lent to all of them, so it is refused. */

import { hostNames } from '../config/allowed-hosts.js';
import type { MCP_FIELDS } from '../config/command-fields.js';
import { clientKey } from '../config/config.js';
import type { ValuesOf } from '../config/field.js';
import { isLoopback } from '../config/loopback.js';
import { version } from '../node/version.js';
import { SkeinClient } from '../sdk/index.js';
import { UsageError } from './failure.js';
import { EXIT, type ExitCode, print, type Surroundings } from './surroundings.js';

export type McpValues = ValuesOf<typeof MCP_FIELDS>;

/** @throws UsageError, ConfigError */
export function offerTools(values: McpValues, surroundings: Surroundings): Promise<ExitCode> {
  return values.http ? offerOverHttp(values, surroundings) : offerOverStdio(values, surroundings);
}

async function offerOverStdio(values: McpValues, { errors, protocolStreams, stopping }: Surroundings): Promise<ExitCode> {
  const { url, timeoutMs, readOnly } = values;
  const apiKey = clientKey(values);
  const client = new SkeinClient({ url, timeoutMs, encoding: 'json', ...(apiKey !== null && { apiKey }) });
  const report = (line: string): void => print(errors, `skein mcp: ${line}`);
  const { serveStdio } = await import('../mcp/stdio.js');
  report(`the tools of ${url} are offered on standard input and output`);
  try {
    await serveStdio(protocolStreams(), { version, readOnly, client, report }, stopping);
    return EXIT.done;
  } finally {
    client.close();
  }
}

async function offerOverHttp(values: McpValues, { errors, stopping }: Surroundings): Promise<ExitCode> {
  const { url, timeoutMs, readOnly, host, port, insecureNoAuth: openToAll } = values;
  if (values.apiKey !== null || values.apiKeyFile !== null)
    throw new UsageError('with --http every caller brings its own key: leave --api-key and --api-key-file (SKEIN_API_KEY…) out');
  const { listenHttp } = await import('../mcp/http-listener.js');
  const listener = await listenHttp({
    ...{ version, readOnly, url, timeoutMs, host, port, openToAll },
    rules: { loopback: isLoopback(host), hosts: hostNames(values.allowedHosts) },
    report: (line) => print(errors, `skein mcp: ${line}`),
    nowMs: () => performance.now(),
  });
  print(errors, `skein mcp: the tools of ${url} are offered at ${listener.url}`);
  await new Promise<void>((resolve) => {
    if (stopping.aborted) resolve();
    stopping.addEventListener('abort', () => resolve(), { once: true });
  });
  await listener.close();
  return EXIT.done;
}
