/** Polygons on the map: which places lie inside.
 *
 *  The map is flat: degrees of longitude run straight from −180 to 180, so a polygon does not cross the antimeridian, and an edge is a
 *  straight line of degrees. A place on an edge, of the exterior or of a hole, is not inside. Crossing rings count by even and odd.
 *  Must not know: filters' grammar, indexes. */

import type { Polygon } from './filter.js';
import type { Place } from './place.js';

export function inPolygon(place: Place, { exterior, interiors }: Polygon): boolean {
  return sideOf(place, exterior) === 'inside' && interiors.every((ring) => sideOf(place, ring) === 'outside');
}

/** Calls back with the ends of every edge of a ring, the closing one included. */
export function anyEdge(ring: readonly Place[], test: (from: Place, to: Place) => boolean): boolean {
  return ring.some((to, at) => test(ring.at(at - 1) as Place, to));
}

/** Source: the crossing number of a ray to the east (Shimrat 1962), with edges told first. */
function sideOf(place: Place, ring: readonly Place[]): 'inside' | 'outside' | 'edge' {
  let inside = false;
  const onEdge = anyEdge(ring, (from, to) => {
    const turned = turn(from, to, place);
    if (turned === 0 && isBetween(place, from, to)) return true;
    if (from.lat > place.lat !== to.lat > place.lat && turned > 0 === to.lat > from.lat) inside = !inside;
    return false;
  });
  if (onEdge) return 'edge';
  return inside ? 'inside' : 'outside';
}

/** Above 0: the place lies to the left of the way from one end to the other; 0: on its line. */
export function turn(from: Place, to: Place, { lat, lon }: Place): number {
  return (to.lon - from.lon) * (lat - from.lat) - (to.lat - from.lat) * (lon - from.lon);
}

function isBetween({ lat, lon }: Place, from: Place, to: Place): boolean {
  return (
    lat >= Math.min(from.lat, to.lat) &&
    lat <= Math.max(from.lat, to.lat) &&
    lon >= Math.min(from.lon, to.lon) &&
    lon <= Math.max(from.lon, to.lon)
  );
}
