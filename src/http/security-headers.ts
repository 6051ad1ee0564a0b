/** Headers that tell browsers what not to do with answers, as helmet has them, for an API that no page embeds. Constants: the same for every
 *  answer, made once. The page at /docs brings a policy of its own. */

import type { FastifyReply } from 'fastify';

type Headers = Readonly<Record<string, string>>;

const ALWAYS: Headers = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};
/** Half a year, as long as certificates last. */
const OVER_TLS: Headers = { ...ALWAYS, 'strict-transport-security': 'max-age=15552000' };

/** @param tls does this port speak https @returns what puts the headers on an answer */
export function securityHeaders(tls: boolean): (reply: FastifyReply) => void {
  const headers = Object.entries(tls ? OVER_TLS : ALWAYS);
  return (reply) => {
    for (const [name, value] of headers) reply.header(name, value);
  };
}
