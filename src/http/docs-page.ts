/** The page at /docs: swagger-ui over the document of this server. A server of its own that listens nowhere answers for it, made at the
 *  first visit, because most servers are never visited. */

import type { StaticDocumentSpec } from '@fastify/swagger';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';

/** Everything comes from this server, over http too; nothing is asked of any other. */
const CSP =
  "default-src 'self'; base-uri 'self'; font-src 'self' data:; frame-ancestors 'self'; img-src 'self' data:; object-src 'none'; " +
  "script-src 'self'; script-src-attr 'none'; style-src 'self' 'unsafe-inline'";

export const DOCS_PAGE = '/docs';

export function addDocsPage(app: FastifyInstance): void {
  let made: Promise<FastifyInstance> | null = null;
  const answer = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    made ??= makePage(app.swagger());
    const { statusCode, headers, rawPayload } = await (await made).inject({ method: 'GET', url: request.url });
    if (statusCode === 404) return reply.callNotFound() as unknown as FastifyReply;
    const { connection: _, date: __, ...own } = headers;
    return reply.code(statusCode).headers(own).send(rawPayload);
  };
  for (const path of [DOCS_PAGE, `${DOCS_PAGE}/*`]) app.get(path, { schema: { hide: true } }, answer);
  app.addHook('onClose', async () => (await made)?.close());
}

async function makePage(document: ReturnType<FastifyInstance['swagger']>): Promise<FastifyInstance> {
  const { default: swagger } = await import('@fastify/swagger');
  const { default: swaggerUi } = await import('@fastify/swagger-ui');
  const page = Fastify();
  // It takes 3.1, whatever its types say.
  await page.register(swagger, { mode: 'static', specification: { document: document as StaticDocumentSpec['document'] } });
  await page.register(swaggerUi, {
    routePrefix: DOCS_PAGE,
    staticCSP: CSP,
    uiConfig: { deepLinking: true, displayRequestDuration: true, validatorUrl: null },
  });
  await page.ready();
  return page;
}
