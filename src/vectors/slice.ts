import { ServiceError } from '../errors.ts';
import type { Vectors } from './vectors.ts';

/** The first `dimensions` values of every vector; `renormalize` makes them unit length again. @throws ServiceError */
export function sliceVectors(
  vectors: Vectors,
  { dimensions, renormalize = false }: { readonly dimensions: number | undefined; readonly renormalize?: boolean },
): Vectors {
  const { data, rows, dim } = vectors;
  checkDimensions(dimensions, dim);
  if (dimensions === undefined || dimensions === dim) return vectors;
  const sliced = new Float32Array(rows * dimensions);
  for (let row = 0; row < rows; row++) {
    const vector = sliced.subarray(row * dimensions, (row + 1) * dimensions);
    vector.set(data.subarray(row * dim, row * dim + dimensions));
    if (renormalize) toUnitLength(vector);
  }
  return { data: sliced, rows, dim: dimensions };
}

/** Refuses `dimensions` that the model cannot give; cheap, so call it before computing. @throws ServiceError */
export function checkDimensions(dimensions: number | undefined, dim: number): void {
  if (dimensions === undefined || dimensions <= dim) return;
  throw new ServiceError('invalid_value', {
    param: 'dimensions',
    got: dimensions,
    expected: `Must be less than or equal to ${dim}.`,
  });
}

/** A vector of zeros has no direction and stays as it is. */
function toUnitLength(vector: Float32Array): void {
  let squares = 0;
  for (const value of vector) squares += value * value;
  if (squares === 0) return;
  const scale = 1 / Math.sqrt(squares);
  for (let i = 0; i < vector.length; i++) vector[i] = (vector[i] ?? 0) * scale;
}
