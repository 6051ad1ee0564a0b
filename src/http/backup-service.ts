/** What the routes of backups need of the node. `node` hands it in. */

import type {
  BackupInfo,
  BackupKind,
  BackupList,
  BackupStatus,
  DrillReport,
  RestoreForecast,
  RestoreReceipt,
  RestoreWish,
} from '../model/backup.js';

export interface BackupService {
  /** Null when no target is configured. */
  status(): BackupStatus | null;
  /** What was read last where the target cannot be read now. @throws BackupsOff (no target, or no data yet) · Starting · ShuttingDown */
  list(): Promise<BackupList>;
  /** Each of these: @throws BackupsOff (no target, or no data yet) · BackupTargetFailed · CircuitOpen · Starting · ShuttingDown */
  /** @param kind null: an increment where one is enough @returns null when nothing was written since the newest @throws Overloaded */
  create(kind: BackupKind | null): Promise<BackupInfo | null>;
  /** @throws BackupNotFound · PositionLost · BackupDamaged */
  forecast(wish: RestoreWish): Promise<RestoreForecast>;
  /** Replaces the data of this master. @throws as forecast · NotMaster · DiskLimitExceeded · Overloaded */
  restore(wish: RestoreWish): Promise<RestoreReceipt & { readonly forecast: RestoreForecast }>;
  /** Removes one that nothing else needs. By the node that makes backups alone. @param withIncrements those that lead nowhere without it go as well,
   *  where a newer full one leads to all behind them @returns the ids of what is gone @throws BackupNotFound · BackupNeeded · NotMaster · Overloaded */
  remove(id: string, withIncrements: boolean): Promise<readonly string[]>;
  /** @throws as forecast · Overloaded */
  drill(wish: RestoreWish): Promise<DrillReport>;
}
