/** Reads the conditions on places. Must not know: other conditions. */

import { invalidFilter as invalid } from '../model/errors.js';
import type { AtKey, Condition } from '../model/filter.js';
import type { Place } from '../model/place.js';
import { list, number, object, required } from './filter-fields.js';
import { join } from './place.js';

/** Fewer enclose nothing. */
const RING_PLACES_MIN = 3;

export function readGeoRadius(at: AtKey, value: unknown, path: string, radius = 'radius_m'): Condition {
  const fields = object(value, path, ['center', radius]);
  const center = readPlace(required(fields, 'center', path), join(path, 'center'));
  const radiusM = number(required(fields, radius, path), join(path, radius));
  if (radiusM < 0) throw invalid(join(path, radius), 'must not be negative');
  return { kind: 'geo_radius', ...at, ...center, radiusM };
}

export function readGeoBox(at: AtKey, value: unknown, path: string): Condition {
  const fields = object(value, path, ['top_left', 'bottom_right']);
  const topLeft = readPlace(required(fields, 'top_left', path), join(path, 'top_left'));
  const bottomRight = readPlace(required(fields, 'bottom_right', path), join(path, 'bottom_right'));
  if (topLeft.lat < bottomRight.lat) throw invalid(join(path, 'top_left.lat'), 'must not be south of bottom_right.lat');
  return { kind: 'geo_box', ...at, top: topLeft.lat, left: topLeft.lon, bottom: bottomRight.lat, right: bottomRight.lon };
}

/** @param readPlaces a ring as it is written: counts its places */
export function readGeoPolygon(
  at: AtKey,
  value: unknown,
  path: string,
  readPlaces: (ring: unknown, path: string) => Place[],
): Condition {
  const fields = object(value, path, ['exterior', 'interiors']);
  const ring = (one: unknown, place: string): Place[] => {
    const places = readPlaces(one, place);
    if (new Set(places.map(({ lat, lon }) => `${lat} ${lon}`)).size < RING_PLACES_MIN)
      throw invalid(place, `needs at least ${RING_PLACES_MIN} different places`);
    return places;
  };
  const exterior = ring(required(fields, 'exterior', path), join(path, 'exterior'));
  const interiors = list(fields['interiors'] ?? [], join(path, 'interiors'));
  return {
    kind: 'geo_polygon',
    ...at,
    exterior,
    interiors: interiors.map((one, place) => ring(one, join(path, `interiors[${place}]`))),
  };
}

export function readPlace(value: unknown, path: string): Place {
  const fields = object(value, path, ['lat', 'lon']);
  const lat = number(required(fields, 'lat', path), join(path, 'lat'));
  const lon = number(required(fields, 'lon', path), join(path, 'lon'));
  if (Math.abs(lat) > 90) throw invalid(join(path, 'lat'), 'must be from -90 to 90');
  if (Math.abs(lon) > 180) throw invalid(join(path, 'lon'), 'must be from -180 to 180');
  return { lat, lon };
}
