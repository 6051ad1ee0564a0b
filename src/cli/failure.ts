/** What went wrong, for the person at the terminal: one line that says it, and one that says what to do. */

import { ConfigError } from '../config/resolve.js';
import { messageOf } from '../model/errors.js';
import { SkeinApiError, SkeinConnectionError, SkeinTimeoutError } from '../sdk/index.js';
import { NEXT_STEPS } from './next-steps.js';
import { EXIT, type ExitCode, print, type Surroundings } from './surroundings.js';

/** A command was used in a way that it does not have: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export interface Failure {
  readonly exitCode: ExitCode;
  readonly lines: readonly string[];
}

export function describeFailure(error: unknown, stopping: AbortSignal): Failure {
  if (stopping.aborted && error === stopping.reason) return { exitCode: EXIT.failed, lines: ['interrupted'] };
  if (error instanceof ConfigError) return { exitCode: EXIT.usage, lines: error.problems };
  if (error instanceof UsageError) return { exitCode: EXIT.usage, lines: [error.message] };
  if (error instanceof SkeinConnectionError) return { exitCode: EXIT.failed, lines: connectionLines(error) };
  if (error instanceof SkeinApiError) return { exitCode: EXIT.failed, lines: apiLines(error) };
  if (error instanceof SkeinTimeoutError)
    return {
      exitCode: EXIT.failed,
      lines: [error.message, '--timeout-ms waits longer; "skein status" shows whether the server answers at all'],
    };
  return { exitCode: EXIT.failed, lines: listenLines(error) ?? [messageOf(error)] };
}

/** Prints it to where errors go. */
export function reportFailure(error: unknown, { errors, stopping }: Surroundings): ExitCode {
  const { exitCode, lines } = describeFailure(error, stopping);
  for (const [i, line] of lines.entries())
    print(errors, i === 0 || exitCode === EXIT.usage ? `skein: ${line}` : `       ${line}`);
  return exitCode;
}

/** Why a server cannot listen; null when that is not what happened. */
function listenLines(error: unknown): string[] | null {
  if (!(error instanceof Error) || !('syscall' in error) || error.syscall !== 'listen' || !('code' in error)) return null;
  const { port = '?', address = '?' } = error as { port?: unknown; address?: unknown };
  if (error.code === 'EADDRINUSE')
    return [`port ${port} is taken on ${address}`, 'choose another with --port, or any free one with --port 0'];
  if (error.code === 'EACCES') return [`this user may not listen on port ${port}`, 'choose one from 1024 up with --port'];
  if (error.code === 'EADDRNOTAVAIL') return [`this machine has no address ${address}`, 'choose one that it has with --host'];
  return null;
}

function connectionLines(error: SkeinConnectionError): string[] {
  switch (error.code) {
    case 'ECONNREFUSED':
      return [
        `no server answers at ${error.url}`,
        'start one with "skein serve", or say where it is with --url URL or SKEIN_URL',
      ];
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return [`the name in ${error.url} is not known`, 'look for a slip in --url or SKEIN_URL'];
    case 'ECONNRESET':
    case 'EPIPE':
      return [
        `the server at ${error.url} broke the connection off`,
        error.url.startsWith('http:')
          ? `it may have been stopped; or it speaks TLS: then it is ${withScheme('https', error.url)}`
          : 'it may have been stopped; "skein status" shows whether it is back',
      ];
    case 'EPROTO':
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
      return [error.message, `does it speak TLS? If it does not, it is ${withScheme('http', error.url)}`];
    default:
      return [error.message];
  }
}

function withScheme(scheme: 'http' | 'https', url: string): string {
  return url.replace(/^https?:/, `${scheme}:`);
}

function apiLines(error: SkeinApiError): string[] {
  const first = `${error.message} (${error.type})`;
  switch (error.type) {
    case 'CollectionNotFound': {
      const available = error.details['available_collections'];
      const names = Array.isArray(available) ? available.join(', ') : '';
      return [first, names === '' ? 'the server has no collections' : `there are: ${names}`];
    }
    case 'NotMaster':
      return [first, `the master is at ${String(error.details['master_url'])}: give that with --url`];
    case 'NotPromotable':
      return [first, promotionHint(error.details['reason'])];
    case 'InvalidRequest':
      return error.message.startsWith('replica_id:')
        ? [
            first,
            'that is the master: name one of its replicas with --replica ID ("skein status" has the ids), or by its own --url',
          ]
        : [first];
    case 'Internal':
      return [first, ...(error.requestId === null ? [] : [`the server's log has it under request id ${error.requestId}`])];
    case 'UnknownAnswer':
      return [first, 'is there a Skein server at that address?'];
    default:
      return [first, ...stepsFor(error.type)];
  }
}

function stepsFor(type: string): string[] {
  const step = Object.hasOwn(NEXT_STEPS, type) ? NEXT_STEPS[type as keyof typeof NEXT_STEPS] : undefined;
  return step === undefined ? [] : [step];
}

const BY_FORCE = '--force promotes all the same, and writes that only the old master has are lost';

/** What helps is another thing for each reason; --force is named only where it is not refused as well. */
function promotionHint(reason: unknown): string {
  switch (reason) {
    case 'already_master':
      return 'nothing is left to do; for another master give the address of a replica with --url';
    case 'no_data':
      return 'let it take the data first: "skein follow MASTER_URL"';
    case 'newer_master':
      return 'look at "skein status" on all nodes: one of them is the master now';
    case 'behind':
      return 'ask again when "skein status" shows that it has caught up';
    case 'diverged':
      return `make it equal first: "skein resync --full"; ${BY_FORCE}, and what differs here stays`;
    case 'no_voter':
      return BY_FORCE;
    default:
      return `look at "skein status" on both nodes; ${BY_FORCE}`;
  }
}
