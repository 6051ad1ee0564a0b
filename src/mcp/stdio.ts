/** MCP over standard input and output: one conversation, as long as the input is open.
 *
 *  Invariant: nothing but protocol messages is written to the output. A message beyond the bound ends the conversation. */

import type { Readable, Writable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { type ProtocolOptions, protocolServer } from './protocol-server.js';
import { RunningCalls } from './running-calls.js';

/** A thousand points of 1,536 dimensions, written with all their digits. */
const MESSAGE_BYTES_MAX = 32 * 1024 * 1024;

export interface StdioStreams {
  readonly input: Readable;
  readonly output: Writable;
}

/** Resolves when the input has ended and what was asked until then is answered, the conversation is over, or it is told to stop. */
export async function serveStdio(
  { input, output }: StdioStreams,
  options: Omit<ProtocolOptions, 'calls'>,
  stopping: AbortSignal,
): Promise<void> {
  const transport = new StdioServerTransport(input, output, { maxBufferSize: MESSAGE_BYTES_MAX });
  const calls = new RunningCalls();
  const server = protocolServer({ ...options, calls });
  server.server.onerror = (error) => options.report(`a message was not understood: ${error.message}`);
  const told = new Promise<void>((resolve) => {
    if (stopping.aborted) resolve();
    stopping.addEventListener('abort', () => resolve(), { once: true });
  });
  const over = new Promise<void>((resolve) => {
    server.server.onclose = resolve;
    input.once('end', resolve);
    input.once('close', resolve);
  });
  await server.connect(transport);
  await Promise.race([told, over.then(() => lastAnswers(calls))]);
  await server.close();
}

/** The newest messages are on their way to their tools, and the newest answers on their way out, for a turn of the event loop. */
async function lastAnswers(calls: RunningCalls): Promise<void> {
  await setImmediate();
  await calls.ended();
  await setImmediate();
}
