/** `skein probe`: asks the server of this machine whether it lives or may be used, for the health checks of containers. Exit code 0 when it
 *  says so, 1 when it does not, or says nothing.
 *
 *  It knows where to ask, and whether over TLS, from the variables and the file that the server has. It sends no key, and asks no other
 *  machine, so it verifies no certificate: that is made out for other names than 127.0.0.1. Must not know: what health means. */

import type { ConfigSources } from '../config/config.js';
import { loadProbe, type ProbeValues } from '../config/probe-settings.js';
import { messageOf } from '../model/errors.js';
import { printable } from '../model/printable.js';
import { HttpTransport, SkeinConnectionError } from '../sdk/index.js';
import { UsageError } from './failure.js';
import { EXIT, type ExitCode, print, type Surroundings } from './surroundings.js';

const QUESTIONS = ['live', 'ready'];
const SHOWN_BYTES_MAX = 1_000;

/** @param question live or ready  @throws UsageError, ConfigError */
export async function probe(question: string, flags: ConfigSources['flags'], surroundings: Surroundings): Promise<ExitCode> {
  if (!QUESTIONS.includes(question)) throw new UsageError(`probe asks for ${QUESTIONS.join(' or ')}, not for ${question}`);
  const { environment, workingDir, errors, stopping } = surroundings;
  const values = loadProbe({ flags, environment, workingDir });
  const origin = originOf(values);
  const path = `/health/${question}`;
  try {
    const { status, text } = await ask(origin, path, AbortSignal.any([AbortSignal.timeout(values.timeoutMs), stopping]));
    if (status === 200) return EXIT.done;
    print(errors, `${origin}${path} answers ${status}: ${printable(text)}`);
  } catch (error) {
    print(errors, `${origin} does not answer: ${error instanceof SkeinConnectionError ? error.code : messageOf(error)}`);
  }
  return EXIT.failed;
}

function originOf({ host, port, tlsCertFile }: ProbeValues): string {
  const own = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `${tlsCertFile === null ? 'http' : 'https'}://${own.includes(':') ? `[${own}]` : own}:${port}`;
}

async function ask(
  origin: string,
  path: string,
  signal: AbortSignal,
): Promise<{ readonly status: number; readonly text: string }> {
  const transport = new HttpTransport({ connectionsMax: 1, anyCertificate: true });
  try {
    const { status, body } = await transport.send({ method: 'GET', url: `${origin}${path}`, headers: {}, body: null, signal });
    return { status, text: new TextDecoder().decode(body.subarray(0, SHOWN_BYTES_MAX)) };
  } finally {
    transport.close();
  }
}
