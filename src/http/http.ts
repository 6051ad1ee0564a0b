/** The door of the HTTP room: one server over one node. The only room that names fastify.
 *
 *  A request: id → closing? → key, what it allows → role of the node → body → engine → answer; whatever is thrown on the way ends in http/error-reply.ts, once.
 *  The clocks of the connection are Node's for headers and keep-alive and our own for bodies, because Node's request timeout counts an
 *  upload that is still flowing. Must not know: frames of replication, observability, how a node is built. */

import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { SecureContextOptions, Server as TlsServer } from 'node:tls';
import { type FastifyHttpOptions, type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { checkCollectionName } from '../model/collection.js';
import { invalidRequest, SkeinError } from '../model/errors.js';
import { FIXED } from '../model/limits.js';
import { withoutOtherNames } from './access/authorization.js';
import { Gate } from './access/gate.js';
import { addPrincipals } from './access/principal.js';
import { admission, type Check, checked, strictly } from './admission.js';
import { addAsked } from './asked.js';
import { addAudited, auditEntry, isAudited } from './audit.js';
import { Bodies } from './bodies.js';
import { ChangeFeeds } from './changes/change-feeds.js';
import { ChangeSockets } from './changes/change-socket.js';
import { Connections } from './connections.js';
import { sharing } from './cors.js';
import { addDocsPage, DOCS_PAGE } from './docs-page.js';
import { refuseConnection, replyWithError, routeError } from './error-reply.js';
import { isFreshRead, tellStaleness } from './fresh-reads.js';
import type { GuardService } from './guards.js';
import { measureHeld } from './held-measures.js';
import { InsideConnections } from './inside.js';
import { LongAnswers } from './long-answers.js';
import { addOpenApi, routeSchema } from './openapi.js';
import { withoutTrailingSlash } from './qdrant/paths.js';
import { qdrantRoutes } from './qdrant/routes.js';
import { requestIds } from './request-id.js';
import { RequestMeter } from './request-meter.js';
import { addTimes, RequestTimes } from './request-times.js';
import { notMaster, withMasterUrl } from './roles.js';
import type { Room } from './room.js';
import { type Route, RouteTable } from './route-table.js';
import { allRoutes } from './routes/all.js';
import { securityHeaders } from './security-headers.js';
import type { HttpConfig, HttpOptions, HttpServer } from './service.js';
import { noteSlow, type SlowWatch } from './slow-watch.js';
import { StrictGate } from './strict/strict-gate.js';
import { endSpan, spanBeginner } from './tracing.js';
import { addUpgrades } from './upgrade.js';

export type { BackupService } from './backup-service.js';
export type { GuardService } from './guards.js';
export type { HealthService } from './health-service.js';
export type { ObservingService } from './observing-service.js';
export type { HttpConfig, HttpOptions, HttpServer, HttpService, ReplicationService, WriteConcernService } from './service.js';
export type { TokenRules } from './token-rules.js';

const DOCUMENT = '/openapi.json';
/** Those of the dialect as well: /healthz, /livez, /readyz. */
const HEALTH = /^\/(?:health|livez|readyz)/;
const HEADERS_TIMEOUT_MS = 10_000;
/** Longer than the idle time of common load balancers (60 s), so that it is they who close first. */
const KEEP_ALIVE_MS = 65_000;
const CONNECTIONS_CHECK_MS = 5_000;
/** No byte in either direction: longer than any wait that a request may ask for. */
const CONNECTION_SILENCE_MS = 120_000;
const CLOSE_CHECK_MS = 50;
/** Longer than any name or id can be, percent signs and all, so that too long a name is refused as a name. */
const PATH_PART_LENGTH_MAX = 16_384;

/** Builds the server; it listens when asked. Cost: about 20 MB of memory with fastify and the validators. */
export async function buildHttpServer(options: HttpOptions): Promise<HttpServer> {
  const { config, service, log, clock } = options;
  const bodies = new Bodies(config.limits, clock);
  const answers = new LongAnswers(config.limits.answerSliceBytes);
  const times = new RequestTimes(config.requestTimeoutMs);
  const closing = { now: false };
  const strict = new StrictGate(() => service.engine(), clock);
  const changes = new ChangeFeeds(config.limits.changeFeedsMax, options.meter);
  const sockets = new ChangeSockets();
  const parts = { bodies, answers, changes, sockets, times, strict };
  const room: Room = { service, limits: config.limits, ...parts, metrics: options.metrics, log, clock, closing };
  const inside = new InsideConnections(
    (far) => void app.server.emit(config.tls === undefined ? 'connection' : 'secureConnection', far),
  );
  const gate = await Gate.open({ ...options, isInside: (socket) => inside.has(socket) });
  const { authentication } = gate;
  const asked = { lastUsed: (id: string) => authentication.lastUsedMs(id), recheck: gate.recheck.bind(gate) };
  const table = new RouteTable(
    [...allRoutes(room, asked), ...(config.qdrant === null ? [] : qdrantRoutes(room, config.qdrant))],
    [DOCUMENT, ...(config.docs ? [DOCS_PAGE] : [])],
  );
  const nameRequest = requestIds();
  const app = fastifyApp(options, table, nameRequest);
  const hooks = makeHooks(options, gate);
  const connections = new Connections(app.server, clock, {
    refusal: () => service.guards.connectionRefusal(),
    isInside: (socket) => inside.has(socket),
  });
  const shared = sharing(config.callers.origins ?? []);
  addHooks(app, hooks, { closing, connections, secured: securityHeaders(config.tls !== undefined), shared });
  addBodyTypes(app);
  await addOpenApi(app, service.version);
  app.decorateRequest('span', undefined);
  addPrincipals(app);
  addAudited(app);
  addTimes(app);
  for (const route of table.routes) addRoute(app, route, { hooks, bodies, connections, times, strict, guards: service.guards });
  app.get(DOCUMENT, { schema: { hide: true } }, (_request, reply) =>
    reply.header('content-type', 'application/json; charset=utf-8').send(JSON.stringify(app.swagger())),
  );
  if (config.docs) addDocsPage(app);
  await app.ready();
  const { server } = app;
  const verifiedPeers = config.tls?.verifiedPeers === true;
  const cutUpgraded = addUpgrades({
    ...{ server, replication: service.replication, log, nameRequest, closing, verifiedPeers },
    follow: (request, socket, head) => sockets.begin(request, socket, head, app.routing),
  });
  measureHeld(options, { bodies, answers, connections });
  app.server.maxConnections = config.limits.connectionsMax;
  // A caller that has sent its request may close its half and still be told the outcome, above all of a write.
  (app.server as Server & { httpAllowHalfOpen: boolean }).httpAllowHalfOpen = true;
  // An expectation other than 100-continue may be passed over (RFC 9110 §10.1.1); Node alone would refuse it with an empty body.
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response));

  return {
    listen: async () => {
      // A connection that finds the row of the system full tries again after seconds; Node alone would let 511 stand in it.
      await app.listen({ host: config.host, port: config.port, backlog: config.limits.connectionsMax });
      const { address, port } = app.server.address() as AddressInfo;
      return { host: address, port };
    },
    connect: () => inside.connect(),
    cutSilent: () => connections.cutOldSilent(),
    setCertificate: (certificate) => (app.server as unknown as TlsServer).setSecureContext(secureContext(certificate)),
    close: async (deadlineMs) => {
      closing.now = true;
      changes.close();
      const sweep = setInterval(() => {
        // Connections that become idle after their last answer would else stay for the keep-alive time.
        app.server.closeIdleConnections();
        connections.cutSilent();
        // Until then a write may wait for its replicas.
        if (connections.requests === 0) service.replication.endLinks();
      }, CLOSE_CHECK_MS);
      const deadline = setTimeout(() => {
        // Who sent them learns it by the end of his connection alone, so the log tells the operator.
        if (connections.requests > 0) log.warn('requests_cut', { count: connections.requests, after_ms: Math.round(deadlineMs) });
        app.server.closeAllConnections();
        inside.close();
        cutUpgraded();
      }, deadlineMs);
      try {
        // A server that does not listen has nothing that would wait for requests.
        if (!app.server.listening) await connections.quiet();
        await app.close();
      } finally {
        inside.close();
        clearInterval(sweep);
        clearTimeout(deadline);
        await bodies.close();
      }
    },
  };
}

function fastifyApp(
  options: HttpOptions,
  table: RouteTable,
  nameRequest: (headers: IncomingMessage['headers']) => string,
): FastifyInstance {
  const { tls } = options.config;
  const secured = securityHeaders(tls !== undefined);
  const dialect = options.config.qdrant !== null;
  const told = { log: options.log, errors: options.service.observing.errors, dialect };
  // A request without Host is refused by us, as any other, not by Node with an empty body.
  const server = {
    headersTimeout: HEADERS_TIMEOUT_MS,
    connectionsCheckingInterval: CONNECTIONS_CHECK_MS,
    requireHostHeader: false,
  };
  const settings: FastifyHttpOptions<Server> = {
    logger: false,
    genReqId: (request) => nameRequest(request.headers),
    requestTimeout: 0,
    ...(dialect && { rewriteUrl: ({ url }) => withoutTrailingSlash(url ?? '') }),
    connectionTimeout: Math.max(CONNECTION_SILENCE_MS, 2 * options.config.limits.waitMsMax),
    keepAliveTimeout: KEEP_ALIVE_MS,
    ...(tls === undefined ? { http: server } : { https: { ...server, ...tlsSettings(tls) } }),
    return503OnClosing: false,
    routerOptions: { maxParamLength: PATH_PART_LENGTH_MAX },
    clientErrorHandler: (error, socket) => refuseConnection(socket, error.code, nameRequest({})),
    frameworkErrors: (_error, request, reply) => {
      reply.header('x-request-id', request.id);
      secured(reply);
      replyWithError(request, reply, badPath(request, table), told);
    },
    // Bodies have checks of their own and answers come as bytes, so the schemas of routes are for the document alone.
    schemaController: {
      compilersFactory: { buildValidator: () => () => () => true, buildSerializer: () => () => JSON.stringify },
    } as object,
  };
  const app = fastify(settings);
  addAsked(app);
  app.setErrorHandler((error, request, reply) =>
    replyWithError(request, reply, shownError(request, withMasterUrl(error, options.service.replication)), told),
  );
  app.setNotFoundHandler((request, reply) =>
    replyWithError(request, reply, routeError(request.method, pathOf(request), table), told),
  );
  return app;
}

/** What is thrown may name collections that the caller is not to know of. */
function shownError({ principal }: FastifyRequest, thrown: unknown): unknown {
  return thrown instanceof SkeinError && principal !== null ? withoutOtherNames(thrown, principal.scope) : thrown;
}

/** A peer's certificate is asked for and looked at where a link begins; callers of the API need none. */
function tlsSettings(tls: NonNullable<HttpConfig['tls']>) {
  return { ...secureContext(tls), ...(tls.ca === null ? {} : { requestCert: true, rejectUnauthorized: false }) } as const;
}

function secureContext({ cert, key, ca }: Pick<NonNullable<HttpConfig['tls']>, 'cert' | 'key' | 'ca'>): SecureContextOptions {
  return { cert, key, minVersion: 'TLSv1.2', ...(ca === null ? {} : { ca }) };
}

function pathOf(request: FastifyRequest): string {
  const query = request.url.indexOf('?');
  return query < 0 ? request.url : request.url.slice(0, query);
}

/** The path cannot be decoded, so no route has it; a collection's name in it is bad for sure. */
function badPath(request: FastifyRequest, table: RouteTable): SkeinError {
  const path = (request.raw.url ?? '').split('?')[0] ?? '';
  return routeError(request.method, path, table);
}

interface HookSurroundings {
  readonly closing: { readonly now: boolean };
  readonly connections: Connections;
  secured(reply: FastifyReply): void;
  readonly shared: ReturnType<typeof sharing>;
}

/** Hooks of every request. Those of a route are made with it, because asking a request for its route is not free. */
function addHooks(app: FastifyInstance, hooks: Hooks, { closing, connections, secured, shared }: HookSurroundings): void {
  app.addHook('onRequest', (request, reply, next) => {
    reply.header('x-request-id', request.id);
    secured(reply);
    if (shared?.(request, reply) === true) return;
    if (closing.now) {
      reply.header('connection', 'close');
      // Health is asked until the last moment, on connections that are open, and has its own word for it.
      if (!HEALTH.test(request.url)) {
        next(new SkeinError('ShuttingDown', 'The server is stopping'));
        return;
      }
    }
    if (connections.refusalOf(request.raw.socket) !== null) reply.header('connection', 'close');
    if (request.headers.host === undefined && request.raw.httpVersion === '1.1') {
      next(invalidRequest('', 'HTTP/1.1 asks for a Host header'));
      return;
    }
    // A path that no route has tells nothing without a key.
    if (request.is404) hooks.identify(request, reply, next);
    else next();
  });
  app.addHook('onResponse', (request, reply, next) => {
    if (request.is404) hooks.meter.answered(null, request, reply);
    drain(request);
    next();
  });
}

interface Hooks {
  readonly identify: Check;
  readonly admit: (route: Route) => Check;
  readonly checkRole: Check;
  readonly tellStaleness: Check;
  readonly meter: RequestMeter;
  readonly slow: SlowWatch;
  /** Begins the span of each request of a route; null: it has none. */
  traced(route: Route): Check | null;
  audit(route: Route, request: FastifyRequest, reply: FastifyReply): void;
}

function makeHooks({ service, meter, log, clock, tracer, audit }: HttpOptions, gate: Gate): Hooks {
  return {
    meter: new RequestMeter(meter, log, clock),
    slow: { book: service.observing.slowQueries, clock },
    traced: (route) => {
      const begin = spanBeginner(tracer, route, () => clock.monotonicMs());
      if (begin === null) return null;
      return (request, reply, next) => {
        begin(request, reply);
        next();
      };
    },
    audit: (route, request, reply) => {
      const entry = auditEntry(route, request, reply, clock.wallMs());
      if (entry !== null) audit(entry);
    },
    identify: checked((request) => gate.identify(request)),
    admit: (route) => checked((request) => gate.admit(request, route)),
    checkRole: (_request, _reply, next) => {
      const { replication } = service;
      next(replication.role() === 'master' ? undefined : notMaster(replication));
    },
    tellStaleness: (_request, reply, next) => {
      tellStaleness(reply, service.replication);
      next();
    },
  };
}

/** An answer that came before the end of its body: the rest is dropped, for a while, so that the caller can read the answer. */
function drain(request: FastifyRequest): void {
  const { raw } = request;
  if (raw.complete || raw.destroyed) return;
  raw.resume();
  const cut = setTimeout(() => raw.socket.destroy(), FIXED.refusedBodyDrainMs).unref();
  raw.once('close', () => clearTimeout(cut));
  raw.once('end', () => clearTimeout(cut));
}

/** Bodies of any type reach their route unread. */
function addBodyTypes(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  const unread = (_request: FastifyRequest, _payload: unknown, done: (error: Error | null) => void): void => done(null);
  for (const type of ['application/json', 'application/msgpack', '*']) app.addContentTypeParser(type, unread);
}

interface RouteSurroundings {
  readonly hooks: Hooks;
  readonly bodies: Pick<Bodies, 'mustBeEmpty'>;
  readonly connections: Connections;
  readonly times: RequestTimes;
  readonly strict: StrictGate;
  readonly guards: GuardService;
}

/** A caller that sends fields to a route that takes none means something by them, such as that nothing is to be changed yet. */
function handlerOf(route: Route, bodies: RouteSurroundings['bodies']): Route['handle'] {
  if (route.method === 'GET' || route.body !== undefined) return (request, reply) => route.handle(request, reply);
  return async (request, reply) => {
    // What is no name is told before what is in the body, as everywhere.
    const { collection: name } = request.params as { readonly collection?: string };
    if (name !== undefined) checkCollectionName(name);
    await bodies.mustBeEmpty(request);
    return route.handle(request, reply);
  };
}

function addRoute(app: FastifyInstance, route: Route, surroundings: RouteSurroundings): void {
  const { hooks, times } = surroundings;
  const handle = handlerOf(route, surroundings.bodies);
  const measured = hooks.meter.route(route.method, route.path);
  const { slow } = hooks;
  const traced = hooks.traced(route);
  const audited = isAudited(route);
  app.route({
    method: route.method,
    url: route.path,
    schema: route.dialect === undefined ? routeSchema(route) : { hide: true },
    onRequest: [
      ...(traced === null ? [] : [traced]),
      hooks.admit(route),
      ...(route.master === true ? [hooks.checkRole] : []),
      ...(isFreshRead(route) ? [hooks.tellStaleness] : []),
      ...(route.work === undefined ? [] : [admission(route.work, surroundings)]),
      ...(route.work === undefined || !route.path.includes('/:collection/') ? [] : [strictly(route.work, surroundings.strict)]),
    ],
    onResponse: (request, reply, next) => {
      hooks.meter.answered(measured, request, reply);
      if (route.timed === true && reply.elapsedTime >= slow.book.fromMs) noteSlow(route, request, reply, slow);
      endSpan(request, reply);
      if (audited) hooks.audit(route, request, reply);
      next();
    },
    handler: route.timed === true ? (request, reply) => times.run(request, reply, () => handle(request, reply)) : handle,
  });
}
