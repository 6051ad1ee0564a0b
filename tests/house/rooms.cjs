/** The import law as three tables: which rooms a room may know, through which files a closed room is entered, and in which room
 *  an npm package lives. What no table allows is forbidden, so a new room, door or package begins with a line here.
 *  Read by dependency-rules.cjs and by the house tests. Changing the law is a decision record. */

/** What each room may import beside itself; `room/file` opens one file only (the file part is a pattern). In wire, the bodies of
 *  HTTP and the frames of replication never meet: whoever knows one does not see the other. */
const wireBodies = 'wire/(?!frames)[a-z-]+';
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
  http: [wireBodies, ...engineAndBelow],
  mcp: ['sdk', wireBodies, 'codec', 'model'],
  replication: ['wire/frames', ...engineAndBelow],
  backup: engineAndBelow,
  observability: engineAndBelow,
  node: ['http', 'replication', 'backup', 'observability', 'config', 'wire', ...engineAndBelow],
  sdk: ['wire/http-bodies', 'wire/strict-forms', 'codec/msgpack', 'model'],
  cli: ['node', 'mcp', 'sdk', 'config', 'wire/http-bodies', 'codec', 'model'],
  embedded: ['node', 'sdk', 'config', 'observability', 'model'],
  dashboard: ['sdk'],
  install: [],
};

/** Closed rooms: the files that other rooms may import. A room that is not named here is open. */
const doors = {
  storage: ['storage', 'open-store'],
  'vector-index': ['vector-index', 'open-index'],
  'text-index': ['text-index', 'open-index'],
  'payload-index': ['payload-index', 'open-index'],
  engine: ['engine', 'open-engine', 'snapshot', 'replay', 'restored-store'],
  http: ['http', 'server'],
  sdk: ['index'],
};

/** Side doors: files behind a door that a few named files may use all the same, because they run outside a served store: the
 *  thread that owns it, and the opening and offline work on a data folder. */
const sideDoors = [
  {
    room: 'storage',
    files: ['data-folder', 'folder-lock', 'manifest', 'verify-in-child', 'verify-report'],
    openTo: ['engine/writer-thread', 'node/open-data', 'node/offline', 'node/offline-restore'],
  },
  // The node's own small file stands beside the store, and the store it exchanges is a folder.
  { room: 'storage', files: ['data-folder', 'durable-files'], openTo: ['node/node-data', 'node/node-state', 'node/rollback'] },
  // What a store that was given up leaves: its folder, lists beside it, what its verification said.
  {
    room: 'storage',
    files: ['durable-files', 'verify-report'],
    openTo: ['node/recovery/quarantine-list', 'node/recovery/moved-stores', 'node/recovery/start-damage'],
  },
  // A snapshot is a store as files: made beside the one that is served, received, checked, and switched to.
  {
    room: 'storage',
    files: ['data-folder', 'durable-files', 'store-cut', 'store-switch', 'verify-in-child'],
    openTo: ['engine/snapshot', 'engine/snapshot-[a-z]+', 'engine/replay-thread'],
  },
  // And so is one that was brought to a state of the past.
  {
    room: 'storage',
    files: ['data-folder', 'durable-files', 'store-switch', 'manifest', 'manifest-slot'],
    openTo: ['engine/restored-store'],
  },
  // Exact search over rows of the store: arithmetic that needs no index.
  { room: 'vector-index', files: ['exact-scan'], openTo: ['engine/reads', 'engine/rank-reads'] },
];

/** One home (or few) for every npm package that src may import. */
const homes = {
  'better-sqlite3': ['storage'],
  'better-sqlite3-next': ['storage'],
  'hnswlib-node': ['vector-index'],
  fastify: ['http'],
  '@fastify/[^/]+': ['http'],
  ws: ['replication', 'http/changes/change-socket'],
  msgpackr: ['codec/msgpack'],
  'prom-client': ['observability'],
  '@opentelemetry/[^/]+': ['observability'],
  pino: ['observability'],
  typebox: ['wire', 'config', 'http', 'mcp'],
  commander: ['cli'],
  'cli-progress': ['cli'],
  'csv-parse': ['cli'],
  hyparquet: ['cli'],
  'hyparquet-writer': ['cli'],
  pg: ['cli'],
  jose: ['http'],
  'lru-cache': ['engine', 'embedding', 'payload-index', 'http'],
  roaring: ['payload-index'],
  cockatiel: ['resilience'],
  'snowball-stemmers': ['text-index'],
  stopword: ['text-index'],
  '@modelcontextprotocol/sdk': ['mcp'],
  '@aws-sdk/client-s3': ['backup'],
  esbuild: ['install'],
};

/** Rooms that open sockets; no other room may know that networks exist. */
const networkRooms = ['http', 'mcp', 'replication', 'sdk', 'embedding', 'observability', 'node'];
/** Rooms of pure decisions: no files, no clock of the system, no threads. */
const pureRooms = ['model', 'search'];

module.exports = { roomsKnownTo, doors, sideDoors, homes, networkRooms, pureRooms };
