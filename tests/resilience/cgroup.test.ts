/** Limits of control groups, from files as systems write them. */
import * as assert from 'uvu/assert';
import { cgroupLimits } from '../../src/resilience/cgroup.js';
import { suite } from '../support/suite.js';

const test = suite('resilience/cgroup');

const limits = (files: Readonly<Record<string, string>>) => cgroupLimits((path) => files[path] ?? null);

test('without control groups nothing is limited', () => {
  assert.equal(limits({}), { memoryBytes: null, cores: null });
});

test('version 2: the least of a group and of those above it counts', () => {
  const files = {
    '/proc/self/cgroup': '0::/pods/one\n',
    '/sys/fs/cgroup/pods/one/memory.max': 'max\n',
    '/sys/fs/cgroup/pods/memory.max': '1073741824\n',
    '/sys/fs/cgroup/pods/one/cpu.max': '150000 100000\n',
    '/sys/fs/cgroup/pods/cpu.max': 'max 100000\n',
  };
  assert.equal(limits(files), { memoryBytes: 1_073_741_824, cores: 1.5 });
});

test('version 2 in a container: the mount is the group, whatever the path outside is called', () => {
  const files = {
    '/proc/self/cgroup': '0::/../../outside\n',
    '/sys/fs/cgroup/memory.max': '268435456\n',
    '/sys/fs/cgroup/cpu.max': '50000 100000\n',
  };
  assert.equal(limits(files), { memoryBytes: 268_435_456, cores: 0.5 });
});

test('version 1: a huge number and -1 mean that there is no limit', () => {
  const files = {
    '/proc/self/cgroup': '4:memory:/a\n2:cpu,cpuacct:/a\n',
    '/sys/fs/cgroup/memory/a/memory.limit_in_bytes': '536870912\n',
    '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
    '/sys/fs/cgroup/cpu/a/cpu.cfs_quota_us': '-1\n',
    '/sys/fs/cgroup/cpu/a/cpu.cfs_period_us': '100000\n',
    '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '200000\n',
    '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
  };
  assert.equal(limits(files), { memoryBytes: 536_870_912, cores: 2 });
});

test('what is no number limits nothing, and the real system can be asked', () => {
  const files = {
    '/proc/self/cgroup': 'nonsense\n0::/\n',
    '/sys/fs/cgroup/memory.max': 'many\n',
    '/sys/fs/cgroup/cpu.max': '\n',
  };
  assert.equal(limits(files), { memoryBytes: null, cores: null });
  const { memoryBytes, cores } = cgroupLimits();
  assert.ok(memoryBytes === null || memoryBytes > 0);
  assert.ok(cores === null || cores > 0);
});

test.run();
