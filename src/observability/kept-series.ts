/** Series that are made when they are first needed, and then kept: what never happened is not printed. */

export function kept<Key, Made>(make: (key: Key) => Made): (key: Key) => Made {
  const made = new Map<Key, Made>();
  return (key) => {
    const known = made.get(key);
    if (known !== undefined) return known;
    const series = make(key);
    made.set(key, series);
    return series;
  };
}
