/** The settings of calls to outside dependencies: how they are retried, and when one is not asked any more. They hold for all of them: the
 *  place of backups, webhooks, collectors of traces. The search engines have breakers of their own (limit-fields.ts). */

import type { FieldTable } from './field.js';

export const DEPENDENCY_FIELDS = {
  dependencyAttemptsMax: {
    kind: 'integer',
    unit: 'tries',
    min: 1,
    max: 100,
    default: 3,
    doc: 'Tries of a call whose failure may pass, the first included; 1: nothing is tried again.',
  },
  dependencyRetryStrategy: {
    kind: 'choice',
    choices: ['fixed', 'linear', 'exponential'],
    default: 'exponential',
    doc: 'How waits between tries grow: not, by one more base delay each, or by the factor.',
  },
  dependencyRetryDelayMs: { kind: 'duration', min: 0, default: 1_000, doc: 'Wait before the second try: the base delay.' },
  dependencyRetryDelayMsMax: { kind: 'duration', min: 0, default: 60_000, doc: 'Longest wait between two tries.' },
  dependencyRetryFactor: {
    kind: 'integer',
    unit: '',
    min: 1,
    max: 100,
    default: 2,
    doc: 'What exponential waits are multiplied by from try to try.',
  },
  dependencyRetryJitter: {
    kind: 'boolean',
    default: true,
    doc: 'Leave half of each wait to chance, so that callers that failed together do not come back together.',
  },
  dependencyFailuresMax: {
    kind: 'integer',
    unit: 'failures',
    min: 0,
    max: 1_000_000,
    default: 5,
    doc: 'So many failures in a row, and a dependency is not asked for a while; 0: it always is, slow ones too.',
  },
  dependencyResetMs: {
    kind: 'duration',
    min: 1,
    default: 60_000,
    doc: 'How long it is not asked; then one call at a time tries.',
  },
  dependencySuccessesMin: {
    kind: 'integer',
    unit: 'successes',
    min: 1,
    max: 1_000,
    default: 3,
    doc: 'Successes in a row after which everybody asks it again.',
  },
  dependencySlowFailuresMax: {
    kind: 'integer',
    unit: 'failures',
    min: 1,
    max: 1_000_000,
    default: 3,
    doc: 'The same as dependency_failures_max, for dependencies whose calls take long, as those of backups do.',
  },
  dependencySlowResetMs: {
    kind: 'duration',
    min: 1,
    default: 120_000,
    doc: 'The same as dependency_reset_ms, for the slow ones.',
  },
} as const satisfies FieldTable;
