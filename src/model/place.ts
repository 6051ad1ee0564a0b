/** Places on the Earth: points by latitude and longitude in degrees, circles around one, and boxes.
 *
 *  Whoever finds places, by looking at each or through an index, finds the same ones, because the arithmetic stands here once.
 *  Must not know: filters, indexes. */

import { isObject } from './payload-path.js';
import type { JsonValue } from './point.js';

/** @property lat −90 … 90  @property lon −180 … 180 */
export interface Place {
  readonly lat: number;
  readonly lon: number;
}

export interface Circle {
  readonly lat: number;
  readonly lon: number;
  readonly radiusM: number;
}

/** A left edge east of the right edge: the box crosses the antimeridian. */
export interface Box {
  readonly top: number;
  readonly left: number;
  readonly bottom: number;
  readonly right: number;
}

/** Mean radius of the Earth (IUGG), for great circles by the haversine formula. */
const EARTH_RADIUS_M = 6_371_008.8;
const RADIANS = Math.PI / 180;

/** A place is an object with numbers `lat` and `lon` in range; anything else is none. */
export function placeOf(value: JsonValue): Place | null {
  if (!isObject(value) || !Object.hasOwn(value, 'lat') || !Object.hasOwn(value, 'lon')) return null;
  const { lat, lon } = value;
  if (typeof lat !== 'number' || typeof lon !== 'number' || !(Math.abs(lat) <= 90) || !(Math.abs(lon) <= 180)) return null;
  return { lat, lon };
}

export function inCircle({ lat, lon }: Place, circle: Circle): boolean {
  return metresBetween(lat, lon, circle.lat, circle.lon) <= circle.radiusM;
}

export function inBox({ lat, lon }: Place, box: Box): boolean {
  return lat <= box.top && lat >= box.bottom && betweenMeridians(lon, box);
}

/** 180 and −180 are the same meridian. */
function betweenMeridians(lon: number, { left, right }: Box): boolean {
  const inside = (one: number): boolean => (left <= right ? one >= left && one <= right : one >= left || one <= right);
  return inside(lon) || (Math.abs(lon) === 180 && inside(-lon));
}

function metresBetween(latA: number, lonA: number, latB: number, lonB: number): number {
  return arcMetres(haversine(latB - latA, lonB - lonA, Math.cos(latA * RADIANS) * Math.cos(latB * RADIANS)));
}

/** The square of half the chord between two places on the unit sphere.
 *  @param latGap, lonGap degrees between them  @param cosines product of the cosines of their latitudes */
export function haversine(latGap: number, lonGap: number, cosines: number): number {
  const halfLat = Math.sin((latGap * RADIANS) / 2);
  const halfLon = Math.sin((lonGap * RADIANS) / 2);
  return halfLat * halfLat + cosines * halfLon * halfLon;
}

/** The way over the ground for a haversine; grows with it. */
export function arcMetres(haversineValue: number): number {
  return 2 * EARTH_RADIUS_M * Math.asin(Math.min(1, Math.sqrt(haversineValue)));
}
