/** Polygons as regions of the Earth's cells: a rectangle that no edge meets lies wholly on one side.
 *  Must not know: labels, filters. */

import type { Polygon } from '../model/filter.js';
import type { Place } from '../model/place.js';
import { anyEdge, inPolygon, turn } from '../model/polygon.js';
import type { Rectangle, Region } from './place-cells.js';

export function polygonRegion(polygon: Polygon): Region {
  const rings = [polygon.exterior, ...polygon.interiors];
  return {
    contains: (place) => inPolygon(place, polygon),
    overlap: (rectangle) => {
      if (rings.some((ring) => anyEdge(ring, (from, to) => meets(rectangle, from, to)))) return 'some';
      return inPolygon({ lat: rectangle.south, lon: rectangle.west }, polygon) ? 'all' : 'none';
    },
  };
}

/** May an edge touch a rectangle? Not when it lies beyond one side, or all corners lie on one side of its line. */
function meets({ south, west, north, east }: Rectangle, from: Place, to: Place): boolean {
  if (Math.max(from.lat, to.lat) < south || Math.min(from.lat, to.lat) > north) return false;
  if (Math.max(from.lon, to.lon) < west || Math.min(from.lon, to.lon) > east) return false;
  const corners = [south, north].flatMap((lat) => [west, east].map((lon) => turn(from, to, { lat, lon })));
  return !(corners.every((side) => side > 0) || corners.every((side) => side < 0));
}
