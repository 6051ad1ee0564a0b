/** Opens the place that the settings name. What a kind of place needs is loaded only when it is the one. */

import type { Clock } from '../model/clock.js';
import { folderName, openFolderTarget } from './folder-target.js';
import { type S3Place, s3Name } from './s3-calls.js';
import type { BackupTarget } from './target.js';

/** As the settings have it (config/backup-settings.ts). */
export type Place = { readonly kind: 'folder'; readonly folder: string } | ({ readonly kind: 's3' } & S3Place);

export interface OpenTargetOptions {
  /** The id of the node that puts; one at a time. null: for reading only. */
  readonly writer: string | null;
  readonly stallMs: number;
  readonly clock: Clock;
}

/** The name that the target will have, before there is one. */
export function nameOfPlace(place: Place): string {
  return place.kind === 'folder' ? folderName(place.folder) : s3Name(place);
}

/** Reaches for it once, and removes what a killed writer left there. @throws BackupTargetFailed */
export async function openTarget(place: Place, { writer, stallMs, clock }: OpenTargetOptions): Promise<BackupTarget> {
  if (place.kind === 'folder') return openFolderTarget({ folder: place.folder, writer, stallMs, clock });
  const { openS3Target } = await import('./s3-target.js');
  return openS3Target({ place, tidies: writer !== null, stallMs, clock });
}
