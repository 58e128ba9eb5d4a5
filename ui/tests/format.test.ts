import { describe, expect, it } from 'vitest';
import { direction, minus, tiny } from '../src/lib/format';

describe('numbers', () => {
  it('have a real minus sign in the exponent and before', () => {
    expect(tiny(0.0407, 2)).toBe('4.07e−2');
    expect(tiny(-3e-5)).toBe('−3e−5');
    expect(minus('without it -0.5 points (-2) of wav2vec-2 and 3-4')).toBe('without it −0.5 points (−2) of wav2vec-2 and 3-4');
  });
  it('go a way only where that is sure and not zero', () => {
    expect(direction(0.4, 1)).toEqual({ way: 'up', arrow: '▲ ' });
    expect(direction(-0.4, 1)).toEqual({ way: 'down', arrow: '▼ ' });
    expect(direction(0.04, 1).way).toBe('quiet');
    expect(direction(0.4, 1, false)).toEqual({ way: 'quiet', arrow: '' });
  });
});
