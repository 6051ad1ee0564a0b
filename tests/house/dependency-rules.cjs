/** The import law (docs/ARCHITECTURE.md, "Rooms") for dependency-cruiser, made from the tables in rooms.cjs. */
const { roomsKnownTo, doors, sideDoors, homes, networkRooms, pureRooms } = require('./rooms.cjs');

const roomNames = Object.keys(roomsKnownTo);
const insideRoom = (name) => (name.includes('/') ? `^src/${name}\\.(ts|js)$` : `^src/${name}/`);
const sideDoorsOf = (room) => sideDoors.filter((door) => door.room === room);
const package_ = (name) => `(^|/)node_modules/(@types/)?${name}/`;

const forbidden = [
  { name: 'no-cycles', from: { path: '^(src|benches)/' }, to: { circular: true } },
  { name: 'resolvable', from: {}, to: { couldNotResolve: true } },
  { name: 'src-knows-src-only', from: { path: '^src/' }, to: { path: '^(tests|benches|docs|dist)/' } },
  { name: 'main-is-known-to-none', from: {}, to: { path: '^src/main\\.' } },
  {
    name: 'main-knows-cli-node-config',
    from: { path: '^src/main\\.' },
    to: { path: '^src/', pathNot: ['cli', 'node', 'config', 'observability', 'model'].map(insideRoom) },
  },
  { name: 'only-known-rooms', from: {}, to: { path: '^src/[^/]+/', pathNot: roomNames.map(insideRoom) } },
  ...roomNames.map((room) => ({
    name: `${room}-knows-its-rooms-only`,
    from: { path: insideRoom(room) },
    to: { path: '^src/', pathNot: [room, ...roomsKnownTo[room]].map(insideRoom) },
  })),
  ...Object.entries(doors).map(([room, files]) => ({
    name: `${room}-is-entered-by-its-door`,
    from: { path: '^src/', pathNot: [insideRoom(room), ...sideDoorsOf(room).flatMap(({ openTo }) => openTo.map(insideRoom))] },
    to: { path: insideRoom(room), pathNot: files.map((file) => insideRoom(`${room}/${file}`)) },
  })),
  ...sideDoors.map(({ room, files, openTo }) => ({
    name: `${room}-has-a-side-door`,
    from: { path: openTo.map(insideRoom) },
    to: { path: insideRoom(room), pathNot: [...doors[room], ...files].map((file) => insideRoom(`${room}/${file}`)) },
  })),
  ...Object.entries(homes).map(([name, rooms]) => ({
    name: `home-of-${name.replace('[^/]+', '*')}`,
    from: { path: '^src/', pathNot: rooms.map(insideRoom) },
    to: { path: package_(name) },
  })),
  {
    name: 'every-package-has-a-home',
    from: { path: '^src/' },
    to: { path: '(^|/)node_modules/', pathNot: Object.keys(homes).map(package_) },
  },
  {
    name: 'network-stays-in-its-rooms',
    from: { path: '^src/', pathNot: networkRooms.map(insideRoom) },
    to: { dependencyTypes: ['core'], path: '^(node:)?(http|https|http2|net|tls|dgram|dns)$' },
  },
  { name: 'pure-rooms-stay-pure', from: { path: pureRooms.map(insideRoom) }, to: { dependencyTypes: ['core'] } },
  {
    // The schemas weigh more than the client.
    name: 'sdk-knows-bodies-by-type',
    from: { path: '^src/sdk/' },
    to: { path: '^src/wire/http-bodies', dependencyTypesNot: ['type-only'] },
  },
  {
    name: 'sdk-runs-anywhere',
    from: { path: '^src/sdk/', pathNot: '^src/sdk/http-transport\\.ts$' },
    to: { dependencyTypes: ['core'] },
  },
];

module.exports = {
  forbidden: forbidden.map((rule) => ({ severity: 'error', ...rule })),
  options: {
    // Without this, imports of types would not count, and the law is about knowing, not about loading.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^dist/' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
    progress: { type: 'none' },
  },
};
