/** Server-Sent Events out of bytes (https://html.spec.whatwg.org/multipage/server-sent-events.html), as far as a Skein server writes them.
 *  Must not know: what events mean. */

import { SkeinConnectionError } from './errors.js';

export interface ServerEvent {
  /** Null: the event does not say. */
  readonly id: string | null;
  /** `message` unless it says. */
  readonly name: string;
  /** Null: none; then the id alone counts. */
  readonly data: string | null;
}

/** Longer than any event of a server: a payload of 1 MiB and a vector as text. */
const EVENT_LENGTH_MAX = 64 * 1024 * 1024;

/** From pieces of text to events. */
export class ServerEvents {
  readonly #decoder = new TextDecoder();
  #rest = '';

  /** @returns what is whole by now  @throws SkeinConnectionError when no event ends where one must */
  take(piece: Uint8Array): ServerEvent[] {
    const blocks = (this.#rest + this.#decoder.decode(piece, { stream: true })).split('\n\n');
    this.#rest = blocks.pop() ?? '';
    if (this.#rest.length > EVENT_LENGTH_MAX)
      throw new SkeinConnectionError('an event of the server has no end', { code: 'BAD_EVENT', url: '', maybeSent: true });
    return blocks.map(eventOf);
  }
}

function eventOf(block: string): ServerEvent {
  let [id, name, data]: [string | null, string, string | null] = [null, 'message', null];
  for (const line of block.split('\n')) {
    const at = line.indexOf(':');
    const field = line.slice(0, at);
    const value = line.slice(line.charAt(at + 1) === ' ' ? at + 2 : at + 1);
    if (field === 'id') id = value;
    else if (field === 'event') name = value;
    else if (field === 'data') data = data === null ? value : `${data}\n${value}`;
  }
  return { id, name, data };
}
