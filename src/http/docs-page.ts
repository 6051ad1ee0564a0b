/** The page at /docs: swagger-ui over /openapi.json. Loaded at the first visit only, because most servers are never visited. */

import type { FastifyInstance } from 'fastify';

/** Everything comes from this server, over http too; nothing is asked of any other. */
const CSP =
  "default-src 'self'; base-uri 'self'; font-src 'self' data:; frame-ancestors 'self'; img-src 'self' data:; object-src 'none'; " +
  "script-src 'self'; script-src-attr 'none'; style-src 'self' 'unsafe-inline'";

export const DOCS_PAGE = '/docs';

export async function addDocsPage(app: FastifyInstance): Promise<void> {
  const { default: swaggerUi } = await import('@fastify/swagger-ui');
  await app.register(swaggerUi, {
    routePrefix: DOCS_PAGE,
    staticCSP: CSP,
    uiConfig: { deepLinking: true, displayRequestDuration: true, validatorUrl: null },
  });
}
