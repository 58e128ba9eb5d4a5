// Arrays that travel inside JSON as base64 of little-endian numbers.
import type { Packed } from './schema';

/** The bytes of a packed array, checked against its shape. */
function bytes(packed: Packed): ArrayBuffer {
  const text = atob(packed.data);
  const held = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) held[i] = text.charCodeAt(i);
  const expected = 4 * packed.shape.reduce((product, side) => product * side, 1);
  if (held.length !== expected) {
    throw new Error(`A packed array of shape ${packed.shape.join(' × ')} holds ${held.length} bytes, not ${expected}.`);
  }
  return held.buffer;
}

export const uints = (packed: Packed): Uint32Array => new Uint32Array(bytes(packed));
export const floats = (packed: Packed): Float32Array => new Float32Array(bytes(packed));
