/** What is known of replicas: what they may still be believed, whose acknowledgements count, and how often the log is read for it. */

import * as assert from 'uvu/assert';
import { silentLog } from '../../src/model/log.js';
import type { Role } from '../../src/model/replication.js';
import type { ReplicaLink } from '../../src/replication/replica-link.js';
import { ReplicaRegistry } from '../../src/replication/replica-registry.js';
import type { AckFrame, Hello } from '../../src/wire/frames.js';
import { CLUSTER, digestAt, FakeLog, HISTORY, NODE } from '../support/fake-log.js';
import { suite } from '../support/suite.js';

const test = suite('replication/replica-registry');

const R = 'b'.repeat(32);
const HTTP_PORT = 7171;

class Known {
  readonly fake = new FakeLog();
  readonly damaged: number[] = [];
  nowMs = 1_000;
  role: Role = 'master';
  runId = 'first';
  readonly registry = new ReplicaRegistry({
    rules: { heartbeatMs: 1_000, timeoutMs: 10_000, lagMs: 1_000 },
    clock: { wallMs: () => this.nowMs, monotonicMs: () => this.nowMs },
    log: silentLog,
    role: () => this.role,
    address: () => ({ host: 'me', port: HTTP_PORT }),
    damaged: (seq) => void this.damaged.push(seq),
  });

  constructor() {
    this.registry.attach(this.fake.log);
  }

  hello(seq: number | null): Hello {
    const position = seq === null ? null : { historyId: HISTORY, epoch: 3, seq, hash: '' };
    return { nodeId: R, runId: this.runId, host: 'r', port: HTTP_PORT, clusterId: CLUSTER, position } as unknown as Hello;
  }

  /** A voter that is linked. */
  voter(seq = 20): this {
    this.fake.voters = [NODE, R].map((nodeId) => ({ nodeId, host: 'h', port: HTTP_PORT }));
    this.registry.enlist(this.hello(seq), 1, 'partial');
    this.registry.takeVoters();
    return this;
  }

  ack(durableSeq: number, more: Partial<AckFrame> = {}): void {
    const ack = {
      type: 'ack',
      diverged: false,
      receivedBytes: 0,
      receivedSeq: durableSeq,
      durableSeq,
      appliedSeq: durableSeq,
    } as const;
    this.registry.heard(R);
    this.registry.acknowledged(R, 'streaming', { ...ack, heartbeat: 1, digest: digestAt(durableSeq), ...more });
  }

  get holders(): number {
    return this.registry.concern.holders(1);
  }
}

test('a replica lists those that follow it, linked or not, and voters only while they are; a master lists all', () => {
  const other = 'c'.repeat(32);
  const known = new Known();
  const ids = (): string[] => known.registry.replicas().map(({ id }) => id);
  known.fake.voters = [NODE, R, other].map((nodeId) => ({ nodeId, host: 'h', port: HTTP_PORT }));
  known.registry.takeVoters();
  assert.equal(ids(), [R, other]);
  known.role = 'replica';
  assert.equal(ids(), []);
  known.registry.enlist(known.hello(20), 1, 'partial');
  assert.equal(ids(), [R]);
  known.registry.unlinked(R, 'cut');
  assert.equal(ids(), [], 'a voter follows another node by now, or nobody');
  known.fake.voters = known.fake.voters.filter(({ nodeId }) => nodeId !== R);
  known.registry.takeVoters();
  assert.equal(ids(), [R], 'what is disconnected stays in the list');
  known.registry.release();
  assert.equal(ids(), []);
  known.role = 'master';
  assert.equal(ids(), [R, other]);
});

test('a master is as old as its voters are silent, from its promotion on, and not once it is alone', () => {
  const known = new Known();
  known.fake.voters = [NODE, R].map((nodeId) => ({ nodeId, host: 'h', port: HTTP_PORT }));
  known.registry.takeVoters();
  assert.is(known.registry.masterAgeMs(), null);
  known.registry.promoted();
  assert.is(known.registry.masterAgeMs(), 0);
  known.nowMs += 2_001;
  assert.is(known.registry.masterAgeMs(), 2_001);
  known.voter().ack(20);
  assert.is(known.registry.masterAgeMs(), 0);
  known.registry.unlinked(R, 'cut');
  known.nowMs += 5_000;
  assert.is(known.registry.masterAgeMs(), 5_000);
  known.fake.voters = known.fake.voters.filter(({ nodeId }) => nodeId !== R);
  assert.is(known.registry.masterAgeMs(), 0);
});

test('voters have rows although they never linked; whoever is no voter any more counts for nothing', () => {
  const known = new Known().voter();
  known.ack(20);
  assert.is(known.holders, 2);
  known.fake.voters = [];
  known.registry.committed(20, 0);
  assert.is(known.registry.of(R)?.voter, false);
  assert.is(known.holders, 1);
  assert.is(known.registry.of(NODE), null, 'this node has no row');
});

test('a replica that wants to vote is joining from its first link until it is a voter, also between two links', () => {
  const known = new Known();
  const { registry } = known;
  assert.is(registry.joining(), 0);
  registry.enlist({ ...known.hello(null), voter: false }, 1, 'no_position');
  assert.is(registry.joining(), 0, 'one that shall not vote');
  registry.enlist({ ...known.hello(null), voter: true }, 1, 'no_position');
  assert.is(registry.joining(), 1, 'it takes a snapshot');
  registry.unlinked(R, 'it has its snapshot');
  known.nowMs += 600_000;
  assert.is(registry.joining(), 1, 'it installs it');
  known.nowMs += 1;
  assert.is(registry.joining(), 0, 'it does not come again');
  registry.enlist({ ...known.hello(20), voter: true }, 1, 'partial');
  assert.is(registry.joining(), 1);
  known.voter();
  assert.is(registry.joining(), 0, 'it is a voter');
});

test('nobody waits for a replica that was forgotten, unless it is started anew, nor for those of an earlier role', async () => {
  const known = new Known();
  const { registry } = known;
  const link = (): void => registry.enlist({ ...known.hello(20), voter: true }, 1, 'partial');
  link();
  await registry.forget(R);
  link();
  assert.is(registry.joining(), 0);
  known.runId = 'second';
  link();
  assert.is(registry.joining(), 1);
  registry.unlinked(R, 'another master');
  registry.release();
  assert.is(registry.joining(), 0);
});

test('commits that leave the voters as they are do not go through them again; another list is gone through', () => {
  const known = new Known();
  let looks = 0;
  const voter = {
    get nodeId(): string {
      looks += 1;
      return R;
    },
    host: 'h',
    port: HTTP_PORT,
  };
  known.fake.voters = [voter];
  known.registry.committed(21, 0);
  const once = looks;
  for (const seq of [22, 23, 24]) known.registry.committed(seq, 0);
  assert.is(looks, once);
  known.fake.voters = [voter];
  known.registry.committed(25, 0);
  assert.is(looks, 2 * once);
  known.registry.attach(known.fake.log);
  assert.is(looks, 3 * once, 'and those of another log always');
});

test('what a replica held in an earlier life is forgotten with a snapshot, and when it comes back with less', () => {
  for (const [rule, seq] of [
    ['asked', 20],
    ['no_position', null],
    ['partial', 15],
  ] as const) {
    const known = new Known().voter();
    known.ack(20);
    known.registry.unlinked(R, 'gone');
    assert.is(known.holders, 1, 'without a link it counts for nothing');
    known.registry.enlist(known.hello(seq), 1, rule);
    assert.is(known.registry.of(R)?.durableSeq, null, rule);
    assert.is(known.registry.neededFrom(), null);
  }
  const known = new Known().voter();
  known.ack(15);
  known.registry.enlist(known.hello(15), 1, 'partial');
  assert.is(known.registry.of(R)?.durableSeq, 15);
  assert.is(known.registry.neededFrom(), 16);
});

test('a replica that says that its data differs, or whose digest does, counts for nothing until it is the same again', () => {
  for (const wrong of [{ diverged: true }, { digest: digestAt(99) }]) {
    const known = new Known().voter();
    known.ack(20);
    known.ack(20, wrong);
    known.ack(20, wrong);
    assert.is(known.holders, 1);
    assert.is(known.registry.divergences, 1, 'counted once');
    assert.is(known.registry.healthyVoters(10_000), 0);
    known.ack(20);
    assert.is(known.holders, 2);
    assert.is(known.registry.healthyVoters(10_000), 1);
  }
});

test('digests behind the tail are compared once a heartbeat, those at the tail always and without a read', () => {
  const known = new Known().voter();
  for (const seq of [11, 12, 13]) known.ack(seq, { heartbeat: 1 });
  assert.is(known.fake.reads, 1);
  known.ack(14, { heartbeat: 2, digest: digestAt(99) });
  assert.is(known.fake.reads, 2);
  assert.is(known.registry.of(R)?.diverged, true);
  known.ack(20, { heartbeat: 2 });
  assert.is(known.fake.reads, 2);
  assert.is(known.registry.of(R)?.diverged, false);
});

test('a row that cannot be read says so and judges nobody', () => {
  const known = new Known().voter();
  known.fake.damagedSeq = 12;
  known.ack(11);
  assert.equal(known.damaged, [11]);
  assert.is(known.registry.of(R)?.diverged, false);
  assert.is(known.holders, 2);
  assert.is(known.registry.replicas()[0]?.lagMs, null, 'how old what it lacks is, is not known');
});

test('on a replica that others follow nobody is counted', () => {
  const known = new Known().voter();
  known.role = 'replica';
  known.ack(20);
  assert.is(known.holders, 1);
});

test('a replica that has caught up is registered, with this node beside the first, and counts from then on', async () => {
  const known = new Known();
  known.registry.enlist(known.hello(20), 1, 'partial');
  known.ack(20);
  assert.is(known.holders, 1);
  await known.registry.registerVoter({ hello: known.hello(20) } as unknown as ReplicaLink);
  assert.equal(known.fake.voters.map(({ nodeId, host }) => [nodeId, host]).sort(), [
    [NODE, 'me'],
    [R, 'r'],
  ]);
  assert.is(known.holders, 2);
});

test('one that is forgotten has no row, no say and no part of the log', async () => {
  const known = new Known().voter();
  known.ack(20);
  known.fake.voters = [];
  assert.ok(await known.registry.forget(R));
  assert.equal(known.fake.removed, [R]);
  assert.is(known.holders, 1);
  assert.is(known.registry.neededFrom(), null);
  assert.not(await known.registry.forget(R));
});

test('the run that was forgotten is no voter when it links again; one that is started anew is', async () => {
  const known = new Known().voter();
  known.ack(20);
  known.fake.voters = [];
  assert.ok(await known.registry.forget(R));
  for (const [runId, voters] of [
    ['first', 0],
    ['second', 2],
  ] as const) {
    known.runId = runId;
    known.registry.enlist(known.hello(20), 1, 'partial');
    known.ack(20);
    await known.registry.registerVoter({ hello: known.hello(20) } as unknown as ReplicaLink);
    assert.is(known.fake.voters.length, voters, runId);
    assert.is(known.holders, voters === 0 ? 1 : 2, runId);
  }
});

test('a replica forgets its own followers alone, and asks no log for it', async () => {
  const known = new Known();
  known.role = 'replica';
  known.registry.enlist(known.hello(20), 1, 'partial');
  known.ack(15);
  assert.ok(known.registry.isOwnFollower(R));
  assert.not(known.registry.isOwnFollower(NODE));
  assert.ok(await known.registry.forget(R));
  assert.equal([known.fake.removed, known.registry.neededFrom()], [[], null]);
  const voting = new Known().voter();
  assert.not(voting.registry.isOwnFollower(R));
});

test('a master that others vote with is a voter itself; one that is alone needs no list', async () => {
  const known = new Known();
  await known.registry.registerOwn();
  assert.equal(known.fake.voters, []);
  known.fake.voters = [{ nodeId: R, host: 'h', port: HTTP_PORT }];
  await known.registry.registerOwn();
  assert.equal(known.fake.voters.map(({ nodeId }) => nodeId).sort(), [NODE, R].sort());
});

test('a replica that takes a snapshot counts for nothing that it held before, though its old link was never told to be gone', () => {
  const known = new Known().voter();
  known.ack(20);
  known.registry.enlist(known.hello(20), 1, 'asked');
  assert.is(known.holders, 1);
});

test('another past is one divergence, however often the link breaks until it is mended', () => {
  const known = new Known();
  for (let time = 0; time < 3; time += 1) known.registry.enlist(known.hello(20), 1, 'hash_differs');
  assert.equal([known.registry.divergences, known.registry.of(R)?.diverged], [1, true]);
  known.registry.enlist(known.hello(20), 1, 'partial');
  assert.is(known.registry.of(R)?.diverged, false);
});

test('all was applied everywhere only when every voter says so, those that are away included', () => {
  const other = 'c'.repeat(32);
  const known = new Known();
  known.fake.voters = [NODE, R, other].map((nodeId) => ({ nodeId, host: 'h', port: HTTP_PORT }));
  known.registry.enlist(known.hello(20), 1, 'partial');
  known.registry.takeVoters();
  known.ack(20);
  assert.is(known.registry.lastSyncWallMs, null);
  known.fake.voters = known.fake.voters.filter(({ nodeId }) => nodeId !== other);
  known.registry.takeVoters();
  known.ack(20);
  assert.is(known.registry.lastSyncWallMs, known.nowMs);
});

test('a row names the history that wrote what it has applied', () => {
  const known = new Known().voter();
  known.fake.lineage = [
    { epoch: 1, historyId: HISTORY, startSeq: 0 },
    { epoch: 3, historyId: '2'.repeat(32), startSeq: 15 },
  ];
  for (const [seq, epoch] of [
    [15, 1],
    [16, 3],
  ] as const) {
    known.ack(seq);
    assert.is(known.registry.replicas()[0]?.position?.epoch, epoch);
  }
});

test('what is older than this process is as old as the process at least, whatever the clock on the wall says', () => {
  const known = new Known().voter();
  known.fake.timeMs = 50_000;
  known.nowMs = 4_000;
  known.ack(15);
  assert.is(known.registry.replicas()[0]?.lagMs, 3_000);
});

test('with other data every wait is over and nothing that was acknowledged counts', async () => {
  const known = new Known().voter();
  known.ack(20);
  const waiting = known.registry.concern.wait(20, 3, 20_000);
  known.registry.attach(null);
  await waiting;
  assert.is(known.holders, 1);
  assert.equal(known.registry.replicas(), []);
});

test.run();
