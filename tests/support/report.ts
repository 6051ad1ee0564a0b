/** What a test file tells the runner while it runs, over the channel Node gives a forked child. Without a runner (the file
 *  was started by hand) nothing is sent. */

export interface FileReport {
  readonly kind: 'passed' | 'failed' | 'finished';
  /** Both names are empty for `finished`, which says that every suite of the file has ended. */
  readonly suite: string;
  readonly test: string;
}

/** Sends one report; costs nothing when no runner listens. */
export function tellRunner(report: FileReport): void {
  process.send?.(report);
}

/** Whether a message from a child is a report; anything else a test sends is not ours to count. */
export function isFileReport(message: unknown): message is FileReport {
  if (typeof message !== 'object' || message === null || !('kind' in message)) return false;
  return message.kind === 'passed' || message.kind === 'failed' || message.kind === 'finished';
}
