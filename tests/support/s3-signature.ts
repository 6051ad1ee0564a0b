/** The other side of AWS Signature Version 4: is a request signed with this secret, and is its body the one that was signed?
 *  Source: "Create a signed AWS API request", AWS General Reference. */

import { createHash, createHmac } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

export interface SignedWith {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

const CREDENTIAL = /Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})/;

/** @returns null when it is signed, or the error code of S3 that says what is wrong */
export function signatureProblem(request: IncomingMessage, body: Buffer, key: SignedWith): string | null {
  const [, accessKeyId, date = '', region = '', signedHeaders = '', signature] =
    CREDENTIAL.exec(request.headers.authorization ?? '') ?? [];
  if (accessKeyId === undefined) return 'AccessDenied';
  if (accessKeyId !== key.accessKeyId) return 'InvalidAccessKeyId';
  const stated = String(request.headers['x-amz-content-sha256']);
  if (stated !== 'UNSIGNED-PAYLOAD' && stated !== sha256(body)) return 'XAmzContentSHA256Mismatch';
  const scope = `${date}/${region}/s3/aws4_request`;
  const toSign = [
    'AWS4-HMAC-SHA256',
    request.headers['x-amz-date'],
    scope,
    sha256(canonical(request, signedHeaders, stated)),
  ].join('\n');
  const signingKey = [date, region, 's3', 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${key.secretAccessKey}`);
  return hmac(signingKey, toSign).toString('hex') === signature ? null : 'SignatureDoesNotMatch';
}

function canonical(request: IncomingMessage, signedHeaders: string, bodyHash: string): string {
  const [path = '', query = ''] = (request.url ?? '').split('?');
  const parameters =
    query === '' ? [] : query.split('&').map((parameter) => (parameter.includes('=') ? parameter : `${parameter}=`));
  const headers = signedHeaders.split(';').map((name) => `${name}:${String(request.headers[name]).trim().replace(/ +/g, ' ')}\n`);
  return [request.method, path, parameters.sort().join('&'), headers.join(''), signedHeaders, bodyHash].join('\n');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}
