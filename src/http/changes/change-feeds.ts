/** The change feeds that are open: how many may be, and their end when the server stops. Must not know: what they send. */

import { SkeinError } from '../../model/errors.js';
import type { CounterSeries, Meter } from '../../model/meter.js';

export type FeedCarrier = 'sse' | 'websocket';

/** What a feed is to those who end it. */
export interface EndableFeed {
  end(reason: SkeinError): void;
}

export class ChangeFeeds {
  readonly #feedsMax: number;
  readonly #open = new Map<EndableFeed, FeedCarrier>();
  readonly #begun: (carrier: FeedCarrier) => void;
  readonly #sent: CounterSeries;
  #isClosed = false;

  constructor(feedsMax: number, meter: Meter) {
    this.#feedsMax = feedsMax;
    const open = meter.gauge({ name: 'change_feeds', help: 'Open change feeds, by what carries them.', labels: ['carrier'] });
    const series = { sse: open.series({ carrier: 'sse' }), websocket: open.series({ carrier: 'websocket' }) };
    const begun = meter.counter({ name: 'change_feeds_total', help: 'Change feeds that were begun.', labels: ['carrier'] });
    const beginnings = { sse: begun.series({ carrier: 'sse' }), websocket: begun.series({ carrier: 'websocket' }) };
    this.#begun = (carrier) => beginnings[carrier].add(1);
    this.#sent = meter.counter({ name: 'changes_sent_total', help: 'Changes that were sent to change feeds.' }).series();
    meter.beforePrinting(() => {
      for (const carrier of ['sse', 'websocket'] as const)
        series[carrier].set([...this.#open.values()].filter((one) => one === carrier).length);
    });
  }

  /** Is there room for one more? @throws Overloaded (reason: change_feeds), ShuttingDown */
  admit(): void {
    if (this.#isClosed) throw stopping();
    if (this.#open.size < this.#feedsMax) return;
    throw new SkeinError('Overloaded', `${this.#feedsMax} change feeds are open, and there may be no more`, {
      reason: 'change_feeds',
    });
  }

  /** @returns how to leave; may be called again @throws as admit */
  enter(feed: EndableFeed, carrier: FeedCarrier): () => void {
    this.admit();
    this.#open.set(feed, carrier);
    this.#begun(carrier);
    return () => this.#open.delete(feed);
  }

  countSent(changes: number): void {
    this.#sent.add(changes);
  }

  /** For good: ends all, and takes no more. */
  close(): void {
    this.#isClosed = true;
    for (const feed of this.#open.keys()) feed.end(stopping());
  }
}

function stopping(): SkeinError {
  return new SkeinError('ShuttingDown', 'The server is stopping');
}
