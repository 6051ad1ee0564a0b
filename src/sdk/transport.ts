/** What carries requests: bytes out, bytes in. Node has HttpTransport, a browser FetchTransport; a program may bring its own.
 *
 *  Invariant: an error says whether the server may have seen the request. Must not know: JSON, msgpack, retries, sessions. */

export interface TransportRequest {
  readonly method: string;
  /** The whole address, query included. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | null;
  readonly signal: AbortSignal;
}

export interface StreamRequest extends Omit<TransportRequest, 'body'> {
  /** Taken as fast as the server reads. */
  readonly chunks: AsyncIterable<Uint8Array>;
}

export interface TransportAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface StreamAnswer extends Omit<TransportAnswer, 'body'> {
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** @throws SkeinConnectionError when no whole answer came; the reason of the signal when that was aborted */
export interface Transport {
  send(request: TransportRequest): Promise<TransportAnswer>;
  /** A request's stream is gathered before it is sent, so who has much to send sends it in parts. Default false. */
  readonly gathersStreams?: boolean;
  /** Resolves when the head of the answer is there; the body of the request may still be flowing. */
  stream(request: StreamRequest): Promise<StreamAnswer>;
  /** Ends idle connections; running requests are cut off. */
  close(): void;
}
