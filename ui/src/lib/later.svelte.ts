// Work that takes longer than a frame: in slices, begun again when what it depends on changes.

/** Milliseconds of a slice: the slider and the keys stay free. */
const SLICE = 8;

export interface Later<T> {
  /** What was found last; null before the first. */
  readonly value: T | null;
  /** Whether it is of what is shown now. */
  readonly done: boolean;
}

/**
 * Run a generator to its end, a slice at a time; what is short is done at once.
 *
 * Whatever `make` itself reads is followed; the generator reads later, and is not. Where it makes
 * none, as what it needs is still worked on, the last value stays.
 */
export function later<T>(make: () => Generator<void, T, void> | null): Later<T> {
  let value: T | null = $state.raw(null);
  let done = $state(false);
  $effect.pre(() => {
    const work = make();
    done = false;
    return work === null ? undefined : inSlices(work, (found) => ([value, done] = [found, true]));
  });
  return {
    get value() {
      return value;
    },
    get done() {
      return done;
    },
  };
}

/** Run a generator to its end, its first slice now; what is given back stops it. */
export function inSlices<T>(work: Generator<void, T, void>, end: (value: T) => void = () => undefined): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const slice = () => {
    const until = performance.now() + SLICE;
    do {
      const step = work.next();
      if (step.done) return end(step.value);
    } while (performance.now() < until);
    timer = setTimeout(slice);
  };
  slice();
  return () => clearTimeout(timer);
}

/** Run a generator to its end now. */
export function now<T>(work: Generator<void, T, void>): T {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
}
