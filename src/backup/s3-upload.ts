/** An object sent in parts: begun, sent one after the other while the next is gathered, completed. Nothing of it is an object before it
 *  is completed; whatever fails before, the upload is aborted, so that its parts are not kept and paid for.
 *
 *  Source: "Multipart upload overview", Amazon S3 User Guide. Must not know: where the parts come from. */

import type { Part } from './parts.js';
import { call, S3CallFailed, type S3Calls } from './s3-calls.js';

/** The limit of S3. */
const PARTS_MAX = 10_000;

export interface Upload {
  readonly calls: S3Calls;
  readonly object: { readonly Bucket: string; readonly Key: string };
  readonly first: Part;
  /** What comes behind the first. */
  readonly rest: AsyncIterable<Part>;
}

/** @returns the bytes of the object  @throws S3CallFailed · what `rest` throws */
export async function uploadInParts({ calls, object, first, rest }: Upload): Promise<number> {
  const { sdk, client } = calls;
  const { UploadId } = await call(() => client.send(new sdk.CreateMultipartUploadCommand(object)));
  if (UploadId === undefined) throw refused('the store began an upload without an id');
  const sent: { PartNumber: number; ETag: string }[] = [];
  const send = async ({ bytes }: Part, PartNumber: number): Promise<void> => {
    if (PartNumber > PARTS_MAX) throw refused(`the object has more than ${PARTS_MAX} parts: make backup_s3_part_bytes larger`);
    const part = { ...object, UploadId, PartNumber, Body: bytes, ContentLength: bytes.length };
    const { ETag } = await call(() => client.send(new sdk.UploadPartCommand(part)));
    if (ETag === undefined) throw refused('the store took a part without an ETag');
    sent.push({ PartNumber, ETag });
  };
  let sending = quietly(send(first, 1));
  let bytes = first.bytes.length;
  try {
    let number = 1;
    for await (const part of rest) {
      await sending;
      number += 1;
      bytes += part.bytes.length;
      sending = quietly(send(part, number));
    }
    await sending;
    await call(() =>
      client.send(new sdk.CompleteMultipartUploadCommand({ ...object, UploadId, MultipartUpload: { Parts: sent } })),
    );
  } catch (error) {
    await sending.catch(() => {});
    await abortUpload(calls, object, UploadId);
    throw error;
  }
  return bytes;
}

/** Forgets an upload that was begun. That it fails does no harm: leftovers are aborted when the target is opened a day later. */
export async function abortUpload({ sdk, client }: S3Calls, object: Upload['object'], uploadId: string): Promise<void> {
  try {
    await client.send(new sdk.AbortMultipartUploadCommand({ ...object, UploadId: uploadId }));
  } catch {
    return;
  }
}

/** Awaited later; until then its failure is nobody's. */
function quietly<T>(sending: Promise<T>): Promise<T> {
  sending.catch(() => {});
  return sending;
}

function refused(message: string): S3CallFailed {
  return new S3CallFailed({ reason: 'refused', message });
}
