/** A file as an origin: named by its base name, known again by its size and time. */

import { basename } from 'node:path';
import { messageOf } from '../../model/errors.js';
import type { Origin } from './origin.js';
import { type ImportFormat, openSource } from './readers/open-source.js';
import { FileProblem } from './record.js';
import { fileIdentity } from './resume-state.js';

export interface FileOptions {
  readonly path: string;
  readonly format: ImportFormat;
  readonly idOffset: number;
  readonly idColumn: string;
  readonly vectorColumn: string;
}

/** @throws FileProblem when it cannot be read */
export function fileOrigin({ path, format, idOffset, idColumn, vectorColumn }: FileOptions): Origin {
  const ofVectors = format === 'fvecs' || format === 'bvecs';
  return {
    name: basename(path),
    notePath: path,
    identity: { ...identityOf(path), format, id_offset: idOffset, id_column: idColumn, vector_column: vectorColumn },
    settings: { distance: ofVectors ? 'euclid' : 'cosine', distanceKnown: false },
    losses: [],
    open: ({ next }) => openSource(format, { path, fromIndex: next, idOffset, idColumn, vectorColumn }),
    close: () => Promise.resolve(),
  };
}

function identityOf(path: string): ReturnType<typeof fileIdentity> {
  try {
    return fileIdentity(path);
  } catch (error) {
    throw new FileProblem(`it cannot be read: ${messageOf(error)}`);
  }
}
