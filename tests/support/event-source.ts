/** A reader of Server-Sent Events that shows what came: events, places without an event, comments. */

import { waitUntil } from './wait-until.js';

export interface ServerEvent {
  /** Null: not said. */
  readonly id: string | null;
  /** The field `event`; null: an ordinary one. */
  readonly name: string | null;
  /** Of JSON; null: none, as with a heartbeat. */
  readonly data: ReturnType<typeof JSON.parse>;
}

export interface EventSourceReading {
  readonly status: number;
  readonly headers: Headers;
  /** All that came so far, heartbeats included. */
  readonly all: readonly ServerEvent[];
  /** Without heartbeats. */
  readonly events: readonly ServerEvent[];
  readonly isEnded: boolean;
  /** Waits until there are so many events. @throws Error when there are more, or the stream ends before */
  take(count: number): Promise<readonly ServerEvent[]>;
  close(): void;
}

export async function readEvents(url: string, headers: Record<string, string> = {}): Promise<EventSourceReading> {
  const controller = new AbortController();
  const response = await fetch(url, { headers, signal: controller.signal });
  const all: ServerEvent[] = [];
  const state = { isEnded: false };
  const pump = async (): Promise<void> => {
    let text = '';
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      const blocks = (text + decoder.decode(chunk, { stream: true })).split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) all.push(eventOf(block));
    }
  };
  void pump()
    .catch(() => {})
    .finally(() => {
      state.isEnded = true;
    });
  const events = (): ServerEvent[] => all.filter(({ data }) => data !== null);
  return {
    status: response.status,
    headers: response.headers,
    all,
    get events() {
      return events();
    },
    get isEnded() {
      return state.isEnded;
    },
    take: async (count) => {
      await waitUntil(() => state.isEnded || events().length >= count, { what: `${count} events came` });
      if (events().length !== count) throw new Error(`${events().length} events came, not ${count}`);
      return events();
    },
    close: () => controller.abort(),
  };
}

function eventOf(block: string): ServerEvent {
  const fields = new Map<string, string>();
  for (const line of block.split('\n')) {
    const at = line.indexOf(': ');
    if (at > 0) fields.set(line.slice(0, at), line.slice(at + 2));
  }
  const data = fields.get('data');
  return { id: fields.get('id') ?? null, name: fields.get('event') ?? null, data: data === undefined ? null : JSON.parse(data) };
}
