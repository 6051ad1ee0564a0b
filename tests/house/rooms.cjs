/** The import law as three tables: which rooms a room may know, through which files a closed room is entered, and in which room
 *  an npm package lives. What no table allows is forbidden, so a new room, door or package begins with a line here.
 *  Read by dependency-rules.cjs and by the house tests. Changing the law is a decision record. */

/** What each room may import beside itself; `room/file` opens one file only. */
const belowEngine = ['resilience', 'codec', 'model'];
const engineAndBelow = [
  'engine',
  'search',
  'storage',
  'vector-index',
  'text-index',
  'payload-index',
  'embedding',
  ...belowEngine,
];
const roomsKnownTo = {
  model: [],
  codec: ['model'],
  resilience: ['model'],
  config: ['model'],
  wire: ['codec', 'model'],
  search: belowEngine,
  storage: belowEngine,
  'vector-index': belowEngine,
  'text-index': belowEngine,
  'payload-index': belowEngine,
  embedding: belowEngine,
  engine: engineAndBelow,
  http: ['wire/http-bodies', ...engineAndBelow],
  mcp: ['wire/http-bodies', ...engineAndBelow],
  replication: ['wire/frames', ...engineAndBelow],
  backup: engineAndBelow,
  observability: engineAndBelow,
  node: ['http', 'mcp', 'replication', 'backup', 'observability', 'config', 'wire', ...engineAndBelow],
  sdk: ['wire/http-bodies', 'codec/msgpack', 'model'],
  cli: ['node', 'sdk', 'config', 'wire/http-bodies', 'codec', 'model'],
  dashboard: ['sdk'],
  install: [],
};

/** Closed rooms: the files that other rooms may import. A room that is not named here is open. */
const doors = {
  storage: ['storage', 'open-store'],
  'vector-index': ['vector-index', 'open-index'],
  'text-index': ['text-index', 'open-index'],
  'payload-index': ['payload-index', 'open-index'],
  engine: ['engine', 'open-engine', 'snapshot'],
  http: ['http', 'server'],
  sdk: ['index'],
};

/** One home (or few) for every npm package that src may import. */
const homes = {
  'better-sqlite3': ['storage'],
  'better-sqlite3-next': ['storage'],
  'hnswlib-node': ['vector-index'],
  fastify: ['http'],
  '@fastify/[^/]+': ['http'],
  ws: ['replication'],
  msgpackr: ['codec/msgpack'],
  'prom-client': ['observability'],
  pino: ['observability'],
  typebox: ['wire', 'config', 'http'],
  commander: ['cli'],
  'cli-progress': ['cli'],
  'csv-parse': ['cli'],
  hyparquet: ['cli'],
  'lru-cache': ['engine', 'embedding'],
};

/** Rooms that open sockets; no other room may know that networks exist. */
const networkRooms = ['http', 'mcp', 'replication', 'sdk', 'embedding', 'observability', 'node'];
/** Rooms of pure decisions: no files, no clock of the system, no threads. */
const pureRooms = ['model', 'search', 'wire'];

module.exports = { roomsKnownTo, doors, homes, networkRooms, pureRooms };
