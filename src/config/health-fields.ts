/** The settings of health: how often the node looks at itself, what is too much, whom it tells. */

import type { FieldTable } from './field.js';

export const HEALTH_FIELDS = {
  healthIntervalMs: {
    kind: 'duration',
    min: 0,
    default: 10_000,
    doc: 'How often the node looks at all its components by itself; 0: only when it is asked.',
  },
  healthTimeoutMs: {
    kind: 'duration',
    min: 10,
    default: 1_000,
    doc: 'How long one component may take to answer; then it counts as silent.',
  },
  healthHistory: {
    kind: 'integer',
    unit: 'results',
    min: 1,
    max: 10_000,
    default: 100,
    doc: 'Results, and changes, that /health/detailed shows.',
  },
  healthConfirmations: {
    kind: 'integer',
    unit: 'looks',
    min: 1,
    max: 100,
    default: 2,
    doc: 'Looks in a row that must agree before a change is logged and told to the webhook.',
  },
  healthCpuMax: { kind: 'share', default: 0.8, doc: 'Share of the CPU from which on the node is degraded; 1: never.' },
  healthCpuWindowMs: { kind: 'duration', min: 1_000, default: 30_000, doc: 'Over how long the use of CPU is measured.' },
  healthMemoryMax: {
    kind: 'share',
    default: 0.85,
    doc: 'Share of the memory (of the control group, else of the machine) from which on the node is degraded; 1: never.',
  },
  healthDiskMax: {
    kind: 'share',
    default: 0.9,
    doc: 'Share of the disk under the data folder from which on the node is degraded; 1: never.',
  },
  healthEventLoopMaxMs: {
    kind: 'duration',
    min: 1,
    default: 250,
    doc: 'Delay of the event loop (p99) from which on the node is degraded.',
  },
  healthLagMaxMs: {
    kind: 'duration',
    min: 1,
    default: 30_000,
    doc: 'How far behind a replica may be before it, and its master, are degraded.',
  },
  healthWebhookUrl: {
    kind: 'url',
    secret: true,
    default: null,
    doc: 'Where changes of health are sent as JSON. It may hold a token, so it is shown masked.',
  },
  healthWebhookUrlFile: {
    kind: 'path',
    default: null,
    doc: 'File whose first line is health_webhook_url, where flags and the environment are read by others.',
  },
  healthWebhookSecretFile: {
    kind: 'path',
    default: null,
    doc: 'File whose first line is sent to the webhook as a bearer token.',
  },
  healthWebhookTimeoutMs: { kind: 'duration', min: 1, default: 5_000, doc: 'How long one try of the webhook may take.' },
} as const satisfies FieldTable;
