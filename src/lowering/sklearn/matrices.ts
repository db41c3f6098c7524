/** The inverse of a square matrix (row-major) by Gauss and Jordan with the largest pivot; undefined where there is none. */
export function invert(matrix: Float64Array, size: number): Float64Array | undefined {
  const a = Float64Array.from(matrix);
  const inverse = new Float64Array(size * size);
  for (let i = 0; i < size; i++) inverse[i * size + i] = 1;
  for (let column = 0; column < size; column++) {
    let pivot = column;
    for (let row = column + 1; row < size; row++)
      if (Math.abs(a[row * size + column]!) > Math.abs(a[pivot * size + column]!)) pivot = row;
    const value = a[pivot * size + column]!;
    if (!(Math.abs(value) > 0)) return undefined;
    for (const part of [a, inverse]) {
      for (let k = 0; k < size; k++) {
        const held = part[column * size + k]!;
        part[column * size + k] = part[pivot * size + k]! / value;
        if (pivot !== column) part[pivot * size + k] = held;
      }
    }
    for (let row = 0; row < size; row++) {
      const factor = a[row * size + column]!;
      if (row === column || factor === 0) continue;
      for (const part of [a, inverse])
        for (let k = 0; k < size; k++) part[row * size + k]! -= factor * part[column * size + k]!;
    }
  }
  return inverse;
}

/** log |matrix| of a positive definite matrix; undefined where it is none. */
export function choleskyLogDeterminant(matrix: Float64Array, size: number): number | undefined {
  const lower = new Float64Array(size * size);
  let sum = 0;
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      let value = matrix[i * size + j]!;
      for (let k = 0; k < j; k++) value -= lower[i * size + k]! * lower[j * size + k]!;
      if (i === j) {
        if (!(value > 0)) return undefined;
        lower[i * size + i] = Math.sqrt(value);
        sum += Math.log(value);
      } else lower[i * size + j] = value / lower[j * size + j]!;
    }
  }
  return sum;
}
