/** What every route works with. One object, made once, handed to the functions that make the routes. */

import type { Clock } from '../model/clock.js';
import type { Limits } from '../model/limits.js';
import type { Log } from '../model/log.js';
import type { Bodies } from './bodies.js';
import type { ChangeFeeds } from './changes/change-feeds.js';
import type { ChangeSockets } from './changes/change-socket.js';
import type { LongAnswers } from './long-answers.js';
import type { RequestTimes } from './request-times.js';
import type { HttpService, MetricsText } from './service.js';
import type { StrictGate } from './strict/strict-gate.js';

export interface Room {
  readonly service: HttpService;
  readonly limits: Limits;
  readonly bodies: Bodies;
  readonly answers: LongAnswers;
  readonly changes: ChangeFeeds;
  readonly sockets: ChangeSockets;
  readonly times: RequestTimes;
  readonly strict: StrictGate;
  readonly metrics: MetricsText | null;
  readonly log: Log;
  readonly clock: Clock;
  /** The server takes no new work. */
  readonly closing: { readonly now: boolean };
}
