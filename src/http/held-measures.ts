/** Measures of what the server holds at the moment: connections, requests under way, bodies and long answers on their way. Read when
 *  they are printed. Must not know: routes. */

import type { Bodies } from './bodies.js';
import type { Connections } from './connections.js';
import type { LongAnswers } from './long-answers.js';
import type { HttpOptions } from './service.js';

export interface Held {
  readonly bodies: Bodies;
  readonly answers: LongAnswers;
  readonly connections: Connections;
}

export function measureHeld({ meter }: HttpOptions, { bodies, answers, connections }: Held): void {
  const gauge = (name: string, help: string) => meter.gauge({ name, help }).series();
  const jobs = gauge('body_queue_jobs', 'Large bodies that wait for the body thread.');
  const held = gauge('body_held_bytes', 'Bytes of bodies on their way in.');
  const leaving = gauge('answer_held_bytes', 'Bytes of long answers on their way out.');
  const open = gauge('http_connections', 'Open connections, links of replication included.');
  const requests = gauge('http_requests_in_flight', 'Requests that are not answered to their end.');
  const received = meter.counter({ name: 'http_received_bytes_total', help: 'Bytes that came over connections.' }).series();
  const sent = meter.counter({ name: 'http_sent_bytes_total', help: 'Bytes that went out over connections.' }).series();
  let before = { receivedBytes: 0, sentBytes: 0 };
  meter.beforePrinting(() => {
    const status = bodies.status();
    jobs.set(status.jobs);
    held.set(status.heldBytes);
    leaving.set(answers.heldBytes);
    const figures = connections.status();
    open.set(figures.open);
    requests.set(figures.requests);
    received.add(Math.max(0, figures.receivedBytes - before.receivedBytes));
    sent.add(Math.max(0, figures.sentBytes - before.sentBytes));
    before = figures;
  });
}
