/** The Earth cut into quarters again and again: a cell is a rectangle of degrees, its key the path of quarters to it.
 *
 *    level 0: all · level l: 2^l × 2^l cells · level 24: 2.4 m × 1.2 m at the equator
 *    key = at each level two bits (south 0 or north 2, west 0 or east 1), highest first; 48 bits, exact in a number
 *
 *  So the places in a cell are one stretch of the order of keys (a Z-order curve). A region says of a rectangle whether it surely contains
 *  it or surely misses it, with margins above all rounding; what it cannot say is looked at place by place.
 *  Must not know: labels, filters. */

import { arcMetres, type Box, type Circle, haversine, inBox, inCircle, type Place } from '../model/place.js';

export const LEVELS = 24;
const SIDE = 2 ** LEVELS;
const HALF_BITS = 12;
/** Wider than any rounding of degrees, far narrower than a cell. */
const MARGIN_DEGREES = 1e-9;
/** The haversine formula loses a decimetre where two places are opposite each other. */
const MARGIN_M = 1;
const RADIANS = Math.PI / 180;

export interface Rectangle {
  readonly south: number;
  readonly west: number;
  readonly north: number;
  readonly east: number;
}

export type Overlap = 'all' | 'some' | 'none';

export interface Region {
  contains(place: Place): boolean;
  /** 'all' and 'none' are certain, 'some' is not. */
  overlap(rectangle: Rectangle): Overlap;
}

export function keyOf({ lat, lon }: Place): number {
  const x = Math.min(SIDE - 1, Math.floor(((lon + 180) / 360) * SIDE));
  const y = Math.min(SIDE - 1, Math.floor(((lat + 90) / 180) * SIDE));
  const low = 2 ** HALF_BITS - 1;
  return interleave(x >>> HALF_BITS, y >>> HALF_BITS) * SIDE + interleave(x & low, y & low);
}

/** How many keys a cell of a level has. */
export function keysAt(level: number): number {
  return 4 ** (LEVELS - level);
}

/** @param column, row from west and south, below 2^level  @returns a little more than the cell, so that it surely holds its places */
export function rectangleOf(level: number, column: number, row: number): Rectangle {
  const cells = 2 ** level;
  return {
    south: (row / cells) * 180 - 90 - MARGIN_DEGREES,
    west: (column / cells) * 360 - 180 - MARGIN_DEGREES,
    north: ((row + 1) / cells) * 180 - 90 + MARGIN_DEGREES,
    east: ((column + 1) / cells) * 360 - 180 + MARGIN_DEGREES,
  };
}

export function circleRegion(circle: Circle): Region {
  return {
    contains: (place) => inCircle(place, circle),
    overlap: (rectangle) => {
      const { nearestM, farthestM } = distancesM(circle, rectangle);
      if (nearestM > circle.radiusM + MARGIN_M) return 'none';
      return farthestM < circle.radiusM - MARGIN_M ? 'all' : 'some';
    },
  };
}

export function boxRegion(box: Box): Region {
  const spans = spansOf(box);
  // The ends of the world lie within every rectangle there, which is a margin wider.
  const top = box.top === 90 ? 91 : box.top;
  const bottom = box.bottom === -90 ? -91 : box.bottom;
  return {
    contains: (place) => inBox(place, box),
    overlap: ({ south, west, north, east }) => {
      if (south > top || north < bottom) return 'none';
      if (!spans.some((span) => west <= span.east && east >= span.west)) return 'none';
      const inLatitude = south >= bottom && north <= top;
      return inLatitude && spans.some((span) => west >= span.west && east <= span.east) ? 'all' : 'some';
    },
  };
}

/** The stretches of longitude in a box; a box that reaches 180 reaches −180, which is the same meridian. */
function spansOf({ left, right }: Box): { west: number; east: number }[] {
  const spans =
    left <= right
      ? [{ west: left, east: right }]
      : [
          { west: left, east: 180 },
          { west: -180, east: right },
        ];
  const wide = spans.map(({ west, east }) => ({
    west: west === -180 ? west - 2 * MARGIN_DEGREES : west,
    east: east === 180 ? east + 2 * MARGIN_DEGREES : east,
  }));
  if (left === -180 || right === -180) wide.push({ west: 180, east: 180 });
  if (left === 180 || right === 180) wide.push({ west: -180, east: -180 });
  return wide;
}

/** Bounds of the distance from a circle's centre to the places of a rectangle: the haversine grows with both gaps and with the cosines. */
function distancesM({ lat, lon }: Circle, { south, west, north, east }: Rectangle): { nearestM: number; farthestM: number } {
  const latNear = Math.max(0, south - lat, lat - north);
  const latFar = Math.max(Math.abs(lat - south), Math.abs(lat - north));
  const opposite = lon > 0 ? lon - 180 : lon + 180;
  const ends = [gapOf(lon, west), gapOf(lon, east)];
  const lonNear = west <= lon && lon <= east ? 0 : Math.min(...ends);
  const lonFar = west <= opposite && opposite <= east ? 180 : Math.max(...ends);
  const cosines = [cosineOf(south), cosineOf(north)];
  const cosineMost = south <= 0 && north >= 0 ? 1 : Math.max(...cosines);
  return {
    nearestM: arcMetres(haversine(latNear, lonNear, cosineOf(lat) * Math.min(...cosines))),
    farthestM: arcMetres(haversine(Math.min(180, latFar), lonFar, cosineOf(lat) * cosineMost)),
  };
}

/** Degrees between two meridians, 0 … 180. */
function gapOf(lonA: number, lonB: number): number {
  const gap = Math.abs(lonA - lonB);
  return gap > 180 ? 360 - gap : gap;
}

function cosineOf(lat: number): number {
  return Math.max(0, Math.cos(lat * RADIANS));
}

/** The bits of two numbers below 2^12 in turn, those of y above those of x. */
function interleave(x: number, y: number): number {
  return spread(x) | (spread(y) << 1);
}

/** Twelve bits with a gap behind each. Source: Bit Twiddling Hacks, "Interleave bits by Binary Magic Numbers". */
function spread(bits: number): number {
  let wide = bits;
  wide = (wide | (wide << 8)) & 0x00ff00ff;
  wide = (wide | (wide << 4)) & 0x0f0f0f0f;
  wide = (wide | (wide << 2)) & 0x33333333;
  return (wide | (wide << 1)) & 0x55555555;
}
