// Arrays that travel inside JSON as base64 of little-endian numbers.
import type { Packed, PackedColumns } from './schema';

const SIZE: Record<Packed['dtype'], number> = { uint16: 2, uint32: 4, float32: 4 };

function decode(data: string): Uint8Array<ArrayBuffer> {
  // Of 2025; the loop is for browsers that do not have it.
  const { fromBase64 } = Uint8Array as { fromBase64?: (text: string) => Uint8Array<ArrayBuffer> };
  if (fromBase64) return fromBase64.call(Uint8Array, data);
  const text = atob(data);
  const held = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) held[i] = text.charCodeAt(i);
  return held;
}

/** The bytes of a packed array, checked against its shape. */
function bytes(packed: Packed): ArrayBuffer {
  const held = decode(packed.data);
  const expected = SIZE[packed.dtype] * packed.shape.reduce((product, side) => product * side, 1);
  if (held.length !== expected) {
    throw new Error(`A packed array of shape ${packed.shape.join(' × ')} holds ${held.length} bytes, not ${expected}.`);
  }
  return held.buffer;
}

export const uints = (packed: Packed): Uint32Array => new Uint32Array(bytes(packed));
export const floats = (packed: Packed): Float32Array => new Float32Array(bytes(packed));

/** What is decoded when it is first asked for: the first screen waits for nothing else. */
export function lazily<T>(decode: () => T): () => T {
  let held: { value: T } | undefined;
  return () => (held ??= { value: decode() }).value;
}

/** The columns of a matrix one after another: number `[column * n + row]`. */
export function columns(packed: PackedColumns): Float32Array {
  const codes = new Uint16Array(bytes(packed.code));
  const [low, step] = [floats(packed.low), floats(packed.step)];
  const n = codes.length / Math.max(1, low.length);
  const found = new Float32Array(codes.length);
  for (let column = 0; column < low.length; column++) {
    for (let i = column * n; i < (column + 1) * n; i++) found[i] = low[column] + step[column] * codes[i];
  }
  return found;
}
