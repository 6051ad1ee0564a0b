/** A change of how vectors are quantized, from the wire to the model: absent stays absent. */

import type { Quantization } from '../model/collection.js';
import type { ChangedDeclarationsBody } from '../wire/http-bodies.js';

type QuantizationBody = NonNullable<ChangedDeclarationsBody['quantization']>;

export function quantizationSettings({ type, rescore, oversampling }: QuantizationBody): Partial<Quantization> {
  return {
    ...(type === undefined ? {} : { type }),
    ...(rescore === undefined ? {} : { rescore }),
    ...(oversampling === undefined ? {} : { oversampling }),
  };
}
