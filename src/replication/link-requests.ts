/** Requests over a link, in either direction: who asked what, until the answer comes or the link ends. Must not know: sockets, methods. */

import { messageOf } from '../model/errors.js';
import { CONTROL_TEXT_MAX, type LinkRequest, type LinkResponse, type LinkValues } from '../wire/frames.js';

export class LinkRequests {
  readonly #open = new Map<number, (response: LinkResponse) => void>();
  #next = 1;

  /** @param send puts the frame on its way @returns the answer's values @throws Error with the other side's words, or that the link ended */
  async ask(method: string, parameters: LinkValues, send: (request: LinkRequest) => number): Promise<LinkValues> {
    const id = this.#next++;
    const { error, result } = await new Promise<LinkResponse>((resolve) => {
      this.#open.set(id, resolve);
      if (send({ type: 'request', id, method, parameters }) === 0) this.#settle(id, ended(id));
    });
    if (error !== null) throw new Error(error);
    return result;
  }

  answered(response: LinkResponse): void {
    this.#settle(response.id, response);
  }

  #settle(id: number, response: LinkResponse): void {
    const resolve = this.#open.get(id);
    this.#open.delete(id);
    resolve?.(response);
  }

  end(): void {
    for (const id of [...this.#open.keys()]) this.#settle(id, ended(id));
  }
}

/** Runs `work` and makes an answer of what it gives or throws. */
export async function answerTo({ id }: LinkRequest, work: () => Promise<LinkValues>): Promise<LinkResponse> {
  try {
    return { type: 'response', id, error: null, result: await work() };
  } catch (error) {
    const message = messageOf(error);
    return { type: 'response', id, error: message.slice(0, CONTROL_TEXT_MAX), result: {} };
  }
}

function ended(id: number): LinkResponse {
  return { type: 'response', id, error: 'the link ended', result: {} };
}
